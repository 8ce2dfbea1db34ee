// SPDX-License-Identifier: MIT
/* The Lua texts that are compiled in (script/lib). A line "--- name(arguments): what it does" above a function is its help. */
#ifndef SCRIPT_LIB_H
#define SCRIPT_LIB_H

#include <lua.h>

typedef struct LibText {
    const char *name, *text;
} LibText;

const LibText *lib_at(int i); /* NULL behind the last */

/* (who, given, defaults, rules) -> a call's options (given: a table by names, or nil) with their defaults, in a new table. Raises for what
 * does not fit. An option is one that has a default or a rule. Its rule is the name of a kind (lib_options.c), a list of texts of which it
 * is one (functions = true: or a function), or true: who asks looks at it. Without a rule it must be of its default's kind. */
int lib_options(lua_State *L);

#endif
