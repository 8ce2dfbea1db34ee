// SPDX-License-Identifier: MIT
/* Layers. nn.NAME is one C function with the LayerKind as its upvalue. A layer's parameters are read and written as copies, at
 * a boundary of the run that trains it. */
#include <string.h>

#include "base/name.h"
#include "script/bind_net.h"
#include "script/help.h"
#include "script/trace.h"
#include "script/scope.h"

/* ---- boxes ---- */

Layer *layer_check(lua_State *L, int index, const char *who)
{
    LayerBox *box = bind_check(L, index, &kind_layer, who);
    if (!box->layer)
        bind_error(L, ERR_STATE, "%s: this layer is gone", who);
    return box->layer;
}

void layer_push(lua_State *L, Layer *layer)
{
    LayerBox *box = bind_new(L, &kind_layer, sizeof *box);
    box->layer = layer_ref(layer);
}

static int layer_gc(lua_State *L)
{
    LayerBox *box = bind_check(L, 1, &kind_layer, "__gc");
    layer_unref(box->layer);
    box->layer = NULL;
    return 0;
}

/* ---- where a layer may be touched ---- */

Run *layer_run(const Layer *layer)
{
    for (int i = control_count() - 1; layer->run_id && i >= 0; i--) {
        Run *run = control_run(i);
        if (run && run_id(run) == layer->run_id)
            return run;
        run_unref(run);
    }
    return NULL;
}

bool layer_do(lua_State *L, Layer *layer, RunFn fn, void *ctx, Err *err)
{
    Run *run = layer_run(layer);
    if (!run)
        return fn(ctx, err);
    bool ok = run_do(run, fn, ctx, &script_of(L)->stop, err);
    run_unref(run);
    return ok;
}

/* ---- constructors ---- */

static Shape sample_shape(lua_State *L, int index, const char *who)
{
    int next;
    Shape inner = tensor_shape(L, index, &next, who), shape = { .rank = inner.rank + 1, .d = { -1 } };
    if (inner.rank >= SHAPE_MOST)
        bind_error(L, ERR_SHAPE, "%s: a sample has at most %d axes", who, SHAPE_MOST - 1);
    for (int i = 0; i < inner.rank; i++)
        shape.d[i + 1] = inner.d[i];
    return shape;
}

#define N_COMMON 4

/* The common arguments: name, trainable, input_shape, input_dtype at 1 … 4. */
static void set_common(lua_State *L, Layer *layer, const char *who)
{
    char what[64];
    DType dtype = DTYPE_FLOAT32;
    if (!lua_isnil(L, 2))
        layer_set_trainable(layer, lua_toboolean(L, 2));
    if (!lua_isnil(L, 3)) {
        layer->input_shape = sample_shape(L, 3, who);
        layer->input_dtype = DTYPE_FLOAT32;
    }
    if (lua_isnil(L, 4))
        return;
    if (lua_type(L, 4) != LUA_TSTRING || !dtype_find(lua_tostring(L, 4), &dtype))
        bind_error(L, ERR_ARG, "%s: input_dtype is \"float32\", \"int32\" or \"uint8\", got %s", who, bind_what(L, 4, what));
    layer->input_dtype = dtype;
}

static void check_common(lua_State *L, const char *who)
{
    char what[64];
    if (!lua_isnil(L, 1) && (lua_type(L, 1) != LUA_TSTRING || !*lua_tostring(L, 1) || strlen(lua_tostring(L, 1)) >= LAYER_NAME ||
                             strpbrk(lua_tostring(L, 1), "/\n\t")))
        bind_error(L, ERR_ARG, "%s: name is a text of 1 to %d characters without /, got %s", who, LAYER_NAME - 1,
                   bind_what(L, 1, what));
    if (!lua_isnil(L, 2) && !lua_isboolean(L, 2))
        bind_error(L, ERR_ARG, "%s: trainable is true or false, got %s", who, bind_what(L, 2, what));
}

