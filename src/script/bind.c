// SPDX-License-Identifier: MIT
/* Arguments: positionals are handed out in row order, then the options table by name, then the rows are read in the order of
 * the descriptor, so that the same call gives the same messages. */
#include "script/bind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"

#define BUF_TYPE "hebb.buf"
#define NAMES "hebb.names" /* registry: function -> name, keys weak */

/* ---- options and rows ---- */

bool bind_is_options(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (!lua_istable(L, index))
        return false;
    if (lua_getmetatable(L, index)) {
        lua_pop(L, 1);
        return false;
    }
    luaL_checkstack(L, 3, NULL);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING) {
            lua_pop(L, 1);
            return false;
        }
    }
    return true;
}

static bool refuse_sequence(const Args *args, int i, unsigned long long n, const char *who, Err *err)
{
    return err_set(err, ERR_ARG, "%s: %s wants 1 to %d numbers, got a table of %llu", who, args->specs[i].name, ARG_INTS_MOST, n);
}

/* The numbers of a table, behind those that are there; tables of numbers within it too where any count will do, as in
 * padding = {{1, 1}, {2, 2}}. */
static bool read_sequence(lua_State *L, int index, double *values, int *n, const Args *args, int i, bool nested, const char *who, Err *err)
{
    lua_Unsigned size = lua_rawlen(L, index);
    if (size < 1 || size > (lua_Unsigned)(ARG_INTS_MOST - *n))
        return refuse_sequence(args, i, size, who, err);
    for (lua_Unsigned k = 0; k < size; k++) {
        char what[64];
        int type = lua_rawgeti(L, index, (lua_Integer)k + 1);
        bool fits = true;
        if (type == LUA_TNUMBER && *n < ARG_INTS_MOST)
            values[(*n)++] = lua_tonumber(L, -1);
        else if (type == LUA_TTABLE && nested && args->specs[i].count == 0)
            fits = read_sequence(L, lua_gettop(L), values, n, args, i, false, who, err);
        else if (type == LUA_TNUMBER)
            fits = refuse_sequence(args, i, (unsigned long long)*n + 1, who, err);
        else
            fits = err_set(err, ERR_ARG, "%s: %s wants numbers, number %llu of them is %s", who, args->specs[i].name,
                           (unsigned long long)k + 1, bind_what(L, -1, what));
        lua_pop(L, 1);
        if (!fits)
            return false;
    }
    return true;
}

static bool set_sequence(lua_State *L, int index, Args *args, int i, const char *who, Err *err)
{
    double values[ARG_INTS_MOST];
    int n = 0;
    if (!read_sequence(L, lua_absindex(L, index), values, &n, args, i, true, who, err))
        return false;
    return args_set_numbers(args, i, values, n, who, err);
}

