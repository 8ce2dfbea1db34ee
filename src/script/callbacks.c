// SPDX-License-Identifier: MIT
/* One question at a time per bridge, because its trainer waits for the answer. The question travels as the bridge's own mail,
 * so posting cannot fail. `lock` guards the fields below it; it is held for copying only, never while Lua or the trainer runs.
 * A trainer that must quit withdraws: it marks the question, and the lua thread skips it when the mail comes out.
 *
 * Lua code of a callback runs on a Lua thread of its own, one for each level of nesting (a callback that waits for another
 * run serves that run's callbacks), because the state that called us may stand inside a coroutine. */
#include "script/callbacks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "script/bind_net.h"
#include "script/enter.h"

typedef enum {
    ON_TRAIN_BEGIN,
    ON_EPOCH_BEGIN,
    ON_BATCH_BEGIN,
    ON_BATCH_END,
    ON_TEST_BEGIN,
    ON_TEST_BATCH_BEGIN,
    ON_TEST_BATCH_END,
    ON_TEST_END,
    ON_EPOCH_END,
    ON_TRAIN_END,
    ON_COUNT
} Event;

static const struct {
    const char *name, *also; /* Keras's second name */
    bool numbered;           /* of an epoch or a batch: its number comes first */
} events[ON_COUNT] = {
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
};

typedef struct Bridge {
    Mail mail;           /* first: the mailbox links it */
    struct Bridge *next; /* of the script's list; the lua thread's */
    _Atomic int refs;
    int ref; /* in Lua's registry: the list of tables */
    pthread_mutex_t lock;
    Script *script; /* NULL: Lua has ended */
    bool queued, withdrawn;
    Run *run; /* one reference while a question is open */
    Event event;
    int64_t number; /* epoch or batch */
    bool has_logs, has_validation;
    double logs[TELE_METRICS], validation[TELE_METRICS];
    bool ok;
    Err err;
    _Atomic bool done;
} Bridge;

static void bridge_unref(Bridge *bridge)
{
    if (atomic_fetch_sub(&bridge->refs, 1) > 1)
        return;
    pthread_mutex_destroy(&bridge->lock);
    mem_free(bridge);
}

/* ---- the trainer's side ---- */

static void copy_values(double *to, const double *from, const TelePlan *plan)
{
    for (int i = 0; i < plan->n_metrics && i < TELE_METRICS; i++)
        to[i] = from[i];
}

/* Put the question. False: Lua has ended, or an old question was never taken. */
static bool put(Bridge *bridge, Run *run, Event event, int64_t number, const double *logs, const double *validation)
{
    const TelePlan *plan = telemetry_plan(run_telemetry(run));
    pthread_mutex_lock(&bridge->lock);
    bool open = bridge->script && !bridge->queued;
    if (open) {
        bridge->run = run_ref(run);
        bridge->event = event;
        bridge->number = number;
        bridge->has_logs = logs != NULL;
        bridge->has_validation = validation != NULL && plan->validates;
        if (logs)
            copy_values(bridge->logs, logs, plan);
        if (bridge->has_validation)
            copy_values(bridge->validation, validation, plan);
        bridge->withdrawn = false;
        bridge->queued = true;
        bridge->ok = true;
        err_clear(&bridge->err);
        atomic_store(&bridge->done, false);
        mailbox_post(bridge->script->box, &bridge->mail);
    }
    pthread_mutex_unlock(&bridge->lock);
    return open;
}

static bool ask(void *ctx, Run *run, Event event, int64_t number, const double *logs, const double *validation, Err *err)
{
    Bridge *bridge = ctx;
    if (!put(bridge, run, event, number, logs, validation))
        return true;
    run_wake_waiters();
    bool answered = run_await(run, &bridge->done);
    pthread_mutex_lock(&bridge->lock);
    bool ok = !answered || bridge->ok;
    if (!answered)
        bridge->withdrawn = true;
    else if (!ok && err)
        *err = bridge->err;
    pthread_mutex_unlock(&bridge->lock);
    return ok;
}

static bool train_begin(void *ctx, Run *run, Err *err)
{
    return ask(ctx, run, ON_TRAIN_BEGIN, 0, NULL, NULL, err);
}

static bool epoch_begin(void *ctx, Run *run, int epoch, Err *err)
{
    return ask(ctx, run, ON_EPOCH_BEGIN, epoch, NULL, NULL, err);
}

static bool batch_begin(void *ctx, Run *run, int64_t step, Err *err)
{
    return ask(ctx, run, ON_BATCH_BEGIN, step, NULL, NULL, err);
}

static bool test_begin(void *ctx, Run *run, Err *err)
{
    return ask(ctx, run, ON_TEST_BEGIN, 0, NULL, NULL, err);
}

