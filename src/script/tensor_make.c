// SPDX-License-Identifier: MIT
/* tensor{…} and its sisters: tensors from numbers, tables, shapes and files. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "script/bind_tensor.h"
#include "script/trace.h"

static const char *const dtypes[] = { "float32", "int32", "uint8", NULL };

#define DTYPE_ROW \
    { \
        .name = "dtype", .type = ARG_CHOICE, .fallback = "float32", .choices = dtypes, .help = "type of the elements" \
    }
#define GRAD_ROW \
    { \
        .name = "requires_grad", .type = ARG_BOOL, .fallback = "false", .help = "collect a gradient in backward()" \
    }

static const ArgSpec common_args[] = { DTYPE_ROW, GRAD_ROW };
static const ArgSpec rand_args[] = {
    { .name = "low", .type = ARG_FLOAT, .fallback = "0", .help = "least value" },
    { .name = "high", .type = ARG_FLOAT, .fallback = "1", .help = "values stay below it" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .help = "for the same numbers every time" },
    GRAD_ROW,
};
static const ArgSpec randn_args[] = {
    { .name = "mean", .type = ARG_FLOAT, .fallback = "0", .help = "mean" },
    { .name = "deviation", .type = ARG_FLOAT, .fallback = "1", .help = "standard deviation" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .help = "for the same numbers every time" },
    GRAD_ROW,
};

static DType dtype_of(const Args *args)
{
    DType dtype = DTYPE_FLOAT32;
    bool known = dtype_find(args_choice(args, "dtype"), &dtype);
    return known ? dtype : DTYPE_FLOAT32;
}

/* ---- tables ---- */

bool tensor_store(Tensor *tensor, int64_t i, double value, const char *who, Err *err)
{
    if (tensor->dtype != DTYPE_FLOAT32) {
        double low = tensor->dtype == DTYPE_UINT8 ? 0 : INT32_MIN, high = tensor->dtype == DTYPE_UINT8 ? 255 : INT32_MAX;
        if (!(value >= low && value <= high) || value != floor(value))
            return err_set(err, ERR_ARG, "%s: %s holds whole numbers from %.0f to %.0f, not %.9g", who, dtype_name(tensor->dtype),
                           low, high, value);
    }
    tensor_set(tensor, i, value);
    return true;
}

/* The shape that the first elements promise. */
static Shape shape_of_tables(lua_State *L, int index, const char *who)
{
    Shape shape = { 0 };
    int top = lua_gettop(L);
    luaL_checkstack(L, SHAPE_MOST + 4, NULL);
    lua_pushvalue(L, index);
    while (lua_istable(L, -1)) {
        if (shape.rank == SHAPE_MOST)
            bind_error(L, ERR_SHAPE, "%s: tables nested deeper than %d axes", who, SHAPE_MOST);
        shape.d[shape.rank++] = (int64_t)lua_rawlen(L, -1);
        if (!shape.d[shape.rank - 1])
            break;
        lua_rawgeti(L, -1, 1);
    }
    Var *var = tensor_test(L, -1);
    if (var && shape.rank + var->value.shape.rank > SHAPE_MOST)
        bind_error(L, ERR_SHAPE, "%s: more than %d axes", who, SHAPE_MOST);
    for (int i = 0; var && i < var->value.shape.rank; i++)
        shape.d[shape.rank++] = var->value.shape.d[i];
    lua_settop(L, top);
    return shape;
}

static void fill_from_tensor(lua_State *L, Tensor *out, int axis, int64_t *at, const Tensor *from, const char *who)
{
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    Shape rest = shape_make(out->shape.rank - axis, out->shape.d + axis);
    if (!shape_same(&rest, &from->shape))
        bind_error(L, ERR_SHAPE, "%s: a tensor of shape %s stands among others of shape %s", who, shape_text(&from->shape, a),
                   shape_text(&rest, b));
    Err err = ERR_INIT;
    for (int64_t i = 0, n = tensor_count(from); i < n; i++)
        if (!tensor_store(out, (*at)++, tensor_get(from, i), who, &err))
            bind_raise(L, &err);
}

