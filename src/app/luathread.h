// SPDX-License-Identifier: MIT
/* The lua thread of a session with a dashboard: it makes the interpreter, runs what the command line gave, then the blocks
 * that the user enters, one by one; between them it serves callbacks of runs. */
#ifndef APP_LUATHREAD_H
#define APP_LUATHREAD_H

#include "app/options.h"
#include "script/script.h"
#include "ui/face.h"

typedef struct LuaThread LuaThread;

/* Start it. console and options must outlive it. Fails: ERR_MEM, ERR_IO. */
MUST_USE LuaThread *luathread_new(Console *console, const ScriptOptions *how, const Options *options, Err *err);

/* What the dashboard asks of Lua; functions for the ui thread. */
FaceHost luathread_host(LuaThread *lua);

/* Interrupt what runs, end the thread, and return the exit status: what os.exit said, else `otherwise`, or 1 when the given
 * file failed with -w. */
int luathread_leave(LuaThread *lua, int otherwise);
void luathread_free(LuaThread *lua);

#endif