static bool test_batch_begin(void *ctx, Run *run, int64_t batch, Err *err)
{
    return ask(ctx, run, ON_TEST_BATCH_BEGIN, batch, NULL, NULL, err);
}

static bool test_batch_end(void *ctx, Run *run, int64_t batch, const double *logs, Err *err)
{
    return ask(ctx, run, ON_TEST_BATCH_END, batch, logs, NULL, err);
}

static bool test_end(void *ctx, Run *run, const double *logs, Err *err)
{
    return ask(ctx, run, ON_TEST_END, 0, logs, NULL, err);
}

static bool batch_end(void *ctx, Run *run, int64_t step, const double *logs, Err *err)
{
    return ask(ctx, run, ON_BATCH_END, step, logs, NULL, err);
}

static bool epoch_end(void *ctx, Run *run, int epoch, const double *logs, const double *validation, Err *err)
{
    return ask(ctx, run, ON_EPOCH_END, epoch, logs, validation, err);
}

static bool train_end(void *ctx, Run *run, Err *err)
{
    return ask(ctx, run, ON_TRAIN_END, 0, NULL, NULL, err);
}

static void release(void *ctx)
{
    bridge_unref(ctx);
}

/* ---- the lua thread's side ---- */

static void push_logs(lua_State *L, const Bridge *bridge)
{
    const TelePlan *plan = telemetry_plan(run_telemetry(bridge->run));
    lua_newtable(L);
    for (int i = 0; bridge->has_logs && i < plan->n_metrics; i++) {
        lua_pushnumber(L, bridge->logs[i]);
        lua_setfield(L, -2, plan->metrics[i]);
    }
    for (int i = 0; bridge->has_validation && i < plan->n_metrics; i++) {
        lua_pushfstring(L, "val_%s", plan->metrics[i]);
        lua_pushnumber(L, bridge->validation[i]);
        lua_rawset(L, -3);
    }
}

/* Call the event's function of every table in the list; bridge as light userdata at 1. */
static int call_tables(lua_State *L)
{
    Bridge *bridge = lua_touserdata(L, 1);
    const char *name = events[bridge->event].name, *also = events[bridge->event].also;
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge->ref);
    for (int i = 1; lua_rawgeti(L, 2, i) == LUA_TTABLE; i++) {
        lua_getfield(L, -1, name);
        if (also && lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_getfield(L, -1, also);
        }
        if (lua_isnil(L, -1)) {
            lua_settop(L, 2);
            continue;
        }
        bool numbered = events[bridge->event].numbered;
        if (numbered)
            lua_pushinteger(L, bridge->number);
        push_logs(L, bridge);
        script_push_run(L, bridge->run);
        lua_call(L, numbered ? 3 : 2, 0);
        lua_settop(L, 2);
    }
    return 0;
}

/* Run the callback protected, on the Lua thread of this level. */
static bool serve_bridge(Script *script, Bridge *bridge, Err *err)
{
    lua_State *L = script->servers[script->serving++];
    script->inside[script->serving - 1] = bridge->run;
    lua_pushcfunction(L, enter_handler);
    lua_pushcfunction(L, call_tables);
    lua_pushlightuserdata(L, bridge);
    int status = lua_pcall(L, 1, 0, -3);
    if (status != LUA_OK) {
        char before[80];
        snprintf(before, sizeof before, "in the callback %s of run %d: ", events[bridge->event].name, run_id(bridge->run));
        err_set(err, ERR_MEM, "memory ran out in a callback");
        bind_describe(L, -1, err);
        if (status != LUA_ERRMEM)
            enter_report_protected(L, before);
    }
    lua_settop(L, 0);
    script->serving--;
    return status == LUA_OK;
}

/* Close the question and wake the trainer. */
static void answer(Bridge *bridge, bool ok, const Err *err)
{
    pthread_mutex_lock(&bridge->lock);
    Run *run = bridge->run;
    bridge->run = NULL;
    bridge->ok = ok;
    if (!ok)
        bridge->err = *err;
    atomic_store(&bridge->done, true);
    pthread_mutex_unlock(&bridge->lock);
    run_answered(run);
    run_unref(run);
}

static void serve_mail(Script *script, Bridge *bridge)
{
    Err err = ERR_INIT;
    pthread_mutex_lock(&bridge->lock);
    bridge->queued = false;
    bool withdrawn = bridge->withdrawn;
    pthread_mutex_unlock(&bridge->lock);
    bool ok = withdrawn || serve_bridge(script, bridge, &err);
    answer(bridge, ok, &err);
}

/* Bridges whose runs are gone. */
static void sweep(Script *script)
{
    for (Bridge **at = (Bridge **)&script->bridges; *at;) {
        Bridge *bridge = *at;
        if (atomic_load(&bridge->refs) > 1) {
            at = &bridge->next;
            continue;
        }
        *at = bridge->next;
        luaL_unref(script->L, LUA_REGISTRYINDEX, bridge->ref);
        bridge_unref(bridge);
    }
}

