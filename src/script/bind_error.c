// SPDX-License-Identifier: MIT
/* Errors on their way to Lua and back, and what the messages say of the values that were given. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "script/bind.h"

#define ERROR_TYPE "hebb.error"

int bind_raise(lua_State *L, const Err *err)
{
    const char *cut = strstr(err->text, "; ");
    for (const char *next = cut; next; next = strstr(next + 2, "; "))
        cut = next;
    luaL_checkstack(L, 6, NULL);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, err_tag(err->code));
    lua_setfield(L, -2, "code");
    lua_pushstring(L, err->text);
    lua_setfield(L, -2, "message");
    if (cut) {
        lua_pushstring(L, cut + 2);
        lua_setfield(L, -2, "hint");
    }
    luaL_setmetatable(L, ERROR_TYPE);
    return lua_error(L);
}

int bind_error(lua_State *L, ErrCode code, const char *format, ...)
{
    Err err = ERR_INIT;
    va_list list;
    va_start(list, format);
    err_setv(&err, code, format, list);
    va_end(list);
    return bind_raise(L, &err);
}

static ErrCode code_of(const char *tag)
{
#define X(code, name, help) \
    if (tag && !strcmp(tag, name)) \
        return ERR_##code;
    ERR_CODES(X)
#undef X
    return ERR_ARG;
}

static bool is_error(lua_State *L, int index)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, ERROR_TYPE);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

void bind_describe(lua_State *L, int index, Err *err)
{
    index = lua_absindex(L, index);
    if (!lua_checkstack(L, 6)) {
        err_set(err, ERR_MEM, "the stack is full");
        return;
    }
    if (is_error(L, index)) {
        lua_pushliteral(L, "code");
        lua_rawget(L, index);
        lua_pushliteral(L, "message");
        lua_rawget(L, index);
        const char *tag = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error without a message";
        err_set(err, code_of(tag), "%s", text);
        lua_pop(L, 2);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        err_set(err, ERR_ARG, "%s", lua_tostring(L, index));
    } else if (lua_type(L, index) == LUA_TNUMBER) {
        err_set(err, ERR_ARG, "%g", lua_tonumber(L, index));
    } else {
        err_set(err, ERR_ARG, "an error that is %s, not a text", luaL_typename(L, index));
    }
}

static int error_tostring(lua_State *L)
{
    Err err = ERR_INIT;
    bind_describe(L, 1, &err);
    lua_pushstring(L, err.text);
    return 1;
}

/* ---- what stands there ---- */

const char *bind_what(lua_State *L, int index, char out[64])
{
    const Kind *kind = bind_kind_of(L, index);
    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
        return strcpy(out, "nothing");
    case LUA_TBOOLEAN:
        return strcpy(out, lua_toboolean(L, index) ? "true" : "false");
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            snprintf(out, 64, "the number %lld", (long long)lua_tointeger(L, index));
        else
            snprintf(out, 64, "the number %.6g", lua_tonumber(L, index));
        return out;
    case LUA_TSTRING:
        snprintf(out, 64, "the text \"%.40s\"", lua_tostring(L, index));
        return out;
    default:
        snprintf(out, 64, "%s", kind ? kind->title : "");
        if (!kind)
            snprintf(out, 64, "a %s", luaL_typename(L, index));
        return out;
    }
}

const char *bind_text(lua_State *L, int index, const char *who, const char *wanted)
{
    char what[64];
    size_t n = 0;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &n) : NULL;
    if (!text)
        bind_error(L, ERR_ARG, "%s wants %s, got %s", who, wanted, bind_what(L, index, what));
    else if (strlen(text) != n)
        bind_error(L, ERR_ARG, "%s wants %s, got a text with a zero byte in it", who, wanted);
    return text;
}

const char *bind_path(lua_State *L, int index, const char *who)
{
    Err err = ERR_INIT;
    const char *path = bind_text(L, index, who, "a file name");
    if (!*path)
        bind_error(L, ERR_ARG, "%s wants a file name, got an empty text", who);
    if (!script_may_touch(script_of(L), path, &err))
        bind_raise(L, &err);
    return path;
}

double bind_number(lua_State *L, int index, const char *who, const char *wanted)
{
    char what[64];
    if (lua_type(L, index) != LUA_TNUMBER)
        bind_error(L, ERR_ARG, "%s wants %s, got %s", who, wanted, bind_what(L, index, what));
    return lua_tonumber(L, index);
}

void bind_open_errors(lua_State *L)
{
    luaL_newmetatable(L, ERROR_TYPE);
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "hebb error");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
