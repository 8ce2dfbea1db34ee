// SPDX-License-Identifier: MIT
/* One differentiable op: one const record in a file of autograd/ops/ (see README.md there). From it come the shape rule,
 * forward, backward, the Lua function, argument checks, help, completion, the gradient test, the name in saved files.
 *
 * An op works on an OpCall. `infer` runs first and is the only part that can fail: it checks shapes and types, sets the
 * output's dtype and shape, and states how many bytes `saved` (kept from forward to backward) and `scratch` (shared by all
 * ops, valid during one forward or backward) it needs. Then forward and backward cannot fail. */
#ifndef AUTOGRAD_OP_H
#define AUTOGRAD_OP_H

#include "base/arg.h"
#include "tensor/tensor.h"

#define OP_IN_MOST 16

typedef struct Op Op;

typedef struct OpCall {
    const Op *op;
    const Args *args; /* the op's own rows, complete */
    int n_in;
    Tensor in[OP_IN_MOST]; /* borrowed; an optional input that is absent has `has` false */
    bool has[OP_IN_MOST];
    Tensor out;      /* infer sets dtype and shape; data stands from forward on */
    bool alias;      /* infer may set it: out is in[0]'s data in another shape, nothing is computed (reshape) */
    bool training;   /* dropout and batch normalisation differ */
    bool wants_grad; /* backward will come: forward keeps what it needs in saved */
    uint64_t seed;   /* of this call's random numbers (dropout): with rng_block(seed, RNG_DROPOUT, step, …) */
    uint64_t step;
    size_t saved_size, scratch_size; /* bytes, from infer */
    void *saved, *scratch;           /* saved is NULL unless wants_grad or training */
    /* Backward. dout [shape of out]; din[i] [shape of in[i]] is NULL where no gradient is wanted (and for integer inputs).
     * add[i] says whether to add to din[i] or to overwrite it; din[i] is not cleared where add[i] is false. */
    const real *dout;
    real *din[OP_IN_MOST];
    bool add[OP_IN_MOST];
} OpCall;

/* A case of the gradient test (and the benchmark): shapes of the inputs, arguments as text, and the range of values that
 * keeps away from kinks. */
typedef struct OpCase {
    Shape in[8];
    int n_in;
    const char *args; /* "name=value name=value", or NULL */
    double low, high; /* values are drawn from here; both 0: -1 … 1 */
    int classes;      /* > 0: the integer input (see Op.integer_in) holds 0 … classes-1 */
    bool training;
} OpCase;

struct Op {
    const char *name;    /* "conv2d": the file's name, Lua's name, the name in files */
    const char *doc;     /* signature, shapes in brackets, formula, source */
    const char *example; /* Lua that runs and asserts */
    int in_least, in_most;
    const char *const *in_names; /* in_most names, for messages and help: {"x", "kernel", "bias"} */
    unsigned integer_in; /* bit i: input i takes int32 (labels, indices) and has no gradient */
    unsigned any_in;     /* bit i: input i takes every type; a gradient only where it is float32. Others take float32 */
    const ArgSpec *args;
    int n_args;
    const OpCase *cases;
    int n_cases;
    unsigned passes_grad; /* bit i: din[i] is dout where the shapes are the same; the tape may then skip it (din[i] NULL) */
    bool backward_adds; /* backward only knows +=: din is cleared for it when it should overwrite */
    bool (*infer)(OpCall *call, Err *err);
    /* NULL, or what can only be seen in the data (indices, labels in range): runs right before forward, may fail; reads in[]. */
    bool (*check)(const OpCall *call, Err *err);
    void (*forward)(OpCall *call);
    void (*backward)(OpCall *call); /* NULL: not differentiable */
    /* State that may change only when the step is kept (moving averages); called once after a good training step. */
    void (*commit)(OpCall *call);
    double (*flops)(const OpCall *call); /* multiply-adds of one forward; NULL: 0 */
};

/* NULL when unknown; fills err with the nearest name then (err may be NULL). */
const Op *op_find(const char *name, Err *err);
const Op *op_at(int i); /* all of them, sorted by name; NULL behind the last */

/* All defaults of an op's arguments; NULL for an op outside the table. Computed once, program lifetime. */
const Args *op_defaults(const Op *op);

/* The checks that every call begins with: number and types of inputs, arguments; then the op's own infer. */
MUST_USE bool op_infer(OpCall *call, Err *err);

/* A refusal in one line: "matmul: …"; returns false with ERR_SHAPE. */
bool op_refuse(const OpCall *call, Err *err, const char *format, ...) PRINTF_LIKE(3, 4);

/* Store or add, by add: dst[i] (+)= src[i]. For backward functions; split over the pool. */
void op_give(real *dst, const real *src, int64_t n, bool add);

/* The gradient of an input on which the result does not depend smoothly (a mask): zero. */
void op_give_none(const OpCall *call, int i);

#endif