/* A list of texts as one, commas between. */
static bool set_texts(lua_State *L, int index, Args *args, int i, const char *who, Err *err)
{
    Buf *joined = bind_buf(L);
    char what[64];
    index = lua_absindex(L, index);
    for (int k = 1; lua_rawgeti(L, index, k) != LUA_TNIL; k++) {
        if (lua_type(L, -1) != LUA_TSTRING || strchr(lua_tostring(L, -1), ','))
            return err_set(err, ERR_ARG, "%s: %s wants a list of texts without commas, number %d of them is %s", who, args->specs[i].name, k, bind_what(L, -1, what));
        buf_printf(joined, "%s%s", k > 1 ? "," : "", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    bool ok = buf_ok(joined, err) && args_set_text(args, i, buf_text(joined), who, err);
    lua_pop(L, 1);
    return ok;
}

static bool set_row(lua_State *L, int index, Args *args, int i, const char *who, Err *err)
{
    char what[64];
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return args_set_nil(args, i, who, err);
    case LUA_TNUMBER:
        return args_set_number(args, i, lua_tonumber(L, index), who, err);
    case LUA_TBOOLEAN:
        return args_set_bool(args, i, lua_toboolean(L, index), who, err);
    case LUA_TSTRING:
        if (strlen(lua_tostring(L, index)) != lua_rawlen(L, index))
            return err_set(err, ERR_ARG, "%s: the text for %s has a zero byte in it", who, args->specs[i].name);
        return args_set_text(args, i, lua_tostring(L, index), who, err);
    case LUA_TTABLE:
        if (args->specs[i].type == ARG_TEXT && args->specs[i].count == ARG_TEXTS)
            return set_texts(L, lua_absindex(L, index), args, i, who, err);
        return set_sequence(L, index, args, i, who, err);
    default:
        return err_set(err, ERR_ARG, "%s: %s cannot be %s", who, args->specs[i].name, bind_what(L, index, what));
    }
}

void bind_set_row(lua_State *L, int index, Args *args, int i, const char *who)
{
    Err err = ERR_INIT;
    luaL_checkstack(L, 4, NULL);
    if (!set_row(L, lua_absindex(L, index), args, i, who, &err))
        bind_raise(L, &err);
}

void bind_push_row(lua_State *L, const Args *args, int i)
{
    const ArgValue *v = &args->v[i];
    if (!v->given) {
        lua_pushnil(L);
        return;
    }
    switch (args->specs[i].type) {
    case ARG_INT:
        lua_pushinteger(L, v->u.i);
        return;
    case ARG_FLOAT:
        lua_pushnumber(L, v->u.f);
        return;
    case ARG_BOOL:
        lua_pushboolean(L, v->u.b);
        return;
    case ARG_CHOICE:
        lua_pushstring(L, args->specs[i].choices[v->u.i]);
        return;
    case ARG_INTS:
        lua_createtable(L, v->u.ints.n, 0);
        for (int k = 0; k < v->u.ints.n; k++) {
            lua_pushinteger(L, v->u.ints.v[k]);
            lua_rawseti(L, -2, k + 1);
        }
        return;
    case ARG_FLOATS:
        lua_createtable(L, v->u.floats.n, 0);
        for (int k = 0; k < v->u.floats.n; k++) {
            lua_pushnumber(L, v->u.floats.v[k]);
            lua_rawseti(L, -2, k + 1);
        }
        return;
    case ARG_TEXT:
        lua_pushstring(L, v->u.text);
        return;
    }
    lua_pushnil(L);
}

/* ---- arguments of a call ---- */

const char *bind_next_value(const char *values, char name[32], char *kind)
{
    if (!values)
        return NULL;
    values += strspn(values, " ");
    size_t n = strcspn(values, " ");
    if (!n)
        return NULL;
    size_t from = *values == '*' || *values == '~';
    *kind = *values == '*' ? '*' : values[n - 1] == '?' ? '?' : ' ';
    size_t length = n - from - (*kind == '?');
    snprintf(name, 32, "%.*s", (int)(length < 31 ? length : 31), values + from);
    return values + n;
}

/* How many values there are, how many of them by position, and how many must be given. */
static int count_values(const char *values, int *positional, int *required)
{
    char name[32], kind;
    int n = 0;
    *positional = *required = 0;
    while ((values = bind_next_value(values, name, &kind))) {
        n++;
        *positional += kind != '*';
        *required += kind == ' ';
    }
    return n;
}

/* Is this a name that the verb takes? Offers all its names to the search. */
static bool takes_name(const Verb *verb, const char *word, NameSearch *search)
{
    char name[32], kind;
    bool found = false;
    for (const char *rest = verb->values; (rest = bind_next_value(rest, name, &kind));)
        found = found || !strcmp(name, word);
    for (int i = 0; i < verb->n_args; i++) {
        found = found || !strcmp(verb->args[i].name, word);
        name_offer(search, verb->args[i].name);
    }
    return found;
}

/* The names of values are not ended by zero bytes in the verb: they are offered from copies that live on the caller's stack. */
static int offer_values(const Verb *verb, NameSearch *search, char names[16][32])
{
    char kind;
    int n = 0;
    for (const char *rest = verb->values; n < 16 && (rest = bind_next_value(rest, names[n], &kind)); n++)
        name_offer(search, names[n]);
    return n;
}

/* Refuse option names that the verb does not know; the smallest in the alphabet is named, so that messages repeat. */
static void check_names(lua_State *L, int options, const char *who, const Verb *verb)
{
    const char *worst = NULL;
    NameSearch search;
    lua_pushnil(L);
    while (lua_next(L, options)) {
        lua_pop(L, 1);
        const char *key = lua_tostring(L, -1);
        name_search(&search, key);
        if (!takes_name(verb, key, &search) && (!worst || strcmp(key, worst) < 0))
            worst = key; /* stays alive: it is a key of the table */
    }
    if (!worst)
        return;
    char names[16][32], hint[96];
    name_search(&search, worst);
    takes_name(verb, worst, &search);
    offer_values(verb, &search, names);
    bind_error(L, ERR_ARG, "%s has no argument \"%.60s\"%s", who, worst, name_hint(&search, hint));
}

static void refuse_twice(lua_State *L, const char *who, const char *name)
{
    bind_error(L, ERR_ARG, "%s: %s is given twice, by place and by name", who, name);
}

/* Push the values in order, from their place or by name. */
static void push_values(lua_State *L, int first, int n_given, int options, const char *who, const Verb *verb)
{
    char name[32], kind;
    int place = 0;
    for (const char *rest = verb->values; (rest = bind_next_value(rest, name, &kind));) {
        int here = kind != '*' && place < n_given ? first + place : 0;
        place += kind != '*';
        if (options)
            lua_getfield(L, options, name);
        else
            lua_pushnil(L);
        if (here && !lua_isnil(L, here)) {
            if (!lua_isnil(L, -1))
                refuse_twice(L, who, name);
            lua_copy(L, here, -1);
        }
        if (kind == ' ' && lua_isnil(L, -1))
            bind_error(L, ERR_ARG, "%s wants %s; see help(\"%s\")", who, name, who);
    }
}

static void take_rows(lua_State *L, int first, int n_given, int options, const char *who, const Verb *verb, Args *args)
{
    for (int i = 0; i < verb->n_args; i++) {
        bool placed = i < n_given && !lua_isnil(L, first + i);
        if (options) {
            lua_getfield(L, options, verb->args[i].name);
            if (!lua_isnil(L, -1)) {
                if (placed)
                    refuse_twice(L, who, verb->args[i].name);
                bind_set_row(L, -1, args, i, who);
            }
            lua_pop(L, 1);
        }
        if (placed)
            bind_set_row(L, first + i, args, i, who);
    }
}

/* Is the table on top, which looks like options and stands at this place, rather tables and objects by names of the user's? */
static bool is_named_value(lua_State *L, int place, const Verb *verb)
{
    const char *values = verb->values;
    char name[32], kind;
    for (int i = 0; values && i < place; i++)
        values = bind_next_value(values, name, &kind);
    values += values ? strspn(values, " ") : 0;
    bool named = values && *values == '~';
    int table = lua_gettop(L);
    lua_pushnil(L);
    while (named && lua_next(L, table)) {
        NameSearch search;
        name_search(&search, lua_tostring(L, -2));
        named = (lua_istable(L, -1) || lua_isuserdata(L, -1)) && !takes_name(verb, lua_tostring(L, -2), &search);
        lua_pop(L, 1);
    }
    lua_settop(L, table);
    return named;
}

void bind_take(lua_State *L, int first, const char *who, const Verb *verb, Args *args)
{
    Err err = ERR_INIT;
    int positional, required, n_values = count_values(verb->values, &positional, &required);
    int top = lua_gettop(L), n = top - first + 1, options = 0;
    luaL_checkstack(L, n_values + 8, NULL);
    if (n > 0 && bind_is_options(L, top)) {
        lua_pushnil(L);
        bool empty = !lua_next(L, top);
        lua_settop(L, top);
        if ((!empty || n > required) && (empty || !is_named_value(L, n - 1, verb)))
            options = top, n--;
    }
    if (n > positional + verb->n_args) {
        bind_error(L, ERR_ARG, "%s takes at most %d arguments in a row, got %d; the rest goes by name in one table: {name = value}",
                   who, positional + verb->n_args, n);
    }
    if (options)
        check_names(L, options, who, verb);
    args_init(args, verb->args, verb->n_args);
    take_rows(L, first + positional, n - positional, options, who, verb, args);
    if (!args_complete(args, who, &err))
        bind_raise(L, &err);
    push_values(L, first, n, options, who, verb);
    for (int k = 0; k < n_values; k++)
        lua_copy(L, top + 1 + k, first + k);
    lua_settop(L, first + n_values - 1);
}

/* ---- functions and modules ---- */

const Verb *bind_verb(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

void bind_name(lua_State *L, const char *name)
{
    lua_getfield(L, LUA_REGISTRYINDEX, NAMES);
    lua_pushvalue(L, -2);
    lua_pushstring(L, name);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

const char *bind_find_name(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (lua_isnil(L, index))
        return NULL;
    lua_getfield(L, LUA_REGISTRYINDEX, NAMES);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    const char *name = lua_tostring(L, -1); /* kept alive by the table */
    lua_pop(L, 2);
    return name;
}

void bind_push_verb(lua_State *L, const Verb *verb, const char *name)
{
    lua_pushlightuserdata(L, (void *)verb);
    lua_pushcclosure(L, verb->call, 1);
    bind_name(L, name);
}

void bind_fill(lua_State *L, const VerbGroup *group)
{
    for (int i = 0; i < group->n_verbs; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", group->prefix, group->verbs[i].name);
        bind_push_verb(L, &group->verbs[i], name);
        lua_pushstring(L, group->verbs[i].name);
        lua_insert(L, -2);
        lua_rawset(L, -3);
    }
}

/* nn.Dens: did you mean nn.Dense? The module's name is upvalue 1. */
static int module_index(lua_State *L)
{
    const char *module = lua_tostring(L, lua_upvalueindex(1));
    char what[64];
    if (lua_type(L, 2) != LUA_TSTRING)
        return bind_error(L, ERR_NAME, "%s has no field that is %s", module, bind_what(L, 2, what));
    const char *word = lua_tostring(L, 2);
    NameSearch search;
    name_search(&search, word);
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            name_offer(&search, lua_tostring(L, -1));
    }
    if (search.best)
        return bind_error(L, ERR_NAME, "%s.%.60s: did you mean %s.%s?", module, word, module, search.best);
    return bind_error(L, ERR_NAME, "%s.%.60s is not there; help(\"%s\") lists what is", module, word, module);
}

void bind_module(lua_State *L, const char *name)
{
    lua_newtable(L);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, name);
    lua_pushcclosure(L, module_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_setmetatable(L, -2);
    bind_name(L, name);
    lua_pushvalue(L, -1);
    lua_setglobal(L, name);
}

/* ---- texts that grow ---- */

Buf *bind_buf(lua_State *L)
{
    Buf *buf = lua_newuserdatauv(L, sizeof *buf, 0);
    *buf = (Buf)BUF_INIT;
    luaL_setmetatable(L, BUF_TYPE);
    return buf;
}

void bind_push_buf(lua_State *L, const Buf *buf)
{
    Err err = ERR_INIT;
    if (!buf_ok(buf, &err))
        bind_raise(L, &err);
    lua_pushlstring(L, buf->data ? buf->data : "", buf->size);
}

static int buf_gc(lua_State *L)
{
    buf_fini(luaL_checkudata(L, 1, BUF_TYPE));
    return 0;
}

void bind_open(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, NAMES);
    luaL_newmetatable(L, BUF_TYPE);
    lua_pushcfunction(L, buf_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    bind_open_errors(L);
}
