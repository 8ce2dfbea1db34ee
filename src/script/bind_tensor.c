// SPDX-License-Identifier: MIT
#include "script/bind_tensor.h"

#include <math.h>
#include <string.h>

#include "base/name.h"
#include "script/scope.h"
#include "script/trace.h"

/* ---- boxes ---- */

TensorBox *tensor_box(lua_State *L)
{
    luaL_checkstack(L, 4, NULL);
    return bind_new(L, &kind_tensor, sizeof(TensorBox));
}

void tensor_done_var(lua_State *L, TensorBox *box, Var *take)
{
    box->var = take;
    bool shared = take->value.storage && atomic_load(&take->value.storage->refs) > 1;
    box->bytes = shared ? 0 : tensor_size(&take->value);
    script_announce(L, box->bytes);
}

void tensor_done(lua_State *L, TensorBox *box, bool requires_grad)
{
    Err err = ERR_INIT;
    Var *var = var_new(&box->hold, requires_grad, &err);
    if (!var)
        bind_raise(L, &err);
    tensor_done_var(L, box, var);
}

Var *tensor_test(lua_State *L, int index)
{
    TensorBox *box = bind_test(L, index, &kind_tensor);
    if (box)
        scope_check(L, box);
    return box ? box->var : NULL;
}

Var *tensor_any(lua_State *L, int index, const char *who)
{
    TensorBox *box = bind_check(L, index, &kind_tensor, who);
    if (!box->var)
        bind_error(L, ERR_STATE, "%s: this tensor holds nothing any more", who);
    scope_check(L, box);
    return box->var;
}

/* One that borrows its values from a step gets storage of its own: who looks at it may keep it. */
static void own(lua_State *L, int index)
{
    TensorBox *box = bind_test(L, index, &kind_tensor);
    Err err = ERR_INIT;
    Tensor copy;
    if (!box->borrowed)
        return;
    if (!tensor_copy(&copy, &box->var->value, &err))
        bind_raise(L, &err);
    box->var->value = copy;
    box->borrowed = false;
    box->bytes = tensor_size(&copy);
    script_announce(L, box->bytes);
}

Var *tensor_check(lua_State *L, int index, const char *who)
{
    Var *var = tensor_any(L, index, who);
    trace_refuse(L, var, who);
    own(L, index);
    return var;
}

Var *tensor_want(lua_State *L, int index, DType dtype, const char *who)
{
    index = lua_absindex(L, index);
    if (!bind_test(L, index, &kind_tensor)) {
        tensor_from(L, index, dtype, who);
        lua_replace(L, index);
    }
    return tensor_check(L, index, who);
}

bool tensor_borrows(lua_State *L, int index)
{
    const TensorBox *box = bind_test(L, index, &kind_tensor);
    return box && box->borrowed;
}

TensorBox *tensor_push(lua_State *L, const Tensor *value)
{
    Err err = ERR_INIT;
    TensorBox *box = tensor_box(L);
    if (value->storage)
        box->hold = tensor_ref(value);
    else if (!tensor_copy(&box->hold, value, &err))
        bind_raise(L, &err);
    tensor_done(L, box, false);
    return box;
}

/* ---- metamethods ---- */

static int tensor_gc(lua_State *L)
{
    TensorBox *box = bind_check(L, 1, &kind_tensor, "__gc");
    tensor_unref(&box->hold);
    var_unref(box->var);
    box->var = NULL;
    script_forget(L, box->bytes);
    box->bytes = 0;
    return 0;
}

static int tensor_len(lua_State *L)
{
    const Var *var = tensor_any(L, 1, "#");
    lua_pushinteger(L, var->value.shape.rank ? var->value.shape.d[0] : 0);
    return 1;
}

static int tensor_tostring(lua_State *L)
{
    const Var *var = tensor_any(L, 1, "tostring");
    char shape[SHAPE_TEXT];
    if (var->traced) {
        lua_pushfstring(L, "%s of shape %s, in a traced function", dtype_name(var->value.dtype), shape_text(&var->value.shape, shape));
        return 1;
    }
    Buf *text = bind_buf(L);
    tensor_write(text, &var->value, 20, script_of(L)->options.columns);
    while (text->size && text->data[text->size - 1] == '\n')
        text->size--;
    bind_push_buf(L, text);
    return 1;
}

static int tensor_eq(lua_State *L)
{
    const Var *a = tensor_test(L, 1), *b = tensor_test(L, 2);
    for (int i = 0; i < 2; i++)
        if (i ? b : a)
            trace_refuse(L, i ? b : a, "a comparison");
    bool same = a && b && shape_same(&a->value.shape, &b->value.shape);
    for (int64_t i = 0, n = same ? tensor_count(&a->value) : 0; same && i < n; i++)
        same = tensor_get(&a->value, i) == tensor_get(&b->value, i);
    lua_pushboolean(L, same);
    return 1;
}

