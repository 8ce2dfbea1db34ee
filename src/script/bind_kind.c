// SPDX-License-Identifier: MIT
/* Objects: userdata whose metatable is made from a Kind. Look-up goes methods, fields, the kind's own other keys, and ends in
 * an error that names the nearest. The metatable is hidden from Lua code and every use checks the userdata again. */
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "script/bind.h"

#define KIND_KEY "hebb.kind" /* in each metatable: its Kind as light userdata */

const Kind *bind_kind_of(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return NULL;
    lua_pushliteral(L, KIND_KEY);
    lua_rawget(L, -2);
    const Kind *kind = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return kind;
}

void *bind_test(lua_State *L, int index, const Kind *kind)
{
    return bind_kind_of(L, index) == kind ? lua_touserdata(L, index) : NULL;
}

void *bind_check(lua_State *L, int index, const Kind *kind, const char *who)
{
    char what[64];
    void *object = bind_test(L, index, kind);
    if (!object)
        bind_error(L, ERR_ARG, "%s wants %s, got %s", who, kind->title, bind_what(L, index, what));
    return object;
}

void *bind_new(lua_State *L, const Kind *kind, size_t size)
{
    void *object = lua_newuserdatauv(L, size, 1);
    memset(object, 0, size);
    luaL_setmetatable(L, kind->type);
    return object;
}

static const Field *find_field(const Kind *kind, const char *name)
{
    for (int i = 0; i < kind->n_fields; i++)
        if (!strcmp(kind->fields[i].name, name))
            return &kind->fields[i];
    return NULL;
}

static int refuse_field(lua_State *L, const Kind *kind)
{
    char what[64], hint[96];
    if (lua_type(L, 2) != LUA_TSTRING)
        return bind_error(L, ERR_NAME, "a %s has no field that is %s", kind->what, bind_what(L, 2, what));
    NameSearch search;
    const char *word = lua_tostring(L, 2);
    name_search(&search, word);
    for (int i = 0; i < kind->n_fields; i++)
        name_offer(&search, kind->fields[i].name);
    for (int i = 0; i < kind->n_methods; i++)
        name_offer(&search, kind->methods[i].name);
    if (kind->offer)
        kind->offer(L, &search);
    return bind_error(L, ERR_NAME, "a %s has no field \"%.60s\"%s", kind->what, word, name_hint(&search, hint));
}

/* Upvalues: the kind, the table of methods. */
static int object_index(lua_State *L)
{
    const Kind *kind = lua_touserdata(L, lua_upvalueindex(1));
    bind_check(L, 1, kind, kind->what);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
        return 1;
    lua_settop(L, 2);
    const Field *field = lua_type(L, 2) == LUA_TSTRING ? find_field(kind, lua_tostring(L, 2)) : NULL;
    if (field)
        return field->get(L);
    if (kind->index_other && kind->index_other(L))
        return 1;
    lua_settop(L, 2);
    return refuse_field(L, kind);
}

static int object_newindex(lua_State *L)
{
    const Kind *kind = lua_touserdata(L, lua_upvalueindex(1));
    bind_check(L, 1, kind, kind->what);
    const Field *field = lua_type(L, 2) == LUA_TSTRING ? find_field(kind, lua_tostring(L, 2)) : NULL;
    if (field && field->set)
        return field->set(L);
    if (field)
        return bind_error(L, ERR_ARG, "%s of a %s can only be read", field->name, kind->what);
    if (kind->set_other && kind->set_other(L))
        return 0;
    lua_settop(L, 2);
    return refuse_field(L, kind);
}

static void push_methods(lua_State *L, const Kind *kind)
{
    char prefix[40];
    snprintf(prefix, sizeof prefix, "%s:", kind->what);
    VerbGroup group = { .prefix = prefix, .verbs = kind->methods, .n_verbs = kind->n_methods };
    lua_newtable(L);
    bind_fill(L, &group);
}

void bind_kind(lua_State *L, const Kind *kind)
{
    luaL_newmetatable(L, kind->type);
    if (kind->meta)
        luaL_setfuncs(L, kind->meta, 0);
    lua_pushlightuserdata(L, (void *)kind);
    lua_setfield(L, -2, KIND_KEY);
    lua_pushfstring(L, "hebb %s", kind->what);
    lua_setfield(L, -2, "__metatable");
    lua_pushlightuserdata(L, (void *)kind);
    push_methods(L, kind);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "methods"); /* where op_open and the index of names find them */
    lua_pushcclosure(L, object_index, 2);
    lua_setfield(L, -2, "__index");
    lua_pushlightuserdata(L, (void *)kind);
    lua_pushcclosure(L, object_newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}