/* Elements of the table at index into out, from *at on, row-major. */
static void fill(lua_State *L, int index, Tensor *out, int axis, int64_t *at, const char *who)
{
    Err err = ERR_INIT;
    char what[64];
    int64_t n = out->shape.d[axis];
    if ((int64_t)lua_rawlen(L, index) != n)
        bind_error(L, ERR_SHAPE, "%s: a table of %lld stands beside one of %lld; rows must be equally long", who,
                   (long long)lua_rawlen(L, index), (long long)n);
    script_poll(L);
    for (int64_t i = 0; i < n; i++) {
        lua_rawgeti(L, index, i + 1);
        Var *var = tensor_test(L, -1);
        bool last = axis + 1 == out->shape.rank;
        if (var)
            trace_refuse(L, var, who);
        if (var)
            fill_from_tensor(L, out, axis + 1, at, &var->value, who);
        else if (!last && lua_istable(L, -1))
            fill(L, lua_gettop(L), out, axis + 1, at, who);
        else if (!last || (lua_type(L, -1) != LUA_TNUMBER && lua_type(L, -1) != LUA_TBOOLEAN))
            bind_error(L, ERR_ARG, "%s wants numbers in equally long rows, number %lld of a row is %s", who, (long long)i + 1,
                       bind_what(L, -1, what));
        else if (!tensor_store(out, (*at)++, lua_isboolean(L, -1) ? lua_toboolean(L, -1) : lua_tonumber(L, -1), who, &err))
            bind_raise(L, &err);
        lua_pop(L, 1);
    }
}

/* Memory may be held by tensors that are garbage already: collect, and try once more. */
static void make(lua_State *L, TensorBox *box, DType dtype, const Shape *shape)
{
    Err err = ERR_INIT;
    if (tensor_zero(&box->hold, dtype, *shape, &err))
        return;
    if (err.code == ERR_MEM) {
        lua_gc(L, LUA_GCCOLLECT);
        err_clear(&err);
        if (tensor_zero(&box->hold, dtype, *shape, &err))
            return;
    }
    bind_raise(L, &err);
}

TensorBox *tensor_from(lua_State *L, int index, DType dtype, const char *who)
{
    Err err = ERR_INIT;
    char what[64];
    index = lua_absindex(L, index);
    Shape shape = { 0 };
    int64_t at = 0;
    if (lua_istable(L, index)) {
        lua_pushnil(L);
        if (lua_rawlen(L, index) == 0 && lua_next(L, index))
            bind_error(L, ERR_ARG, "%s wants a list of numbers, got a table with names; options go in a second table", who);
        lua_settop(L, lua_type(L, -1) == LUA_TNIL ? lua_gettop(L) - 1 : lua_gettop(L));
        shape = shape_of_tables(L, index, who);
    } else if (lua_type(L, index) != LUA_TNUMBER && lua_type(L, index) != LUA_TBOOLEAN) {
        bind_error(L, ERR_ARG, "%s wants a tensor, numbers or tables of numbers, got %s", who, bind_what(L, index, what));
    }
    TensorBox *box = tensor_box(L);
    make(L, box, dtype, &shape);
    if (shape.rank)
        fill(L, index, &box->hold, 0, &at, who);
    else if (!tensor_store(&box->hold, 0, lua_isboolean(L, index) ? lua_toboolean(L, index) : lua_tonumber(L, index), who, &err))
        bind_raise(L, &err);
    tensor_done(L, box, false);
    return box;
}

/* ---- shapes ---- */

