// SPDX-License-Identifier: MIT
/* All ops through one C function with the op's record as its upvalue: op.NAME(inputs…, arguments…) and t:NAME(…). The first
 * places are inputs: tensors, tables and, as long as inputs must be given, numbers. A number behind them begins the arguments,
 * a table with names holds the options. */
#include <string.h>

#include "base/rng.h"
#include "script/bind_tensor.h"
#include "script/scope.h"
#include "script/trace.h"

#define LIST_LEAST 5 /* an op of so many inputs takes them as one list too: op.concat({a, b}) */

/* The same by an op, which becomes a part of the program. */
static void cast_traced(lua_State *L, int at, DType want)
{
    Err err = ERR_INIT;
    const Op *op = op_find("cast", &err);
    Args args;
    if (!op)
        bind_raise(L, &err);
    args_init(&args, op->args, op->n_args);
    if (!args_set_text(&args, 0, dtype_name(want), op->name, &err))
        bind_raise(L, &err);
    op_push(L, op, &at, 1, &args, false);
    lua_replace(L, at);
}

/* The input at `at`, as the op wants it: integers for class numbers, floats where it asks for floats. */
static void convert(lua_State *L, int at, const Op *op, int i)
{
    bool whole = op->integer_in >> i & 1, any = op->any_in >> i & 1;
    Var *var = tensor_test(L, at);
    if (!var)
        var = tensor_want(L, at, whole ? DTYPE_INT32 : DTYPE_FLOAT32, op->name);
    DType want = whole ? DTYPE_INT32 : DTYPE_FLOAT32;
    if (any || var->value.dtype == want)
        return;
    if (var->traced || tensor_borrows(L, at)) {
        cast_traced(L, at, want);
        return;
    }
    Err err = ERR_INIT;
    TensorBox *box = tensor_box(L);
    if (!tensor_cast(&box->hold, &var->value, want, &err)) {
        err_wrap(&err, "%s", op->name);
        bind_raise(L, &err);
    }
    tensor_done(L, box, false);
    lua_replace(L, at);
}

void op_push(lua_State *L, const Op *op, const int *at, int n_in, const Args *args, bool training)
{
    Var *in[OP_IN_MOST] = { 0 };
    Err err = ERR_INIT;
    for (int i = 0; i < n_in; i++)
        if (at[i])
            convert(L, at[i], op, i);
    if (scope_now(script_of(L))) {
        scope_op(L, op, at, n_in, args, training);
        return;
    }
    for (int i = 0; i < n_in; i++)
        in[i] = at[i] ? tensor_any(L, at[i], op->name) : NULL;
    training = training || trace_training(script_of(L));
    TensorBox *box = tensor_box(L);
    uint64_t seed = training ? script_seed(script_of(L)) : 0;
    Var *out = var_op(op, in, n_in, args, training, seed, &err);
    if (!out && err.code == ERR_MEM) { /* garbage tensors may hold the memory */
        lua_gc(L, LUA_GCCOLLECT);
        err_clear(&err);
        out = var_op(op, in, n_in, args, training, seed, &err);
    }
    if (!out)
        bind_raise(L, &err);
    tensor_done_var(L, box, out);
}

void op_push_name(lua_State *L, const char *name, const int *at, int n_in)
{
    Err err = ERR_INIT;
    const Op *op = op_find(name, &err);
    if (!op)
        bind_raise(L, &err);
    op_push(L, op, at, n_in, NULL, false);
}

/* Is the value at index an input of the op, at place i of its inputs? */
static bool is_input(lua_State *L, int index, const Op *op, int i)
{
    if (i >= op->in_most)
        return false;
    switch (lua_type(L, index)) {
    case LUA_TUSERDATA:
        return true;
    case LUA_TTABLE:
        return !bind_is_options(L, index);
    case LUA_TNIL:
        return i >= op->in_least;
    default:
        return i < op->in_least;
    }
}

/* op.concat({a, b}): spread the list over the stack. */
static void spread(lua_State *L, const Op *op)
{
    if (op->in_most < LIST_LEAST || !lua_istable(L, 1) || (lua_gettop(L) > 1 && is_input(L, 2, op, 1)))
        return;
    lua_rawgeti(L, 1, 1);
    bool list = tensor_test(L, -1) || lua_istable(L, -1);
    lua_pop(L, 1);
    int n = (int)lua_rawlen(L, 1);
    if (!list || n > OP_IN_MOST)
        return;
    luaL_checkstack(L, n + 4, NULL);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        lua_insert(L, 1 + i);
    }
    lua_remove(L, 1);
}

static int call_op(lua_State *L)
{
    const Op *op = lua_touserdata(L, lua_upvalueindex(1));
    const Verb verb = { .name = op->name, .values = "*training", .args = op->args, .n_args = op->n_args };
    int at[OP_IN_MOST], n = 0;
    Args args;
    char what[64];
    spread(L, op);
    int top = lua_gettop(L);
    while (n < top && is_input(L, n + 1, op, n)) {
        at[n] = lua_isnil(L, n + 1) ? 0 : n + 1;
        n++;
    }
    if (n < op->in_least)
        return bind_error(L, ERR_ARG, "%s: input %d (%s) wants a tensor or numbers, got %s", op->name, n + 1, op->in_names[n],
                          bind_what(L, n + 1, what));
    bind_take(L, n + 1, op->name, &verb, &args);
    bool training = lua_toboolean(L, n + 1);
    op_push(L, op, at, n, &args, training);
    return 1;
}

/* ---- operators ---- */

static int binary(lua_State *L, const char *name)
{
    lua_settop(L, 2);
    op_push_name(L, name, (int[]){ 1, 2 }, 2);
    return 1;
}

static int op_add(lua_State *L)
{
    return binary(L, "add");
}

static int op_sub(lua_State *L)
{
    return binary(L, "subtract");
}

static int op_mul(lua_State *L)
{
    return binary(L, "multiply");
}

static int op_div(lua_State *L)
{
    return binary(L, "divide");
}

static int op_pow(lua_State *L)
{
    return binary(L, "power");
}

static int op_neg(lua_State *L)
{
    lua_settop(L, 1);
    op_push_name(L, "negative", (int[]){ 1 }, 1);
    return 1;
}

const luaL_Reg op_operators[] = {
    { "__add", op_add }, { "__sub", op_sub }, { "__mul", op_mul }, { "__div", op_div },
    { "__pow", op_pow }, { "__unm", op_neg }, { NULL, NULL },
};

void op_open(lua_State *L)
{
    bind_module(L, "op");
    luaL_getmetatable(L, kind_tensor.type);
    lua_getfield(L, -1, "methods");
    lua_replace(L, -2); /* op methods */
    for (int i = 0; op_at(i); i++) {
        const Op *op = op_at(i);
        lua_pushlightuserdata(L, (void *)op);
        lua_pushcclosure(L, call_op, 1);
        lua_pushfstring(L, "op.%s", op->name);
        lua_insert(L, -2);
        bind_name(L, lua_tostring(L, -2));
        lua_remove(L, -2);
        lua_pushvalue(L, -1);
        lua_setfield(L, -4, op->name);
        lua_getfield(L, -2, op->name);
        bool taken = !lua_isnil(L, -1); /* tensors have their own t:slice, which counts as Lua does */
        lua_pop(L, 1);
        if (taken)
            lua_pop(L, 1);
        else
            lua_setfield(L, -2, op->name);
    }
    lua_pop(L, 2);
}