/* The number that stands at index, of a tensor of one element or a plain number. */
static double one_number(lua_State *L, int index)
{
    char text[SHAPE_TEXT];
    if (lua_type(L, index) == LUA_TNUMBER)
        return lua_tonumber(L, index);
    const Var *var = tensor_check(L, index, "a comparison");
    if (tensor_count(&var->value) != 1)
        bind_error(L, ERR_SHAPE,
                   "a comparison of shape %s is neither true nor false; op.less(a, b) and its sisters compare element by element",
                   shape_text(&var->value.shape, text));
    return tensor_get(&var->value, 0);
}

static int tensor_lt(lua_State *L)
{
    lua_pushboolean(L, one_number(L, 1) < one_number(L, 2));
    return 1;
}

static int tensor_le(lua_State *L)
{
    lua_pushboolean(L, one_number(L, 1) <= one_number(L, 2));
    return 1;
}

/* ---- fields ---- */

static int get_shape(lua_State *L)
{
    tensor_push_shape(L, &tensor_any(L, 1, "shape")->value.shape);
    return 1;
}

static int get_dtype(lua_State *L)
{
    lua_pushstring(L, dtype_name(tensor_any(L, 1, "dtype")->value.dtype));
    return 1;
}

static int get_size(lua_State *L)
{
    lua_pushinteger(L, tensor_count(&tensor_any(L, 1, "size")->value));
    return 1;
}

static int get_rank(lua_State *L)
{
    lua_pushinteger(L, tensor_any(L, 1, "rank")->value.shape.rank);
    return 1;
}

static int get_requires_grad(lua_State *L)
{
    lua_pushboolean(L, tensor_check(L, 1, "requires_grad")->requires_grad);
    return 1;
}

static int set_requires_grad(lua_State *L)
{
    Var *var = tensor_check(L, 1, "requires_grad");
    if (var->call)
        return bind_error(L, ERR_STATE, "this tensor came out of an op; detach() it first");
    if (!lua_isboolean(L, 3))
        return bind_error(L, ERR_ARG, "requires_grad is true or false");
    if (lua_toboolean(L, 3) && var->value.dtype != DTYPE_FLOAT32)
        return bind_error(L, ERR_ARG, "only float32 tensors can have gradients, this one is %s; t:cast(\"float32\") makes one",
                          dtype_name(var->value.dtype));
    var->requires_grad = lua_toboolean(L, 3);
    return 0;
}

static int get_grad(lua_State *L)
{
    const Var *var = tensor_check(L, 1, "grad");
    if (var->grad.data)
        tensor_push(L, &var->grad);
    else
        lua_pushnil(L);
    return 1;
}

static const Field fields[] = {
    { "shape", get_shape, NULL, "its sizes: {2, 3}" },
    { "dtype", get_dtype, NULL, "type of its elements: float32, int32 or uint8" },
    { "size", get_size, NULL, "how many elements" },
    { "rank", get_rank, NULL, "how many axes" },
    { "requires_grad", get_requires_grad, set_requires_grad, "whether backward() collects a gradient here" },
    { "grad", get_grad, NULL, "the gradient that backward() left, or nil" },
};

/* ---- methods ---- */

static const Tensor *self(lua_State *L, Args *args)
{
    const Verb *verb = bind_verb(L);
    Args none;
    tensor_check(L, 1, verb->name);
    bind_take(L, 2, verb->name, verb, args ? args : &none);
    return &tensor_check(L, 1, verb->name)->value;
}

static void push_element(lua_State *L, const Tensor *value, int64_t i)
{
    if (value->dtype == DTYPE_FLOAT32)
        lua_pushnumber(L, tensor_get(value, i));
    else
        lua_pushinteger(L, (lua_Integer)tensor_get(value, i));
}

static int method_item(lua_State *L)
{
    const Tensor *value = self(L, NULL);
    char text[SHAPE_TEXT];
    if (tensor_count(value) != 1)
        return bind_error(L, ERR_SHAPE,
                          "item wants a tensor of one element, got shape %s; take its mean or sum, or an element t[1]",
                          shape_text(&value->shape, text));
    push_element(L, value, 0);
    return 1;
}

static void push_table(lua_State *L, const Tensor *value, int axis, int64_t *at)
{
    int64_t n = value->shape.d[axis];
    luaL_checkstack(L, 3, NULL);
    script_poll(L);
    lua_createtable(L, n < 1 << 20 ? (int)n : 0, 0);
    for (int64_t i = 0; i < n; i++) {
        if (axis + 1 < value->shape.rank)
            push_table(L, value, axis + 1, at);
        else
            push_element(L, value, (*at)++);
        lua_rawseti(L, -2, i + 1);
    }
}

static int method_totable(lua_State *L)
{
    const Tensor *value = self(L, NULL);
    int64_t at = 0;
    if (value->shape.rank)
        push_table(L, value, 0, &at);
    else
        push_element(L, value, 0);
    return 1;
}

