// SPDX-License-Identifier: MIT
/* Tensors at the prompt: values that keep the graph that made them by counted references. The same ops as the tape's.
 * References are atomic; a graph is used by one thread at a time. */
#ifndef AUTOGRAD_VAR_H
#define AUTOGRAD_VAR_H

#include "autograd/op.h"

typedef struct Var {
    _Atomic int refs;
    Tensor value;         /* one reference */
    bool requires_grad;   /* a leaf that collects, or a result of one */
    bool traced;          /* a stand-in, or a result of one: its values mean nothing, its graph is what is wanted (nn/program.h) */
    Tensor grad;          /* data NULL until backward reached it; leaves only */
    struct VarCall *call; /* how it came about; owned, NULL for leaves */
    void *note;           /* of a walk over the graph that is going on, else NULL */
} Var;

/* A leaf; takes over the tensor's reference, also on failure. Fails: ERR_MEM; ERR_ARG when an integer tensor should have a
 * gradient. */
MUST_USE Var *var_new(Tensor *take, bool requires_grad, Err *err);
Var *var_ref(Var *var);
void var_unref(Var *var);

/* Run an op on vars; in[i] may be NULL for an optional input. A result that keeps its graph freezes its inputs and itself until it
 * is gone. One with a traced input is traced and always keeps its graph. Fails: what infer says, ERR_MEM. */
MUST_USE Var *var_op(const Op *op, Var *const *in, int n_in, const Args *args, bool training, uint64_t seed, Err *err);

/* Gradients for all leaves below; seed_grad NULL: one, for a single element. Added to what the leaves hold. The graph is
 * kept. Fails: ERR_SHAPE, ERR_STATE when nothing below requires a gradient, ERR_MEM. */
MUST_USE bool var_backward(Var *var, const Tensor *seed_grad, Err *err);

/* How a result came about: its op and arguments, its inputs (borrowed; NULL where an optional one is absent). NULL for a leaf
 * and for a result that keeps no graph. */
const Op *var_made_by(const Var *var, const Args **args, Var *const **in, int *n_in);

#endif
