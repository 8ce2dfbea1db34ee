// SPDX-License-Identifier: MIT
/* Losses and metrics that are functions of (y_true, y_pred), composed of ops (nn/program.h): what becomes of a Lua function. Each is
 * kept for targets of the output's shape and for class numbers, so that the data decide. */
#ifndef TRAIN_CUSTOM_H
#define TRAIN_CUSTOM_H

#include "train/compile.h"

/* The rows that stand in Compiled beside such functions; they are not in the tables of losses and metrics. */
extern const Loss loss_custom;
extern const Metric metric_custom;

bool custom_is(const Custom *custom); /* it is one */
void custom_ref(const Custom *custom);
void custom_unref(Custom *custom);

/* What targets of this shape are taken for where an output's loss is a function (else *kind stays), and whether its loss and metrics
 * take that. Fails: ERR_ARG. */
MUST_USE bool custom_target(const Compiled *compiled, int output, const Shape *shape, const Tensor *y, TargetKind *kind, Err *err);

/* The loss of an output, whichever it is: the mean over the batch, each sample's part times its weight (NULL: 1). */
MUST_USE Node *objective_loss(const Objective *objective, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err);

/* A metric's values of a step: one for the batch, or one or more for each sample. */
MUST_USE Node *custom_values(const Custom *custom, Tape *tape, Node *prediction, Node *target, Err *err);

/* Add them up as Keras's MeanMetricWrapper does: values [B, ..], each with its sample's weight, or one number for the batch. */
void custom_add(double *sums, const Tensor *values, const real *weight);

/* {"same":{…},"labels":{…}}: see program_json. */
json_t *custom_json(const Custom *custom);
MUST_USE bool custom_read(json_t *in, Custom *out, Err *err);

#endif
