// SPDX-License-Identifier: MIT
/* The part of hebb that is written in Lua: the texts of script/lib, compiled in, run in the order of their names. */
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

void lib_open(lua_State *L)
{
    lua_getglobal(L, "nn"); /* taken back by the last text that uses it */
    lua_pushcfunction(L, lib_add_method);
    lua_setfield(L, -2, "add_method");
    lua_pop(L, 1);
    for (int i = 0; lib_at(i); i++) {
        const LibText *lib = lib_at(i);
        lua_pushfstring(L, "=[hebb %s]", lib->name);
        if (luaL_loadbufferx(L, lib->text, strlen(lib->text), lua_tostring(L, -1), "t") != LUA_OK)
            lua_error(L);
        lua_call(L, 0, 0);
        lua_pop(L, 1);
    }
}