/* What a wrapper is given, behind the common arguments. */
static void set_wrapped(lua_State *L, Layer *layer, int n, const char *who)
{
    char what[64];
    Err err = ERR_INIT;
    for (int i = 0; i < n; i++) {
        int index = N_COMMON + 1 + i;
        if (lua_isnil(L, index))
            continue;
        LayerBox *given = bind_test(L, index, &kind_layer);
        if (!given || !given->layer)
            bind_error(L, ERR_ARG, "%s wraps a layer, as in %s(nn.Dense(8)), got %s", who, who, bind_what(L, index, what));
        if (!layer_wrap(layer, i, given->layer, &err))
            bind_raise(L, &err);
    }
}

/* The function of a Lambda, behind the common arguments. */
static void set_function(lua_State *L, Layer *layer, const char *who)
{
    char what[64];
    if (lua_type(L, N_COMMON + 1) != LUA_TFUNCTION)
        bind_error(L, ERR_ARG, "%s wants a function of tensors, as in %s(function(x) return x:square() end), got %s", who, who,
                   bind_what(L, N_COMMON + 1, what));
    layer->source = trace_source(L, N_COMMON + 1);
}

static int new_input(lua_State *L, const Args *args, const char *name)
{
    Err err = ERR_INIT;
    SymbolBox *box = bind_new(L, &kind_symbol, sizeof *box);
    Layer *layer = layer_new(layer_find("Input", NULL), args, name, &err);
    box->symbol = layer ? symbol_call(layer, NULL, 0, &err) : NULL;
    layer_unref(layer);
    return box->symbol ? 1 : bind_raise(L, &err);
}

/* Arguments of a call from 1 on, and the layer that they make, which is pushed; a Lambda's function and what is wrapped are
 * left where they stand, behind the common ones. */
Layer *layer_construct(lua_State *L, const LayerKind *kind)
{
    char who[80], values[HELP_VALUES];
    Verb verb = { .name = kind->name, .values = help_layer_values(kind, values) };
    verb.args = layer_args(kind, &verb.n_args);
    Args args;
    Err err = ERR_INIT;
    lua_pushfstring(L, "nn.%s", kind->name);
    strncpy(who, lua_tostring(L, -1), sizeof who - 1);
    who[sizeof who - 1] = '\0';
    lua_pop(L, 1);
    bind_take(L, 1, who, &verb, &args);
    int n_wraps = lua_gettop(L) - N_COMMON;
    lua_rotate(L, 1, -n_wraps); /* the common ones first */
    check_common(L, who);
    const char *name = lua_tostring(L, 1);
    if (kind->is_input) {
        new_input(L, &args, name);
        return NULL;
    }
    LayerBox *box = bind_new(L, &kind_layer, sizeof *box);
    box->layer = layer_new(kind, &args, name, &err);
    if (!box->layer)
        bind_raise(L, &err);
    set_common(L, box->layer, who);
    if (kind->gives)
        set_function(L, box->layer, who);
    else
        set_wrapped(L, box->layer, n_wraps, who);
    return box->layer;
}

static int new_layer(lua_State *L)
{
    layer_construct(L, lua_touserdata(L, lua_upvalueindex(1)));
    return 1;
}

/* ---- calling ---- */

typedef struct LayerCall {
    Layer *layer;
    const Tensor *in[OP_IN_MOST];
    int n_in;
    Tensor *out[LAYER_OUTPUTS];
} LayerCall;

static bool copy_outputs(LayerCall *call, const Node *first, Err *err)
{
    bool ok = tensor_copy(call->out[0], &first->value, err);
    for (int i = 0; ok && i < first->n_also; i++)
        ok = tensor_copy(call->out[i + 1], &first->also[i]->value, err);
    return ok;
}

