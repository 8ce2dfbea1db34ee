// SPDX-License-Identifier: MIT
/* model:compile. Losses, their weights and metrics are for the one output, or for each: by a list, or by the outputs' names. */
#include <stdlib.h>
#include <string.h>

#include "script/bind_model.h"
#include "script/trace.h"
#include "train/custom.h"

/* Outputs of a model that may not be built yet. */
static int outputs_of(const Model *model)
{
    return model->n_outputs > 0 ? model->n_outputs : 1;
}

/* A table of values for each of several outputs, a list, or by the outputs' names. {"huber", delta = 2} is one value, and for one
 * output {worst = function(y_true, y_pred) … end} is a list of metrics. */
static bool is_split(lua_State *L, int index, const Model *model)
{
    bool list = false, named = false;
    if (outputs_of(model) < 2 || !lua_istable(L, index))
        return false;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        named |= lua_type(L, -1) == LUA_TSTRING;
        list |= lua_type(L, -1) == LUA_TNUMBER;
    }
    return list != named;
}

/* Refuse names that no output has. */
static void check_keys(lua_State *L, int index, const Model *model, const char *who)
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            ends_find(L, model, true, lua_tostring(L, -1), who);
    }
}

/* Push what a split table holds for output i: nil where it says nothing. */
static void push_part(lua_State *L, int index, const Model *model, int i)
{
    char name[LAYER_NAME];
    if (lua_rawlen(L, index) > 0) {
        lua_rawgeti(L, index, i + 1);
        return;
    }
    model_output_name(model, i, name);
    lua_getfield(L, index, name);
}

/* A list must have one for each output. */
static void check_list(lua_State *L, int index, const Model *model, const char *who)
{
    int n = (int)lua_rawlen(L, index);
    if (n > 0 && n != outputs_of(model))
        bind_error(L, ERR_ARG, "%s: the model has %d outputs, the list holds %d; give one for each", who, outputs_of(model), n);
    check_keys(L, index, model, who);
}

/* The function at index, traced for an output of the model. */
static void take_function(lua_State *L, int index, const Model *model, int output, const char *who, Custom *out)
{
    if (!model->built || model->n_nodes < 2)
        bind_error(L, ERR_STATE, "compile: a function as %s is traced for the output of %s, whose shape is not known yet; give its first "
                   "layer an input_shape", who, model->name);
    trace_loss(L, index, &model->nodes[model->outputs[output]].shape, who, out);
}

/* ---- losses ---- */

/* The loss on top of the stack; false: none. */
static void take_loss(lua_State *L, const Model *model, int output, Objective *out)
{
    out->weight = 1;
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        return;
    if (lua_isfunction(L, -1)) {
        take_function(L, lua_gettop(L), model, output, "loss", &out->custom);
        out->loss = &loss_custom;
        args_init(&out->args, NULL, 0);
        return;
    }
    const Recipe *recipe = recipe_take(L, lua_gettop(L), RECIPE_LOSS, "compile: loss");
    out->loss = recipe->of.loss;
    out->args = recipe->args;
}

static void take_losses(lua_State *L, int index, const Model *model, Compiled *out)
{
    char name[LAYER_NAME];
    int top = lua_gettop(L);
    bool split = is_split(L, index, model);
    out->n_outputs = outputs_of(model);
    if (split)
        check_list(L, index, model, "compile: loss");
    for (int i = 0; i < out->n_outputs; i++) {
        if (split)
            push_part(L, index, model, i);
        else
            lua_pushvalue(L, index);
        if (lua_isnil(L, -1)) {
            model_output_name(model, i, name);
            bind_error(L, ERR_ARG, "compile: there is no loss for output %s; %s = false means none", name, name);
        }
        take_loss(L, model, i, &out->outputs[i]);
        lua_settop(L, top);
    }
}

