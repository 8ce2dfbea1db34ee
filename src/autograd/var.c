// SPDX-License-Identifier: MIT
/* A result keeps a small record of its call (inputs, arguments, what forward saved); the full OpCall is rebuilt on the stack
 * for backward. Nothing recurs: a chain of a hundred thousand ops is freed and differentiated by loops.
 *
 * Backward: a walk from the result notes every Var that a gradient reaches, how many of its uses lie on the way, and gives it a
 * buffer; only this walk can fail. Then calls are undone in an order where each comes after all its uses. */
#include "autograd/var.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "tensor/kern.h"

typedef struct VarCall {
    const Op *op;
    const Args *args; /* of the program's lifetime, or own_args */
    Args *own_args;   /* owned, or NULL */
    void *saved;      /* owned, or NULL */
    size_t saved_size, scratch_size;
    uint64_t seed;
    bool training, alias;
    bool freezes; /* backward will read the values again; a graph that is only traced reads none */
    int n_in;
    Var *in[]; /* references; NULL where an optional input is absent */
} VarCall;

Var *var_new(Tensor *take, bool requires_grad, Err *err)
{
    Var *var = NULL;
    if (requires_grad && take->dtype != DTYPE_FLOAT32)
        err_set(err, ERR_ARG, "only float32 tensors can have gradients, this one is %s", dtype_name(take->dtype));
    else
        var = mem_zero(1, sizeof *var, err);
    if (!var) {
        tensor_unref(take);
        return NULL;
    }
    atomic_init(&var->refs, 1);
    var->value = *take;
    memset(take, 0, sizeof *take);
    var->requires_grad = requires_grad;
    return var;
}

Var *var_ref(Var *var)
{
    if (var)
        atomic_fetch_add_explicit(&var->refs, 1, memory_order_relaxed);
    return var;
}

static bool drop(Var *var)
{
    return var && atomic_fetch_sub_explicit(&var->refs, 1, memory_order_acq_rel) == 1;
}

static void call_free(VarCall *call)
{
    if (!call)
        return;
    mem_free(call->own_args);
    mem_free(call->saved);
    mem_free(call);
}

/* Vars to be freed are linked by `note`, which no walk uses any more. */
void var_unref(Var *var)
{
    if (!drop(var))
        return;
    var->note = NULL;
    for (Var *dead = var; dead; dead = var) {
        var = dead->note;
        for (int i = 0; dead->call && i < dead->call->n_in; i++) {
            if (dead->call->in[i] && dead->call->freezes)
                tensor_thaw(&dead->call->in[i]->value);
            if (drop(dead->call->in[i])) {
                dead->call->in[i]->note = var;
                var = dead->call->in[i];
            }
        }
        if (dead->call && dead->call->freezes)
            tensor_thaw(&dead->value);
        call_free(dead->call);
        tensor_unref(&dead->value);
        tensor_unref(&dead->grad);
        mem_free(dead);
    }
}

/* ---- forward ---- */

static void call_begin(OpCall *call, const Op *op, Var *const *in, int n_in)
{
    call->op = op;
    call->n_in = n_in < 0 || n_in > OP_IN_MOST ? OP_IN_MOST + 1 : n_in; /* too many: op_infer says so */
    call->out = (Tensor){ 0 };
    call->saved = call->scratch = NULL;
    call->step = 0;
    memset(call->has, 0, sizeof call->has);
    for (int i = 0; i < n_in && i < OP_IN_MOST; i++)
        if (in[i]) {
            call->has[i] = true;
            call->in[i] = in[i]->value;
        }
}

static bool any_requires(Var *const *in, int n_in)
{
    for (int i = 0; i < n_in && i < OP_IN_MOST; i++)
        if (in[i] && in[i]->requires_grad)
            return true;
    return false;
}

static bool any_traced(Var *const *in, int n_in)
{
    for (int i = 0; i < n_in && i < OP_IN_MOST; i++)
        if (in[i] && in[i]->traced)
            return true;
    return false;
}

/* The record that outlives the call. It takes over call->saved and copies the arguments that are not the defaults. */
static VarCall *call_keep(const OpCall *call, Var *const *in, Err *err)
{
    VarCall *kept = mem_zero(1, sizeof *kept + (size_t)call->n_in * sizeof(Var *), err);
    if (!kept)
        return NULL;
    kept->op = call->op;
    kept->args = call->args;
    if (call->args != op_defaults(call->op)) {
        size_t size = offsetof(Args, v) + (size_t)call->op->n_args * sizeof(ArgValue);
        kept->args = kept->own_args = mem_alloc(size, 1, err);
        if (!kept->args) {
            mem_free(kept);
            return NULL;
        }
        memcpy(kept->own_args, call->args, size);
    }
    kept->saved = call->saved;
    kept->saved_size = call->saved_size;
    kept->scratch_size = call->scratch_size;
    kept->seed = call->seed;
    kept->training = call->training;
    kept->alias = call->alias;
    kept->freezes = call->wants_grad;
    kept->n_in = call->n_in;
    for (int i = 0; i < call->n_in; i++) {
        kept->in[i] = var_ref(in[i]);
        if (in[i] && kept->freezes)
            tensor_freeze(&in[i]->value);
    }
    return kept;
}

