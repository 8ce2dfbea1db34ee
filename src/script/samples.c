// SPDX-License-Identifier: MIT
/* Data of fit, evaluate and their kin from Lua: one tensor, or a list of them or a table by name where a model has several inputs
 * or outputs. What is found stays on the stack, from which the samples borrow. */
#include <string.h>

#include "base/name.h"
#include "script/bind_net.h"

/* One side of a model, for messages. */
typedef struct Side {
    const Model *model;
    bool outputs;
    int n;
    bool partial; /* ends may be left out by name: their tensor has no data */
} Side;

static Side side_of(const Model *model, bool outputs, bool partial)
{
    int n = outputs ? model->n_outputs : model->n_inputs;
    return (Side){ model, outputs, n, partial };
}

static const char *word_of(const Side *side)
{
    return side->outputs ? "output" : "input";
}

static void name_of(const Side *side, int i, char out[LAYER_NAME])
{
    if (side->outputs)
        model_output_name(side->model, i, out);
    else
        model_input_name(side->model, i, out);
}

void ends_refuse(lua_State *L, const Model *model, bool outputs, const char *key, const char *who)
{
    Side side = side_of(model, outputs, false);
    char names[MODEL_OUTPUTS][LAYER_NAME], known[MODEL_OUTPUTS * (LAYER_NAME + 2)] = "", hint[96];
    NameSearch search;
    name_search(&search, key);
    for (int i = 0; i < side.n; i++) {
        name_of(&side, i, names[i]);
        name_offer(&search, names[i]);
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", names[i]);
    }
    bind_error(L, ERR_NAME, "%s: the model has no %s \"%.60s\"%s; its %ss are %s", who, word_of(&side), key, name_hint(&search, hint),
               word_of(&side), known);
}

int ends_find(lua_State *L, const Model *model, bool outputs, const char *key, const char *who)
{
    Side side = side_of(model, outputs, false);
    char name[LAYER_NAME];
    for (int i = 0; i < side.n; i++) {
        name_of(&side, i, name);
        if (!strcmp(name, key))
            return i;
    }
    ends_refuse(L, model, outputs, key, who);
    return 0;
}

/* The value on top, which stays there; false: this end has no data. */
static void take_one(lua_State *L, const Side *side, int i, Tensor *out, const char *who)
{
    char name[LAYER_NAME];
    if (side->partial && lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        return;
    if (!lua_isnil(L, -1)) {
        *out = tensor_want(L, lua_gettop(L), DTYPE_FLOAT32, who)->value;
    } else if (!side->partial) {
        name_of(side, i, name);
        bind_error(L, ERR_ARG, "%s: there is no data for %s %s", who, word_of(side), name);
    }
}

static void take_named(lua_State *L, int index, const Side *side, Tensor *out, const char *who)
{
    char name[LAYER_NAME];
    const char *worst = NULL;
    lua_pushnil(L);
    while (lua_next(L, index)) { /* the smallest unknown name is told, so that messages repeat */
        lua_pop(L, 1);
        const char *key = lua_tostring(L, -1);
        bool known = false;
        for (int i = 0; i < side->n; i++) {
            name_of(side, i, name);
            known |= !strcmp(name, key);
        }
        if (!known && (!worst || strcmp(key, worst) < 0))
            worst = key;
    }
    if (worst)
        ends_refuse(L, side->model, side->outputs, worst, who);
    for (int i = 0; i < side->n; i++) {
        name_of(side, i, name);
        lua_getfield(L, index, name);
        take_one(L, side, i, &out[i], who);
    }
}

/* The value at index for one side; returns how many. */
static int take_side(lua_State *L, int index, const Side *side, Tensor *out, const char *who)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, MODEL_OUTPUTS + 8, NULL);
    for (int i = 0; i < MODEL_OUTPUTS; i++)
        out[i] = (Tensor){ 0 };
    int n = lua_istable(L, index) ? (int)lua_rawlen(L, index) : 0;
    if (n == 0 && side->model->n_nodes > 0 && bind_is_options(L, index)) {
        take_named(L, index, side, out, who);
        return side->n;
    }
    if (side->n < 2 || !lua_istable(L, index)) {
        out[0] = tensor_want(L, index, DTYPE_FLOAT32, who)->value;
        return 1;
    }
    if (n != side->n && !side->partial)
        bind_error(L, ERR_ARG, "%s: the model has %d %ss, the list holds %d", who, side->n, word_of(side), n);
    if (n > MODEL_OUTPUTS)
        bind_error(L, ERR_ARG, "%s: the list holds %d, at most %d are possible", who, n, MODEL_OUTPUTS);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, index, i + 1);
        take_one(L, side, i < side->n ? i : side->n - 1, &out[i], who);
    }
    return n;
}

