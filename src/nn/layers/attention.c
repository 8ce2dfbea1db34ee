// SPDX-License-Identifier: MIT
#include "nn/scores.h"

static const char *const modes[] = { "dot", "concat", NULL };
static const ArgSpec args[] = {
    { .name = "use_scale", .type = ARG_BOOL, .fallback = "false", .help = "learn a factor of the scores" },
    { .name = "score_mode", .type = ARG_CHOICE, .fallback = "dot", .choices = modes, .help = "\"dot\": query times key; \"concat\": the sum of tanh(query + key)" },
    { .name = "dropout", .type = ARG_FLOAT, .fallback = "0.0", .least = 0, .most = 1, .open_most = true, .help = "share of weights dropped while training" },
    { .name = "use_causal_mask", .type = ARG_BOOL, .fallback = "false", .help = "a step sees itself and what came before (in Keras given with the call)" },
    { .name = "return_attention_scores", .type = ARG_BOOL, .fallback = "false", .help = "give the weights as a second output (in Keras given with the call)" },
};
static const LayerCase cases[] = {
    { .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 5, 4 } } }, .n_in = 2 },
    { .args = "use_scale=true use_causal_mask=true return_attention_scores=true", .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 5, 2 } }, { 3, { 2, 5, 4 } } }, .n_in = 3 },
    { .args = "use_scale=true score_mode=concat", .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 5, 4 } } }, .n_in = 2 },
};

static bool concat(const Layer *layer)
{
    return args_choice(&layer->args, "score_mode")[0] == 'c';
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    if (!scores_check(layer, in, n_in, err))
        return false;
    if (args_bool(&layer->args, "use_scale") && !layer_add_param(layer, "scale", (Shape){ .rank = 0 }, "ones", true, err))
        return false;
    return !concat(layer) || layer_add_param(layer, "concat_score_weight", (Shape){ .rank = 0 }, "ones", true, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *key = in[n_in > SCORES_KEY ? SCORES_KEY : SCORES_VALUE], *scale = NULL, *weight = NULL, *scores;
    bool scaled = args_bool(&layer->args, "use_scale");
    if ((scaled && !(scale = layer_param(layer, tape, 0, err))) || (concat(layer) && !(weight = layer_param(layer, tape, scaled, err))))
        return NULL;
    if (concat(layer))
        scores = scores_sum(tape, in[SCORES_QUERY], key, scale, weight, err);
    else {
        Args transposed;
        args_init(&transposed, op_matmul.args, op_matmul.n_args);
        transposed.v[args_find(&transposed, "transpose_b")].u.b = true;
        scores = tape_op(tape, &op_matmul, (Node *[]){ in[SCORES_QUERY], key }, 2, &transposed, err);
        if (scores && scale)
            scores = tape_op(tape, &op_multiply, (Node *[]){ scores, scale }, 2, NULL, err);
    }
    return scores_apply(layer, tape, scores, in, err);
}

const LayerKind layer_attention = {
    .name = "Attention",
    .prefix = "attention",
    .doc = "Each step of the query gets a mean of the values, weighted by how well their keys fit: called on (query, value) or\n"
           "(query, value, key).\n"
           "Shapes: query [B, T, D], value [B, S, V], key [B, S, D] -> [B, T, V]; weights [B, T, S].  Source: Luong et al. 2015.",
    .example = "local q, v = nn.Input({2, 4}), nn.Input({5, 4}); assert(nn.Model({q, v}, nn.Attention()(q, v)):count_params() == 0)",
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
