// SPDX-License-Identifier: MIT
/* A node and its call are one piece of arena memory, of which only what is used is written: an op on small tensors costs about
 * as much as its arithmetic. Backward walks the list of nodes twice. The first walk finds which nodes the loss depends on
 * and gives them gradient buffers, used again as soon as they are read: it alone can fail. The second walk calls backward, newest first; the first contribution
 * to a buffer overwrites, later ones add, so that no buffer is cleared needlessly. */
#include "autograd/tape.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tensor/kern.h"

typedef struct OpNode {
    Node node;
    OpCall call;
} OpNode;

static _Atomic uint64_t generations;

void tape_init(Tape *tape)
{
    memset(tape, 0, sizeof *tape);
    arena_init(&tape->arena);
}

void tape_fini(Tape *tape)
{
    arena_fini(&tape->arena);
    mem_free(tape->scratch);
    tape_init(tape);
}

void tape_begin(Tape *tape, TapeMode mode, uint64_t seed, uint64_t step)
{
    arena_reset(&tape->arena);
    tape->mode = mode;
    tape->last = NULL;
    tape->n_nodes = tape->n_commits = 0;
    tape->seed = seed;
    tape->step = step;
    tape->flops = 0;
    tape->where = NULL;
    tape->open = false;
    tape->penalize = false;
    tape->penalty = NULL;
    tape->generation = atomic_fetch_add_explicit(&generations, 1, memory_order_relaxed) + 1;
}

static void record(Tape *tape, Node *node)
{
    node->where = tape->where;
    node->before = tape->last;
    tape->last = node;
    tape->n_nodes++;
}

static Node *leaf_new(Tape *tape, const Tensor *value, real *grad, Err *err)
{
    Node *node = arena_zero(&tape->arena, sizeof *node, err);
    if (!node)
        return NULL;
    node->value = *value;
    node->value.storage = NULL;
    node->grad = grad;
    node->wants_grad = grad != NULL;
    record(tape, node);
    return node;
}

Node *tape_input(Tape *tape, const Tensor *value, Err *err)
{
    return leaf_new(tape, value, NULL, err);
}

Node *tape_param(Tape *tape, const Tensor *value, real *grad, Err *err)
{
    return leaf_new(tape, value, tape->mode == TAPE_TRAIN && value->dtype == DTYPE_FLOAT32 ? grad : NULL, err);
}

Node *tape_open_param(Tape *tape, const Tensor *value, Err *err)
{
    Node *node = leaf_new(tape, value, NULL, err);
    if (node)
        node->open = node->wants_grad = tape->mode != TAPE_INFER && value->dtype == DTYPE_FLOAT32;
    return node;
}

/* ---- forward ---- */

static bool reserve_scratch(Tape *tape, size_t size, Err *err)
{
    if (size <= tape->scratch_size)
        return true;
    void *grown = mem_alloc(size, 1, err);
    if (!grown)
        return false;
    mem_free(tape->scratch);
    tape->scratch = grown;
    tape->scratch_size = size;
    return true;
}

static const Args *keep_args(Tape *tape, const Op *op, const Args *args, Err *err)
{
    const Args *defaults = args ? NULL : op_defaults(op);
    if (defaults)
        return defaults;
    size_t size = offsetof(Args, v) + (size_t)op->n_args * sizeof(ArgValue);
    Args *copy = arena_alloc(&tape->arena, args ? size : sizeof *args, err);
    if (copy && args)
        memcpy(copy, args, size);
    else if (copy)
        args_init(copy, op->args, op->n_args);
    return copy;
}

static void fill_inputs(OpNode *made, Node *const *in, int n_in)
{
    OpCall *call = &made->call;
    bool wants = false;
    memset(call->has, 0, sizeof call->has);
    for (int i = 0; i < n_in; i++) {
        if (!in[i])
            continue;
        call->has[i] = true;
        call->in[i] = in[i]->value;
        made->node.in[i] = in[i];
        wants = wants || in[i]->wants_grad;
    }
    call->wants_grad = wants && call->op->backward;
}

