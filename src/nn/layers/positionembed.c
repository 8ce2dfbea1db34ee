// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "sequence_length", .type = ARG_INT, .least = 1, .most = 1 << 30, .help = "the longest sequence" },
    { .name = "initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial vectors" },
};
static const LayerCase cases[] = {
    { .args = "sequence_length=5", .in = { { 3, { 2, 4, 3 } } }, .n_in = 1 },
    { .args = "sequence_length=4", .in = { { 3, { 2, 4, 3 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    char got[SHAPE_TEXT];
    int64_t length = args_int(&layer->args, "sequence_length");
    (void)n_in;
    if (in[0].rank != 3)
        return layer_refuse(layer, err, "wants sequences of shape (time, features), got %s", layer_shape_text(&in[0], got));
    if (in[0].d[1] > length)
        return layer_refuse(layer, err, "knows %lld positions, but the sequences have %lld steps; give a larger sequence_length",
                            (long long)length, (long long)in[0].d[1]);
    return layer_add_param(layer, "embeddings", SHAPE(length, in[0].d[2]), args_text(&layer->args, "initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *table = layer_param(layer, tape, 0, err);
    const Shape *x = &in[0]->value.shape;
    (void)n_in;
    if (table && table->value.shape.d[0] > x->d[1]) {
        const double end[2] = { (double)x->d[1], (double)x->d[2] };
        Args part;
        args_init(&part, op_slice.args, op_slice.n_args);
        if (!args_set_numbers(&part, args_find(&part, "end"), end, 2, "slice", err))
            return NULL;
        table = tape_op(tape, &op_slice, &table, 1, &part, err);
    }
    return table ? ops_broadcast(tape, table, x, err) : NULL;
}

const LayerKind layer_positionembed = {
    .name = "PositionEmbedding",
    .prefix = "position_embedding",
    .doc = "A learnt vector for each step of a sequence; add it: nn.Add()({x, nn.PositionEmbedding(64)(x)}).\n"
           "Shapes: x [B, T, D], embeddings [sequence_length, D] -> [B, T, D].  Source: KerasHub's layer of this name.",
    .example = "local m = nn.Sequential(); m:add(nn.PositionEmbedding(8, {input_shape = {5, 3}})); assert(m:count_params() == 24)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .mask = LAYER_MASK_PASS,
    .build = build,
    .forward = forward,
};