static bool run_layer(void *ctx, Err *err)
{
    LayerCall *call = ctx;
    Shape shapes[OP_IN_MOST];
    Node *in[OP_IN_MOST];
    Tape tape;
    for (int i = 0; i < call->n_in; i++) {
        if ((shapes[i] = call->in[i]->shape).rank < 1)
            return err_set(err, ERR_SHAPE, "%s wants a batch of samples; its first axis is the batch", call->layer->name);
        if (!call->layer->built)
            call->layer->batch = shapes[0].d[0];
        shapes[i].d[0] = -1;
    }
    if (!layer_build(call->layer, shapes, call->n_in, model_default_seed(), err))
        return false;
    tape_init(&tape);
    tape_begin(&tape, TAPE_FORWARD, call->layer->seed, 0);
    bool ok = true;
    for (int i = 0; ok && i < call->n_in; i++)
        ok = (in[i] = tape_input(&tape, call->in[i], err)) != NULL;
    Node *out = ok ? layer_forward(call->layer, &tape, in, call->n_in, err) : NULL;
    ok = out && copy_outputs(call, out, err);
    if (ok && !call->layer->run_id)
        tape_commit(&tape); /* stateful layers go on */
    tape_fini(&tape);
    return ok;
}

static int apply_tensors(lua_State *L, Layer *layer, int first, int n)
{
    LayerCall call = { .layer = layer, .n_in = n };
    Err err = ERR_INIT;
    for (int i = 0; i < n; i++) {
        Var *var = tensor_test(L, first + i);
        if (var && var->traced)
            return bind_error(L, ERR_STATE, "%s is a layer, and a traced function composes ops; put layers beside it in the model, or use "
                              "op.linear and weights of its own (nn.layer)", layer->name);
        var = tensor_want(L, first + i, DTYPE_FLOAT32, layer->name);
        if (var->value.dtype == DTYPE_UINT8) { /* images as they are stored */
            TensorBox *cast = tensor_box(L);
            if (!tensor_cast(&cast->hold, &var->value, DTYPE_FLOAT32, &err))
                return bind_raise(L, &err);
            tensor_done(L, cast, false);
            lua_replace(L, first + i);
            var = tensor_check(L, first + i, layer->name);
        }
        call.in[i] = &var->value;
    }
    int n_out = layer_n_outputs(layer);
    TensorBox *boxes[LAYER_OUTPUTS];
    luaL_checkstack(L, n_out + 4, NULL);
    for (int i = 0; i < n_out; i++) {
        boxes[i] = tensor_box(L);
        call.out[i] = &boxes[i]->hold;
    }
    if (!layer_do(L, layer, run_layer, &call, &err))
        return bind_raise(L, &err);
    for (int i = 0; i < n_out; i++)
        tensor_done(L, boxes[i], false);
    return n_out;
}

/* A list of symbols or tensors in place `first` is spread over the stack. */
static int spread_list(lua_State *L, int first)
{
    int n = lua_gettop(L) - first + 1;
    if (n != 1 || !lua_istable(L, first))
        return n;
    lua_rawgeti(L, first, 1);
    bool list = lua_type(L, -1) == LUA_TUSERDATA;
    lua_pop(L, 1);
    n = list ? (int)lua_rawlen(L, first) : 1;
    if (!list || n > OP_IN_MOST)
        return 1;
    luaL_checkstack(L, n + 4, NULL);
    for (int i = 1; i <= n; i++)
        lua_rawgeti(L, first, i);
    lua_remove(L, first);
    return n;
}

int layer_apply(lua_State *L, Layer *layer, int first)
{
    char what[64];
    Err err = ERR_INIT;
    Symbol *in[OP_IN_MOST];
    int training = scope_now(script_of(L)) ? scope_training(L, layer->name) : -1;
    int n = spread_list(L, first);
    if (scope_now(script_of(L)) && n > 0 && !bind_test(L, first, &kind_symbol))
        return scope_layer(L, layer, first, n, training);
    if (n < 1 || n > OP_IN_MOST)
        return bind_error(L, ERR_ARG, "%s is called on one to %d symbols or tensors, got %d", layer->name, OP_IN_MOST, n);
    SymbolBox *symbol = bind_test(L, first, &kind_symbol);
    if (!symbol)
        return apply_tensors(L, layer, first, n);
    for (int i = 0; i < n; i++) {
        symbol = bind_test(L, first + i, &kind_symbol);
        if (!symbol || !symbol->symbol)
            return bind_error(L, ERR_ARG, "%s: input %d is %s, the others are symbols; nn.Input makes one", layer->name, i + 1,
                              bind_what(L, first + i, what));
        in[i] = symbol->symbol;
    }
    SymbolBox *out[LAYER_OUTPUTS];
    Symbol *made[LAYER_OUTPUTS];
    luaL_checkstack(L, LAYER_OUTPUTS + 4, NULL);
    for (int i = 0; i < LAYER_OUTPUTS; i++)
        out[i] = bind_new(L, &kind_symbol, sizeof *out[i]);
    int n_out = symbol_call_all(layer, in, n, made, &err);
    for (int i = 0; i < n_out; i++)
        out[i]->symbol = made[i];
    lua_pop(L, LAYER_OUTPUTS - n_out);
    return n_out ? n_out : bind_raise(L, &err);
}