/* Memory for the result and for what backward needs. */
static bool reserve(Tape *tape, OpCall *call, Err *err)
{
    size_t size = (size_t)shape_count(&call->out.shape) * dtype_size(call->out.dtype);
    bool keeps = call->saved_size > 0 && (call->wants_grad || call->training);
    call->saved = NULL;
    call->out.data = call->alias ? call->in[0].data : arena_alloc(&tape->arena, size, err);
    if (!call->out.data || (keeps && !(call->saved = arena_alloc(&tape->arena, call->saved_size, err))))
        return false;
    if (!reserve_scratch(tape, call->scratch_size, err))
        return false;
    call->scratch = tape->scratch;
    return true;
}

static bool run_forward(Tape *tape, OpCall *call, Err *err)
{
    if (!op_infer(call, err))
        return false;
    call->wants_grad = call->wants_grad && call->out.dtype == DTYPE_FLOAT32;
    if (call->op->flops)
        tape->flops += call->op->flops(call);
    if (tape->mode == TAPE_INFER)
        return true;
    if (!reserve(tape, call, err) || (call->op->check && !call->op->check(call, err)))
        return false;
    if (!call->alias)
        call->op->forward(call);
    return true;
}

static OpNode *call_new(Tape *tape, const Op *op, Node *const *in, int n_in, const Args *args, Err *err)
{
    OpNode *made = arena_alloc(&tape->arena, sizeof *made, err);
    if (!made)
        return NULL;
    memset(&made->node, 0, sizeof made->node);
    OpCall *call = &made->call;
    call->op = op;
    call->n_in = n_in < 0 || n_in > OP_IN_MOST ? OP_IN_MOST + 1 : n_in; /* too many: op_infer says so */
    call->out = (Tensor){ 0 };
    call->training = tape->mode == TAPE_TRAIN;
    call->seed = rng_mix(tape->seed, (uint64_t)tape->n_nodes);
    call->step = tape->step;
    call->saved = call->scratch = NULL;
    fill_inputs(made, in, call->n_in > OP_IN_MOST ? 0 : n_in);
    call->args = keep_args(tape, op, args, err);
    return call->args ? made : NULL;
}

Node *tape_op(Tape *tape, const Op *op, Node *const *in, int n_in, const Args *args, Err *err)
{
    ArenaMark mark = arena_mark(&tape->arena);
    OpNode *made = call_new(tape, op, in, n_in, args, err);
    if (!made || !run_forward(tape, &made->call, err)) {
        if (tape->where)
            err_wrap(err, "%s", tape->where);
        arena_rewind(&tape->arena, mark);
        return NULL;
    }
    Node *node = &made->node;
    node->call = &made->call;
    node->value = made->call.out;
    node->wants_grad = made->call.wants_grad;
    for (int i = 0; i < n_in; i++)
        if (in[i])
            in[i]->uses++;
    tape->n_commits += op->commit != NULL;
    record(tape, node);
    return node;
}

static size_t value_size(const Node *node)
{
    return (size_t)shape_count(&node->value.shape) * sizeof(real);
}

/* ---- gradient buffers ----
 * A node's buffer is needed from the first backward that writes it to the end of the node's own; then it is spare. The walk that
 * reserves follows the order of the walk that computes, so it can hand spare buffers out again. */

#define SPARES_MOST 64

typedef struct Spares {
    int n;
    struct {
        real *data;
        size_t size;
    } v[SPARES_MOST];
} Spares;

/* The smallest spare buffer that is large enough, or new memory. */
static real *buffer_take(Tape *tape, Spares *spares, size_t *size, Err *err)
{
    int best = -1;
    for (int i = 0; i < spares->n; i++)
        if (spares->v[i].size >= *size && (best < 0 || spares->v[i].size < spares->v[best].size))
            best = i;
    if (best < 0)
        return arena_alloc(&tape->arena, *size, err);
    real *data = spares->v[best].data;
    *size = spares->v[best].size;
    spares->v[best] = spares->v[--spares->n];
    return data;
}

