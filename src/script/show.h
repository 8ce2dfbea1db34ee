// SPDX-License-Identifier: MIT
/* Values as the prompt prints them. */
#ifndef SCRIPT_SHOW_H
#define SCRIPT_SHOW_H

#include "script/state.h"

/* The value at index, in at most `width` columns where it can be folded: tables by sorted keys, cycles and depth cut, long
 * ones counted. May call __tostring, so it raises what that raises; call it protected. */
void show_value(lua_State *L, int index, Buf *out, int width);

#endif