Shape tensor_shape(lua_State *L, int first, int *next, const char *who)
{
    Shape shape = { 0 };
    char what[64];
    Err err = ERR_INIT;
    bool table = lua_istable(L, first) && !bind_is_options(L, first);
    lua_Unsigned n = table ? lua_rawlen(L, first) : 0;
    while (!table && lua_type(L, first + (int)n) == LUA_TNUMBER)
        n++;
    if (n > SHAPE_MOST)
        bind_error(L, ERR_SHAPE, "%s: a tensor has at most %d axes, got %llu sizes", who, SHAPE_MOST, (unsigned long long)n);
    for (int i = 0; i < (int)n; i++) {
        if (table)
            lua_rawgeti(L, first, i + 1);
        else
            lua_pushvalue(L, first + i);
        double size = lua_tonumber(L, -1);
        if (lua_type(L, -1) != LUA_TNUMBER || size != floor(size) || fabs(size) > (double)TENSOR_ELEMENTS_MOST)
            bind_error(L, ERR_SHAPE, "%s: a size must be a whole number, got %s", who, bind_what(L, -1, what));
        shape.d[shape.rank++] = (int64_t)size;
        lua_pop(L, 1);
    }
    *next = table ? first + 1 : first + (int)n;
    if (!shape_check(&shape, &err)) {
        err_wrap(&err, "%s", who);
        bind_raise(L, &err);
    }
    return shape;
}

static int shape_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_Buffer b;
    int n = (int)lua_rawlen(L, 1);
    luaL_buffinit(L, &b);
    luaL_addchar(&b, '(');
    for (int i = 1; i <= n; i++) {
        char text[24];
        lua_rawgeti(L, 1, i);
        snprintf(text, sizeof text, "%s%lld", i > 1 ? ", " : "", (long long)lua_tointeger(L, -1));
        lua_pop(L, 1);
        luaL_addstring(&b, text);
    }
    luaL_addchar(&b, ')');
    luaL_pushresult(&b);
    return 1;
}