/* The input that has this node's gradient unchanged and from no other node: both share one buffer. -1: none. */
static int find_shared(const Node *node)
{
    const OpCall *call = node->call;
    unsigned passes = call->alias ? 1 : call->op->passes_grad;
    for (int i = 0; passes >> i && i < call->n_in; i++) {
        const Node *in = node->in[i];
        if ((passes >> i & 1) && in && in->wants_grad && in->uses == 1 && !in->grad_set &&
            (call->alias || shape_same(&in->value.shape, &node->value.shape)))
            return i;
    }
    return -1;
}

/* A buffer for a node that was reached: a parameter's own, if the gradient goes there unchanged. */
static bool reserve_grad(Tape *tape, Spares *spares, Node *node, Err *err)
{
    const Node *end = node;
    for (int i; end->call && (i = find_shared(end)) >= 0;)
        end = end->in[i];
    node->grad_size = value_size(node);
    node->grad = end->call ? buffer_take(tape, spares, &node->grad_size, err) : end->grad;
    return node->grad != NULL;
}

static void forget_grads(Tape *tape)
{
    for (Node *node = tape->last; node; node = node->before) {
        node->reached = false;
        if (node->call) {
            node->grad = NULL;
            node->grad_set = false;
        }
    }
}

/* Buffers for the inputs of one node; its own is spare after that. */
static bool reserve_inputs(Tape *tape, Spares *spares, Node *node, Err *err)
{
    node->shared = find_shared(node);
    for (int i = 0; i < node->call->n_in; i++) {
        Node *in = node->in[i];
        if (!in || !in->wants_grad)
            continue;
        in->reached = true;
        if (i == node->shared && in->call) {
            in->grad = node->grad;
            in->grad_size = node->grad_size;
        } else if (!in->grad && !reserve_grad(tape, spares, in, err)) {
            return false;
        }
    }
    if (node->shared < 0 && !tape->keep_grads && spares->n < SPARES_MOST) {
        spares->v[spares->n].data = node->grad;
        spares->v[spares->n++].size = node->grad_size;
    }
    return true;
}

/* Mark what the loss depends on, newest first, and give it gradient buffers. */
static bool reserve_grads(Tape *tape, Node *loss, Err *err)
{
    Spares spares;
    spares.n = 0;
    loss->reached = loss->wants_grad;
    if (loss->reached && loss->call && !reserve_grad(tape, &spares, loss, err))
        return false;
    for (Node *node = loss; node; node = node->before)
        if (node->reached && node->call && !reserve_inputs(tape, &spares, node, err))
            return false;
    return true;
}

/* ---- backward ---- */

/* Where input i's gradient goes, and whether to add. */
static void aim(Node *node, int i)
{
    OpCall *call = node->call;
    Node *in = node->in[i];
    call->din[i] = in->grad;
    call->add[i] = in->grad_set;
    in->grad_set = true;
    bool clear = call->op->backward_adds && !call->add[i];
    for (int j = 0; j < i; j++)
        if (node->in[j] == in && !call->add[j])
            clear = call->add[j] = true; /* the same input twice: backward may write them in any order */
    if (clear) {
        memset(in->grad, 0, value_size(in));
        call->add[i] = true;
    }
}

static void run_backward(Tape *tape, Node *node)
{
    OpCall *call = node->call;
    int left = 0;
    memset(call->din, 0, sizeof call->din);
    memset(call->add, 0, sizeof call->add);
    for (int i = 0; i < call->n_in; i++)
        if (node->in[i] && node->in[i]->wants_grad && i != node->shared) {
            aim(node, i);
            left++;
        }
    if (node->shared >= 0)
        node->in[node->shared]->grad_set = true;
    call->dout = node->grad;
    call->scratch = tape->scratch;
    if (left > 0)
        call->op->backward(call);
    if (!tape->keep_grads)
        node->grad = NULL;
}

static bool check_backward(const Tape *tape, const Node *loss, Err *err)
{
    char text[SHAPE_TEXT];
    if (tape->mode != TAPE_TRAIN)
        return err_set(err, ERR_STATE, "backward: this pass kept nothing for gradients; begin it as training");
    if (shape_count(&loss->value.shape) != 1)
        return err_set(err, ERR_SHAPE, "backward starts from a single number, got shape %s; take its mean or sum first",
                       shape_text(&loss->value.shape, text));
    return true;
}