static int layer_call(lua_State *L)
{
    return layer_apply(L, layer_check(L, 1, "a layer"), 2);
}

/* ---- parameters and arguments by name ---- */

static int layer_index_other(lua_State *L)
{
    Layer *layer = layer_check(L, 1, "layer");
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    const char *name = lua_tostring(L, 2);
    int i = layer_find_param(layer, name);
    if (i >= 0) {
        weights_push(L, layer, i);
        return 1;
    }
    if ((i = args_find(&layer->args, name)) >= 0) {
        bind_push_row(L, &layer->args, i);
        return 1;
    }
    static const char *const usual[] = { "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance" };
    for (i = 0; i < COUNT_OF(usual) && !layer->built; i++)
        if (!strcmp(usual[i], name))
            weights_want(L, layer);
    return 0;
}

static bool layer_set_other(lua_State *L)
{
    Layer *layer = layer_check(L, 1, "layer");
    if (lua_type(L, 2) != LUA_TSTRING)
        return false;
    const char *name = lua_tostring(L, 2);
    int i = layer_find_param(layer, name);
    if (i < 0 && args_find(&layer->args, name) >= 0)
        bind_error(L, ERR_STATE, "%s of %s was fixed when it was made; make a new layer for another value", name, layer->name);
    if (i < 0)
        return false;
    weights_put(L, layer, i, 3);
    return true;
}

static void layer_offer(lua_State *L, void *search)
{
    Layer *layer = layer_check(L, 1, "layer");
    for (int i = 0; i < layer->n_params; i++)
        name_offer(search, layer->params[i].name);
    for (int i = 0; i < layer->args.n; i++)
        name_offer(search, layer->args.specs[i].name);
}

/* ---- fields and methods ---- */

static int get_name(lua_State *L)
{
    lua_pushstring(L, layer_check(L, 1, "name")->name);
    return 1;
}

static int get_kind(lua_State *L)
{
    const Layer *layer = layer_check(L, 1, "kind");
    lua_pushstring(L, layer->kind ? layer->kind->name : "Model");
    return 1;
}

static int get_trainable(lua_State *L)
{
    lua_pushboolean(L, layer_check(L, 1, "trainable")->trainable);
    return 1;
}

static int set_trainable(lua_State *L)
{
    Layer *layer = layer_check(L, 1, "trainable");
    if (!lua_isboolean(L, 3))
        return bind_error(L, ERR_ARG, "trainable is true or false");
    if (layer->run_id)
        return bind_error(L, ERR_STATE, "run %d trains %s; stop it first, then freeze the layer and call fit again", layer->run_id,
                          layer->name);
    layer_set_trainable(layer, lua_toboolean(L, 3));
    return 0;
}

static int get_layer_rate(lua_State *L)
{
    lua_pushnumber(L, layer_check(L, 1, "learning_rate_multiplier")->rate);
    return 1;
}

static int set_layer_rate(lua_State *L)
{
    Layer *layer = layer_check(L, 1, "learning_rate_multiplier");
    char what[64];
    if (lua_type(L, 3) != LUA_TNUMBER || !(lua_tonumber(L, 3) >= 0) || lua_tonumber(L, 3) > 1e6)
        return bind_error(L, ERR_ARG, "learning_rate_multiplier wants a number from 0 to 1000000, got %s", bind_what(L, 3, what));
    if (layer->run_id)
        return bind_error(L, ERR_STATE, "run %d trains %s; stop it first, then set the multiplier and call fit again", layer->run_id, layer->name);
    layer_set_rate(layer, lua_tonumber(L, 3));
    return 0;
}