void tensor_push_shape(lua_State *L, const Shape *shape)
{
    lua_createtable(L, shape->rank, 0);
    for (int i = 0; i < shape->rank; i++) {
        lua_pushinteger(L, shape->d[i]);
        lua_rawseti(L, -2, i + 1);
    }
    if (luaL_newmetatable(L, "hebb.shape")) {
        lua_pushcfunction(L, shape_tostring);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
}

/* ---- functions ---- */

/* A sized tensor of zeros on top of the stack, in its box; the sizes stand from index 1. */
static TensorBox *sized(lua_State *L, Args *args, const char *who, Shape *shape)
{
    int next;
    const Verb *verb = bind_verb(L);
    *shape = tensor_shape(L, 1, &next, who);
    Verb rest = *verb;
    rest.values = NULL;
    bind_take(L, next, who, &rest, args);
    TensorBox *box = tensor_box(L);
    bool typed = args_find(args, "dtype") >= 0;
    make(L, box, typed ? dtype_of(args) : DTYPE_FLOAT32, shape);
    return box;
}

static int fill_all(lua_State *L, const char *who, double value)
{
    Args args;
    Shape shape;
    Err err = ERR_INIT;
    TensorBox *box = sized(L, &args, who, &shape);
    int64_t n = tensor_count(&box->hold);
    if (value != 0)
        for (int64_t i = 0; i < n; i++)
            if (!tensor_store(&box->hold, i, value, who, &err))
                return bind_raise(L, &err);
    tensor_done(L, box, args_bool(&args, "requires_grad"));
    return 1;
}

static int make_zeros(lua_State *L)
{
    return fill_all(L, "tensor.zeros", 0);
}

static int make_ones(lua_State *L)
{
    return fill_all(L, "tensor.ones", 1);
}

static int make_full(lua_State *L)
{
    char what[64];
    if (!lua_istable(L, 1) || lua_type(L, 2) != LUA_TNUMBER)
        return bind_error(L, ERR_ARG, "tensor.full wants a shape and a number, like tensor.full({2, 3}, 0.5), got %s and %s",
                          bind_what(L, 1, what), luaL_typename(L, 2));
    double value = lua_tonumber(L, 2);
    lua_remove(L, 2);
    return fill_all(L, "tensor.full", value);
}

static void start_rng(lua_State *L, Rng *rng, const Args *args)
{
    uint64_t seed = args_given(args, "seed") ? (uint64_t)args_int(args, "seed") : script_seed(script_of(L));
    rng_init(rng, seed, RNG_USER, 0);
}

static int make_rand(lua_State *L)
{
    Args args;
    Shape shape;
    Rng rng;
    TensorBox *box = sized(L, &args, "tensor.rand", &shape);
    double low = args_float(&args, "low"), high = args_float(&args, "high");
    start_rng(L, &rng, &args);
    real *out = tensor_real(&box->hold);
    for (int64_t i = 0, n = tensor_count(&box->hold); i < n; i++)
        out[i] = (real)(low + (high - low) * rng_uniform(&rng));
    tensor_done(L, box, args_bool(&args, "requires_grad"));
    return 1;
}

static int make_randn(lua_State *L)
{
    Args args;
    Shape shape;
    Rng rng;
    TensorBox *box = sized(L, &args, "tensor.randn", &shape);
    double mean = args_float(&args, "mean"), deviation = args_float(&args, "deviation");
    start_rng(L, &rng, &args);
    real *out = tensor_real(&box->hold);
    for (int64_t i = 0, n = tensor_count(&box->hold); i < n; i++)
        out[i] = (real)(mean + deviation * rng_normal(&rng));
    tensor_done(L, box, args_bool(&args, "requires_grad"));
    return 1;
}

static const ArgSpec arange_args[] = {
    { .name = "start", .type = ARG_FLOAT, .help = "first value; alone: how many values from 0" },
    { .name = "stop", .type = ARG_FLOAT, .fallback = "nil", .help = "values stay below it" },
    { .name = "step", .type = ARG_FLOAT, .fallback = "1", .help = "distance" },
    DTYPE_ROW,
};

static int make_arange(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "tensor.arange", bind_verb(L), &args);
    double start = args_float(&args, "start"), stop = args_float(&args, "stop"), step = args_float(&args, "step");
    if (!args_given(&args, "stop"))
        stop = start, start = 0;
    double n = ceil((stop - start) / step - 1e-9);
    if (!(step != 0) || !isfinite(n) || n > (double)TENSOR_ELEMENTS_MOST)
        return bind_error(L, ERR_ARG, "tensor.arange: from %g to %g by %g never ends; give another step", start, stop, step);
    Shape shape = SHAPE(n > 0 ? (int64_t)n : 0);
    TensorBox *box = tensor_box(L);
    make(L, box, dtype_of(&args), &shape);
    for (int64_t i = 0; i < shape.d[0]; i++)
        if (!tensor_store(&box->hold, i, start + (double)i * step, "tensor.arange", &err))
            return bind_raise(L, &err);
    tensor_done(L, box, false);
    return 1;
}

static const ArgSpec linspace_args[] = {
    { .name = "start", .type = ARG_FLOAT, .help = "first value" },
    { .name = "stop", .type = ARG_FLOAT, .help = "last value" },
    { .name = "n", .type = ARG_INT, .fallback = "50", .least = 1, .most = 1e9, .help = "how many" },
};

static int make_linspace(lua_State *L)
{
    Args args;
    bind_take(L, 1, "tensor.linspace", bind_verb(L), &args);
    double start = args_float(&args, "start"), stop = args_float(&args, "stop");
    Shape shape = SHAPE(args_int(&args, "n"));
    TensorBox *box = tensor_box(L);
    make(L, box, DTYPE_FLOAT32, &shape);
    for (int64_t i = 0, n = shape.d[0]; i < n; i++)
        tensor_set(&box->hold, i, n == 1 ? start : start + (stop - start) * (double)i / (double)(n - 1));
    tensor_done(L, box, false);
    return 1;
}

static const ArgSpec eye_args[] = {
    { .name = "n", .type = ARG_INT, .least = 0, .most = 1e6, .help = "rows and columns" },
};

