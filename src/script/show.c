// SPDX-License-Identifier: MIT
/* A table is tried on one line first; where that is too long, it is taken back and written again with a line for each entry.
 * All bounds are fixed, so that printing a large or hostile table ends soon. */
#include "script/show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/bind.h"

#define DEPTH_MOST 6
#define ITEMS_MOST 40   /* entries shown of one table */
#define KEYS_MOST 256   /* keys sorted; more are counted only */
#define TEXT_MOST 20000 /* bytes in all */

typedef struct Show {
    lua_State *L;
    Buf *out;
    int width, depth;
    const void *path[DEPTH_MOST + 1]; /* tables that are open */
    size_t flat_end;                  /* writing beyond it on one line is given up; 0: no limit */
    bool gave_up;
} Show;

static void show_any(Show *show, int index);

static void put_text(Buf *out, const char *text, size_t n)
{
    buf_put(out, '"');
    for (size_t i = 0; i < n && i < 2000; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else if (c < 32 || c == 127)
            buf_printf(out, "\\%d", c);
        else
            buf_put(out, (char)c);
    }
    buf_puts(out, n > 2000 ? "…\"" : "\"");
}

static bool is_name(const char *text, size_t n)
{
    if (!n || n > 60 || !((*text | 32) >= 'a' && (*text | 32) <= 'z') || strlen(text) != n)
        return *text == '_' && n && n < 60 && strlen(text) == n;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

/* ---- keys ---- */

static int key_order(lua_State *L, int a, int b)
{
    int ta = lua_type(L, a), tb = lua_type(L, b);
    if (ta != tb) /* numbers, then texts, then the rest */
        return (ta == LUA_TNUMBER ? 0 : ta == LUA_TSTRING ? 1 : ta + 2) - (tb == LUA_TNUMBER ? 0 : tb == LUA_TSTRING ? 1 : tb + 2);
    if (ta == LUA_TNUMBER)
        return (lua_tonumber(L, a) > lua_tonumber(L, b)) - (lua_tonumber(L, a) < lua_tonumber(L, b));
    return ta == LUA_TSTRING ? strcmp(lua_tostring(L, a), lua_tostring(L, b)) : 0;
}

/* Push a list of the keys that are not in the sequence 1 … n, sorted; returns how many there are in all. */
static int push_keys(lua_State *L, int table, lua_Integer n)
{
    int count = 0;
    lua_createtable(L, 8, 0);
    int list = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= n)
            continue;
        if (++count > KEYS_MOST)
            continue;
        int at = count;
        for (; at > 1; at--) { /* insertion: short lists */
            lua_rawgeti(L, list, at - 1);
            bool in_order = key_order(L, -1, -2) <= 0;
            if (!in_order)
                lua_rawseti(L, list, at);
            else
                lua_pop(L, 1);
            if (in_order)
                break;
        }
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, at);
    }
    return count;
}

/* ---- tables ---- */

static void begin_item(Show *show, bool folded, bool first)
{
    if (!first)
        buf_puts(show->out, folded ? "," : ", ");
    if (folded)
        buf_printf(show->out, "\n%*s", 2 * show->depth, "");
}

