// SPDX-License-Identifier: MIT
/* What the files of script/ share: the interpreter and its surroundings. Only the thread that owns the Script touches it,
 * but for `stop` and the mailbox. */
#ifndef SCRIPT_STATE_H
#define SCRIPT_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <stdatomic.h>

#include "script/heap.h"
#include "script/script.h"
#include "tensor/tensor.h"

#define SCRIPT_SERVERS 4

struct Script {
    lua_State *L;
    ScriptHost host;
    ScriptOptions options;
    Heap heap;
    Mailbox *box;
    _Atomic bool stop;                  /* Ctrl-C: end the Lua code or the wait that is going on */
    bool leaving;                       /* os.exit was called: no Lua code runs any more */
    int status;                         /* of os.exit */
    size_t payload;                     /* bytes of tensors that Lua objects stand for */
    size_t owed;                        /* bytes of new tensors not yet announced to the collector */
    uint64_t draws;                     /* seeds drawn so far, so that each call has its own */
    void *bridges;                      /* callbacks.c: the Lua callbacks of runs, a list */
    lua_State *servers[SCRIPT_SERVERS]; /* threads on which callbacks run, one for each level of nesting */
    int serving;                        /* levels in use */
    int entered;                        /* blocks of the prompt so far */
    Run *inside[SCRIPT_SERVERS];        /* the runs whose callbacks are running now, outermost first; `serving` of them, borrowed */
    void *sources;                      /* trace.c: functions that layers were made of, a list */
    struct Scope *scope;                /* scope.h: the step whose ops run now, owned by its job; NULL: none */
    struct Scope *home;                 /* that of tape() outside of jobs; owned, NULL: not used yet */
    double shield_s;                    /* since when the step of a job runs: Ctrl-C is for other code; 0: none does */
    struct Tracing *tracing;            /* trace.c: what is traced now, borrowed; NULL: nothing */
};

Script *script_of(lua_State *L);

/* Say text through the host. */
void script_say(Script *script, SayKind kind, const char *text, size_t n);
void script_sayf(Script *script, SayKind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* A tensor of so many bytes came into Lua's hands (positive) or was given back: accounts for it and lets the collector work
 * in proportion, because Lua sees only the small userdata in front of it. May run finalisers. */
void script_announce(lua_State *L, size_t bytes);
void script_forget(lua_State *L, size_t bytes);

/* A new seed: the same sequence for the same --seed. */
uint64_t script_seed(Script *script);

/* Raise "interrupted" if Ctrl-C asked for it. For long loops in C. */
void script_poll(lua_State *L);

/* May this script touch this file? --safe keeps it below the working folder. Fails: ERR_IO. */
MUST_USE bool script_may_touch(const Script *script, const char *path, Err *err);

/* The replaced parts of Lua's own libraries (house.c). Pushes nothing. */
void house_open(lua_State *L);

/* Run a shell command without our terminal, its output given to say() as it comes, or collected in `out` when that is not
 * NULL. Returns the exit status (128 + signal for a killed one). Fails: ERR_IO, ERR_INTERRUPT, ERR_STATE (--safe). */
MUST_USE bool house_shell(Script *script, const char *command, Buf *out, int *status, Err *err);

/* Does this run wait for a callback that is running now? Whoever waits for it then waits for ever. */
bool script_inside(const Script *script, const Run *run);

/* Push the run as a Lua object (bind_run.c). Raises when memory runs out. */
void script_push_run(lua_State *L, Run *run);

/* The libraries of hebb itself; each pushes nothing and sets globals. */
void tensor_open(lua_State *L);
void op_open(lua_State *L);
void layer_open(lua_State *L);
void model_open(lua_State *L);
void run_open(lua_State *L);
void jobs_open(lua_State *L); /* behind run_open */
void data_open(lua_State *L);
void text_open(lua_State *L); /* behind data_open */
void augment_open(lua_State *L); /* behind model_open */
void lines_open(lua_State *L); /* behind data_open */
void sequence_open(lua_State *L); /* behind data_open and model_open */
void help_open(lua_State *L);
void base_open(lua_State *L);
void lib_open(lua_State *L); /* the files of script/lib; the last */

#endif
