// SPDX-License-Identifier: MIT
/* What SimpleRNN, LSTM and GRU share: sequences come in, one op runs over all steps; first states may be further inputs, and stay
 * between batches where the layer is stateful. */
#ifndef NN_RECURRENT_H
#define NN_RECURRENT_H

#include "nn/layer.h"
#include "tensor/kern_act.h"

typedef struct RecurrentKind {
    const Op *op;
    int gates;  /* kernel [features, gates * units] */
    int states; /* 1: h; 2: h and c */
} RecurrentKind;

bool recurrent_build(Layer *layer, const RecurrentKind *kind, const Shape *in, int n_in, Err *err);
Node *recurrent_forward(Layer *layer, const RecurrentKind *kind, Tape *tape, Node *const *in, int n_in, Err *err);
int recurrent_outputs(const Layer *layer, const RecurrentKind *kind);

/* Rows of arguments, in Keras's order. */
#define RECURRENT_WEIGHT_ARGS \
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "add a bias" }, \
    { .name = "kernel_initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .choices = initializer_names, .help = "initial weights of the inputs" }, \
    { .name = "recurrent_initializer", .type = ARG_TEXT, .fallback = "orthogonal", .choices = initializer_names, .help = "initial weights of the state" }, \
    { .name = "bias_initializer", .type = ARG_TEXT, .fallback = "zeros", .choices = initializer_names, .help = "initial biases" }
#define RECURRENT_DROP_ARGS \
    { .name = "dropout", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1, .open_most = true, \
      .help = "share of the features that training drops, the same at every step" }, \
    { .name = "recurrent_dropout", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1, .open_most = true, \
      .help = "the same for the state where it enters the gates; one choice for all gates" }, \
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 9007199254740991.0, .help = "of these choices; nil: from the run's seed" }
#define RECURRENT_RUN_ARGS \
    { .name = "return_sequences", .type = ARG_BOOL, .fallback = "false", .help = "give the results of all steps, not of the last alone" }, \
    { .name = "return_state", .type = ARG_BOOL, .fallback = "false", .help = "give the last states too, as further outputs" }, \
    { .name = "go_backwards", .type = ARG_BOOL, .fallback = "false", .help = "read from the last step to the first; results in that order" }, \
    { .name = "stateful", .type = ARG_BOOL, .fallback = "false", \
      .help = "each batch goes on where the one before ended; wants batch_size in nn.Input; reset_states() starts anew" }, \
    { .name = "zero_output_for_mask", .type = ARG_BOOL, .fallback = "false", .help = "results of masked steps are 0, not those of the step before" }, \
    { .name = "unroll", .type = ARG_BOOL, .fallback = "false", .help = "of no effect: all steps are computed at once anyway" }

#endif
