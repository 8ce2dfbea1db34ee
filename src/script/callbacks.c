// SPDX-License-Identifier: MIT
/* One question at a time per bridge, because its trainer waits for the answer. The question travels as the bridge's own mail,
 * so posting cannot fail. `lock` guards the fields below it; it is held for copying only, never while Lua or the trainer runs.
 * A trainer that must quit withdraws: it marks the question, and the lua thread skips it when the mail comes out.
 *
 * Lua code of a callback runs on a Lua thread of its own, one for each level of nesting (a callback that waits for another
 * run serves that run's callbacks), because the state that called us may stand inside a coroutine. */
#include "script/callbacks.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "script/bind_net.h"
#include "script/enter.h"
#include "script/events.h"

#define SERVE_MOST 8 /* questions that are answered in one go */

typedef struct Bridge {
    Mail mail;           /* first: the mailbox links it */
    struct Bridge *next; /* of the script's list; the lua thread's */
    _Atomic int refs;
    int ref; /* in Lua's registry: the list of tables; of a job's step: what its body works on */
    lua_CFunction body; /* of a job's step, with ctx; else NULL */
    void *body_ctx;
    const Batch *batch; /* borrowed while the step runs */
    bool here;          /* the step runs in the call of who makes the job: errors are raised there */
    char where[100];    /* the user's line at which it failed */
    pthread_t thread;   /* where Lua runs */
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
    _Atomic int begun; /* of a step: STEP_OPEN … */
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
        atomic_store(&bridge->begun, STEP_OPEN);
        atomic_store(&bridge->done, false);
        mailbox_post(bridge->script->box, &bridge->mail);
    }
    pthread_mutex_unlock(&bridge->lock);
    return open;
}

/* What was answered; err when that is no. */
static bool read_answer(Bridge *bridge, bool answered, Err *err)
{
    pthread_mutex_lock(&bridge->lock);
    bool ok = !answered || bridge->ok;
    if (!answered)
        bridge->withdrawn = true;
    else if (!ok && err)
        *err = bridge->err;
    pthread_mutex_unlock(&bridge->lock);
    return ok;
}

static bool ask(void *ctx, Run *run, Event event, int64_t number, const double *logs, const double *validation, Err *err)
{
    Bridge *bridge = ctx;
    if (!put(bridge, run, event, number, logs, validation))
        return true;
    run_wake_waiters();
    return read_answer(bridge, run_await(run, &bridge->done), err);
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

/* A job's step: the value of its ref and its ctx go to the body. */
static int call_body(lua_State *L)
{
    Bridge *bridge = lua_touserdata(L, 1);
    lua_pushcfunction(L, bridge->body);
    lua_pushlightuserdata(L, bridge->body_ctx);
    lua_rawgeti(L, LUA_REGISTRYINDEX, bridge->ref);
    lua_call(L, 2, 0);
    return 0;
}

/* The message handler of a body: the innermost line of the user's own. */
static int body_handler(lua_State *L)
{
    Bridge *bridge = lua_touserdata(L, lua_upvalueindex(1));
    lua_Debug ar;
    bridge->where[0] = '\0';
    for (int level = 0; !bridge->where[0] && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0 && strncmp(ar.source, "=[hebb ", 7))
            snprintf(bridge->where, sizeof bridge->where, "%.80s:%d", ar.short_src, ar.currentline);
    }
    return enter_handler(L);
}

/* What went wrong is on top of the stack; err gets it with its line. */
static void describe_step(lua_State *L, const Bridge *bridge, int status, Err *err)
{
    err_set(err, ERR_MEM, "memory ran out in the step of a job");
    bind_describe(L, -1, err);
    if (status != LUA_ERRMEM && bridge->where[0] && strncmp(err->text, bridge->where, strlen(bridge->where)))
        err_wrap(err, "%s", bridge->where);
    if (err->code == ERR_INTERRUPT) /* Ctrl-C, after it went on for long */
        err->code = ERR_STATE;
}

