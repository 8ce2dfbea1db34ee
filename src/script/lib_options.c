// SPDX-License-Identifier: MIT
/* options(who, given, defaults, rules) for the library's own functions in Lua: what bind_take is for those of C. */
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "script/bind.h"
#include "script/lib.h"

#define MOST 1e6 /* of counts and sizes, as the words below say */

static bool is_number(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TNUMBER && lua_tonumber(L, index) - lua_tonumber(L, index) == 0; /* finite */
}

static bool is_size(lua_State *L, int index)
{
    return is_number(L, index) && lua_tonumber(L, index) >= 0 && lua_tonumber(L, index) <= MOST;
}

static bool is_count(lua_State *L, int index)
{
    int whole = 0;
    lua_Integer value = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &whole) : 0;
    return whole && value >= 1 && (double)value <= MOST;
}

static bool is_flag(lua_State *L, int index)
{
    return lua_isboolean(L, index);
}

static bool is_text(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TSTRING;
}

static bool is_table(lua_State *L, int index)
{
    return lua_istable(L, index);
}

typedef struct OptionKind {
    const char *name, *wanted;
    bool (*fits)(lua_State *L, int index);
} OptionKind;

enum { KIND_COUNT, KIND_SIZE, KIND_FLAG, KIND_TEXT };

static const OptionKind kinds[] = {
    [KIND_COUNT] = { "count", "a whole number from 1 to 1e6", is_count },
    [KIND_SIZE] = { "size", "a number from 0 to 1e6", is_size },
    [KIND_FLAG] = { "flag", "true or false", is_flag },
    [KIND_TEXT] = { "text", "a text", is_text },
    { "number", "a number", is_number },
    { "table", "a table", is_table },
};

/* Of a rule, or of a default; NULL: of neither. */
static const OptionKind *kind_of(lua_State *L, int rule, int fallback)
{
    for (int i = 0; lua_type(L, rule) == LUA_TSTRING && i < COUNT_OF(kinds); i++)
        if (!strcmp(kinds[i].name, lua_tostring(L, rule)))
            return &kinds[i];
    switch (lua_isnil(L, rule) ? lua_type(L, fallback) : LUA_TNIL) {
    case LUA_TNUMBER:
        return &kinds[lua_isinteger(L, fallback) ? KIND_COUNT : KIND_SIZE];
    case LUA_TBOOLEAN:
        return &kinds[KIND_FLAG];
    case LUA_TSTRING:
        return &kinds[KIND_TEXT];
    default:
        return NULL;
    }
}

/* Is the value one of the texts in the list, or a function where that will do? Else they stand in out. */
static bool is_one_of(lua_State *L, int value, int list, char out[200])
{
    int n = snprintf(out, 200, "one of");
    bool found = false;
    for (int i = 1; !found && lua_rawgeti(L, list, i) == LUA_TSTRING; i++) {
        found = lua_rawequal(L, value, -1);
        n += snprintf(out + n, n < 200 ? (size_t)(200 - n) : 0, "%s %s", i > 1 ? "," : "", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    if (found)
        return true;
    lua_pop(L, 1);
    bool functions = lua_getfield(L, list, "functions") != LUA_TNIL;
    lua_pop(L, 1);
    if (functions)
        snprintf(out + n, n < 200 ? (size_t)(200 - n) : 0, " or a function");
    return functions && lua_isfunction(L, value);
}

/* As many counts as the default has? */
static bool is_shape(lua_State *L, int value, int fallback, char out[200])
{
    int n = (int)lua_rawlen(L, fallback);
    bool fits = lua_istable(L, value) && (int)lua_rawlen(L, value) == n;
    snprintf(out, 200, "%d whole numbers from 1 to 1e6", n);
    for (int i = 1; fits && i <= n; i++) {
        lua_rawgeti(L, value, i);
        fits = is_count(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    return fits;
}

/* Options are at 2, defaults at 3, rules at 4; into the table at 5. */
static void take_option(lua_State *L, const char *who, const char *name)
{
    char wanted[200] = "", what[64];
    bool fits = true;
    lua_getfield(L, 4, name);
    lua_getfield(L, 3, name);
    lua_getfield(L, 2, name);
    int rule = 6, fallback = 7, value = 8;
    const OptionKind *kind = kind_of(L, rule, fallback);
    if (kind)
        fits = kind->fits(L, value) || (snprintf(wanted, sizeof wanted, "%s", kind->wanted), false);
    else if (lua_istable(L, rule))
        fits = is_one_of(L, value, rule, wanted);
    else if (lua_isnil(L, rule))
        fits = is_shape(L, value, fallback, wanted);
    if (!fits)
        bind_error(L, ERR_ARG, "%s: %s must be %s, got %s", who, name, wanted, bind_what(L, value, what));
    if (kind == &kinds[KIND_COUNT])
        lua_pushinteger(L, lua_tointeger(L, value)); /* 3.0 counts as 3 */
    lua_setfield(L, 5, name);
    lua_settop(L, 5);
}

/* The table's first text among its keys that comes after `before` (NULL: any); NULL: none. It stays the table's. */
static const char *next_key(lua_State *L, int table, const char *before)
{
    const char *next = NULL;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        const char *key = lua_tostring(L, -1); /* all are texts */
        if ((!before || strcmp(key, before) > 0) && (!next || strcmp(key, next) < 0))
            next = key;
    }
    return next;
}

static void check_name(lua_State *L, const char *who, const char *name)
{
    NameSearch search;
    char hint[96], known[400] = "";
    bool found = false;
    int n = 0;
    name_search(&search, name);
    for (int table = 3; table <= 4; table++)
        for (const char *key = NULL; (key = next_key(L, table, key));) {
            bool twice = table == 4 && lua_getfield(L, 3, key) != LUA_TNIL;
            lua_settop(L, 5);
            found = found || !strcmp(key, name);
            name_offer(&search, key);
            if (!twice && n < (int)sizeof known)
                n += snprintf(known + n, sizeof known - (size_t)n, "%s%s", n ? ", " : "; it takes ", key);
        }
    if (!found)
        bind_error(L, ERR_ARG, "%s has no argument \"%.60s\"%s", who, name, *name_hint(&search, hint) ? hint : known);
}

int lib_options(lua_State *L)
{
    char what[64];
    const char *who = luaL_checkstring(L, 1);
    luaL_checkstack(L, 12, NULL);
    lua_settop(L, 4);
    if (lua_isnil(L, 4)) {
        lua_newtable(L);
        lua_replace(L, 4);
    }
    if (!lua_isnil(L, 2) && !bind_is_options(L, 2))
        return bind_error(L, ERR_ARG, "%s wants its options by name in a table, {name = value}, got %s", who, bind_what(L, 2, what));
    lua_newtable(L);
    for (const char *key = NULL; (key = next_key(L, 3, key));) {
        lua_getfield(L, 3, key);
        lua_setfield(L, 5, key);
    }
    for (const char *key = NULL; !lua_isnil(L, 2) && (key = next_key(L, 2, key));)
        check_name(L, who, key);
    for (const char *key = NULL; !lua_isnil(L, 2) && (key = next_key(L, 2, key));)
        take_option(L, who, key);
    return 1;
}
