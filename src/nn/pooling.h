// SPDX-License-Identifier: MIT
/* What the two-dimensional pooling layers have in common. */
#ifndef NN_POOLING_H
#define NN_POOLING_H

#include "nn/ops.h"

#define POOLING_LAYER_ARGS 3
#define POOLING_LAYER_CASES 3

extern const ArgSpec pooling_layer_args[POOLING_LAYER_ARGS]; /* pool_size, strides, padding */
extern const LayerCase pooling_layer_cases[POOLING_LAYER_CASES];

/* Fails: ERR_SHAPE when the input is no image or smaller than a window. */
MUST_USE bool pooling_build(Layer *layer, const Op *op, const Shape *in, Err *err);

#endif
