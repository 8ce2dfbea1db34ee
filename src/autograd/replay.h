// SPDX-License-Identifier: MIT
/* What a tape recorded, run again on vars: for things that are written for tapes (losses) and called on tensors at the prompt. */
#ifndef AUTOGRAD_REPLAY_H
#define AUTOGRAD_REPLAY_H

#include "autograd/tape.h"
#include "autograd/var.h"

/* The var for `result`: the ops that led to it, with vars[i] in the place of inputs[i] (nodes without a call); other leaves become
 * constants, copied. One reference; NULL fails: ERR_MEM, what ops say. The tape must hold values (FORWARD or TRAIN). */
MUST_USE Var *replay(const Tape *tape, const Node *result, Node *const *inputs, Var *const *vars, int n, Err *err);

#endif
