// SPDX-License-Identifier: MIT
/* The thread sleeps on two mailboxes: entered blocks, and callbacks of runs (script_box). The ui reads `busy`, `queued` and the
 * newest index under a lock that is held for a few instructions. */
#define _GNU_SOURCE
#include "app/luathread.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "app/signals.h"
#include "base/clock.h"
#include "base/mem.h"

#define SERVED_MS 500 /* a step of a job that takes longer is work that Ctrl-C reaches; others are no news */

typedef struct Block {
    Mail mail; /* first */
    char text[];
} Block;

struct LuaThread {
    pthread_t thread;
    bool started;
    Console *console;     /* borrowed */
    const Options *options; /* borrowed */
    ScriptOptions how;
    Mailbox *blocks;      /* owned; Block messages */
    ScriptCheck *check;   /* ui thread's */
    pthread_mutex_t lock; /* guards script, index */
    Script *script;       /* the lua thread's; others only interrupt it, under the lock */
    NameIndex *index;     /* newest, one reference */
    _Atomic bool busy, leaving;
    _Atomic int64_t served_ms; /* since when steps of jobs are served; 0: they are not */
    _Atomic int queued, status;
    _Atomic bool status_set;
};

static void host_say(void *ctx, SayKind kind, const char *text, size_t n)
{
    static const LineKind kinds[] = { [SAY_OUT] = LINE_OUT, [SAY_VALUE] = LINE_VALUE, [SAY_NOTE] = LINE_NOTE, [SAY_ERROR] = LINE_ERROR };
    LuaThread *lua = ctx;
    console_write(lua->console, kinds[kind], text, n);
    face_wake();
}

static void host_publish(void *ctx, NameIndex *take)
{
    LuaThread *lua = ctx;
    pthread_mutex_lock(&lua->lock);
    NameIndex *old = lua->index;
    lua->index = take;
    pthread_mutex_unlock(&lua->lock);
    index_unref(old);
}

static void host_leave(void *ctx, int status)
{
    LuaThread *lua = ctx;
    atomic_store(&lua->status, status);
    atomic_store(&lua->status_set, true);
    atomic_store(&lua->leaving, true);
    face_quit();
}

static void host_run_began(void *ctx, Run *run, bool bar)
{
    (void)ctx, (void)run, (void)bar;
    face_wake();
}

static bool host_waiting(void *ctx)
{
    LuaThread *lua = ctx;
    return atomic_load(&lua->queued) > 0 || atomic_load(&lua->leaving);
}

static int64_t clock_ms(void)
{
    return (int64_t)(clock_now() * 1e3) + 1;
}

/* ---- the thread ---- */

static void set_busy(LuaThread *lua, bool busy)
{
    atomic_store(&lua->busy, busy);
    face_wake();
}

static void run_given(LuaThread *lua)
{
    Err err = ERR_INIT;
    const Options *options = lua->options;
    bool ok = true;
    script_set_interactive(lua->script, false);
    if (options->file)
        ok = script_run_file(lua->script, options->file, options->argc, options->argv, &err);
    if (ok && options->code)
        ok = script_run_text(lua->script, options->code, strlen(options->code), "=(command line)", options->argc, options->argv, &err);
    script_set_interactive(lua->script, true);
    if (!options->watch)
        return;
    ok = ok && script_finish_runs(lua->script, &err);
    if (!atomic_load(&lua->status_set))
        host_leave(lua, ok ? 0 : 1);
}

static void wait_for_work(LuaThread *lua)
{
    struct pollfd fds[2] = { { .fd = mailbox_fd(lua->blocks), .events = POLLIN }, { .fd = mailbox_fd(script_box(lua->script)), .events = POLLIN } };
    poll(fds, 2, 1000);
    if (fds[0].revents)
        mailbox_drain(lua->blocks);
    if (!fds[1].revents)
        return;
    bool asked = script_asked(lua->script);
    if (asked)
        set_busy(lua, true); /* so that Ctrl-C reaches a callback that does not end */
    else
        atomic_store(&lua->served_ms, clock_ms());
    script_clear_interrupt(lua->script);
    script_serve(lua->script);
    atomic_store(&lua->served_ms, 0);
    if (asked)
        set_busy(lua, atomic_load(&lua->queued) > 0);
}

