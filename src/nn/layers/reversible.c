// SPDX-License-Identifier: MIT
/* One table for both ends of a language model: called on ids it looks rows up, called on vectors it compares them with every row.
 * Which of the two is meant, the last axis says. Source: Press and Wolf 2017; KerasHub's ReversibleEmbedding. */
#include "nn/init.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "input_dim", .type = ARG_INT, .least = 1, .most = 1 << 30, .help = "how many tokens there are" },
    { .name = "output_dim", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "numbers of a vector" },
    { .name = "embeddings_initializer", .type = ARG_TEXT, .fallback = "uniform", .choices = initializer_names, .help = "initial rows" },
};
static const LayerCase cases[] = {
    { .args = "input_dim=4 output_dim=3", .in = { { 2, { 2, 5 } } }, .n_in = 1, .classes = 4 },
    { .args = "input_dim=4 output_dim=3", .in = { { 3, { 2, 5, 3 } } }, .n_in = 1 },
};

static bool backwards(const Layer *layer, const Shape *in)
{
    return in->rank == 3 && in->d[2] == args_int(&layer->args, "output_dim");
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    char got[SHAPE_TEXT];
    int64_t rows = args_int(&layer->args, "input_dim"), size = args_int(&layer->args, "output_dim");
    (void)n_in;
    if (in[0].rank != 2 && !backwards(layer, &in[0]))
        return layer_refuse(layer, err, "wants rows of token ids, or vectors of %lld numbers to turn back into tokens, got %s", (long long)size,
                            layer_shape_text(&in[0], got));
    return layer_add_param(layer, "embeddings", SHAPE(rows, size), args_text(&layer->args, "embeddings_initializer"), true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *table = layer_param(layer, tape, 0, err), *ids = in[0];
    (void)n_in;
    if (!table)
        return NULL;
    if (backwards(layer, &in[0]->value.shape)) {
        Args turned;
        args_init(&turned, op_matmul.args, op_matmul.n_args);
        turned.v[args_find(&turned, "transpose_b")].u.b = true;
        return tape_op(tape, &op_matmul, (Node *[]){ in[0], table }, 2, &turned, err);
    }
    if (ids->value.dtype != DTYPE_INT32) {
        Args whole;
        args_init(&whole, op_cast.args, op_cast.n_args);
        if (!args_set_text(&whole, 0, "int32", layer->name, err) || !(ids = tape_op(tape, &op_cast, &ids, 1, &whole, err)))
            return NULL;
    }
    return tape_op(tape, &op_gather, (Node *[]){ table, ids }, 2, NULL, err);
}

const LayerKind layer_reversible = {
    .name = "ReversibleEmbedding",
    .prefix = "reversible_embedding",
    .doc = "An Embedding whose rows serve twice: called on token ids it gives vectors, called again on vectors it gives a score (logit) for\n"
           "each token.\n"
           "Shapes: ids [B, T] -> [B, T, output_dim]; x [B, T, output_dim] -> [B, T, input_dim].  Source: Press and Wolf 2017.",
    .example = "local e, x = nn.ReversibleEmbedding(10, 4), nn.Input({3}); assert(nn.Model(x, e(e(x))):count_params() == 40)",
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
