// SPDX-License-Identifier: MIT
#include "nn/block.h"

static const LayerCase cases[] = {
    { .args = "intermediate_dim=5 num_heads=2 activation=tanh", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "intermediate_dim=3 num_heads=1 activation=gelu normalize_first=true", .in = { { 3, { 2, 3, 4 } } }, .n_in = 1 },
    { .args = "intermediate_dim=3 num_heads=2 activation=tanh", .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 3, 3 } } }, .n_in = 2 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Compose c;
    if (!block_check(layer, &in[0], err))
        return false;
    compose_begin(&c, layer, in, n_in, err);
    Symbol *x = block_attend(&c, "self_attention", c.in[0], NULL, n_in > 1 ? c.in[1] : NULL, false);
    x = block_feed(&c, x);
    return compose_end(&c, &x, 1);
}

const LayerKind layer_transencoder = {
    .name = "TransformerEncoder",
    .prefix = "transformer_encoder",
    .doc = "One block of a transformer's encoder: self-attention, then two dense layers, each added to what came in and normalised. Called\n"
           "on (x) or (x, mask).\n"
           "Shapes: x [B, T, D], mask [B, T, T] -> [B, T, D].  Source: Vaswani et al. 2017; KerasHub's arguments and names.",
    .example = "local m = nn.Sequential(); m:add(nn.TransformerEncoder(32, 2, {input_shape = {5, 8}})); assert(m:count_params() == 872)",
    .args = block_args,
    .n_args = BLOCK_ARGS,
    .in_least = 1,
    .in_most = 2,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .composite = true,
    .build = build,
    .forward = compose_forward,
};
