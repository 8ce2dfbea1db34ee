// SPDX-License-Identifier: MIT
/* Running user code and telling what went wrong. */
#ifndef SCRIPT_ENTER_H
#define SCRIPT_ENTER_H

#include "script/state.h"

/* A message handler for lua_pcall: keeps the error value and notes the user's own lines for enter_report. */
int enter_handler(lua_State *L);

/* Say the error on top of the stack (and pop it): message, the user's lines, the nearest name. err gets code and message. */
void enter_report(lua_State *L, const char *before, Err *err);

/* Note the line that the compiler's message on top of the stack names, for enter_report. */
void enter_note_syntax(lua_State *L, const char *chunk);

/* The same for the error on top of a state that is not in a protected call. */
void enter_report_protected(lua_State *L, const char *before);

/* Remember the text of a chunk, so that reports can show its lines. */
void enter_keep_source(lua_State *L, const char *chunk, const char *text, size_t n);

/* Give the names that can be completed to the host (names.c). */
void enter_publish(Script *script);

#endif
