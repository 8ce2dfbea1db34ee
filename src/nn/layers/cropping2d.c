// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "cropping", .type = ARG_INTS, .fallback = "0,0,0,0", .least = 0, .most = 1 << 20, .help = "one number, {height, width}, or {top, bottom, left, right}, also as {{top, bottom}, {left, right}}" },
};
static const LayerCase cases[] = {
    { .args = "cropping=1", .in = { { 4, { 2, 3, 4, 2 } } }, .n_in = 1 },
    { .args = "cropping=0,1,2,0", .in = { { 4, { 1, 3, 4, 2 } } }, .n_in = 1 },
    { .in = { { 4, { 1, 2, 2, 1 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int64_t edge[4];
    double begin[3] = { 0 }, end[3] = { (double)TENSOR_ELEMENTS_MOST };
    (void)n_in;
    if (!ops_want_images(layer, &in[0], err) || !ops_edges(layer, "cropping", edge, err))
        return false;
    for (int i = 0; i < 2; i++) {
        if (edge[2 * i] + edge[2 * i + 1] >= in[0].d[i + 1])
            return layer_refuse(layer, err, "cuts off %" PRId64 " of %" PRId64 " %s: nothing would be left", edge[2 * i] + edge[2 * i + 1],
                                in[0].d[i + 1], i ? "columns" : "lines");
        begin[i + 1] = (double)edge[2 * i];
        end[i + 1] = (double)(in[0].d[i + 1] - edge[2 * i + 1]);
    }
    ops_begin(layer, &op_slice);
    return args_set_numbers(&layer->op_args, args_find(&layer->op_args, "begin"), begin, 3, layer->name, err) &&
           args_set_numbers(&layer->op_args, args_find(&layer->op_args, "end"), end, 3, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_slice, in, n_in, &layer->op_args, err);
}

const LayerKind layer_cropping2d = {
    .name = "Cropping2D",
    .prefix = "cropping2d",
    .doc = "Cuts the edges off images.\n"
           "Shapes: x [B, H, W, C] -> y [B, H - top - bottom, W - left - right, C].",
    .example = "local m = nn.Sequential(); m:add(nn.Cropping2D(1, {input_shape = {5, 4, 1}})); assert(m.output_shape[1] == 3 and m.output_shape[2] == 2)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
