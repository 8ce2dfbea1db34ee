// SPDX-License-Identifier: MIT
/* Callbacks written in Lua. A Bridge stands between one run and the tables of functions that fit was given: the trainer
 * thread asks, the lua thread answers from script_serve. The run owns one reference to the bridge, the script another. */
#ifndef SCRIPT_CALLBACKS_H
#define SCRIPT_CALLBACKS_H

#include "script/state.h"
#include "train/run.h"

/* Threads for serving; called once, protected. */
void callbacks_open(lua_State *L);

/* A callback for FitOptions from the value at index: one table of functions named as Keras's, or a list of them. Fills out
 * and returns true; false when there is nothing to call. Raises for what is no callback. */
bool callbacks_take(lua_State *L, int index, RunCallback *out);

/* No Lua from here on: questions that wait are answered. Then, when the interpreter is gone, the memory. */
void callbacks_close(Script *script);
void callbacks_fini(Script *script);

#endif
