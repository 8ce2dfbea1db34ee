// SPDX-License-Identifier: MIT
/* A model's architecture as plain Lua tables, for the parts of the library in Lua that write it down (script/lib/export.lua):
 *   {name, kind, nodes = {{name, kind, args = {only what is not the default}, from = {{node, output}, …}, shape, params, model?, wraps?}, …},
 *    inputs = {node, …}, outputs = {{node, output}, …}}
 * Nodes count from 1 in the order they run; the further outputs of a layer are no nodes of their own here. */
#include <string.h>

#include "script/bind_net.h"

static void push_model(lua_State *L, Model *model, int depth);

/* Arguments that differ from the defaults; all where `all` is asked for. */
static void push_args(lua_State *L, const Args *args)
{
    Args fresh;
    args_init(&fresh, args->specs, args->n);
    lua_newtable(L);
    for (int i = 0; i < args->n; i++) {
        Buf *own = bind_buf(L), *usual = bind_buf(L);
        args_write(own, args, i);
        args_write(usual, &fresh, i);
        bool same = args->v[i].given == fresh.v[i].given && !strcmp(buf_text(own), buf_text(usual));
        lua_pop(L, 2);
        if (same)
            continue;
        bind_push_row(L, args, i);
        lua_setfield(L, -2, args->specs[i].name);
    }
}

static void push_layer(lua_State *L, const Layer *layer)
{
    lua_newtable(L);
    lua_pushstring(L, layer->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, layer->kind->name);
    lua_setfield(L, -2, "kind");
    push_args(L, &layer->args);
    lua_setfield(L, -2, "args");
}

/* The node that a layer's output comes from, and which output, by numbers from 1 among the nodes that are shown. */
static void push_from(lua_State *L, const Model *model, const int *number, int node)
{
    int output = 1;
    if (layer_is_pick(model->nodes[node].layer)) {
        output = layer_picks(model->nodes[node].layer) + 1;
        node = model->nodes[node].in[0];
    }
    lua_createtable(L, 2, 0);
    lua_pushinteger(L, number[node]);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, output);
    lua_rawseti(L, -2, 2);
}

static void push_node(lua_State *L, Model *model, const int *number, int at, int depth)
{
    const GraphNode *node = &model->nodes[at];
    Layer *layer = node->layer;
    push_layer(L, layer);
    lua_createtable(L, node->n_in, 0);
    for (int i = 0; i < node->n_in; i++) {
        push_from(L, model, number, node->in[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "from");
    Shape sample = shape_make(node->shape.rank > 0 ? node->shape.rank - 1 : 0, node->shape.d + 1);
    tensor_push_shape(L, &sample);
    lua_setfield(L, -2, "shape");
    lua_pushstring(L, dtype_name(node->dtype));
    lua_setfield(L, -2, "dtype");
    lua_pushinteger(L, layer->inner ? model_count_params(layer->inner, false) : (lua_Integer)layer->n_elements);
    lua_setfield(L, -2, "params");
    lua_pushboolean(L, node->first);
    lua_setfield(L, -2, "first");
    if (layer_is_model(layer)) {
        push_model(L, layer->inner, depth + 1);
        lua_setfield(L, -2, "model");
    }
    if (!layer->wrapped[0])
        return;
    lua_newtable(L);
    for (int i = 0; i < LAYER_WRAPS && layer->wrapped[i]; i++) {
        push_layer(L, layer->wrapped[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "wraps");
}

static void push_ends(lua_State *L, const Model *model, const int *number, const int *ends, int n)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        push_from(L, model, number, ends[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_model(lua_State *L, Model *model, int depth)
{
    luaL_checkstack(L, 16, NULL);
    int *number = lua_newuserdatauv(L, (size_t)(model->n_nodes + 1) * sizeof *number, 0), n = 0;
    for (int i = 0; i < model->n_nodes; i++)
        number[i] = layer_is_pick(model->nodes[i].layer) ? 0 : ++n;
    lua_newtable(L);
    lua_pushstring(L, model->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, model->sequential ? "Sequential" : "Functional");
    lua_setfield(L, -2, "kind");
    lua_createtable(L, n, 0);
    for (int i = 0; i < model->n_nodes; i++)
        if (number[i]) {
            push_node(L, model, number, i, depth);
            lua_rawseti(L, -2, number[i]);
        }
    lua_setfield(L, -2, "nodes");
    push_ends(L, model, number, model->inputs, model->n_inputs);
    lua_setfield(L, -2, "inputs");
    push_ends(L, model, number, model->outputs, model->n_outputs);
    lua_setfield(L, -2, "outputs");
    lua_remove(L, -2);
}

int model_config(lua_State *L)
{
    Model *model = model_check(L, 1, "config");
    if (!model->built)
        return bind_error(L, ERR_STATE, "%s is not built yet: give its first layer an input_shape, or fit or predict once", model->name);
    push_model(L, model, 0);
    return 1;
}

/* A method written in Lua, behind the check that it was called with a colon. Upvalues: the kind, the method's name, the function. */
static int lib_method(lua_State *L)
{
    bind_check(L, 1, lua_touserdata(L, lua_upvalueindex(1)), lua_tostring(L, lua_upvalueindex(2)));
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* add_method("model", "export", function): only while the library in Lua is loaded. */
int lib_add_method(lua_State *L)
{
    const char *what = lua_tostring(L, 1);
    for (int i = 0; bind_kinds[i]; i++) {
        if (strcmp(bind_kinds[i]->what, what))
            continue;
        luaL_getmetatable(L, bind_kinds[i]->type);
        lua_getfield(L, -1, "methods");
        lua_pushlightuserdata(L, (void *)bind_kinds[i]);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 3);
        lua_pushcclosure(L, lib_method, 3);
        lua_replace(L, 3);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 3);
        lua_rawset(L, -3);
        lua_pushfstring(L, "%s:%s", what, lua_tostring(L, 2));
        lua_pushvalue(L, 3);
        bind_name(L, lua_tostring(L, -2));
        return 0;
    }
    return bind_error(L, ERR_BUG, "there is no kind of object called %s", what);
}