static int get_built(lua_State *L)
{
    lua_pushboolean(L, layer_check(L, 1, "built")->built);
    return 1;
}

static int count_params(lua_State *L)
{
    const Layer *layer = layer_check(L, 1, "count_params");
    lua_pushinteger(L, layer->inner ? model_count_params(layer->inner, false) : (lua_Integer)layer->n_elements);
    return 1;
}

static const Field fields[] = {
    { "name", get_name, NULL, "its name: conv2d_1" },
    { "kind", get_kind, NULL, "its class: Conv2D" },
    { "trainable", get_trainable, set_trainable, "whether fit changes its weights" },
    { "learning_rate_multiplier", get_layer_rate, set_layer_rate, "it learns at the optimizer's rate times this; saved with the model" },
    { "built", get_built, NULL, "whether its weights exist" },
    { "weights", weights_get, NULL, "all its weights as a list of copies; also by name: layer.kernel, layer.bias" },
};
static const Verb methods[] = {
    { "get_weights", weights_get, NULL, NULL, 0, "All its weights as a list of copies.", NULL },
    { "set_weights", weights_set, "weights", NULL, 0, "New values for all its weights, in the order of get_weights.", NULL },
    { "count_params", count_params, NULL, NULL, 0, "How many numbers its weights hold.", NULL },
    { "reset_states", layer_reset, NULL, NULL, 0, "The states of a recurrent layer with stateful = true begin at 0 again.", NULL },
};

static int layer_tostring(lua_State *L)
{
    const Layer *layer = layer_check(L, 1, "tostring");
    Buf *out = bind_buf(L);
    buf_printf(out, "%s %s(", layer->name, layer->kind ? layer->kind->name : "Model");
    for (int i = 0, n = 0; i < layer->args.n; i++) {
        if (!layer->args.v[i].given)
            continue;
        buf_printf(out, "%s%s = ", n++ ? ", " : "", layer->args.specs[i].name);
        args_write(out, &layer->args, i);
    }
    buf_puts(out, ")");
    if (layer->built)
        buf_printf(out, ", %lld parameters", (long long)layer->n_elements);
    bind_push_buf(L, out);
    return 1;
}

static int layer_eq(lua_State *L)
{
    LayerBox *a = bind_test(L, 1, &kind_layer), *b = bind_test(L, 2, &kind_layer);
    lua_pushboolean(L, a && b && a->layer == b->layer);
    return 1;
}

static const luaL_Reg layer_meta[] = {
    { "__gc", layer_gc }, { "__call", layer_call }, { "__tostring", layer_tostring }, { "__eq", layer_eq }, { NULL, NULL },
};

const Kind kind_layer = {
    .type = "hebb.layer",
    .what = "layer",
    .title = "a layer",
    .doc =
        "A layer of a network. Its weights are fields by Keras's names (layer.kernel, layer.bias), read as copies; assigning sets "
        "them, while it trains at the next step. Called on symbols it builds a functional model, on tensors it computes.",
    .fields = fields,
    .n_fields = COUNT_OF(fields),
    .methods = methods,
    .n_methods = COUNT_OF(methods),
    .meta = layer_meta,
    .index_other = layer_index_other,
    .set_other = layer_set_other,
    .offer = layer_offer,
};

void layer_open(lua_State *L)
{
    model_set_seed(script_of(L)->options.seed);
    bind_kind(L, &kind_layer);
    bind_kind(L, &kind_symbol);
    bind_module(L, "nn");
    for (int i = 0; layer_at(i); i++) {
        const LayerKind *kind = layer_at(i);
        lua_pushlightuserdata(L, (void *)kind);
        lua_pushcclosure(L, new_layer, 1);
        lua_pushfstring(L, "nn.%s", kind->name);
        lua_insert(L, -2);
        bind_name(L, lua_tostring(L, -2));
        lua_remove(L, -2);
        lua_setfield(L, -2, kind->name);
    }
    lua_pop(L, 1);
}
