// SPDX-License-Identifier: MIT
/* Errors as the user sees them: the message first, then the lines of the user's own code that led there. Frames of C and of
 * the library written in Lua are left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "script/bind.h"
#include "script/enter.h"
#include "script/show.h"

#define SOURCES "hebb.sources" /* registry: chunk name -> text */
#define TRACE "hebb.trace"     /* registry: the user's lines of the last error, as a text */
#define FRAMES_MOST 8

void enter_keep_source(lua_State *L, const char *chunk, const char *text, size_t n)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, SOURCES);
    if (text)
        lua_pushlstring(L, text, n);
    else
        lua_pushnil(L);
    lua_setfield(L, -2, chunk);
    lua_pop(L, 1);
}

/* Line number `line` of a chunk's text, without blanks at its ends, appended to out. */
static void add_line(lua_State *L, const char *chunk, int line, luaL_Buffer *out)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, SOURCES);
    lua_getfield(L, -1, chunk);
    const char *text = lua_tostring(L, -1); /* kept alive by the table */
    lua_pop(L, 2);
    for (int i = 1; text && i < line; i++) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    if (!text)
        return;
    text += strspn(text, " \t");
    size_t n = strcspn(text, "\r\n");
    luaL_addlstring(out, text, n < 160 ? n : 160);
}

static bool is_ours(const char *source)
{
    return !strncmp(source, "=[hebb ", 7);
}

/* "  script.lua:3:  model:fit(x, y)\n" */
static void push_frame(lua_State *L, const char *chunk, const char *where, int line)
{
    Script *script = script_of(L);
    char now[32], head[120];
    luaL_Buffer out;
    snprintf(now, sizeof now, "=[%d]", script->entered);
    if (!strcmp(chunk, now))
        snprintf(head, sizeof head, "  line %d:  ", line);
    else
        snprintf(head, sizeof head, "  %.90s:%d:  ", where, line);
    lua_pushstring(L, head);
    luaL_buffinit(L, &out);
    add_line(L, chunk, line, &out);
    luaL_addchar(&out, '\n');
    luaL_pushresult(&out);
    lua_concat(L, 2);
}

/* Push the lines of the user's frames, the innermost first. A line that calls itself is shown once. */
static void push_trace(lua_State *L)
{
    lua_Debug ar;
    int shown = 0, left_out = 0, last_line = -1;
    const char *last_source = NULL;
    lua_pushliteral(L, "");
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        bool again = ar.currentline == last_line && ar.source == last_source;
        if (ar.currentline < 0 || is_ours(ar.source) || again)
            continue;
        last_line = ar.currentline;
        last_source = ar.source;
        if (shown >= FRAMES_MOST) {
            left_out++;
            continue;
        }
        shown++;
        push_frame(L, ar.source, ar.short_src, ar.currentline);
        lua_concat(L, 2);
    }
    if (left_out) {
        lua_pushfstring(L, "  … %d more\n", left_out);
        lua_concat(L, 2);
    }
}

int enter_handler(lua_State *L)
{
    luaL_checkstack(L, 10, NULL);
    push_trace(L);
    lua_setfield(L, LUA_REGISTRYINDEX, TRACE);
    lua_settop(L, 1);
    return 1;
}

/* Lua puts "chunk:line: " in front of its messages. Behind it, and the line number; message itself when there is none. */
static const char *skip_place(const char *message, int *line)
{
    const char *at = message;
    for (int tries = 0; tries < 40 && (at = strchr(at, ':')); tries++) {
        char *end;
        long number = strtol(at + 1, &end, 10);
        if (end > at + 1 && *end == ':' && end[1] == ' ') {
            *line = (int)number;
            return end + 2;
        }
        at++;
    }
    return message;
}

