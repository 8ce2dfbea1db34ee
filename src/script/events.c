// SPDX-License-Identifier: MIT
#include "script/events.h"

#include <string.h>

#include "base/name.h"

const EventRow events[ON_COUNT] = {
    [ON_TRAIN_BEGIN] = { "on_train_begin", NULL, false },
    [ON_EPOCH_BEGIN] = { "on_epoch_begin", NULL, true },
    [ON_BATCH_BEGIN] = { "on_train_batch_begin", "on_batch_begin", true },
    [ON_BATCH_END] = { "on_train_batch_end", "on_batch_end", true },
    [ON_TEST_BEGIN] = { "on_test_begin", NULL, false },
    [ON_TEST_BATCH_BEGIN] = { "on_test_batch_begin", NULL, true },
    [ON_TEST_BATCH_END] = { "on_test_batch_end", NULL, true },
    [ON_TEST_END] = { "on_test_end", NULL, false },
    [ON_EPOCH_END] = { "on_epoch_end", NULL, true },
    [ON_TRAIN_END] = { "on_train_end", NULL, false },
    [ON_PREDICT_BEGIN] = { "on_predict_begin", NULL, false },
    [ON_PREDICT_BATCH_BEGIN] = { "on_predict_batch_begin", NULL, true },
    [ON_PREDICT_BATCH_END] = { "on_predict_batch_end", NULL, true },
    [ON_PREDICT_END] = { "on_predict_end", NULL, false },
};

static void check_names(lua_State *L, int table, bool has[ON_COUNT])
{
    lua_pushnil(L);
    while (lua_next(L, table)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        NameSearch search;
        char hint[96];
        bool known = false;
        name_search(&search, key);
        for (int i = 0; i < ON_COUNT; i++) {
            if (!strcmp(events[i].name, key) || (events[i].also && !strcmp(events[i].also, key)))
                known = has[i] = true;
            name_offer(&search, events[i].name);
        }
        if (!known && !strncmp(key, "on_", 3))
            bind_error(L, ERR_NAME, "a callback has no event \"%.40s\"%s", key, name_hint(&search, hint));
        if (known && !lua_isfunction(L, -1))
            bind_error(L, ERR_ARG, "callback %s wants a function, got a %s", key, luaL_typename(L, -1));
        lua_pop(L, 1);
    }
}

static bool is_builtin(lua_State *L, int index)
{
    const Recipe *recipe = bind_test(L, index, &kind_recipe);
    return recipe && recipe->type == RECIPE_CALLBACK;
}

void events_list(lua_State *L, int index, bool has[ON_COUNT])
{
    char what[64];
    if (is_builtin(L, index)) { /* one by itself */
        lua_newtable(L);
        return;
    }
    if (!lua_istable(L, index))
        bind_error(L, ERR_ARG, "callbacks wants a list of tables like {on_epoch_end = function(epoch, logs) … end}, got %s",
                   bind_what(L, index, what));
    lua_newtable(L);
    if (lua_rawlen(L, index) == 0) { /* one table by itself */
        check_names(L, index, has);
        lua_pushvalue(L, index);
        lua_rawseti(L, -2, 1);
        return;
    }
    for (int i = 1, n = 0; i <= (int)lua_rawlen(L, index); i++) {
        if (lua_rawgeti(L, index, i) == LUA_TUSERDATA && is_builtin(L, lua_gettop(L))) {
            lua_pop(L, 1);
            continue;
        }
        if (!lua_istable(L, -1))
            bind_error(L, ERR_ARG, "callback %d of the list is %s, not a table of functions or one like nn.EarlyStopping{}", i, bind_what(L, -1, what));
        check_names(L, lua_gettop(L), has);
        lua_rawseti(L, -2, ++n);
    }
}

int events_builtin(lua_State *L, int index, RunCallback *out, Err *err)
{
    int n = 0, list = lua_istable(L, index) ? (int)lua_rawlen(L, index) : 0;
    for (int i = list ? 1 : 0; i <= list; i++) {
        if (list)
            lua_rawgeti(L, index, i);
        else
            lua_pushvalue(L, index);
        const Recipe *recipe = bind_test(L, -1, &kind_recipe);
        lua_pop(L, 1);
        if (!recipe)
            continue;
        if (n >= FIT_CALLBACKS - 1)
            err_set(err, ERR_ARG, "fit: at most %d built-in callbacks", FIT_CALLBACKS - 1);
        if (n < FIT_CALLBACKS - 1 && callback_new(recipe->of.callback, &recipe->args, recipe->file, &out[n], err)) {
            out[n].builtin->fenced = script_of(L)->options.safe;
            n++;
            continue;
        }
        while (n > 0)
            out[n - 1].release(out[n - 1].ctx), n--;
        return -1;
    }
    return n;
}
