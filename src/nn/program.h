// SPDX-License-Identifier: MIT
/* A function composed of ops, as a list: what becomes of a Lua function that is used as a layer or a loss. It was traced once, on
 * stand-ins, and runs from then on without Lua: on a tape, in any thread, in a process that never saw the function.
 *
 * Values are numbered: the inputs, the parameters, the constants, then what each step makes. A step reads only values in front of
 * its own. The batch is symbolic: whole numbers among the arguments that follow its size are kept as number + times * (batch - 1).
 *
 * A Program owns its steps and constants, is counted, and never changes once it is complete: any thread may run it. */
#ifndef NN_PROGRAM_H
#define NN_PROGRAM_H

#include <jansson.h>

#include "autograd/tape.h"
#include "autograd/var.h"

#define PROGRAM_STEPS_MOST 4096
#define PROGRAM_NUMBERS_MOST 16384 /* in all constants together */

/* The number at `place` of argument `arg` grows by `times` with every further sample of the batch. */
typedef struct ProgramTerm {
    int arg, place;
    int64_t times;
} ProgramTerm;

typedef struct ProgramStep {
    const Op *op;
    Args *args; /* owned; complete; numbers as for a batch of one */
    ProgramTerm terms[ARG_INTS_MOST];
    int n_terms;
    int in[OP_IN_MOST], n_in; /* values; -1: an optional input that is absent */
} ProgramStep;

typedef struct Program {
    _Atomic int refs;
    int n_in, n_params;
    unsigned integer_in; /* bit i: input i stays int32 (class numbers); the others come as float32 */
    Tensor *consts; /* owned */
    int n_consts;
    ProgramStep *steps; /* owned */
    int n_steps;
    int out; /* the value that it gives */
} Program;

/* The graph below `out` as a program; what is neither input nor parameter is a constant. The numbers in it are those of the
 * stand-ins' batch: program_settle makes them symbolic. Fails: ERR_ARG (too many steps or numbers), ERR_MEM. */
MUST_USE Program *program_of(Var *out, Var *const *in, int n_in, Var *const *params, int n_params, Err *err);

/* p and q are traces of one function with batches of p_batch and q_batch: what differs between them in p becomes symbolic. The third
 * one, traced with r_batch, must then agree. Fails: ERR_ARG when they are not the same but for the batch. */
MUST_USE bool program_settle(Program *p, int64_t p_batch, const Program *q, int64_t q_batch, const Program *r, int64_t r_batch, Err *err);

Program *program_ref(Program *program);
void program_unref(Program *program);
bool program_same(const Program *a, const Program *b);

/* Run on a tape. in[n_in], whose first axis is the batch (others than float32 are cast, but for integer_in), params[n_params]. Fails: what ops say. */
MUST_USE Node *program_run(const Program *program, Tape *tape, Node *const *in, Node *const *params, Err *err);

/* ---- as JSON: nn/progfile.c ----
 * {"consts":[{"dtype":"float32","shape":[2],"values":"0.5 1"}],
 *  "steps":[{"op":"reshape","in":[0],"args":{"shape":"1,4"},"batch":[["shape",0,1]]}],"out":3,"integer_in":1}
 * Files are not trusted: ops come from the table, steps read earlier values only, arguments are checked by their rows, shapes by
 * infer when it runs. */
json_t *program_json(const Program *program); /* NULL: memory ran out */
MUST_USE Program *program_read(json_t *in, int n_in, int n_params, Err *err);

#endif
