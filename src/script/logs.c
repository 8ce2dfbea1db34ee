// SPDX-License-Identifier: MIT
/* Tables of metric values that print well: one line for evaluate's result, one aligned table for a run's history. Plain
 * tables otherwise. Order: loss, the others by name, then the same with val_ in front. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/bind_net.h"

#define LOGS "hebb.logs"
#define HISTORY "hebb.history"
#define COLUMNS_MOST 64
#define ROWS_SHOWN 12 /* at each end of a long history */

typedef struct Columns {
    const char *names[COLUMNS_MOST]; /* keys of the table, alive with it */
    int n;
} Columns;

static int column_rank(const char *name)
{
    bool validation = !strncmp(name, "val_", 4);
    const char *base = validation ? name + 4 : name;
    return (validation ? 4 : 1) + (!strcmp(base, "epoch") ? -1 : strcmp(base, "loss") != 0) +
           (!strcmp(base, "learning_rate") ? 6 : 0);
}

static int column_order(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    int rank = column_rank(x) - column_rank(y);
    return rank ? rank : strcmp(x, y);
}

static Columns columns_of(lua_State *L, int table)
{
    Columns columns = { .n = 0 };
    luaL_checkstack(L, 4, NULL);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && columns.n < COLUMNS_MOST)
            columns.names[columns.n++] = lua_tostring(L, -1);
    }
    qsort(columns.names, (size_t)columns.n, sizeof *columns.names, column_order);
    return columns;
}

/* Four decimals as Keras, or four digits below 0.001. */
static const char *number(double value, char out[32])
{
    if (isnan(value))
        return strcpy(out, "-");
    bool whole = value == floor(value) && fabs(value) < 1e9 && fabs(value) >= 1;
    snprintf(out, 32, whole ? "%.0f" : value != 0 && fabs(value) < 1e-3 ? "%.3e" : "%.4f", value);
    return out;
}

static int logs_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    Columns columns = columns_of(L, 1);
    Buf *out = bind_buf(L);
    for (int i = 0; i < columns.n; i++) {
        char text[32];
        lua_getfield(L, 1, columns.names[i]);
        buf_printf(out, "%s%s %s", i ? "   " : "", columns.names[i],
                   lua_type(L, -1) == LUA_TNUMBER ? number(lua_tonumber(L, -1), text) : "?");
        lua_pop(L, 1);
    }
    bind_push_buf(L, out);
    return 1;
}

static void history_cell(lua_State *L, const char *name, int row, char out[32])
{
    out[0] = '\0';
    if (lua_getfield(L, 1, name) == LUA_TTABLE) {
        if (lua_rawgeti(L, -1, row) == LUA_TNUMBER)
            number(lua_tonumber(L, -1), out);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int history_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    Columns columns = columns_of(L, 1);
    Buf *out = bind_buf(L);
    int widths[COLUMNS_MOST], rows = 0;
    char text[32];
    for (int i = 0; i < columns.n; i++) {
        int length = (int)strlen(columns.names[i]);
        widths[i] = length > 8 ? length : 8;
        if (lua_getfield(L, 1, columns.names[i]) == LUA_TTABLE && (int)lua_rawlen(L, -1) > rows)
            rows = (int)lua_rawlen(L, -1);
        lua_pop(L, 1);
        buf_printf(out, "%s%*s", i ? "  " : "", widths[i], columns.names[i]);
    }
    for (int row = 1; row <= rows; row++) {
        if (rows > 2 * ROWS_SHOWN + 1 && row == ROWS_SHOWN + 1) {
            buf_printf(out, "\n… %d epochs …", rows - 2 * ROWS_SHOWN);
            row = rows - ROWS_SHOWN + 1;
        }
        buf_put(out, '\n');
        for (int i = 0; i < columns.n; i++) {
            history_cell(L, columns.names[i], row, text);
            buf_printf(out, "%s%*s", i ? "  " : "", widths[i], text);
        }
    }
    if (!rows)
        buf_puts(out, columns.n ? "\n(no epoch has ended yet)" : "(no epoch has ended yet)");
    bind_push_buf(L, out);
    return 1;
}

void logs_push(lua_State *L, const char *const *names, const double *values, int n)
{
    lua_createtable(L, 0, n);
    for (int i = 0; i < n; i++) {
        lua_pushnumber(L, values[i]);
        lua_setfield(L, -2, names[i]);
    }
    luaL_setmetatable(L, LOGS);
}

void logs_set_history(lua_State *L)
{
    luaL_setmetatable(L, HISTORY);
}

void logs_open(lua_State *L)
{
    luaL_newmetatable(L, LOGS);
    lua_pushcfunction(L, logs_tostring);
    lua_setfield(L, -2, "__tostring");
    luaL_newmetatable(L, HISTORY);
    lua_pushcfunction(L, history_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 2);
}
