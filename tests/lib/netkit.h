// SPDX-License-Identifier: MIT
/* Layers and models in one line, for tests. What fails here fails the test with the engine's message. */
#ifndef LIB_NETKIT_H
#define LIB_NETKIT_H

#include "nn/model.h"

/* A layer from its class name and "name=value name=value"; the words name=…, input_shape=28,28,1 and trainable=false are
 * understood too. */
Layer *net_layer(const char *kind, const char *args);
Layer *net_try_layer(const char *kind, const char *args, Err *err); /* NULL on failure */

/* The layer of a descriptor's case, with what it wraps; NULL on failure. */
Layer *net_case(const LayerKind *kind, const LayerCase *c, Err *err);

/* "Dense units=4 input_shape=3; Dropout rate=0.5; …": a Sequential. */
Model *net_model(const char *layers);
void net_add(Model *model, const char *layer);

/* One step of the functional way; gives back the layer's reference. */
Symbol *net_call(const char *layer, Symbol *const *in, int n_in);
Symbol *net_input(Shape sample, const char *name);

/* Numbers between -1 and 1 from the seed, own storage. */
Tensor net_values(Shape shape, uint64_t seed);

/* One sample's row, predicted; tensor_unref it. */
Tensor net_predict(Model *model, const Tensor *x);

#endif
