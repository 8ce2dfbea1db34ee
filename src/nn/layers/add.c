// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/merging.h"

static const LayerCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } }, .n_in = 2 },
    { .in = { { 4, { 2, 2, 2, 3 } }, { 4, { 2, 2, 2, 3 } }, { 4, { 2, 1, 1, 3 } } }, .n_in = 3 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    return merging_build(layer, in, n_in, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)layer;
    return merging_fold(tape, &op_add, in, n_in, err);
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
    .mask = LAYER_MASK_PASS,
    .build = build,
    .forward = forward,
};
