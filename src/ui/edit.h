// SPDX-License-Identifier: MIT
/* Editing a block of several lines in readline's one line: Up and Down move inside it before they leave it for the history,
 * Home, End and the kills work on the line of the block. Readline's own bindings are followed: whatever key the user gave
 * to a command of readline gets ours. The ui thread, after rl_initialize. */
#ifndef UI_EDIT_H
#define UI_EDIT_H

#include <stddef.h>

#include <stdio.h>

#include <readline/readline.h>

/* Put ours in the place of readline's commands, in all keymaps. */
void edit_install(void);

/* Every key of the map that does `from` does `to`; in the maps behind prefixes too. */
void edit_replace(Keymap map, rl_command_func_t *from, rl_command_func_t *to);

/* A newline at the point, indented as Lua's blocks are. */
void edit_newline(void);

/* Take back an indentation that `end`, `else`, `}` at the beginning of the point's line makes too deep. */
void edit_dedent(void);

/* Insert a text as one undoable change, whatever bytes it holds: CR and CRLF become newlines, other control characters are
 * dropped, newlines at its end too; prompt signs copied from a session ("> ") are taken off. */
void edit_paste(const char *text, size_t n);

#endif