/* Memory, checks of the data, forward. On failure the caller frees what call holds. */
static bool run_forward(OpCall *call, Err *err)
{
    if (call->alias) {
        Tensor view = tensor_ref(&call->in[0]);
        view.shape = call->out.shape;
        call->out = view;
    } else if (!tensor_new(&call->out, call->out.dtype, call->out.shape, err)) {
        return false;
    }
    bool keeps = call->saved_size > 0 && (call->wants_grad || call->training);
    if (keeps && !(call->saved = mem_alloc(call->saved_size, 1, err)))
        return false;
    if (call->scratch_size > 0 && !(call->scratch = mem_alloc(call->scratch_size, 1, err)))
        return false;
    if (call->op->check && !call->op->check(call, err))
        return false;
    if (!call->alias)
        call->op->forward(call);
    return true;
}

static Var *result_new(OpCall *call, Var *const *in, Err *err)
{
    Var *var = mem_zero(1, sizeof *var, err);
    bool traced = any_traced(in, call->n_in), keeps = call->wants_grad || traced;
    VarCall *kept = var && keeps ? call_keep(call, in, err) : NULL;
    if (!var || (keeps && !kept)) {
        mem_free(var);
        return NULL;
    }
    atomic_init(&var->refs, 1);
    var->value = call->out;
    var->call = kept;
    var->requires_grad = call->wants_grad;
    var->traced = traced;
    if (kept && kept->freezes)
        tensor_freeze(&var->value);
    return var;
}

Var *var_op(const Op *op, Var *const *in, int n_in, const Args *args, bool training, uint64_t seed, Err *err)
{
    Args own;
    if (!args && !(args = op_defaults(op))) {
        args_init(&own, op->args, op->n_args);
        args = &own;
    }
    OpCall call;
    call_begin(&call, op, in, n_in);
    call.args = args;
    call.seed = seed;
    call.training = training;
    call.wants_grad = op->backward && any_requires(in, n_in);
    if (!op_infer(&call, err))
        return NULL;
    call.wants_grad = call.wants_grad && call.out.dtype == DTYPE_FLOAT32;
    Var *result = run_forward(&call, err) ? result_new(&call, in, err) : NULL;
    if (result && training && op->commit)
        op->commit(&call);
    mem_free(call.scratch);
    if (!result || !result->call)
        mem_free(call.saved);
    if (!result && call.out.data)
        tensor_unref(&call.out);
    return result;
}

const Op *var_made_by(const Var *var, const Args **args, Var *const **in, int *n_in)
{
    if (!var->call)
        return NULL;
    *args = var->call->args;
    *in = var->call->in;
    *n_in = var->call->n_in;
    return var->call->op;
}

/* ---- backward ---- */

/* What a walk knows of one Var; arena memory. */
typedef struct Note {
    Var *var;
    struct Note *next;  /* in the order found */
    struct Note *ready; /* the next whose uses are all undone */
    real *grad;
    int pending; /* uses that are not undone yet */
    bool set;    /* grad holds something: add */
    Tensor made; /* a leaf's new gradient, installed at the end */
} Note;

typedef struct Walk {
    Arena arena;
    Note *first, *last;
    void *scratch;
    size_t scratch_size;
} Walk;

static Note *note_of(Walk *walk, Var *var, Err *err)
{
    if (var->note)
        return var->note;
    Note *note = arena_zero(&walk->arena, sizeof *note, err);
    if (!note)
        return NULL;
    note->var = var;
    var->note = note;
    if (walk->last)
        walk->last->next = note;
    else
        walk->first = note;
    walk->last = note;
    return note;
}

static bool reserve_grad(Walk *walk, Note *note, Err *err)
{
    Var *var = note->var;
    size_t size = (size_t)tensor_count(&var->value) * sizeof(real);
    if (var->call) {
        note->grad = arena_alloc(&walk->arena, size, err);
    } else if (var->grad.data) {
        note->grad = tensor_real(&var->grad);
        note->set = true;
    } else if (tensor_new(&note->made, DTYPE_FLOAT32, var->value.shape, err)) {
        note->grad = tensor_real(&note->made);
    }
    return note->grad != NULL;
}