static int make_eye(lua_State *L)
{
    Args args;
    bind_take(L, 1, "tensor.eye", bind_verb(L), &args);
    int64_t n = args_int(&args, "n");
    Shape shape = SHAPE(n, n);
    TensorBox *box = tensor_box(L);
    make(L, box, DTYPE_FLOAT32, &shape);
    for (int64_t i = 0; i < n; i++)
        tensor_set(&box->hold, i * n + i, 1);
    tensor_done(L, box, false);
    return 1;
}

/* tensor(values, {dtype, requires_grad}): the module itself is called, it stands at 1. */
static int make_tensor(lua_State *L)
{
    static const Verb verb = { .name = "tensor", .values = "values", .args = common_args, .n_args = COUNT_OF(common_args) };
    Args args;
    lua_remove(L, 1);
    if (lua_istable(L, 1) && lua_gettop(L) == 1) /* a table alone is always the values, {} too */
        lua_createtable(L, 0, 0);
    bind_take(L, 1, "tensor", &verb, &args);
    DType dtype = dtype_of(&args);
    Var *var = tensor_test(L, 1);
    TensorBox *box;
    if (var) {
        Err err = ERR_INIT;
        trace_refuse(L, var, "tensor");
        box = tensor_box(L);
        if (!tensor_cast(&box->hold, &var->value, dtype, &err))
            return bind_raise(L, &err);
        tensor_done(L, box, args_bool(&args, "requires_grad"));
        return 1;
    }
    box = tensor_from(L, 1, dtype, "tensor");
    if (args_bool(&args, "requires_grad") && dtype != DTYPE_FLOAT32)
        return bind_error(L, ERR_ARG, "tensor: only float32 can have a gradient");
    box->var->requires_grad = args_bool(&args, "requires_grad");
    return 1;
}

static const Verb verbs[] = {
    { "zeros", make_zeros, "shape", common_args, COUNT_OF(common_args),
      "A tensor of zeros: tensor.zeros(2, 3) or tensor.zeros({2, 3}).", "assert(#tensor.zeros(2, 3) == 2)" },
    { "ones", make_ones, "shape", common_args, COUNT_OF(common_args), "A tensor of ones.",
      "assert(tensor.ones(4):sum():item() == 4)" },
    { "full", make_full, "shape value", common_args, COUNT_OF(common_args), "A tensor of one value: tensor.full({2, 3}, 0.5).",
      "assert(tensor.full({2}, 7)[2] == 7)" },
    { "rand", make_rand, "shape", rand_args, COUNT_OF(rand_args), "Random numbers, evenly spread over low to high.",
      "local t = tensor.rand(100); assert(t:min():item() >= 0)" },
    { "randn", make_randn, "shape", randn_args, COUNT_OF(randn_args), "Random numbers of the normal distribution.",
      "assert(tensor.randn(2, 3, {seed = 1})[1][1] == tensor.randn(2, 3, {seed = 1})[1][1])" },
    { "arange", make_arange, NULL, arange_args, COUNT_OF(arange_args),
      "Evenly spaced values: tensor.arange(3) is 0, 1, 2; the stop is left out.", "assert(tensor.arange(1, 4)[3] == 3)" },
    { "linspace", make_linspace, NULL, linspace_args, COUNT_OF(linspace_args), "n values from start to stop, both included.",
      "assert(tensor.linspace(0, 1, 5)[2] == 0.25)" },
    { "eye", make_eye, NULL, eye_args, COUNT_OF(eye_args), "Ones on the diagonal of n rows and columns.",
      "assert(tensor.eye(3)[2][2] == 1)" },
};
const VerbGroup tensor_group = { "tensor.", verbs, COUNT_OF(verbs) };

void tensor_open(lua_State *L)
{
    bind_kind(L, &kind_tensor);
    luaL_getmetatable(L, kind_tensor.type);
    luaL_setfuncs(L, op_operators, 0);
    lua_pop(L, 1);
    bind_module(L, "tensor");
    bind_fill(L, &tensor_group);
    bind_fill(L, &tensor_file_group);
    lua_getmetatable(L, -1);
    lua_pushcfunction(L, make_tensor);
    lua_setfield(L, -2, "__call");
    lua_pop(L, 2);
}