static void *lua_main(void *arg)
{
    LuaThread *lua = arg;
    Err err = ERR_INIT;
    signals_block();
    ScriptHost host = { lua, host_say, host_publish, host_leave, host_run_began, NULL, NULL, host_waiting };
    Script *script = script_new(&host, &lua->how, &err);
    if (!script) {
        console_puts(lua->console, LINE_ERROR, err.text);
        set_busy(lua, false);
        return NULL;
    }
    pthread_mutex_lock(&lua->lock);
    lua->script = script;
    pthread_mutex_unlock(&lua->lock);
    script_run_init(script);
    if (lua->options->file || lua->options->code)
        run_given(lua);
    set_busy(lua, false);
    while (!atomic_load(&lua->leaving)) {
        Block *block = (Block *)mailbox_take(lua->blocks);
        if (!block) {
            wait_for_work(lua);
            continue;
        }
        atomic_fetch_sub(&lua->queued, 1);
        set_busy(lua, true);
        script_clear_interrupt(script);
        script_enter(script, block->text);
        mem_free(block);
        set_busy(lua, atomic_load(&lua->queued) > 0);
    }
    pthread_mutex_lock(&lua->lock);
    lua->script = NULL;
    pthread_mutex_unlock(&lua->lock);
    script_free(script);
    return NULL;
}

/* ---- what the ui calls ---- */

static void face_submit(void *ctx, const char *text)
{
    LuaThread *lua = ctx;
    size_t size = strlen(text) + 1;
    Err err = ERR_INIT;
    Block *block = mem_alloc(1, sizeof *block + size, &err);
    if (!block) {
        console_puts(lua->console, LINE_ERROR, err.text);
        return;
    }
    memcpy(block->text, text, size);
    atomic_fetch_add(&lua->queued, 1);
    atomic_store(&lua->busy, true);
    mailbox_post(lua->blocks, &block->mail);
}

static void face_interrupt(void *ctx)
{
    LuaThread *lua = ctx;
    pthread_mutex_lock(&lua->lock);
    if (lua->script)
        script_interrupt(lua->script);
    pthread_mutex_unlock(&lua->lock);
}

static bool face_busy(void *ctx)
{
    LuaThread *lua = ctx;
    int64_t since = atomic_load(&lua->served_ms);
    return atomic_load(&lua->busy) || (since > 0 && clock_ms() - since > SERVED_MS);
}

static int face_queued(void *ctx)
{
    LuaThread *lua = ctx;
    return atomic_load(&lua->queued);
}

static void face_clear_queue(void *ctx)
{
    LuaThread *lua = ctx;
    for (Mail *mail; (mail = mailbox_take(lua->blocks));) {
        atomic_fetch_sub(&lua->queued, 1);
        mem_free(mail);
    }
}

static bool face_is_complete(void *ctx, const char *block)
{
    LuaThread *lua = ctx;
    return script_is_complete(lua->check, block);
}

static NameIndex *face_index(void *ctx)
{
    LuaThread *lua = ctx;
    pthread_mutex_lock(&lua->lock);
    NameIndex *index = lua->index ? index_ref(lua->index) : NULL;
    pthread_mutex_unlock(&lua->lock);
    return index;
}

static const char *face_help(void *ctx, const char *name, Buf *out)
{
    (void)ctx;
    return script_help(name, out, NULL) ? buf_text(out) : NULL;
}

FaceHost luathread_host(LuaThread *lua)
{
    return (FaceHost){ lua, face_submit, face_interrupt, face_busy, face_queued, face_clear_queue, face_is_complete, face_index, face_help, NULL, -1 };
}

LuaThread *luathread_new(Console *console, const ScriptOptions *how, const Options *options, Err *err)
{
    LuaThread *lua = mem_zero(1, sizeof *lua, err);
    if (!lua)
        return NULL;
    lua->console = console;
    lua->options = options;
    lua->how = *how;
    pthread_mutex_init(&lua->lock, NULL);
    atomic_store(&lua->busy, true);
    lua->blocks = mailbox_new(err);
    lua->check = lua->blocks ? script_check_new(err) : NULL;
    if (lua->check && pthread_create(&lua->thread, NULL, lua_main, lua))
        err_set(err, ERR_IO, "the system refused to start a thread");
    else
        lua->started = lua->check != NULL;
    if (lua->started)
        return lua;
    luathread_free(lua);
    return NULL;
}

int luathread_leave(LuaThread *lua, int otherwise)
{
    atomic_store(&lua->leaving, true);
    face_clear_queue(lua);
    mailbox_wake(lua->blocks);
    /* The interrupt may arrive between two statements that clear it: repeat until the thread has ended. */
    struct timespec patience;
    do {
        face_interrupt(lua);
        clock_gettime(CLOCK_REALTIME, &patience);
        patience.tv_nsec += 50000000;
        if (patience.tv_nsec >= 1000000000) {
            patience.tv_nsec -= 1000000000;
            patience.tv_sec++;
        }
    } while (pthread_timedjoin_np(lua->thread, NULL, &patience));
    lua->started = false;
    return atomic_load(&lua->status_set) ? atomic_load(&lua->status) : otherwise;
}

void luathread_free(LuaThread *lua)
{
    if (!lua)
        return;
    if (lua->started)
        luathread_leave(lua, 0);
    if (lua->blocks)
        face_clear_queue(lua);
    mailbox_free(lua->blocks);
    script_check_free(lua->check);
    index_unref(lua->index);
    pthread_mutex_destroy(&lua->lock);
    mem_free(lua);
}
