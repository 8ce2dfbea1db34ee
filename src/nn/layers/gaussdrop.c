// SPDX-License-Identifier: MIT
#include "nn/layer.h"
#include "nn/ops.h"

static const ArgSpec args[] = {
    { .name = "rate", .type = ARG_FLOAT, .least = 0, .most = 1, .open_most = true, .help = "noise as strong as dropout of this rate makes" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 9007199254740991.0, .help = "of its random choices; nil: from the run's seed" },
};
static const LayerCase cases[] = {
    { .args = "rate=0.5", .in = { { 2, { 3, 8 } } }, .n_in = 1 },
    { .args = "rate=0.25 seed=7", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "rate=0", .in = { { 2, { 2, 3 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    return ops_set(layer, &op_gaussian_dropout, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    return ops_random(layer, tape, &op_gaussian_dropout, in[0], err);
}

const LayerKind layer_gaussdrop = {
    .name = "GaussianDropout",
    .prefix = "gaussian_dropout",
    .doc = "While training, multiplies by normal noise of mean 1 and variance rate / (1 - rate), that of dropout; else nothing.\n"
           "Shapes: x [B, any] -> y the same.  Source: Srivastava et al. 2014, section 10.",
    .example = "local m = nn.Sequential(); m:add(nn.GaussianDropout(0.5, {input_shape = {2}})); assert(m:predict(tensor{{1, 2}})[1][2] == 2)",
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