void enter_note_syntax(lua_State *L, const char *chunk)
{
    const char *message = lua_tostring(L, -1);
    int line = 0;
    const char *rest = message ? skip_place(message, &line) : message;
    if (rest == message)
        return;
    push_frame(L, chunk, chunk + 1, line);
    lua_setfield(L, LUA_REGISTRYINDEX, TRACE);
}

/* ---- hints ---- */

static void offer_fields(lua_State *L, NameSearch *search)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            name_offer(search, lua_tostring(L, -1));
    }
}

/* A name that is a field of one of our tables: Dense -> nn.Dense. */
static bool hint_module(lua_State *L, const char *word, char *out, size_t size)
{
    static const char *const modules[] = { "nn", "op", "data", "tensor" };
    for (int i = 0; i < COUNT_OF(modules); i++) {
        bool found = false;
        lua_getglobal(L, modules[i]);
        if (lua_istable(L, -1)) {
            lua_pushstring(L, word);
            found = lua_rawget(L, -2) != LUA_TNIL;
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
        if (found) {
            snprintf(out, size, "; did you mean %s.%s?", modules[i], word);
            return true;
        }
    }
    return false;
}

/* "attempt to index a nil value (global 'modle')" gets the nearest global. */
static void hint_global(lua_State *L, const char *message, char *out, size_t size)
{
    char word[64];
    const char *at = strstr(message, "(global '"), *end = at ? strchr(at + 9, '\'') : NULL;
    *out = '\0';
    if (!end || !strstr(message, "nil value") || (size_t)(end - at - 9) >= sizeof word)
        return;
    snprintf(word, sizeof word, "%.*s", (int)(end - at - 9), at + 9);
    if (hint_module(L, word, out, size))
        return;
    NameSearch search;
    name_search(&search, word);
    lua_pushglobaltable(L);
    offer_fields(L, &search);
    if (search.best)
        snprintf(out, size, "; did you mean %s?", search.best);
    else
        snprintf(out, size, "; %s was never given a value", word);
    lua_pop(L, 1);
}

/* ---- the report ---- */

/* Push the text of a report: `before`, the message, the lines. */
static void push_report(lua_State *L, const char *before, const Err *error, bool is_text)
{
    char hint[160];
    int line = 0;
    const char *message = is_text ? skip_place(error->text, &line) : error->text;
    hint_global(L, message, hint, sizeof hint);
    lua_getfield(L, LUA_REGISTRYINDEX, TRACE);
    const char *trace = lua_tostring(L, -1);
    lua_pushfstring(L, "%s%s%s\n%s", before ? before : "", message, hint, trace ? trace : "");
    lua_remove(L, -2);
}

void enter_report(lua_State *L, const char *before, Err *err)
{
    Script *script = script_of(L);
    Err error = ERR_INIT;
    int top = lua_gettop(L);
    bool is_text = lua_type(L, -1) == LUA_TSTRING;
    bind_describe(L, -1, &error);
    if (lua_istable(L, -1) && luaL_getmetafield(L, -1, "__tostring") == LUA_TNIL) { /* error{…} of the user's own */
        Buf *shown = bind_buf(L);
        show_value(L, -2, shown, script->options.columns);
        if (buf_ok(shown, NULL))
            err_set(&error, ERR_ARG, "an error with a table: %s", buf_text(shown));
    }
    lua_settop(L, top);
    push_report(L, before, &error, is_text);
    size_t n;
    const char *text = lua_tolstring(L, -1, &n);
    if (!script->leaving)
        script_say(script, error.code == ERR_INTERRUPT ? SAY_NOTE : SAY_ERROR, text, n);
    if (err)
        *err = error;
    lua_pop(L, 2);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, TRACE);
}

static int report_it(lua_State *L)
{
    const char *before = lua_touserdata(L, 2);
    lua_settop(L, 1);
    enter_report(L, before, NULL);
    return 0;
}

void enter_report_protected(lua_State *L, const char *before)
{
    lua_pushcfunction(L, report_it);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, (void *)before);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        lua_pop(L, 1);
}