/* Everything below root that wants a gradient, with buffers. */
static bool walk_begin(Walk *walk, Var *root, Err *err)
{
    memset(walk, 0, sizeof *walk);
    arena_init(&walk->arena);
    if (!note_of(walk, root, err))
        return false;
    for (Note *note = walk->first; note; note = note->next) {
        if (!reserve_grad(walk, note, err))
            return false;
        VarCall *call = note->var->call;
        if (call && call->scratch_size > walk->scratch_size)
            walk->scratch_size = call->scratch_size;
        for (int i = 0; call && i < call->n_in; i++) {
            if (!call->in[i] || !call->in[i]->requires_grad)
                continue;
            Note *below = note_of(walk, call->in[i], err);
            if (!below)
                return false;
            below->pending++;
        }
    }
    return !walk->scratch_size || (walk->scratch = mem_alloc(walk->scratch_size, 1, err));
}

/* `keep`: install the leaves' new gradients; else as if nothing had happened. */
static void walk_end(Walk *walk, bool keep)
{
    for (Note *note = walk->first; note; note = note->next) {
        note->var->note = NULL;
        if (!note->made.data)
            continue;
        if (keep)
            note->var->grad = note->made;
        else
            tensor_unref(&note->made);
    }
    mem_free(walk->scratch);
    arena_fini(&walk->arena);
}

static void aim(OpCall *call, const VarCall *kept, int i)
{
    Note *below = kept->in[i]->note;
    call->din[i] = below->grad;
    call->add[i] = below->set;
    below->set = true;
    bool clear = call->op->backward_adds && !call->add[i];
    for (int j = 0; j < i; j++)
        if (kept->in[j] == kept->in[i] && !call->add[j])
            clear = call->add[j] = true; /* the same input twice: backward may write them in any order */
    if (clear) {
        memset(below->grad, 0, (size_t)tensor_count(&kept->in[i]->value) * sizeof(real));
        call->add[i] = true;
    }
}

static void undo(Walk *walk, const Note *note)
{
    const VarCall *kept = note->var->call;
    OpCall call;
    call_begin(&call, kept->op, kept->in, kept->n_in);
    call.args = kept->args;
    call.out = note->var->value;
    call.alias = kept->alias;
    call.training = kept->training;
    call.wants_grad = true;
    call.seed = kept->seed;
    call.saved = kept->saved;
    call.saved_size = kept->saved_size;
    call.scratch = walk->scratch;
    call.scratch_size = kept->scratch_size;
    call.dout = note->grad;
    memset(call.din, 0, sizeof call.din);
    memset(call.add, 0, sizeof call.add);
    for (int i = 0; i < kept->n_in; i++)
        if (kept->in[i] && kept->in[i]->requires_grad)
            aim(&call, kept, i);
    kept->op->backward(&call);
}

static void undo_all(Walk *walk)
{
    for (Note *ready = walk->first; ready;) {
        Note *note = ready;
        ready = note->ready;
        const VarCall *kept = note->var->call;
        if (!kept)
            continue;
        undo(walk, note);
        for (int i = 0; i < kept->n_in; i++) {
            Note *below = kept->in[i] && kept->in[i]->requires_grad ? kept->in[i]->note : NULL;
            if (below && --below->pending == 0) {
                below->ready = ready;
                ready = below;
            }
        }
    }
}

static bool check_seed(const Var *var, const Tensor *seed, Err *err)
{
    char want[SHAPE_TEXT], got[SHAPE_TEXT];
    if (!var->requires_grad)
        return err_set(err, ERR_STATE, "backward: nothing below requires a gradient; create a tensor with requires_grad = true");
    if (!seed && tensor_count(&var->value) != 1)
        return err_set(err, ERR_SHAPE, "backward starts from a single number, got shape %s; take its mean or sum first, or give "
                       "a gradient of that shape", shape_text(&var->value.shape, got));
    if (seed && (seed->dtype != DTYPE_FLOAT32 || !shape_same(&seed->shape, &var->value.shape)))
        return err_set(err, ERR_SHAPE, "backward: the gradient must be float32 of shape %s, got %s of shape %s",
                       shape_text(&var->value.shape, want), dtype_name(seed->dtype), shape_text(&seed->shape, got));
    return true;
}

bool var_backward(Var *var, const Tensor *seed_grad, Err *err)
{
    if (!check_seed(var, seed_grad, err))
        return false;
    Walk walk;
    bool ok = walk_begin(&walk, var, err);
    if (ok) {
        real one = 1;
        Note *root = walk.first;
        op_give(root->grad, seed_grad ? tensor_real(seed_grad) : &one, tensor_count(&var->value), root->set);
        root->set = true;
        undo_all(&walk);
    }
    walk_end(&walk, ok);
    return ok;
}
