// SPDX-License-Identifier: MIT
/* The Lua texts that are compiled in (script/lib). A line "--- name(arguments): what it does" above a function is its help. */
#ifndef SCRIPT_LIB_H
#define SCRIPT_LIB_H

typedef struct LibText {
    const char *name, *text;
} LibText;

const LibText *lib_at(int i); /* NULL behind the last */

#endif
