// SPDX-License-Identifier: MIT
#include "script/watch.h"

#include <stdio.h>
#include <string.h>

#include "script/events.h"

/* The rows of one output as a tensor of their own, pushed. */
static void push_rows(lua_State *L, const Tensor *out, int64_t first, int64_t n)
{
    Tensor part = *out;
    Err err = ERR_INIT;
    TensorBox *box = tensor_box(L);
    part.shape.d[0] = n;
    part.data = (char *)out->data + (size_t)first * (tensor_size(out) / (size_t)out->shape.d[0]);
    if (!tensor_new(&box->hold, part.dtype, part.shape, &err))
        bind_raise(L, &err);
    memcpy(box->hold.data, part.data, tensor_size(&part));
    tensor_done(L, box, false);
}

/* {outputs = …} as Keras has it. */
static void push_outputs(lua_State *L, const Watch *w, int64_t first, int64_t n)
{
    lua_createtable(L, 0, 1);
    if (w->model->n_outputs > 1)
        lua_createtable(L, w->model->n_outputs, 0);
    for (int i = 0; i < w->model->n_outputs; i++) {
        push_rows(L, &w->out[i], first, n);
        if (w->model->n_outputs > 1)
            lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "outputs");
}

typedef struct Call {
    const Watch *watch;
    const char *event; /* "begin", "batch_end", … */
    int64_t batch;     /* 0: of no batch */
    int64_t first, n;  /* rows; n 0: the event has no logs */
} Call;

/* The event's function of every table in the list at 2; the Call at 1. */
static int call_tables(lua_State *L)
{
    const Call *call = lua_touserdata(L, 1);
    const Watch *w = call->watch;
    char name[40];
    snprintf(name, sizeof name, "on_%s_%s", w->verb, call->event);
    for (int i = 1; lua_rawgeti(L, 2, i) == LUA_TTABLE; i++, lua_settop(L, 2)) {
        if (lua_getfield(L, -1, name) == LUA_TNIL)
            continue;
        if (call->batch)
            lua_pushinteger(L, call->batch);
        if (call->n && w->logs)
            logs_push_of(L, w->model, w->logs);
        else if (call->n && call->batch)
            push_outputs(L, w, call->first, call->n);
        else
            lua_newtable(L);
        lua_call(L, call->batch ? 2 : 1, 0);
    }
    return 0;
}

/* Between two batches nothing may jump out of the engine. */
static bool tell(const Watch *w, Call call, Err *err)
{
    lua_State *L = w->L;
    call.watch = w;
    luaL_checkstack(L, 8, NULL);
    lua_pushcfunction(L, call_tables);
    lua_pushlightuserdata(L, &call);
    lua_pushvalue(L, w->list);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK)
        return true;
    bind_describe(L, -1, err);
    lua_pop(L, 1);
    return err_wrap(err, "callback on_%s_%s", w->verb, call.event);
}

static bool batch_begin(void *ctx, int64_t batch, Err *err)
{
    return tell(ctx, (Call){ .event = "batch_begin", .batch = batch }, err);
}

static bool batch_end(void *ctx, int64_t batch, int64_t first, int64_t n, Err *err)
{
    return tell(ctx, (Call){ .event = "batch_end", .batch = batch, .first = first, .n = n }, err);
}

void watch_begin(lua_State *L, int index, Watch *watch)
{
    Err err = ERR_INIT;
    bool has[ON_COUNT] = { false };
    watch->L = L;
    if (index == 0 || lua_isnoneornil(L, index))
        return;
    Run *run = model_run(watch->model);
    bool live = run && !run_has_ended(run);
    int id = run ? run_id(run) : 0;
    run_unref(run);
    if (live)
        bind_error(L, ERR_STATE, "run %d trains %s: its own callbacks are told of validation; stop it, or leave callbacks out here", id, watch->model->name);
    events_list(L, lua_absindex(L, index), has);
    watch->list = lua_gettop(L);
    watch->hook = (BatchHook){ watch, batch_begin, batch_end };
    if (!tell(watch, (Call){ .event = "begin" }, &err))
        bind_raise(L, &err);
}

void watch_end(Watch *watch)
{
    Err err = ERR_INIT;
    if (watch->list && !tell(watch, (Call){ .event = "end", .n = 1 }, &err))
        bind_raise(watch->L, &err);
}
