// SPDX-License-Identifier: MIT
/* The index of names for completion, made again after each entered block: the globals and their fields by raw access (no user
 * code runs), methods and fields of our objects, and the arguments of everything that has a descriptor. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "script/bind.h"
#include "script/enter.h"
#include "script/help.h"

#define DEPTH_MOST 2    /* digits.test.x */
#define FIELDS_MOST 400 /* of one table */
#define PATH 128
#define FULL 300

typedef struct Names {
    lua_State *L;
    NameIndex *index;
    const char *prefix; /* of the object whose rows are added now */
    const char *what;
} Names;

static bool is_word(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

/* ---- arguments ---- */

static void add_arguments(NameIndex *index, const char *path, const HelpRow *row)
{
    char full[FULL], name[32], kind;
    for (const char *rest = row->values; (rest = bind_next_value(rest, name, &kind));) {
        if (!strcmp(row->kind, "op"))
            break; /* inputs of ops have no names */
        snprintf(full, sizeof full, "%s(%s", path, name);
        index_add(index, full, 'a', "");
    }
    for (int i = 0; i < row->n_args; i++) {
        snprintf(full, sizeof full, "%s(%s", path, row->args[i].name);
        index_add(index, full, 'a', row->args[i].help ? row->args[i].help : "");
    }
}

static bool visit_static(void *ctx, const HelpRow *row)
{
    Names *names = ctx;
    if (strchr(row->path, ' ') || strchr(row->path, ':') || !strcmp(row->kind, "field") || !strcmp(row->kind, "object"))
        return true;
    Buf about = BUF_INIT;
    help_signature(&about, row);
    index_add(names->index, row->path, 'f', buf_text(&about));
    buf_fini(&about);
    add_arguments(names->index, row->path, row);
    return true;
}

/* ---- objects ---- */

/* Rows "model:fit", "model.name" become those of a variable: "net:fit", "net.name". */
static bool visit_object(void *ctx, const HelpRow *row)
{
    Names *names = ctx;
    size_t n = strlen(names->what);
    char path[FULL];
    bool member =
        !strncmp(row->path, names->what, n) && (row->path[n] == ':' || (row->path[n] == '.' && !strcmp(row->kind, "field")));
    bool op = !strcmp(names->what, "tensor") && !strcmp(row->kind, "op");
    if (!member && !op)
        return true;
    snprintf(path, sizeof path, "%s%s%s", names->prefix, op ? ":" : "", op ? row->name : row->path + n);
    Buf about = BUF_INIT;
    if (strcmp(row->kind, "field"))
        help_signature(&about, row);
    else
        buf_puts(&about, row->doc);
    index_add(names->index, path, strcmp(row->kind, "field") ? 'm' : 'v', buf_text(&about));
    buf_fini(&about);
    add_arguments(names->index, path, row);
    return true;
}

/* ---- globals ---- */

static char kind_of(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TFUNCTION:
        return 'f';
    case LUA_TTABLE:
    case LUA_TUSERDATA:
        return 't';
    default:
        return 'v';
    }
}

static void add_fields(Names *names, const char *prefix, int depth);

/* The value on top of the stack, under this path. */
static void add_value(Names *names, const char *path, int depth)
{
    lua_State *L = names->L;
    const Kind *kind = bind_kind_of(L, -1);
    index_add(names->index, path, kind_of(L, -1), kind ? kind->title : "");
    if (kind) {
        names->prefix = path;
        names->what = kind->what;
        help_each(visit_object, names);
    } else if (lua_istable(L, -1) && depth < DEPTH_MOST && strcmp(path, "_G") && strcmp(path, "package")) {
        char prefix[FULL];
        snprintf(prefix, sizeof prefix, "%.200s.", path);
        add_fields(names, prefix, depth + 1);
    }
}

/* Fields of the table on top of the stack. */
static void add_fields(Names *names, const char *prefix, int depth)
{
    lua_State *L = names->L;
    int n = 0;
    luaL_checkstack(L, 6, NULL);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        char path[FULL];
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        if (key && is_word(key) && strlen(prefix) + strlen(key) < PATH && n++ < FIELDS_MOST) {
            snprintf(path, sizeof path, "%s%s", prefix, key);
            add_value(names, path, depth);
        }
        lua_pop(L, 1);
    }
}

static void add_keywords(NameIndex *index)
{
    static const char *const words[] = { "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
                                         "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
                                         "repeat",   "return", "then", "true", "until",  "while" };
    for (int i = 0; i < COUNT_OF(words); i++)
        index_add(index, words[i], 'k', "");
}

static int build(lua_State *L)
{
    Names names = { .L = L, .index = lua_touserdata(L, 1) };
    lua_pushglobaltable(L);
    add_fields(&names, "", 0);
    return 0;
}

void enter_publish(Script *script)
{
    if (!script->host.publish || !script->options.interactive)
        return;
    lua_State *L = script->L;
    NameIndex *index = index_new(NULL);
    if (!index)
        return;
    Names names = { .index = index };
    add_keywords(index);
    help_each(visit_static, &names);
    lua_pushcfunction(L, build);
    lua_pushlightuserdata(L, index);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        lua_pop(L, 1); /* memory ran out: an index with what there is */
    index = index_finish(index, NULL);
    if (index)
        script->host.publish(script->host.ctx, index);
}
