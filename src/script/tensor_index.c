// SPDX-License-Identifier: MIT
/* t[i], t[i] = v, t:slice, t:assign. Elements count from 1, as in Lua, and the end of a slice is included; axes count from 0.
 * What a graph or a run still reads is not written in place: t:assign gives the tensor a new value instead. */
#include <math.h>
#include <string.h>

#include "script/bind_tensor.h"
#include "script/trace.h"

/* The number at stack index as a place 1 … n of the first axis. */
static int64_t place(lua_State *L, int index, const Var *var)
{
    const Shape *shape = &var->value.shape;
    char what[64], text[SHAPE_TEXT];
    if (shape->rank == 0)
        bind_error(L, ERR_SHAPE, "a tensor of shape () has no elements to choose from; t:item() gives its number");
    double i = lua_tonumber(L, index);
    long long n = (long long)shape->d[0];
    if (i == 0)
        bind_error(L, ERR_ARG, "t[0]: counting starts at 1, as everywhere in Lua; the first is t[1], the last t[%lld]", n);
    if (i != floor(i) || i < 1 || i > (double)n)
        bind_error(L, ERR_ARG, "an index of shape %s goes from 1 to %lld, got %s", shape_text(shape, text), n,
                   bind_what(L, index, what));
    return (int64_t)i;
}

/* Rows first … last (from 1) along an axis, through the op so that gradients pass. */
static void push_slice(lua_State *L, int at, int64_t first, int64_t last, int axis)
{
    Err err = ERR_INIT;
    const Op *op = op_find("slice", &err);
    if (!op)
        bind_raise(L, &err);
    Args args;
    double begin[ARG_INTS_MOST] = { 0 }, end[ARG_INTS_MOST];
    for (int i = 0; i < axis; i++)
        end[i] = (double)TENSOR_ELEMENTS_MOST;
    begin[axis] = (double)(first - 1);
    end[axis] = (double)last;
    args_init(&args, op->args, op->n_args);
    if (!args_set_numbers(&args, 0, begin, axis + 1, "slice", &err) || !args_set_numbers(&args, 1, end, axis + 1, "slice", &err))
        bind_raise(L, &err);
    op_push(L, op, &at, 1, &args, false);
}

static void push_reshaped(lua_State *L, int at, const Shape *shape)
{
    Err err = ERR_INIT;
    const Op *op = op_find("reshape", &err);
    double sizes[ARG_INTS_MOST];
    Args args;
    for (int i = 0; i < shape->rank; i++)
        sizes[i] = (double)shape->d[i];
    if (!op)
        bind_raise(L, &err);
    args_init(&args, op->args, op->n_args);
    if (!args_set_numbers(&args, 0, sizes, shape->rank, "reshape", &err))
        bind_raise(L, &err);
    op_push(L, op, &at, 1, &args, false);
}

/* Row i: a number where there is one axis, else a view of the same storage, or a part of the graph. */
static int push_row(lua_State *L, const Var *var, int64_t i)
{
    const Tensor *value = &var->value;
    if (value->shape.rank == 1) {
        trace_refuse(L, var, "t[i]");
        double number = tensor_get(value, i - 1);
        if (value->dtype == DTYPE_FLOAT32)
            lua_pushnumber(L, number);
        else
            lua_pushinteger(L, (lua_Integer)number);
        return 1;
    }
    Shape rest = shape_make(value->shape.rank - 1, value->shape.d + 1);
    if (var->requires_grad || var->traced || tensor_borrows(L, 1)) {
        push_slice(L, 1, i, i, 0);
        push_reshaped(L, lua_gettop(L), &rest);
        return 1;
    }
    Err err = ERR_INIT;
    TensorBox *box = tensor_box(L);
    if (!tensor_rows(&box->hold, value, i - 1, 1, &err))
        return bind_raise(L, &err);
    box->hold.shape = rest;
    tensor_done(L, box, false);
    return 1;
}

int tensor_index(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TNUMBER)
        return 0;
    const Var *var = tensor_any(L, 1, "an index");
    return push_row(L, var, place(L, 2, var));
}

/* ---- writing ---- */

static void refuse_frozen(lua_State *L, const Var *var)
{
    if (var->requires_grad)
        bind_error(L, ERR_STATE,
                   "this tensor is part of a graph (requires_grad), so it is not written in place; "
                   "t:assign(value) gives it a new value, t:copy() makes a free one");
    if (tensor_frozen(&var->value))
        bind_error(L, ERR_STATE,
                   "a run or a graph still reads this tensor, so it is not written in place; "
                   "t:assign(value) gives it a new value, t:copy() makes a free one");
}

