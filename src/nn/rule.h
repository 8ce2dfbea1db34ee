// SPDX-License-Identifier: MIT
/* What may be asked of a weight while it trains: regularisers (a penalty that is added to the loss) and constraints (a change after each
 * update), one const record a file in nn/regularizers/ and nn/constraints/. Where a layer names one, arguments may follow: "l2",
 * "l2(0.001)", "max_norm(2, axis=0,1,2)". Names, defaults and arithmetic are Keras's. */
#ifndef NN_RULE_H
#define NN_RULE_H

#include "autograd/tape.h"
#include "base/arg.h"

#define RULE_ARGS 4

/* Arguments as numbers, in the order of the rows: choices by place, lists of axes as a set of bits. */
typedef struct Regularizer {
    const char *name, *doc;
    const ArgSpec *args;
    int n_args;
    Node *(*penalty)(const double *v, Tape *tape, Node *x, Err *err); /* a scalar, composed of ops */
} Regularizer;

typedef struct Constraint {
    const char *name, *doc;
    const ArgSpec *args;
    int n_args;
    void (*apply)(const double *v, real *w, const Shape *shape); /* in place, after an update */
} Constraint;

typedef struct Regularization {
    const Regularizer *kind; /* NULL: none */
    double v[RULE_ARGS];
} Regularization;

typedef struct Restriction {
    const Constraint *kind; /* NULL: none */
    double v[RULE_ARGS];
} Restriction;

const Regularizer *regularizer_at(int i); /* NULL behind the last */
const Constraint *constraint_at(int i);
extern const char *const regularizer_names[], *const constraint_names[]; /* ended by NULL; for ArgSpec.choices */

/* Fails: ERR_NAME with the nearest name, ERR_ARG. */
MUST_USE bool regularizer_parse(const char *text, Regularization *out, Err *err);
MUST_USE bool constraint_parse(const char *text, Restriction *out, Err *err);

/* A weight of this shape has the axes that it names; no kind: true. Fails: ERR_ARG. */
MUST_USE bool constraint_check(const Restriction *rule, const Shape *shape, Err *err);

/* For apply: each line of w along the axes of the set is multiplied by what rescale makes of its norm. */
#define RULE_AXES \
    { .name = "axis", .type = ARG_INTS, .fallback = "0", .least = 0, .most = 7, .help = "axes along which norms are taken; 0,1,2 for a convolution" }
void rule_norms(real *w, const Shape *shape, unsigned axes, void (*rescale)(const double *v, double *scale), const double *v);

#endif
