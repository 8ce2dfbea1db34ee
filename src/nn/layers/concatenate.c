// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "axis", .type = ARG_INT, .fallback = "-1", .least = -SHAPE_MOST, .most = SHAPE_MOST - 1,
      .help = "the axis that grows: 0 is the batch, -1 the last" },
};
static const LayerCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 2 } } }, .n_in = 2 },
    { .args = "axis=1", .in = { { 3, { 2, 1, 3 } }, { 3, { 2, 2, 3 } }, { 3, { 2, 2, 3 } } }, .n_in = 3 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    int axis;
    if (!shape_axis(&in[0], args_int(&layer->args, "axis"), &axis, layer->name, err))
        return false;
    if (axis == 0)
        return layer_refuse(layer, err, "cannot join along axis 0, which is the batch");
    for (int i = 1; i < n_in; i++) {
        Shape as_first = in[i];
        if (as_first.rank == in[0].rank)
            as_first.d[axis] = in[0].d[axis];
        char a[SHAPE_TEXT], b[SHAPE_TEXT];
        if (!shape_same(&as_first, &in[0]))
            return layer_refuse(layer, err, "wants inputs that differ in axis %d only, got %s and %s", axis, layer_shape_text(&in[0], a),
                                layer_shape_text(&in[i], b));
    }
    ops_begin(layer, &op_concat);
    return args_set_number(&layer->op_args, args_find(&layer->op_args, "axis"), axis, layer->name, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    return tape_op(tape, &op_concat, in, n_in, &layer->op_args, err);
}

const LayerKind layer_concatenate = {
    .name = "Concatenate",
    .prefix = "concatenate",
    .doc = "Its inputs one behind the other along an axis.\n"
           "Shapes: the same but for that axis, whose sizes are added.",
    .example = "local x = nn.Input({2}); local m = nn.Model(x, nn.Concatenate()({x, x})); assert(#m:predict(tensor{{1, 2}})[1] == 4)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 2,
    .in_most = OP_IN_MOST,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
