// SPDX-License-Identifier: MIT
/* The part of hebb that is written in Lua: the texts of script/lib, compiled in, run in the order of their names. Each is given
 * what(value), which says what stands there for messages, and add_method(kind, name, function). */
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

void lib_open(lua_State *L)
{
    for (int i = 0; lib_at(i); i++) {
        const LibText *lib = lib_at(i);
        lua_pushfstring(L, "=[hebb %s]", lib->name);
        if (luaL_loadbufferx(L, lib->text, strlen(lib->text), lua_tostring(L, -1), "t") != LUA_OK)
            lua_error(L);
        lua_pushcfunction(L, lib_what);
        lua_pushcfunction(L, lib_add_method);
        lua_call(L, 2, 0);
        lua_pop(L, 1);
    }
}
