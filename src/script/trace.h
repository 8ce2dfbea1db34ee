// SPDX-License-Identifier: MIT
/* Lua functions as layers and losses: called on stand-ins, they leave a Program (nn/program.h). The function is kept in Lua's
 * registry for as long as a layer may have to be traced for its first shapes. The lua thread, but for the end of a source. */
#ifndef SCRIPT_TRACE_H
#define SCRIPT_TRACE_H

#include "nn/traced.h"
#include "script/bind.h"
#include "train/custom.h"

/* A source for the function at stack index, or for a class of nn.layer (a table with build and call). One reference. Raises. */
TraceSource *trace_source(lua_State *L, int index);

/* The function at stack index as a loss or metric of targets and predictions, for a model's output of this shape (batch -1): what it was
 * traced to for targets of the same shape and for class numbers, as far as it takes them. Its result is one number, or has the batch as its
 * first axis. `who` is named in messages. Raises when it takes neither. */
void trace_loss(lua_State *L, int index, const Shape *shape, const char *who, Custom *out);

/* All sources lose their functions: the interpreter is about to end. */
void trace_close(Script *script);

/* Raise when the value is a stand-in: its numbers mean nothing. `who` says what looked. */
void trace_refuse(lua_State *L, const Var *var, const char *who);

/* Whether the function that is traced now is traced for training. */
bool trace_training(const Script *script);

#endif
