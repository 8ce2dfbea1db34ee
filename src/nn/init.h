// SPDX-License-Identifier: MIT
/* Initialisers: one const record in a file of nn/initializers/. Fans are counted as Keras does: a kernel's last two axes are
 * (in, out), those before are the receptive field. Source: keras/src/initializers/random_initializers.py. */
#ifndef NN_INIT_H
#define NN_INIT_H

#include "base/rng.h"
#include "tensor/tensor.h"

typedef struct Initializer {
    const char *name; /* "glorot_uniform" */
    const char *doc;
    /* Fill value [shape] from the stream. */
    void (*fill)(real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng);
} Initializer;

const Initializer *init_find(const char *name, Err *err);
const Initializer *init_at(int i);
const char *const *init_names(void); /* ended by NULL */
void init_fill(const Initializer *init, real *value, const Shape *shape, Rng *rng);

#endif
