// SPDX-License-Identifier: MIT
/* Samples: tensors whose rows belong together, row i of each to sample i. What users give is checked here and made into what a
 * model and its losses want; mistakes are told in the words of the user's own data, before anything runs. */
#ifndef TRAIN_SAMPLES_H
#define TRAIN_SAMPLES_H

#include "nn/model.h"

struct Compiled;

typedef struct Samples {
    Tensor x[MODEL_INPUTS];  /* [N, …] each */
    Tensor y[MODEL_OUTPUTS]; /* [N, …]: targets; data NULL where an output has none */
    Tensor w[MODEL_OUTPUTS]; /* [N]: weights of samples; data NULL: all alike */
    int n_x, n_y;
    int n_w;                 /* 0: none; 1: one for all outputs; or one for each */
} Samples;

/* Borrowed tensors into references and back. */
void samples_ref(Samples *out, const Samples *from);
void samples_unref(Samples *samples);
int64_t samples_rows(const Samples *samples);

/* There are as many targets as inputs; `who` ("fit", "evaluate") is named in messages. Fails: ERR_DATA, ERR_SHAPE. */
MUST_USE bool samples_check(const Samples *given, const char *who, Err *err);

/* The same, and the model is built for them if it is not. Fails: also as model_build, ERR_ARG for another number of inputs. */
MUST_USE bool samples_build(Model *model, const Samples *given, const char *who, Err *err);

/* Checked samples as the built model and its losses want them; references, or converted copies; bytes stay bytes until their
 * batch is made. Targets: one for each output, or for each that wants one; in *out there is one for each output. *out needs
 * samples_unref, also on failure. Fails: ERR_ARG, ERR_SHAPE, ERR_DATA (labels out of range), ERR_MEM. */
MUST_USE bool samples_fit(Samples *out, const Samples *given, const struct Compiled *compiled, const Model *model, const char *who, Err *err);

#endif
