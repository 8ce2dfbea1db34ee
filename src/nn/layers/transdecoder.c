// SPDX-License-Identifier: MIT
#include "nn/block.h"

static const LayerCase cases[] = {
    { .args = "intermediate_dim=5 num_heads=2 activation=tanh", .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 5, 4 } } }, .n_in = 2 },
    { .args = "intermediate_dim=3 num_heads=1 activation=gelu normalize_first=true", .in = { { 3, { 2, 4, 4 } } }, .n_in = 1 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Compose c;
    if (!block_check(layer, &in[0], err))
        return false;
    if (n_in > 1 && in[1].rank != 3)
        return layer_refuse(layer, err, "wants the encoder's output as sequences of shape (time, features)");
    compose_begin(&c, layer, in, n_in, err);
    Symbol *x = block_attend(&c, "self_attention", c.in[0], NULL, NULL, true);
    if (n_in > 1)
        x = block_attend(&c, "cross_attention", x, c.in[1], NULL, false);
    x = block_feed(&c, x);
    return compose_end(&c, &x, 1);
}

const LayerKind layer_transdecoder = {
    .name = "TransformerDecoder",
    .prefix = "transformer_decoder",
    .doc = "One block of a transformer's decoder: causal self-attention, attention to an encoder's output where that is given, then two\n"
           "dense layers. Called on (x), which makes a block of GPT, or on (x, encoder_output).\n"
           "Shapes: x [B, T, D], encoder_output [B, S, ..] -> [B, T, D].  Source: Vaswani et al. 2017; KerasHub's arguments and names.",
    .example = "local m = nn.Sequential(); m:add(nn.TransformerDecoder(32, 2, {input_shape = {5, 8}})); assert(m:count_params() == 872)",
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
