// SPDX-License-Identifier: MIT
/* Initialisers: one const record in a file of nn/initializers/. Fans are counted as Keras does: a kernel's last two axes are
 * (in, out), those before are the receptive field. Source: keras/src/initializers/random_initializers.py.
 *
 * Where a layer names its initialiser, arguments may follow: "glorot_uniform", "constant(0.1)", "constant(value=0.1)". */
#ifndef NN_INIT_H
#define NN_INIT_H

#include "base/arg.h"
#include "base/rng.h"
#include "tensor/tensor.h"

typedef struct Initializer {
    const char *name; /* "glorot_uniform": the file's name, the name in files */
    const char *also; /* another name that Keras knows: "uniform"; NULL: none */
    const char *doc;
    const ArgSpec *args;
    int n_args;
    int rank_least, rank_most; /* of weights that it can fill; both 0: any */
    /* Fill value [shape] from the stream; numbers are rounded to float, so that they are the same in every MODE. */
    void (*fill)(const Args *args, real *value, const Shape *shape, double fan_in, double fan_out, Rng *rng);
} Initializer;

const Initializer *init_find(const char *name, Err *err); /* nearest name in err */
const Initializer *init_at(int i);                        /* NULL behind the last */
const char *const *init_names(void);                      /* ended by NULL */
extern const char *const initializer_names[];             /* the same, for ArgSpec.choices */

/* A name with or without arguments. Fails: ERR_NAME, ERR_ARG. */
MUST_USE bool init_parse(const char *text, const Initializer **init, Args *args, Err *err);

/* It can fill a weight of this shape. Fails: ERR_SHAPE. */
MUST_USE bool init_check(const Initializer *init, const Shape *shape, Err *err);

/* Keras's fans of a weight of this shape. */
void init_fans(const Shape *shape, double *fan_in, double *fan_out);

void init_fill(const Initializer *init, const Args *args, real *value, const Shape *shape, Rng *rng);

/* For fill: n values from the uniform distribution on [-limit, limit), or from the normal distribution of this deviation,
 * cut at two deviations (drawn again), as Keras's "truncated_normal" is. */
#define INIT_TRUNCATED 0.87962566103423978 /* what the cut leaves of a deviation of 1: divide by it to keep a variance */
void init_uniform(real *value, int64_t n, double limit, Rng *rng);
void init_truncated(real *value, int64_t n, double deviation, Rng *rng);
void init_normal(real *value, int64_t n, double mean, double deviation, Rng *rng); /* not cut */

#endif
