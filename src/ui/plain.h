// SPDX-License-Identifier: MIT
/* The plain face: text lines, no screen. Progress goes to standard error (one rewriting line where it is a terminal and
 * cursor movement is allowed; a line an epoch otherwise), everything else to standard output as it comes.
 * A Plain is used by one thread: the one that runs Lua and waits for runs. */
#ifndef UI_PLAIN_H
#define UI_PLAIN_H

#include "train/control.h"
#include "ui/face.h"

typedef struct Plain Plain;

/* rewrite: a progress line may rewrite itself (never with --plain or ACCESSIBLE, nor when standard error is no terminal).
 * Fails: ERR_MEM. */
MUST_USE Plain *plain_new(bool rewrite, Err *err);
void plain_free(Plain *plain); /* ends an open progress line */

/* Show the progress of this run (takes a reference) until it ends: with a line that rewrites itself where that may be, else
 * (Keras's verbose = 2) by a line for each epoch. */
void plain_watch(Plain *plain, Run *run, bool bar);

/* Print what is new; cheap when nothing is. Called several times a second by the waiting thread. */
void plain_tick(Plain *plain);

/* Is there a fact to print? While a line is being typed only facts are shown, not the state of the moment. */
bool plain_has_news(Plain *plain);
void plain_set_typing(Plain *plain, bool typing);

/* Called before something is written while a line is typed, to make room for it. */
void plain_set_above(Plain *plain, void (*above)(void));

/* Text for the user: to standard output, notes and errors to standard error; control characters of hostile text are made
 * visible. Any thread. Ends an open progress line first. */
void plain_say(Plain *plain, LineKind kind, const char *text, size_t n);

/* A prompt in line mode on a terminal, on the calling thread, until the user leaves: submit returns when Lua is done with the
 * block. The same history and completion as the dashboard's. */
MUST_USE bool plain_prompt(Plain *plain, const FaceHost *host, const FaceOptions *options, Err *err);

#endif
