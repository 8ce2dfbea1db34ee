// SPDX-License-Identifier: MIT
/* The part of hebb that is written in Lua: the texts of script/lib, compiled in, run in the order of their names. Each is given
 *   what(value)                           what stands there, for messages
 *   add_method(kind, name, function)
 *   refuse(format, …)                     raise an error like those of C, which shows the user's own lines
 *   options(who, given, defaults, rules)  a call's options (nil: none) with their defaults; what does not fit is refused (lib.h) */
#include "script/lib.h"

#include <string.h>

#include "script/bind_net.h"

#pragma GCC diagnostic ignored "-Woverlength-strings" /* every compiler that we build with takes them */
static const LibText texts[] = {
#define ROW(name, text) { #name, text },
#include "gen/prelude.h"
#undef ROW
    { NULL, NULL },
};

const LibText *lib_at(int i)
{
    return i >= 0 && i < COUNT_OF(texts) - 1 ? &texts[i] : NULL;
}

static int lib_what(lua_State *L)
{
    char what[64];
    Err err = ERR_INIT;
    err_set(&err, ERR_ARG, "%s", bind_what(L, 1, what)); /* makes it printable */
    lua_pushstring(L, err.text);
    return 1;
}

static int lib_refuse(lua_State *L)
{
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, 1);
    return bind_error(L, ERR_ARG, "%s", lua_tostring(L, -1));
}

void lib_open(lua_State *L)
{
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, lib_refuse, 1);
    int refuse = lua_gettop(L);
    for (int i = 0; lib_at(i); i++) {
        const LibText *lib = lib_at(i);
        lua_pushfstring(L, "=[hebb %s]", lib->name);
        if (luaL_loadbufferx(L, lib->text, strlen(lib->text), lua_tostring(L, -1), "t") != LUA_OK)
            lua_error(L);
        lua_pushcfunction(L, lib_what);
        lua_pushcfunction(L, lib_add_method);
        lua_pushvalue(L, refuse);
        lua_pushcfunction(L, lib_options);
        lua_call(L, 4, 0);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}