bool tape_backward(Tape *tape, Node *loss, Err *err)
{
    if (!check_backward(tape, loss, err))
        return false;
    forget_grads(tape);
    if (!reserve_grads(tape, loss, err))
        return false;
    if (loss->wants_grad) {
        *loss->grad = loss->grad_set ? *loss->grad + 1 : 1;
        loss->grad_set = true;
    }
    for (Node *node = loss; node; node = node->before)
        if (node->reached && node->call)
            run_backward(tape, node);
    for (Node *node = tape->last; node; node = node->before)
        if (!node->call && node->wants_grad && !node->grad_set) {
            memset(node->grad, 0, value_size(node));
            node->grad_set = true;
        }
    return true;
}

/* ---- gradients that are asked for later ---- */

/* Turn the list of nodes round: oldest first, or back. Returns the node that is first now. */
static Node *turn(Node *first)
{
    Node *done = NULL;
    while (first) {
        Node *next = first->before;
        first->before = done;
        done = first;
        first = next;
    }
    return done;
}

/* Oldest first: a parameter wants a gradient where target says so, a result where one of its inputs does. */
static void settle_wants(Node *oldest, TapeTarget target, void *ctx)
{
    for (Node *node = oldest; node; node = node->before) {
        node->reached = false;
        if (node->open) {
            node->grad = target(ctx, &node->value);
            node->wants_grad = node->grad != NULL;
            node->grad_set = false;
        }
        if (!node->call)
            continue;
        bool wants = false;
        for (int i = 0; i < node->call->n_in; i++)
            wants = wants || (node->in[i] && node->in[i]->wants_grad);
        node->wants_grad = node->call->wants_grad = wants && node->call->op->backward && node->value.dtype == DTYPE_FLOAT32;
    }
}

/* Newest first: a changed weight that a gradient passes, or NULL. */
static const Node *find_stale(Node *loss)
{
    loss->reached = loss->wants_grad;
    for (Node *node = loss; node; node = node->before)
        for (int i = 0; node->reached && node->call && i < node->call->n_in; i++) {
            if (!node->in[i])
                continue;
            if (node->in[i]->stale)
                return node->in[i];
            node->in[i]->reached = node->in[i]->wants_grad;
        }
    return NULL;
}

bool tape_aim(Tape *tape, Node *loss, TapeTarget target, void *ctx, const Node **stale, Err *err)
{
    if (!check_backward(tape, loss, err))
        return false;
    Node *oldest = turn(tape->last);
    settle_wants(oldest, target, ctx);
    tape->last = turn(oldest);
    *stale = find_stale(loss);
    if (*stale)
        return err_set(err, ERR_STATE, "weights of %s were changed after this loss was computed", (*stale)->where ? (*stale)->where : "a layer");
    return loss->wants_grad || err_set(err, ERR_STATE, "this loss does not depend on any of the weights");
}

void tape_outdate(Tape *tape, const real *block, size_t n)
{
    for (Node *node = tape->last; node; node = node->before)
        if (node->open && tensor_real(&node->value) >= block && tensor_real(&node->value) < block + n)
            node->stale = true;
}

/* ---- after the step ---- */

void tape_commit(Tape *tape)
{
    if (!tape->n_commits)
        return;
    Node *oldest = turn(tape->last);
    for (Node *node = oldest; node; node = node->before)
        if (node->call && node->call->op->commit)
            node->call->op->commit(node->call);
    tape->last = turn(oldest);
    tape->n_commits = 0;
}

const Node *tape_find_bad(const Tape *tape)
{
    const Node *bad = NULL;
    for (const Node *node = tape->last; node; node = node->before)
        if (node->value.dtype == DTYPE_FLOAT32 && node->value.data &&
            !kern_finite(tensor_real(&node->value), shape_count(&node->value.shape)))
            bad = node;
    return bad;
}