static void take_loss_weights(lua_State *L, int index, const Model *model, Compiled *out)
{
    char what[64];
    if (lua_isnil(L, index))
        return;
    bool table = lua_istable(L, index);
    if (table)
        check_list(L, index, model, "compile: loss_weights");
    else if (out->n_outputs > 1)
        bind_error(L, ERR_ARG, "compile: loss_weights wants a number for each of %d outputs, {0.7, 0.3} or by name, got %s", out->n_outputs,
                   bind_what(L, index, what));
    for (int i = 0; i < out->n_outputs; i++) {
        if (table)
            push_part(L, index, model, i);
        else
            lua_pushvalue(L, index);
        if (lua_type(L, -1) != LUA_TNUMBER || !(lua_tonumber(L, -1) >= -1e30 && lua_tonumber(L, -1) <= 1e30)) {
            char name[LAYER_NAME];
            model_output_name(model, i, name);
            bind_error(L, ERR_ARG, "compile: loss_weights: the weight of output %s is a number, got %s", name, bind_what(L, -1, what));
        }
        out->outputs[i].weight = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
}

/* ---- metrics ---- */

/* Where a metric belongs. */
typedef struct Place {
    const Model *model;
    int output;
    bool weighted;
} Place;

/* The metric on top of the stack, popped; name: the key of a function, or NULL. */
static void take_metric(lua_State *L, const Place *place, const char *name, Compiled *out)
{
    int top = lua_gettop(L);
    if (out->n_metrics == COMPILE_METRICS)
        bind_error(L, ERR_ARG, "compile: at most %d metrics", COMPILE_METRICS);
    Measure *measure = &out->metrics[out->n_metrics++];
    const char *asked = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : name;
    if (lua_isfunction(L, -1)) {
        take_function(L, top, place->model, place->output, name ? name : metric_custom.name, &measure->custom);
        measure->metric = &metric_custom;
        args_init(&measure->args, NULL, 0);
    } else {
        const Recipe *recipe = recipe_take(L, top, RECIPE_METRIC, "compile: metrics");
        measure->metric = recipe->of.metric;
        measure->args = recipe->args;
    }
    strncpy(measure->name, asked ? asked : measure->metric->name, sizeof measure->name - 1);
    measure->weighted = place->weighted;
    measure->output = place->output;
    lua_settop(L, top - 1);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Those with names, {"mae", range = function(y_true, y_pred) … end}, in the order of the names. */
static void take_named(lua_State *L, int index, const Place *place, Compiled *out)
{
    const char *names[COMPILE_METRICS];
    int n = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            continue;
        if (n == COMPILE_METRICS)
            bind_error(L, ERR_ARG, "compile: at most %d metrics", COMPILE_METRICS);
        names[n++] = lua_tostring(L, -1); /* the table keeps it */
    }
    qsort(names, (size_t)n, sizeof *names, compare_names);
    for (int i = 0; i < n; i++) {
        if (strlen(names[i]) >= sizeof out->metrics[0].name)
            bind_error(L, ERR_ARG, "compile: the name of a metric has at most %zu letters, got \"%.60s\"", sizeof out->metrics[0].name - 1, names[i]);
        lua_getfield(L, index, names[i]);
        take_metric(L, place, names[i], out);
    }
}

/* The metrics in the value on top, a list or a single one. */
static void take_list(lua_State *L, const Place *place, Compiled *out)
{
    int index = lua_gettop(L);
    bool list = lua_istable(L, index);
    int n = lua_isnil(L, index) ? 0 : list ? (int)lua_rawlen(L, index) : 1;
    for (int k = 0; k < n; k++) {
        if (list)
            lua_rawgeti(L, index, k + 1);
        else
            lua_pushvalue(L, index);
        take_metric(L, place, NULL, out);
    }
    if (list)
        take_named(L, index, place, out);
}

static void take_metrics(lua_State *L, int index, bool weighted, const Model *model, Compiled *out)
{
    const char *who = weighted ? "compile: weighted_metrics" : "compile: metrics";
    char what[64];
    bool several = outputs_of(model) > 1, split = is_split(L, index, model);
    if (several && !split && !lua_isnil(L, index))
        bind_error(L, ERR_ARG, "%s: say of which of the %d outputs, {{\"mae\"}, {\"accuracy\"}} or by name, got %s", who, outputs_of(model),
                   bind_what(L, index, what));
    if (split)
        check_list(L, index, model, who);
    for (int i = 0; i < outputs_of(model); i++) {
        if (split)
            push_part(L, index, model, i);
        else
            lua_pushvalue(L, index);
        if (split && lua_isboolean(L, -1) && !lua_toboolean(L, -1)) {
            lua_pop(L, 1);
            lua_pushnil(L);
        }
        take_list(L, &(Place){ model, i, weighted }, out);
        lua_pop(L, 1);
    }
}

/* ---- compile ---- */

enum { AT_OPTIMIZER = 2, AT_LOSS, AT_METRICS, AT_WEIGHTED, AT_LOSS_WEIGHTS };

#define COMPILING "hebb.compiling"

static int compiling_gc(lua_State *L)
{
    compiled_fini(luaL_checkudata(L, 1, COMPILING));
    return 0;
}

/* Push what compile gathers, in the collector's care: raising loses nothing. */
static Compiled *push_compiling(lua_State *L)
{
    Compiled *compiled = lua_newuserdatauv(L, sizeof *compiled, 0);
    *compiled = (Compiled){ 0 };
    if (luaL_newmetatable(L, COMPILING)) {
        lua_pushcfunction(L, compiling_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return compiled;
}

int model_compile(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Model *model = model_check(L, 1, "compile");
    bind_take(L, 2, "compile", bind_verb(L), &args);
    if (lua_isnil(L, AT_OPTIMIZER) || lua_isnil(L, AT_LOSS))
        return bind_error(
            L, ERR_ARG,
            "compile wants an optimizer and a loss: model:compile{optimizer = \"adam\", loss = \"mse\", metrics = {\"mae\"}}");
    Compiled *compiled = push_compiling(L);
    take_losses(L, AT_LOSS, model, compiled);
    take_loss_weights(L, AT_LOSS_WEIGHTS, model, compiled);
    take_metrics(L, AT_METRICS, false, model, compiled);
    take_metrics(L, AT_WEIGHTED, true, model, compiled);
    const Recipe *optimizer = recipe_take(L, AT_OPTIMIZER, RECIPE_OPTIMIZER, "compile: optimizer"); /* on top */
    compiled->optimizer = optimizer_new(optimizer->of.optimizer, &optimizer->args, &err);
    if (compiled->optimizer)
        compiled->optimizer->rate = rate_ref(optimizer->rate);
    if (!compiled->optimizer || !compile_model(model, compiled, &err))
        return bind_raise(L, &err);
    return 0;
}
