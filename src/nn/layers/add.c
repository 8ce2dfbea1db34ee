// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const LayerCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, .n_in = 2 },
    { .in = { { 4, { 2, 2, 2, 3 } }, { 4, { 2, 2, 2, 3 } }, { 4, { 2, 1, 1, 3 } } }, .n_in = 3 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Shape sum = in[0];
    sum.d[0] = 1;
    for (int i = 1; i < n_in; i++) {
        Shape next = in[i];
        next.d[0] = 1;
        char a[SHAPE_TEXT], b[SHAPE_TEXT];
        if (next.rank != sum.rank || !shape_broadcast(&sum, &next, &sum, layer->name, NULL))
            return layer_refuse(layer, err, "wants inputs of the same shape, got %s and %s", layer_shape_text(&in[0], a),
                                layer_shape_text(&in[i], b));
    }
    return true;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)layer;
    Node *sum = in[0];
    for (int i = 1; i < n_in && sum; i++)
        sum = tape_op(tape, &op_add, (Node *[]){ sum, in[i] }, 2, NULL, err);
    return sum;
}

const LayerKind layer_add = {
    .name = "Add",
    .prefix = "add",
    .doc = "The sum of its inputs, as at the end of a skip connection.\n"
           "Shapes: all the same (a size of 1 is repeated) -> y the same.",
    .example = "local x = nn.Input({2}); local m = nn.Model(x, nn.Add()({x, x})); assert(m:predict(tensor{{1, 2}})[1][2] == 4)",
    .in_least = 2,
    .in_most = OP_IN_MOST,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
};
