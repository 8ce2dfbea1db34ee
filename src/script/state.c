// SPDX-License-Identifier: MIT
/* Life of an interpreter. The state comes from lua_newstate with our allocator, everything after that runs under a protected
 * call, so that no failure reaches Lua's panic. The count hook is set before any user code: coroutines inherit it at their
 * creation and cannot escape it. When Ctrl-C was pressed the hook raises, and asks to be called at every instruction from
 * then on, so that code which catches the error (`while true do pcall(loop) end`) is ended at its next instruction. */
#include "script/state.h"

#include <lualib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fence.h"
#include "base/mem.h"
#include "base/rng.h"
#include "script/bind.h"
#include "script/callbacks.h"
#include "script/enter.h"
#include "script/scope.h"
#include "script/trace.h"

#define SHIELD_S 3.0                /* so long may the step of a job take before Ctrl-C ends it */
#define HOOK_EVERY 1000             /* instructions; a few microseconds */
#define ANNOUNCE ((size_t)64 << 10) /* bytes of new tensors between steps of the collector */

Script *script_of(lua_State *L)
{
    return *(Script **)lua_getextraspace(L);
}

void script_say(Script *script, SayKind kind, const char *text, size_t n)
{
    if (script->host.say)
        script->host.say(script->host.ctx, kind, text, n);
}

void script_sayf(Script *script, SayKind kind, const char *format, ...)
{
    char text[1200];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (n > 0)
        script_say(script, kind, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* ---- interrupt ---- */

static void raise_stop(lua_State *L, Script *script)
{
    bind_error(L, ERR_INTERRUPT, script->leaving ? "leaving" : "interrupted");
}

/* Is the code that runs now to end? Ctrl-C is not for the step of a job, unless that goes on and on. */
static bool is_stopped(Script *script)
{
    if (!atomic_load_explicit(&script->stop, memory_order_relaxed) && !script->leaving)
        return false;
    return script->leaving || script->shield_s <= 0 || clock_now() - script->shield_s > SHIELD_S;
}

static void hook(lua_State *L, lua_Debug *ar)
{
    Script *script = script_of(L);
    (void)ar;
    if (!is_stopped(script)) {
        if (lua_gethookcount(L) != HOOK_EVERY)
            lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_EVERY);
        return;
    }
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    lua_sethook(script->L, hook, LUA_MASKCOUNT, 1);
    raise_stop(L, script);
}

void script_poll(lua_State *L)
{
    Script *script = script_of(L);
    if (is_stopped(script))
        raise_stop(L, script);
}

void script_interrupt(Script *script)
{
    atomic_store(&script->stop, true);
    mailbox_wake(script->box);
}

void script_clear_interrupt(Script *script)
{
    atomic_store(&script->stop, false);
}

/* ---- memory of tensors ---- */

void script_announce(lua_State *L, size_t bytes)
{
    Script *script = script_of(L);
    script->payload += bytes;
    script->owed += bytes;
    if (script->owed < ANNOUNCE)
        return;
    size_t kb = script->owed >> 10;
    script->owed = 0;
    lua_gc(L, LUA_GCSTEP, kb > 1 << 20 ? 1 << 20 : (int)kb);
}

void script_forget(lua_State *L, size_t bytes)
{
    Script *script = script_of(L);
    script->payload -= bytes < script->payload ? bytes : script->payload;
}

uint64_t script_seed(Script *script)
{
    Scope *scope = script->scope;
    if (scope && scope->run) /* whatever the prompt draws meanwhile */
        return rng_mix(rng_mix(scope->seed, scope->step), ++scope->draws + (uint64_t)1000000);
    return rng_mix(script->options.seed, ++script->draws);
}

/* ---- files ---- */

bool script_may_touch(const Script *script, const char *path, Err *err)
{
    return !script->options.safe || fence_holds(path, ".", err);
}

/* ---- life ---- */

static void warn(void *ud, const char *message, int more)
{
    script_say(ud, SAY_NOTE, message, strlen(message));
    if (!more)
        script_say(ud, SAY_NOTE, "\n", 1);
}

static int open_all(lua_State *L)
{
    luaL_checkstack(L, 40, NULL);
    luaL_openlibs(L);
    house_open(L);
    bind_open(L);
    callbacks_open(L);
    tensor_open(L);
    op_open(L);
    layer_open(L);
    model_open(L);
    run_open(L);
    jobs_open(L);
    data_open(L);
    text_open(L);
    augment_open(L);
    lines_open(L);
    sequence_open(L);
    help_open(L);
    base_open(L);
    lib_open(L);
    return 0;
}

static bool start(Script *script, Err *err)
{
    lua_State *L = lua_newstate(heap_resize, &script->heap);
    if (!L)
        return err_set(err, ERR_MEM, "no memory for a Lua interpreter");
    script->L = L;
    *(Script **)lua_getextraspace(L) = script;
    lua_setwarnf(L, warn, script);
    lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_EVERY);
    lua_pushcfunction(L, open_all); /* a light C function: allocates nothing */
    int status = lua_pcall(L, 0, 0, 0);
    if (status == LUA_OK)
        return true;
    if (status == LUA_ERRMEM)
        return err_set(err, ERR_MEM, "no memory for Lua's libraries");
    const char *text = lua_tostring(L, -1);
    return err_set(err, ERR_BUG, "the Lua libraries do not open: %s", text ? text : "no message");
}

static void serve(void *ctx)
{
    script_serve(ctx);
}

Script *script_new(const ScriptHost *host, const ScriptOptions *options, Err *err)
{
    Script *script = mem_zero(1, sizeof *script, err);
    if (!script)
        return NULL;
    script->host = *host;
    script->options = *options;
    if (script->options.columns <= 0)
        script->options.columns = 80;
    script->box = mailbox_new(err);
    if (!script->box || !start(script, err)) {
        script_free(script);
        return NULL;
    }
    run_set_serve(serve, script); /* all waits of this thread for a run */
    enter_publish(script);
    return script;
}

void script_free(Script *script)
{
    if (!script)
        return;
    run_set_serve(NULL, NULL);
    callbacks_close(script);
    trace_close(script);
    scope_close(script);
    if (script->L)
        lua_close(script->L);
    callbacks_fini(script);
    heap_fini(&script->heap);
    mailbox_free(script->box);
    mem_free(script);
}

void script_set_interactive(Script *script, bool interactive)
{
    bool was = script->options.interactive;
    script->options.interactive = interactive;
    if (interactive && !was)
        enter_publish(script);
}

void script_set_columns(Script *script, int columns)
{
    script->options.columns = columns > 0 ? columns : 80;
}

Mailbox *script_box(Script *script)
{
    return script->box;
}