static void put_key(Show *show, int index)
{
    size_t n;
    if (lua_type(show->L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(show->L, index, &n);
        if (is_name(text, n)) {
            buf_printf(show->out, "%s = ", text);
            return;
        }
    }
    buf_put(show->out, '[');
    show_any(show, index);
    buf_puts(show->out, "] = ");
}

static bool is_full(Show *show)
{
    if (show->flat_end && show->out->size > show->flat_end)
        show->gave_up = true;
    return show->gave_up || show->out->size > TEXT_MOST || show->out->failed;
}

static void put_items(Show *show, int table, bool folded)
{
    lua_State *L = show->L;
    lua_Integer n = (lua_Integer)lua_rawlen(L, table);
    int shown = 0, keys = push_keys(L, table, n), list = lua_gettop(L);
    for (lua_Integer i = 1; i <= n && shown < ITEMS_MOST && !is_full(show); i++) {
        begin_item(show, folded, !shown++);
        lua_rawgeti(L, table, i);
        show_any(show, lua_gettop(L));
        lua_pop(L, 1);
    }
    for (int i = 1; i <= keys && i <= KEYS_MOST && shown < ITEMS_MOST && !is_full(show); i++) {
        begin_item(show, folded, !shown++);
        lua_rawgeti(L, list, i);
        put_key(show, lua_gettop(L));
        lua_rawget(L, table);
        show_any(show, lua_gettop(L));
        lua_pop(L, 1);
    }
    if (n + keys > shown && !show->gave_up) {
        begin_item(show, folded, !shown);
        buf_printf(show->out, "… %lld more", (long long)(n + keys - shown));
    }
    lua_pop(L, 1);
}

static bool is_open(const Show *show, const void *table)
{
    for (int i = 0; i < show->depth; i++)
        if (show->path[i] == table)
            return true;
    return false;
}

static void show_table(Show *show, int index)
{
    const void *table = lua_topointer(show->L, index);
    if (is_open(show, table)) {
        buf_puts(show->out, "{… itself}");
        return;
    }
    if (show->depth >= DEPTH_MOST) {
        buf_puts(show->out, "{…}");
        return;
    }
    size_t start = show->out->size, line = start;
    while (line > 0 && show->out->data[line - 1] != '\n')
        line--;
    bool outer = !show->flat_end;
    if (outer)
        show->flat_end = line + (size_t)show->width;
    show->path[show->depth++] = table;
    buf_put(show->out, '{');
    put_items(show, index, false);
    buf_put(show->out, '}');
    is_full(show);
    if (outer && show->gave_up) {
        show->out->size = start;
        show->flat_end = 0;
        show->gave_up = false;
        buf_put(show->out, '{');
        put_items(show, index, true);
        buf_printf(show->out, "\n%*s}", 2 * (show->depth - 1), "");
    }
    if (outer)
        show->flat_end = 0;
    show->depth--;
}

/* ---- the rest ---- */

static void show_function(Show *show, int index)
{
    lua_State *L = show->L;
    const char *name = bind_find_name(L, index);
    lua_Debug ar;
    if (name) {
        buf_printf(show->out, "function %s", name);
        return;
    }
    lua_pushvalue(L, index);
    if (lua_getinfo(L, ">S", &ar) && ar.linedefined > 0)
        buf_printf(show->out, "function (%s:%d)", ar.short_src, ar.linedefined);
    else
        buf_puts(show->out, "function");
}

static void show_any(Show *show, int index)
{
    lua_State *L = show->L;
    size_t n;
    luaL_checkstack(L, 12, NULL);
    script_poll(L);
    switch (lua_type(L, index)) {
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &n);
        put_text(show->out, text, n);
        return;
    }
    case LUA_TFUNCTION:
        show_function(show, index);
        return;
    case LUA_TTABLE:
        if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) {
            show_table(show, index);
            return;
        }
        lua_pop(L, 1);
        break;
    case LUA_TTHREAD:
        buf_puts(show->out, "thread");
        return;
    default:
        break;
    }
    const char *text = luaL_tolstring(L, index, &n);
    for (size_t i = 0; i < n; i++) { /* lines of an object inside a table stand under its column */
        buf_put(show->out, text[i]);
        if (text[i] == '\n' && show->depth && i + 1 < n)
            buf_printf(show->out, "%*s", 2 * show->depth, "");
    }
    lua_pop(L, 1);
}

void show_value(lua_State *L, int index, Buf *out, int width)
{
    Show show = { .L = L, .out = out, .width = width > 20 ? width : 20 };
    index = lua_absindex(L, index);
    size_t n;
    if (lua_type(L, index) == LUA_TSTRING && out->size == 0) { /* a text by itself: quoted, but with its lines */
        const char *text = lua_tolstring(L, index, &n);
        if (memchr(text, '\n', n)) {
            buf_write(out, text, n < TEXT_MOST ? n : TEXT_MOST);
            return;
        }
    }
    show_any(&show, index);
}
