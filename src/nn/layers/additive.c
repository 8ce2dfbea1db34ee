// SPDX-License-Identifier: MIT
#include "nn/init.h"
#include "nn/scores.h"

static const ArgSpec args[] = {
    { .name = "use_scale", .type = ARG_BOOL, .fallback = "true", .help = "learn a factor for each feature of the scores" },
    { .name = "dropout", .type = ARG_FLOAT, .fallback = "0.0", .least = 0, .most = 1, .open_most = true, .help = "share of weights dropped while training" },
    { .name = "use_causal_mask", .type = ARG_BOOL, .fallback = "false", .help = "a step sees itself and what came before (in Keras given with the call)" },
    { .name = "return_attention_scores", .type = ARG_BOOL, .fallback = "false", .help = "give the weights as a second output (in Keras given with the call)" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 5, 4 } } }, .n_in = 2 },
    { .args = "use_scale=false return_attention_scores=true", .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 5, 2 } }, { 3, { 2, 5, 4 } } }, .n_in = 3 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    return scores_check(layer, in, n_in, err) &&
           (!args_bool(&layer->args, "use_scale") || layer_add_param(layer, "scale", SHAPE(in[0].d[2]), "glorot_uniform", true, err));
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *key = in[n_in > SCORES_KEY ? SCORES_KEY : SCORES_VALUE], *scale = NULL;
    if (layer->n_params > 0 && !(scale = layer_param(layer, tape, 0, err)))
        return NULL;
    return scores_apply(layer, tape, scores_sum(tape, in[SCORES_QUERY], key, NULL, scale, err), in, err);
}

const LayerKind layer_additive = {
    .name = "AdditiveAttention",
    .prefix = "additive_attention",
    .doc = "Each step of the query gets a mean of the values, weighted by softmax of sum(scale tanh(query + key)): the attention of\n"
           "recurrent translators, called on (query, value) or (query, value, key).\n"
           "Shapes: query [B, T, D], value [B, S, V], key [B, S, D] -> [B, T, V]; weights [B, T, S].  Source: Bahdanau et al. 2015.",
    .example = "local q, v = nn.Input({2, 4}), nn.Input({5, 4}); assert(nn.Model({q, v}, nn.AdditiveAttention()(q, v)):count_params() == 4)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 2,
    .in_most = 3,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .n_outputs = scores_outputs,
    .mask = LAYER_MASK_OWN,
    .build = build,
    .forward = forward,
};