static void write_row(lua_State *L, Tensor *row, const char *who)
{
    Err err = ERR_INIT;
    int64_t n = tensor_count(row);
    if (lua_type(L, 3) == LUA_TNUMBER || lua_type(L, 3) == LUA_TBOOLEAN) {
        double value = lua_isboolean(L, 3) ? lua_toboolean(L, 3) : lua_tonumber(L, 3);
        for (int64_t i = 0; i < n; i++)
            if (!tensor_store(row, i, value, who, &err))
                bind_raise(L, &err);
        return;
    }
    char want[SHAPE_TEXT], got[SHAPE_TEXT];
    const Var *from = tensor_want(L, 3, row->dtype, who);
    if (!shape_same(&from->value.shape, &row->shape))
        bind_error(L, ERR_SHAPE, "%s wants a number or shape %s, got shape %s", who, shape_text(&row->shape, want),
                   shape_text(&from->value.shape, got));
    for (int64_t i = 0; i < n; i++)
        if (!tensor_store(row, i, tensor_get(&from->value, i), who, &err))
            bind_raise(L, &err);
}

bool tensor_set_index(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TNUMBER)
        return false;
    Var *var = tensor_check(L, 1, "an index");
    int64_t i = place(L, 2, var);
    refuse_frozen(L, var);
    Tensor row = var->value; /* a borrowed view of one row */
    int64_t step = shape_count_from(&var->value.shape, 1);
    row.shape = shape_make(var->value.shape.rank - 1, var->value.shape.d + 1);
    row.data = (char *)row.data + (size_t)((i - 1) * step) * dtype_size(row.dtype);
    write_row(L, &row, "t[i] = value");
    return true;
}

/* ---- methods ---- */

int tensor_assign(lua_State *L)
{
    Args args;
    char want[SHAPE_TEXT], got[SHAPE_TEXT];
    Err err = ERR_INIT;
    TensorBox *box = bind_check(L, 1, &kind_tensor, "assign");
    bind_take(L, 2, "assign", bind_verb(L), &args);
    const Tensor *old = &tensor_check(L, 1, "assign")->value;
    const Tensor *from = &tensor_want(L, 2, old->dtype, "assign")->value;
    if (!shape_same(&old->shape, &from->shape))
        return bind_error(L, ERR_SHAPE, "assign wants shape %s, got shape %s", shape_text(&old->shape, want),
                          shape_text(&from->shape, got));
    TensorBox *made = tensor_box(L);
    if (!tensor_cast(&made->hold, from, old->dtype, &err))
        return bind_raise(L, &err);
    tensor_done(L, made, box->var->requires_grad);
    Var *swap = box->var;
    size_t bytes = box->bytes;
    box->var = made->var;
    box->bytes = made->bytes;
    box->tape = NULL;
    box->borrowed = false;
    made->var = swap;
    made->bytes = bytes;
    lua_settop(L, 1);
    return 1;
}

const ArgSpec tensor_slice_args[3] = {
    { .name = "first", .type = ARG_INT, .help = "first row, from 1; negative: from the end" },
    { .name = "last", .type = ARG_INT, .fallback = "-1", .help = "last row, included; negative: from the end" },
    { .name = "axis", .type = ARG_INT, .fallback = "0", .help = "which axis; 0 is the first" },
};

int tensor_slice(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char text[SHAPE_TEXT];
    int axis;
    bind_take(L, 2, "slice", bind_verb(L), &args);
    const Var *var = tensor_any(L, 1, "slice");
    const Shape *shape = &var->value.shape;
    if (!shape_axis(shape, args_int(&args, "axis"), &axis, "slice", &err))
        return bind_raise(L, &err);
    int64_t n = shape->d[axis], first = args_int(&args, "first"), last = args_int(&args, "last");
    first = first < 0 ? first + n + 1 : first;
    last = last < 0 ? last + n + 1 : last;
    if (first < 1 || last > n || first > last + 1)
        return bind_error(L, ERR_ARG, "slice: rows %lld to %lld are not within 1 to %lld of axis %d of shape %s",
                          (long long)args_int(&args, "first"), (long long)args_int(&args, "last"), (long long)n, axis,
                          shape_text(shape, text));
    if (axis > 0 || var->requires_grad || var->traced || tensor_borrows(L, 1)) {
        push_slice(L, 1, first, last, axis);
        return 1;
    }
    TensorBox *box = tensor_box(L);
    if (!tensor_rows(&box->hold, &var->value, first - 1, last - first + 1, &err))
        return bind_raise(L, &err);
    tensor_done(L, box, false);
    return 1;
}
