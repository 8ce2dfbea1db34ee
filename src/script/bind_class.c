// SPDX-License-Identifier: MIT
/* nn.layer{…}: classes of layers written in Lua. The constructor is a C closure over the class's kind and its table. */
#include <stdio.h>
#include <string.h>

#include "nn/made.h"
#include "script/bind_net.h"
#include "script/trace.h"

typedef struct KindBox {
    MadeKind *made;
} KindBox;

static int box_gc(lua_State *L)
{
    KindBox *box = lua_touserdata(L, 1);
    if (box->made)
        made_unref(&box->made->kind);
    box->made = NULL;
    return 0;
}

static KindBox *box_new(lua_State *L)
{
    KindBox *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->made = NULL;
    if (luaL_newmetatable(L, "hebb.class")) {
        lua_pushcfunction(L, box_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return box;
}

static int construct(lua_State *L)
{
    KindBox *box = lua_touserdata(L, lua_upvalueindex(1));
    Layer *layer = layer_construct(L, &box->made->kind);
    layer->source = trace_source(L, lua_upvalueindex(2));
    return 1;
}

/* An argument's type is that of its default. */
static bool add_arg(lua_State *L, MadeKind *made, const char *name, int index, Err *err)
{
    char what[64];
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        lua_pushvalue(L, index);
        bool done = made_add_arg(made, name, lua_isinteger(L, index) ? ARG_INT : ARG_FLOAT, lua_tostring(L, -1), err);
        lua_pop(L, 1);
        return done;
    case LUA_TBOOLEAN:
        return made_add_arg(made, name, ARG_BOOL, lua_toboolean(L, index) ? "true" : "false", err);
    case LUA_TSTRING:
        return made_add_arg(made, name, ARG_TEXT, lua_tostring(L, index), err);
    default:
        return err_set(err, ERR_ARG, "nn.layer: the default of %s is a number, a text, true or false, got %s", name,
                       bind_what(L, index, what));
    }
}

/* The rows in the alphabet's order of their names, so that the same table gives the same class. */
static void add_args(lua_State *L, MadeKind *made, int table)
{
    Err err = ERR_INIT;
    const char *before = "", *next;
    do {
        next = NULL;
        lua_pushnil(L);
        while (lua_next(L, table)) {
            lua_pop(L, 1);
            const char *key = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
            if (strcmp(key, before) > 0 && (!next || strcmp(key, next) < 0))
                next = key; /* stays alive: it is a key of the table */
        }
        if (!next)
            return;
        lua_getfield(L, table, next);
        if (!add_arg(L, made, next, lua_gettop(L), &err))
            bind_raise(L, &err);
        lua_pop(L, 1);
        before = next;
    } while (true);
}

static void want_type(lua_State *L, int index, int type, bool must, const char *name, const char *wanted)
{
    char what[64];
    if (lua_type(L, index) != type && (must || !lua_isnil(L, index)))
        bind_error(L, ERR_ARG, "nn.layer: %s is %s, got %s", name, wanted, bind_what(L, index, what));
}

int class_new(lua_State *L)
{
    Args none;
    Err err = ERR_INIT;
    bind_take(L, 1, "nn.layer", bind_verb(L), &none);
    want_type(L, 1, LUA_TSTRING, true, "name", "the name of the class, as in \"Scale\"");
    want_type(L, 2, LUA_TTABLE, false, "args", "a table of arguments with their defaults, {units = 4}");
    want_type(L, 3, LUA_TFUNCTION, false, "build", "function(self, input_shape), which adds weights");
    want_type(L, 4, LUA_TFUNCTION, true, "call", "function(self, x, training), which composes ops");
    want_type(L, 5, LUA_TSTRING, false, "doc", "a text");
    if (lua_istable(L, 2) && !bind_is_options(L, 2))
        return bind_error(L, ERR_ARG, "nn.layer: args has names with their defaults: {units = 4}");
    KindBox *box = box_new(L);
    box->made = made_new(lua_tostring(L, 1), lua_isnil(L, 5) ? "A layer written in Lua." : lua_tostring(L, 5), &err);
    if (!box->made)
        return bind_raise(L, &err);
    if (lua_istable(L, 2))
        add_args(L, box->made, 2);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "build");
    lua_pushvalue(L, 4);
    lua_setfield(L, -2, "call");
    lua_pushcclosure(L, construct, 2);
    lua_pushfstring(L, "nn.%s", box->made->name);
    lua_pushvalue(L, -2);
    bind_name(L, lua_tostring(L, -2));
    lua_pop(L, 2);
    return 1;
}
