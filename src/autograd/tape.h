// SPDX-License-Identifier: MIT
/* The tape of one step: ops as they ran, values and gradients in an arena that is reset for the next step. In the steady
 * state a step allocates nothing. One thread at a time.
 *
 *   INFER    shapes only, no data: how layers learn their output shapes, multiply-adds and memory
 *   FORWARD  values, nothing kept for backward (predict, evaluate)
 *   TRAIN    values and what backward needs; `training` is true for ops
 */
#ifndef AUTOGRAD_TAPE_H
#define AUTOGRAD_TAPE_H

#include "autograd/op.h"
#include "base/arena.h"

typedef enum { TAPE_INFER, TAPE_FORWARD, TAPE_TRAIN } TapeMode;

typedef struct Node Node;

/* A value on the tape. Arena memory: gone with tape_begin. */
struct Node {
    Tensor value;    /* data NULL in INFER mode */
    real *grad;      /* [shape of value]: a parameter's; another node's after tape_backward if keep_grads; else NULL */
    size_t grad_size; /* bytes of that buffer, where it is the arena's */
    bool wants_grad; /* a parameter stands below it */
    bool grad_set;   /* grad holds something already: add to it */
    bool open;       /* a parameter whose gradient is asked for later: tape_aim */
    bool stale;      /* a parameter whose value was changed since: tape_outdate */
    bool reached;    /* tape_backward: the loss depends on it */
    int shared;      /* tape_backward: the input whose gradient is this node's buffer too, or -1 */
    int uses;        /* how many inputs of later nodes it is */
    OpCall *call;    /* how it came about; NULL for inputs and parameters */
    Node *in[OP_IN_MOST];
    const char *where; /* name of the layer that made it, for messages; borrowed, may be NULL */
    Node *before;      /* the node recorded before this one */
    /* What rooms above hang on a value; ops know nothing of it. */
    Node *mask;        /* [B, T] float32, 0 where a time step is padding; NULL: all count */
    Node *const *also; /* further results of the layer that made it, in the arena */
    int n_also;
};

typedef struct Tape {
    Arena arena;
    TapeMode mode;
    Node *last; /* newest node */
    int n_nodes;
    int n_commits; /* nodes whose op has a commit */
    void *scratch; /* owned: as large as the largest op of the steps so far wants */
    size_t scratch_size;
    uint64_t seed, step; /* of the random numbers of this step's ops */
    double flops;        /* multiply-adds of the ops so far */
    bool keep_grads;     /* gradients of nodes between stay after tape_backward; else their buffers are used again on the way */
    uint64_t generation; /* new with every tape_begin of any tape: values of an ended step are known by it; 0: none yet */
    const char *where;   /* put on the nodes to come */
    bool open;           /* whose gradients are wanted is said after the values are there (tape_open_param); set after tape_begin */
    bool penalize;       /* layers add what their regularisers ask for to `penalty`; set after tape_begin */
    Node *penalty;       /* a scalar, or NULL: none so far */
} Tape;

void tape_init(Tape *tape);
void tape_fini(Tape *tape);

/* Forget the last step's values and start a new one. */
void tape_begin(Tape *tape, TapeMode mode, uint64_t seed, uint64_t step);

/* Leaves. The tensor's data is borrowed and must live through the step. A parameter's gradient goes to `grad` (overwritten
 * by the first contribution, then added to); grad NULL: it is frozen. */
MUST_USE Node *tape_input(Tape *tape, const Tensor *value, Err *err);
MUST_USE Node *tape_param(Tape *tape, const Tensor *value, real *grad, Err *err);

/* A parameter of an open tape: what depends on it keeps what its gradient takes, which tape_aim gives a place. */
MUST_USE Node *tape_open_param(Tape *tape, const Tensor *value, Err *err);

/* Run an op. in[i] may be NULL for an optional input. args NULL: all defaults; copied otherwise. Fails: what infer says,
 * ERR_MEM; the message is wrapped with tape->where. */
MUST_USE Node *tape_op(Tape *tape, const Op *op, Node *const *in, int n_in, const Args *args, Err *err);

/* Gradients of a scalar node (one element) for all parameters below it. A parameter's `grad` that no path reaches is
 * cleared. A second call in one step adds to what the first gave. Fails, before any gradient changes: ERR_SHAPE when it is no
 * scalar, ERR_STATE when the tape is not in TRAIN mode, ERR_MEM. */
MUST_USE bool tape_backward(Tape *tape, Node *loss, Err *err);

/* Of an open tape: where the gradient of this parameter goes, or NULL: it is not wanted. Known by the place of its data. */
typedef real *(*TapeTarget)(void *ctx, const Tensor *value);

/* Before tape_backward: gradients of loss are wanted for those parameters alone that target gives a place; what does not lead to one of
 * them is left out. Fails: ERR_STATE when a weight that the gradient passes through was changed since (*stale: its node), or when loss
 * depends on none of them; ERR_MEM. */
MUST_USE bool tape_aim(Tape *tape, Node *loss, TapeTarget target, void *ctx, const Node **stale, Err *err);

/* The n numbers at `block` were changed: gradients that pass through parameters there would be wrong from now on. */
void tape_outdate(Tape *tape, const real *block, size_t n);

/* Let ops keep their state changes (moving averages), in the order they ran: call once when the step is kept. */
void tape_commit(Tape *tape);

/* The first node, in the order they ran, that holds a NaN or infinity; NULL when all are finite. */
const Node *tape_find_bad(const Tape *tape);

#endif