static int method_backward(lua_State *L)
{
    Err err = ERR_INIT;
    self(L, NULL);
    const Tensor *seed = lua_isnil(L, 2) ? NULL : &tensor_want(L, 2, DTYPE_FLOAT32, "backward")->value;
    if (!var_backward(tensor_check(L, 1, "backward"), seed, &err))
        return bind_raise(L, &err);
    return 0;
}

static int method_zero_grad(lua_State *L)
{
    self(L, NULL);
    tensor_unref(&tensor_check(L, 1, "zero_grad")->grad);
    return 0;
}

static int method_detach(lua_State *L)
{
    tensor_push(L, self(L, NULL));
    return 1;
}

static int method_copy(lua_State *L)
{
    const Tensor *value = self(L, NULL);
    Err err = ERR_INIT;
    TensorBox *box = tensor_box(L);
    if (!tensor_copy(&box->hold, value, &err))
        return bind_raise(L, &err);
    tensor_done(L, box, false);
    return 1;
}

static const char *const dtypes[] = { "float32", "int32", "uint8", NULL };
static const ArgSpec cast_args[] = {
    { .name = "dtype", .type = ARG_CHOICE, .choices = dtypes, .help = "the new type" },
};

static int method_to(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    DType dtype;
    Var *var = tensor_any(L, 1, "to");
    bind_take(L, 2, "to", bind_verb(L), &args);
    const Tensor *value = &var->value;
    if (var->traced || tensor_borrows(L, 1)) {
        lua_settop(L, 1);
        op_push(L, op_find("cast", &err), &(int){ 1 }, 1, &args, false);
        return 1;
    }
    TensorBox *box = tensor_box(L);
    if (!dtype_find(args_choice(&args, "dtype"), &dtype) || !tensor_cast(&box->hold, value, dtype, &err))
        return bind_raise(L, &err);
    tensor_done(L, box, false);
    return 1;
}

static const Verb methods[] = {
    { "item", method_item, NULL, NULL, 0, "The number in a tensor of one element.", "assert(tensor(5):item() == 5)" },
    { "totable", method_totable, NULL, NULL, 0, "Its elements as nested Lua tables.",
      "assert(tensor{{1, 2}}:totable()[1][2] == 2)" },
    { "backward", method_backward, "gradient?", NULL, 0,
      "Gradients of this number for every tensor below it that has requires_grad; added to what stands in grad.",
      "local w = tensor({2}, {requires_grad = true}); (w * w):sum():backward(); assert(w.grad[1] == 4)" },
    { "zero_grad", method_zero_grad, NULL, NULL, 0, "Forget the gradient.", NULL },
    { "detach", method_detach, NULL, NULL, 0, "The same values outside the graph; shares the storage.", NULL },
    { "keep", method_copy, NULL, NULL, 0, "A copy that outlives the step of a job, or the tape, that it was made in.", NULL },
    { "copy", method_copy, NULL, NULL, 0, "A copy with storage of its own, outside the graph.", NULL },
    { "assign", tensor_assign, "value", NULL, 0,
      "Give this tensor a new value of the same shape; graphs made before keep the old one.",
      "local w = tensor{1, 2}; w:assign(w * 2); assert(w[2] == 4)" },
    { "to", method_to, NULL, cast_args, COUNT_OF(cast_args), "The same values as another type.",
      "assert(tensor{1.5}:to(\"int32\")[1] == 1)" },
    { "slice", tensor_slice, NULL, tensor_slice_args, 3,
      "Rows first to last, both included, along an axis; negative places count from the end. Along axis 0 the storage is shared.",
      "local t = tensor{10, 20, 30, 40}; assert(#t:slice(2, 3) == 2 and t:slice(-1)[1] == 40)" },
    { "save", tensor_save, "file", NULL, 0, "Write it to a file; the ending says how: .npy, .npz, .csv, .safetensors.", NULL },
};

static const luaL_Reg meta[] = {
    { "__gc", tensor_gc }, { "__len", tensor_len }, { "__tostring", tensor_tostring }, { "__eq", tensor_eq }, { "__lt", tensor_lt },
    { "__le", tensor_le }, { NULL, NULL },
};

static void offer_ops(lua_State *L, void *search)
{
    (void)L;
    for (int i = 0; op_at(i); i++)
        name_offer(search, op_at(i)->name);
}

const Kind kind_tensor = {
    .type = "hebb.tensor",
    .what = "tensor",
    .title = "a tensor",
    .doc = "Numbers of one type in a box of any number of axes. t[1] is its first row or number; + - * / ^ work element by element "
           "with NumPy's broadcasting; every op.NAME is also a method t:NAME(…).",
    .fields = fields,
    .n_fields = COUNT_OF(fields),
    .methods = methods,
    .n_methods = COUNT_OF(methods),
    .meta = meta,
    .index_other = tensor_index,
    .set_other = tensor_set_index,
    .offer = offer_ops,
};
