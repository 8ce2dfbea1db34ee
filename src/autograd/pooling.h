// SPDX-License-Identifier: MIT
/* What the pooling ops have in common: arguments, shape rule, cases of the gradient test. */
#ifndef AUTOGRAD_POOLING_H
#define AUTOGRAD_POOLING_H

#include "autograd/op.h"
#include "tensor/kern_pool.h"

#define POOLING_ARGS 3
#define POOLING_CASES 4

extern const ArgSpec pooling_args[POOLING_ARGS];
extern const OpCase pooling_cases[POOLING_CASES];
extern const char *const pooling_in_names[1];

MUST_USE bool pooling_infer(OpCall *call, Err *err);
Pooling pooling_of(const OpCall *call); /* after infer */
double pooling_flops(const OpCall *call);

#endif
