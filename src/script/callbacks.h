// SPDX-License-Identifier: MIT
/* Callbacks written in Lua. A Bridge stands between one run and the tables of functions that fit was given: the trainer
 * thread asks, the lua thread answers from script_serve. The run owns one reference to the bridge, the script another. */
#ifndef SCRIPT_CALLBACKS_H
#define SCRIPT_CALLBACKS_H

#include "script/state.h"
#include "train/job.h"

/* Threads for serving; called once, protected. */
void callbacks_open(lua_State *L);

/* Callbacks for FitOptions from the value at index: a table of functions named as Keras's, a built-in one (nn.EarlyStopping{…}), or a
 * list of both. Built-in ones come first, in order; all tables share one bridge. Returns how many there are in out, to be taken over
 * at once. Raises for what is no callback. */
int callbacks_take(lua_State *L, int index, RunCallback out[FIT_CALLBACKS]);

/* A bridge for the step of a job: body is called with ctx as light userdata at 1 and the value that stands on top of the stack now
 * (popped) at 2. Its reference goes to callbacks_step's ctx, given back by callbacks_release. Raises. */
void *callbacks_bridge(lua_State *L, lua_CFunction body, void *ctx);

/* Trainer: have the body run on the lua thread, with *batch, and wait. As Job.step. */
bool callbacks_step(void *bridge, Run *run, const Batch *batch, Err *err);
void callbacks_release(void *bridge);

/* What the step that runs now works on; NULL: none does. Borrowed. */
const Batch *callbacks_batch(const void *bridge);

/* No Lua from here on: questions that wait are answered. Then, when the interpreter is gone, the memory. */
void callbacks_close(Script *script);
void callbacks_fini(Script *script);

#endif
