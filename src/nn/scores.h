// SPDX-License-Identifier: MIT
/* From scores to values, for the attention layers with one head (Attention, AdditiveAttention). */
#ifndef NN_SCORES_H
#define NN_SCORES_H

#include "nn/ops.h"

enum { SCORES_QUERY, SCORES_VALUE, SCORES_KEY };

/* Inputs are (query, value) or (query, value, key), sequences that fit one another. Fails: ERR_SHAPE. */
MUST_USE bool scores_check(const Layer *layer, const Shape *in, int n_in, Err *err);

/* sum over features of weight * tanh(scale * (query + key)) -> [B, T, S]; scale (one number), weight (one or for each feature) may be
 * NULL: 1. */
MUST_USE Node *scores_sum(Tape *tape, Node *query, Node *key, Node *scale, Node *weight, Err *err);

/* scores [B, T, S] -> softmax, without the values that their mask leaves out (and, with causal, those that come later), dropout, times
 * the values [B, S, V] -> [B, T, V]. With the layer's return_attention_scores the weights are the second output. */
MUST_USE Node *scores_apply(Layer *layer, Tape *tape, Node *scores, Node *const *in, Err *err);

int scores_outputs(const Layer *layer);

#endif
