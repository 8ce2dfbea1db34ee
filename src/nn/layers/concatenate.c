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

/* Along time masks stand one behind the other, too; an input without one counts all its steps. */
static bool concat_masks(Layer *layer, Tape *tape, Node *y, Node *const *in, int n_in, Err *err)
{
    static real one = 1;
    Node *masks[OP_IN_MOST];
    bool some = false;
    for (int i = 0; i < n_in; i++)
        some = some || in[i]->mask;
    for (int i = 0; some && i < n_in; i++) {
        Shape steps = SHAPE(in[i]->value.shape.d[0], in[i]->value.shape.d[1]);
        Tensor ones = tensor_borrow(DTYPE_FLOAT32, (Shape){ .rank = 0 }, &one);
        Node *all = in[i]->mask ? NULL : tape_input(tape, &ones, err);
        if (!in[i]->mask && !all)
            return false;
        if (!(masks[i] = all ? ops_broadcast(tape, all, &steps, err) : in[i]->mask))
            return false;
    }
    y->mask = some ? tape_op(tape, &op_concat, masks, n_in, &layer->op_args, err) : NULL;
    return !some || y->mask;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    int axis = (int)args_int(&layer->op_args, "axis");
    Node *y = tape_op(tape, &op_concat, in, n_in, &layer->op_args, err);
    bool along_time = y && axis == 1 && y->value.shape.rank > 2;
    if (y && !(along_time ? concat_masks(layer, tape, y, in, n_in, err) : layer_join_masks(tape, y, in, n_in, err)))
        return NULL;
    return y;
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
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
};