bool script_inside(const Script *script, const Run *run)
{
    for (int i = 0; i < script->serving; i++)
        if (script->inside[i] == run)
            return true;
    return false;
}

/* After Ctrl-C callbacks stay queued until what it was meant for has ended: it ends Lua code, never a training. */
static Mail *next_mail(Script *script)
{
    return script->leaving || atomic_load(&script->stop) ? NULL : mailbox_take(script->box);
}

void script_serve(Script *script)
{
    if (script->leaving || script->serving >= SCRIPT_SERVERS)
        return;
    mailbox_drain(script->box);
    for (Mail *mail; (mail = next_mail(script));)
        serve_mail(script, (Bridge *)mail);
    if (script->host.tick)
        script->host.tick(script->host.ctx);
}

/* ---- making ---- */

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

/* Push the list of tables. */
static void push_list(lua_State *L, int index, bool has[ON_COUNT])
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

/* Built-in ones of the list, or the value by itself. Nothing raises between the first that is made and the end. */
static int take_builtin(lua_State *L, int index, RunCallback *out, Err *err)
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

/* The bridge to the tables of the list; false when there is nothing to call. */
static bool take_tables(lua_State *L, int index, RunCallback *out)
{
    Script *script = script_of(L);
    Err err = ERR_INIT;
    bool has[ON_COUNT] = { false }, any = false;
    sweep(script);
    push_list(L, lua_absindex(L, index), has);
    for (int i = 0; i < ON_COUNT; i++)
        any = any || has[i];
    if (!any) {
        lua_pop(L, 1);
        return false;
    }
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    Bridge *bridge = mem_zero(1, sizeof *bridge, &err);
    if (!bridge) {
        luaL_unref(L, LUA_REGISTRYINDEX, ref);
        bind_raise(L, &err);
    }
    pthread_mutex_init(&bridge->lock, NULL);
    atomic_init(&bridge->refs, 2);
    bridge->ref = ref;
    bridge->script = script;
    bridge->next = script->bridges;
    script->bridges = bridge;
    *out = (RunCallback){ .name = "lua", .ctx = bridge, .waits = true, .release = release };
    out->train_begin = has[ON_TRAIN_BEGIN] ? train_begin : NULL;
    out->epoch_begin = has[ON_EPOCH_BEGIN] ? epoch_begin : NULL;
    out->batch_begin = has[ON_BATCH_BEGIN] ? batch_begin : NULL;
    out->test_begin = has[ON_TEST_BEGIN] ? test_begin : NULL;
    out->test_batch_begin = has[ON_TEST_BATCH_BEGIN] ? test_batch_begin : NULL;
    out->test_batch_end = has[ON_TEST_BATCH_END] ? test_batch_end : NULL;
    out->test_end = has[ON_TEST_END] ? test_end : NULL;
    out->batch_end = has[ON_BATCH_END] ? batch_end : NULL;
    out->epoch_end = has[ON_EPOCH_END] ? epoch_end : NULL;
    out->train_end = has[ON_TRAIN_END] ? train_end : NULL;
    return true;
}

int callbacks_take(lua_State *L, int index, RunCallback out[FIT_CALLBACKS])
{
    Err err = ERR_INIT;
    RunCallback bridge;
    index = lua_absindex(L, index);
    bool any = take_tables(L, index, &bridge);
    int n = take_builtin(L, index, out, &err);
    if (n < 0) {
        if (any)
            release(bridge.ctx);
        bind_raise(L, &err);
    }
    if (any)
        out[n++] = bridge;
    return n;
}

void callbacks_open(lua_State *L)
{
    Script *script = script_of(L);
    for (int i = 0; i < SCRIPT_SERVERS; i++) {
        script->servers[i] = lua_newthread(L);
        luaL_ref(L, LUA_REGISTRYINDEX);
    }
}

/* ---- the end ---- */

void callbacks_close(Script *script)
{
    Err err = ERR_INIT;
    err_set(&err, ERR_STATE, "Lua has ended");
    for (Bridge *bridge = script->bridges; bridge; bridge = bridge->next) {
        pthread_mutex_lock(&bridge->lock);
        bridge->script = NULL;
        pthread_mutex_unlock(&bridge->lock);
    }
    for (Mail *mail; script->box && (mail = mailbox_take(script->box));)
        answer((Bridge *)mail, false, &err);
}

void callbacks_fini(Script *script)
{
    while (script->bridges) {
        Bridge *bridge = script->bridges;
        script->bridges = bridge->next;
        bridge_unref(bridge);
    }
}
