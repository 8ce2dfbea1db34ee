// SPDX-License-Identifier: MIT
/* What the ops of attention share: shapes, masks, arguments. */
#ifndef AUTOGRAD_ATTENDING_H
#define AUTOGRAD_ATTENDING_H

#include "autograd/op.h"
#include "tensor/kern_attend.h"

/* q [B, T, H, D], k [B, S, H, D] at 0 and 1; v [B, S, H, V] at `v` (-1: none); mask [B, S], [B, T, S] or [B, 1 or H, T, S] at `mask`. */
MUST_USE bool attending_check(OpCall *call, int v, int mask, Err *err);

/* The kernel's plan, but for scratch, saved and gradients. rate: of the weights dropped, applied while training. */
Attend attending_plan(const OpCall *call, int v, int mask, bool causal, const ArgValue *scale, double rate);

#endif
