// SPDX-License-Identifier: MIT
/* One step of training or evaluation, shared by runs, train_on_batch and evaluate. Nothing here keeps state but the tape that
 * it is given; a model is worked on by the thread that may touch it (nn/model.h). */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "train/compile.h"

typedef struct Batch {
    Tensor x[MODEL_INPUTS];  /* borrowed; float32, or int32 where the model's input says so */
    Tensor y[MODEL_OUTPUTS]; /* borrowed; one for each output, as target_fit made it; data NULL: it has no target */
    const real *weight[MODEL_OUTPUTS]; /* [B] or NULL: a factor for each sample's part of this output's loss */
    int n_x;
    int64_t n;               /* samples */
} Batch;

typedef struct OutputResult {
    Node *prediction;
    double loss; /* before its weight; 0 where there is none */
    const real *mask, *weight; /* [B, T] where the prediction has a mask: 0 for steps that do not count; the same times samples' weights */
} OutputResult;

typedef struct StepResult {
    Node *loss;
    double value; /* of the loss: the weighted sum of the outputs' and the penalties of regularisers */
    OutputResult outputs[MODEL_OUTPUTS];
    Node *metrics[COMPILE_METRICS]; /* values of those that are functions (custom.h), else NULL */
} StepResult;

/* What an epoch adds up: loss times samples, samples, the outputs' losses times samples where there are several, then each
 * metric's state. */
typedef struct Sums {
    double *v; /* owned, [n] */
    size_t n, at[COMPILE_METRICS]; /* where each metric's begins */
    int64_t width[MODEL_OUTPUTS];  /* of the predictions' last axis */
} Sums;

/* For epochs of at most `samples` samples; the model is built. Fails: ERR_MEM. */
MUST_USE bool sums_init(Sums *sums, const Compiled *compiled, const Model *model, int64_t samples, Err *err);
void sums_fini(Sums *sums);
void sums_clear(Sums *sums);

/* Forward and loss. Fails: what ops say, wrapped with the layer's name. */
MUST_USE bool step_forward(Model *model, const Compiled *compiled, Tape *tape, TapeMode mode, uint64_t seed, const Batch *batch,
                           StepResult *out, Err *err);

/* Forward, backward, and the check that loss and gradients are finite: ERR_NUMERIC naming the layer. The layers' grads must
 * point into the optimizer (optimizer_attach). Nothing of the model has changed until step_keep. */
MUST_USE bool step_train(Model *model, const Compiled *compiled, Tape *tape, uint64_t seed, const Batch *batch, StepResult *out, Err *err);
/* Say what became NaN or infinite first: ERR_NUMERIC, returns false. compiled may be NULL: then of the result only the value counts.
 * `gradient` names the layer where only the gradient is: relu and the like hide a NaN from the loss. */
bool step_say_bad(const Tape *tape, const Compiled *compiled, const StepResult *result, const char *gradient, Err *err);
void step_keep(const Compiled *compiled, Tape *tape);

/* Add the step, and what the sums mean now: loss, then the metrics. */
void step_add(const Compiled *compiled, const Batch *batch, const StepResult *result, Sums *sums);
void step_values(const Compiled *compiled, Sums *sums, double *out);

/* ---- targets ---- */

/* y as the loss of this output wants it: labels as int32 [N, …], others float32 of the output's shape; a reference or a
 * converted copy in *out. Fails: ERR_SHAPE with both shapes, ERR_DATA for labels out of range (with the row). */
MUST_USE bool target_fit(const Compiled *compiled, const Model *model, int output, const Tensor *y, Tensor *out, Err *err);

/* x as input i of the model wants it: a reference, or a converted copy; uint8 is left for the feed when `lazy`.
 * Fails: ERR_SHAPE. */
MUST_USE bool input_fit(const Model *model, int i, const Tensor *x, bool lazy, Tensor *out, Err *err);

/* Of how many classes the first output is whose loss is about classes, so that a confusion matrix makes sense. 0: none is. */
int target_classes(const Compiled *compiled, const Model *model, int *output);

/* Weights of classes are for models with one output, as in Keras. Fails: ERR_ARG. */
MUST_USE bool class_weight_fits(const Compiled *compiled, const char *who, Err *err);

/* Weights of a batch's samples from the weight of each class, times what they have already (NULL: 1). */
void target_weights(real *out, const Tensor *y, const real *class_weight, int n_classes, const real *weight);

/* Weights of samples as float32 [rows], a reference or a converted copy. Fails: ERR_SHAPE, ERR_DATA (NaN, infinity, below 0). */
MUST_USE bool weights_fit(const Tensor *weights, int64_t rows, Tensor *out, Err *err);

#endif