/* Run the callback protected, on the Lua thread of this level. */
static bool serve_bridge(Script *script, Bridge *bridge, Err *err)
{
    lua_State *L = script->servers[script->serving++];
    script->inside[script->serving - 1] = bridge->run;
    if (bridge->body) {
        lua_pushlightuserdata(L, bridge);
        lua_pushcclosure(L, body_handler, 1);
    } else {
        lua_pushcfunction(L, enter_handler);
    }
    lua_pushcfunction(L, bridge->body ? call_body : call_tables);
    lua_pushlightuserdata(L, bridge);
    if (bridge->body)
        job_enter(bridge->run);
    int status = lua_pcall(L, 1, 0, -3);
    if (bridge->body)
        job_leave(bridge->run);
    if (status != LUA_OK && bridge->body) {
        char before[80];
        snprintf(before, sizeof before, "in the step of run %d: ", run_id(bridge->run));
        describe_step(L, bridge, status, err);
        if (status != LUA_ERRMEM && script->options.interactive && !bridge->here)
            enter_report_protected(L, before);
    } else if (status != LUA_OK) {
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

/* False: the trainer has given up. */
static bool begin_step(Bridge *bridge)
{
    int now;
    while (now = STEP_OPEN, !atomic_compare_exchange_strong(&bridge->begun, &now, STEP_BEGUN)) {
        if (now == STEP_GONE)
            return false;
        sched_yield(); /* STEP_TOLD: it writes a line */
    }
    return true;
}

static void serve_mail(Script *script, Bridge *bridge)
{
    Err err = ERR_INIT;
    pthread_mutex_lock(&bridge->lock);
    bridge->queued = false;
    bool withdrawn = bridge->withdrawn;
    pthread_mutex_unlock(&bridge->lock);
    withdrawn = withdrawn || (bridge->body && !begin_step(bridge));
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

bool script_asked(Script *script)
{
    bool asked = false;
    for (Bridge *bridge = script->bridges; bridge && !asked; bridge = bridge->next) {
        pthread_mutex_lock(&bridge->lock);
        asked = bridge->queued && !bridge->body;
        pthread_mutex_unlock(&bridge->lock);
    }
    return asked;
}

void script_serve(Script *script)
{
    if (script->leaving || script->serving >= SCRIPT_SERVERS)
        return;
    mailbox_drain(script->box);
    int n = 0;
    for (Mail *mail; n < SERVE_MOST && (mail = next_mail(script)); n++)
        serve_mail(script, (Bridge *)mail);
    if (n == SERVE_MOST)
        mailbox_wake(script->box); /* jobs may ask faster than we answer: who called us has other work, too */
    if (script->host.tick)
        script->host.tick(script->host.ctx);
}

/* ---- making ---- */

/* A bridge to the value on top of the stack, popped: one reference for the caller, one for the script. Raises. */
static Bridge *bridge_new(lua_State *L)
{
    Script *script = script_of(L);
    Err err = ERR_INIT;
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    Bridge *bridge = mem_zero(1, sizeof *bridge, &err);
    if (!bridge) {
        luaL_unref(L, LUA_REGISTRYINDEX, ref);
        bind_raise(L, &err);
        return NULL;
    }
    pthread_mutex_init(&bridge->lock, NULL);
    atomic_init(&bridge->refs, 2);
    bridge->ref = ref;
    bridge->thread = pthread_self();
    bridge->script = script;
    bridge->next = script->bridges;
    script->bridges = bridge;
    return bridge;
}

/* ---- steps of jobs ---- */

void *callbacks_bridge(lua_State *L, lua_CFunction body, void *ctx)
{
    sweep(script_of(L));
    Bridge *bridge = bridge_new(L);
    bridge->body = body;
    bridge->body_ctx = ctx;
    return bridge;
}

void callbacks_release(void *bridge)
{
    release(bridge);
}

const Batch *callbacks_batch(const void *bridge)
{
    return ((const Bridge *)bridge)->batch;
}

/* On the lua thread itself: the first step of a job that is being made. */
static bool step_here(Bridge *bridge, Run *run, Err *err)
{
    Script *script = bridge->script;
    if (script->serving >= SCRIPT_SERVERS)
        return err_set(err, ERR_STATE, "callbacks and jobs wait for one another %d deep", SCRIPT_SERVERS);
    bridge->run = run;
    bridge->event = ON_STEP;
    bridge->here = true;
    bool ok = serve_bridge(script, bridge, err);
    bridge->here = false;
    bridge->run = NULL;
    return ok;
}

bool callbacks_step(void *ctx, Run *run, const Batch *batch, Err *err)
{
    Bridge *bridge = ctx;
    bridge->batch = batch;
    if (bridge->script && pthread_equal(bridge->thread, pthread_self())) {
        bool ok = step_here(bridge, run, err);
        bridge->batch = NULL;
        return ok;
    }
    if (!put(bridge, run, ON_STEP, 0, NULL, NULL))
        return err_set(err, ERR_STATE, "Lua has ended, and with it the step of the job");
    run_wake_waiters();
    bool answered = run_await_step(run, &bridge->begun, &bridge->done);
    bool ok = read_answer(bridge, answered, err);
    bridge->batch = NULL;
    return answered ? ok : err_set(err, ERR_INTERRUPT, "the step was given up");
}

/* The bridge to the tables of the list; false when there is nothing to call. */
static bool take_tables(lua_State *L, int index, RunCallback *out)
{
    bool has[ON_COUNT] = { false }, any = false;
    sweep(script_of(L));
    events_list(L, lua_absindex(L, index), has);
    for (int i = 0; i < ON_PREDICT_BEGIN; i++)
        any = any || has[i];
    if (!any) {
        lua_pop(L, 1);
        return false;
    }
    Bridge *bridge = bridge_new(L);
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
    int n = events_builtin(L, index, out, &err);
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