int samples_inputs(lua_State *L, int index, const Model *model, Tensor out[MODEL_INPUTS], const char *who)
{
    Side side = side_of(model, false, false);
    return take_side(L, index, &side, out, who);
}

static bool is_dataset(lua_State *L, int index)
{
    const Kind *kind = bind_kind_of(L, index);
    return kind && !strcmp(kind->what, "dataset");
}

void samples_pair(lua_State *L, int x, int y, const Model *model, Samples *out, const char *who)
{
    Side targets = side_of(model, true, true);
    if (is_dataset(L, x)) {
        lua_getfield(L, x, "y");
        if (lua_isnil(L, y))
            lua_replace(L, y);
        else
            lua_pop(L, 1);
        lua_getfield(L, x, "x");
        lua_replace(L, x);
    }
    if (lua_isnil(L, y))
        bind_error(L, ERR_ARG, "%s wants x and y: the samples and their targets", who);
    out->n_x = samples_inputs(L, x, model, out->x, who);
    out->n_y = take_side(L, y, &targets, out->y, who);
}

void samples_weights(lua_State *L, int index, const Model *model, Samples *out, const char *who)
{
    Side side = side_of(model, true, true);
    if (lua_isnoneornil(L, index))
        return;
    index = lua_absindex(L, index);
    bool each = false;
    if (side.n > 1 && lua_istable(L, index)) { /* of tensors or tables, not of numbers */
        each = lua_rawgeti(L, index, 1) != LUA_TNUMBER;
        lua_pop(L, 1);
    }
    if (!each) {
        out->n_w = 1;
        out->w[0] = tensor_want(L, index, DTYPE_FLOAT32, who)->value;
        return;
    }
    out->n_w = take_side(L, index, &side, out->w, who);
    if (out->n_w != side.n)
        bind_error(L, ERR_ARG, "%s: the model has %d outputs, the list holds %d (false: none)", who, side.n, out->n_w);
}

bool samples_validation(lua_State *L, int index, const Model *model, Samples *out, const char *who)
{
    char what[64];
    if (lua_isnil(L, index))
        return false;
    bool set = is_dataset(L, index);
    if (!lua_istable(L, index) && !set)
        bind_error(L, ERR_ARG, "%s wants {x, y} or a dataset, got %s", who, bind_what(L, index, what));
    for (int i = 0; i < 3; i++) { /* x, y and weights stay on the stack */
        static const char *const names[] = { "x", "y", "sample_weight" };
        if (set && i == 2) {
            lua_pushnil(L);
        } else if (set || lua_rawgeti(L, index, i + 1) == LUA_TNIL) {
            lua_settop(L, lua_gettop(L) - !set);
            lua_getfield(L, index, names[i]);
        }
        if (lua_isnil(L, -1) && i < 2)
            bind_error(L, ERR_ARG, "%s wants {x, y}, its %s is missing", who, names[i]);
    }
    int top = lua_gettop(L);
    samples_pair(L, top - 2, top - 1, model, out, who);
    samples_weights(L, top, model, out, who);
    return true;
}
