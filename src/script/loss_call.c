// SPDX-License-Identifier: MIT
/* A loss called on tensors: nn.losses.Huber()(y_true, y_pred). It is composed on a tape and run again on vars, so that the result
 * keeps its graph and backward() works. */
#include "autograd/replay.h"
#include "script/scope.h"

typedef struct LossCall {
    const Loss *loss;
    const Args *args;
    Var *vars[3]; /* target, prediction, weight or NULL */
} LossCall;

static Var *compute(const LossCall *call, Tape *tape, Err *err)
{
    Node *nodes[3] = { NULL };
    int n = call->vars[2] ? 3 : 2;
    const Shape *target = &call->vars[0]->value.shape, *prediction = &call->vars[1]->value.shape;
    char want[SHAPE_TEXT], got[SHAPE_TEXT];
    if (call->loss->target == TARGET_SAME && !shape_same(target, prediction)) {
        err_set(err, ERR_SHAPE, "%s: predictions of shape %s want targets of the same shape, got %s", call->loss->name,
                shape_text(prediction, want), shape_text(target, got));
        return NULL;
    }
    tape_begin(tape, TAPE_FORWARD, 0, 0);
    tape->where = call->loss->name;
    for (int i = 0; i < n; i++)
        if (!(nodes[i] = tape_input(tape, &call->vars[i]->value, err)))
            return NULL;
    Node *result = call->loss->apply(call->args, tape, nodes[1], nodes[0], nodes[2], err);
    return result ? replay(tape, result, nodes, call->vars, n, err) : NULL;
}

/* The same by an op, for what a traced function or a tape records. */
static void cast_by_op(lua_State *L, int index, DType dtype, const char *who)
{
    Err err = ERR_INIT;
    Args args;
    const Op *op = op_find("cast", &err);
    args_init(&args, op->args, op->n_args);
    if (!args_set_text(&args, 0, dtype_name(dtype), who, &err))
        bind_raise(L, &err);
    op_push(L, op, &index, 1, &args, false);
    lua_replace(L, index);
}

/* The tensor at index in this type; casts replace it on the stack. Of a stand-in's values nothing comes into the graph. */
static Var *take(lua_State *L, int index, DType dtype, const char *who)
{
    Err err = ERR_INIT;
    Var *var = tensor_test(L, index);
    if (var && var->traced) {
        if (var->value.dtype != dtype)
            cast_by_op(L, index, dtype, who);
        return tensor_any(L, index, who);
    }
    var = tensor_want(L, index, dtype, who);
    if (var->value.dtype == dtype)
        return var;
    TensorBox *cast = tensor_box(L);
    if (!tensor_cast(&cast->hold, &var->value, dtype, &err))
        bind_raise(L, &err);
    tensor_done(L, cast, false);
    lua_replace(L, index);
    return tensor_check(L, index, who);
}

/* The tensor at index as a node of this type. */
static Node *node_of(lua_State *L, int index, DType dtype, const char *who)
{
    if (!tensor_test(L, index))
        tensor_want(L, index, dtype, who);
    if (tensor_any(L, index, who)->value.dtype != dtype)
        cast_by_op(L, index, dtype, who);
    return scope_node(L, index, who);
}

/* Inside a step (scope.h): on its tape, as fit does it. */
static int on_tape(lua_State *L, const Loss *loss, const Args *args)
{
    Err err = ERR_INIT;
    char want[SHAPE_TEXT], got[SHAPE_TEXT];
    Tape *tape = scope_now(script_of(L))->now;
    Node *target = node_of(L, 2, loss->target == TARGET_LABELS ? DTYPE_INT32 : DTYPE_FLOAT32, loss->name);
    Node *prediction = node_of(L, 3, DTYPE_FLOAT32, loss->name), *weight = lua_isnil(L, 4) ? NULL : node_of(L, 4, DTYPE_FLOAT32, loss->name);
    if (loss->target == TARGET_SAME && !shape_same(&target->value.shape, &prediction->value.shape))
        return bind_error(L, ERR_SHAPE, "%s: predictions of shape %s want targets of the same shape, got %s", loss->name,
                          shape_text(&prediction->value.shape, want), shape_text(&target->value.shape, got));
    tape->where = loss->name;
    Node *result = loss->apply(args, tape, prediction, target, weight, &err);
    tape->where = NULL;
    if (!result)
        return bind_raise(L, &err);
    scope_push(L, result);
    return 1;
}

int loss_call(lua_State *L, const Loss *loss, const Args *args)
{
    Err err = ERR_INIT;
    char what[64];
    lua_settop(L, 4);
    if (lua_isnil(L, 2) || lua_isnil(L, 3))
        return bind_error(L, ERR_ARG, "%s is called on (y_true, y_pred): targets, then predictions; got %s and %s", loss->name,
                          bind_what(L, 2, what), lua_isnil(L, 3) ? "nothing" : "something");
    if (scope_now(script_of(L)))
        return on_tape(L, loss, args);
    LossCall call = { .loss = loss, .args = args };
    call.vars[0] = take(L, 2, loss->target == TARGET_LABELS ? DTYPE_INT32 : DTYPE_FLOAT32, loss->name);
    call.vars[1] = take(L, 3, DTYPE_FLOAT32, loss->name);
    call.vars[2] = lua_isnil(L, 4) ? NULL : take(L, 4, DTYPE_FLOAT32, loss->name);
    TensorBox *box = tensor_box(L);
    Tape tape;
    tape_init(&tape);
    Var *var = compute(&call, &tape, &err);
    tape_fini(&tape);
    if (!var)
        return bind_raise(L, &err);
    tensor_done_var(L, box, var);
    return 1;
}
