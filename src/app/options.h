// SPDX-License-Identifier: MIT
/* The command line: one table of options, from which come parsing, -h and the manual. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

typedef struct Options {
    const char *file;      /* FILE to run; NULL: none */
    const char *code;      /* -e CODE */
    bool input;            /* "-": Lua from standard input */
    bool then_prompt;      /* -i */
    bool watch;            /* -w: the dashboard while FILE runs */
    bool plain;            /* no dashboard */
    bool safe;             /* no shell, no init file, no history, no files outside the folder */
    bool help, version;
    const char *theme;     /* NULL: by the terminal */
    int threads;           /* 0: by the machine */
    bool seed_given;
    uint64_t seed;
    const char *command;   /* "bench"; NULL: none */
    int argc;              /* what follows FILE, CODE, "-" or the command */
    char **argv;
} Options;

/* Fails: ERR_ARG with a sentence (wrong usage, exit status 2). Borrows from argv. */
MUST_USE bool options_parse(Options *options, int argc, char **argv, Err *err);

/* What -h prints. */
void options_help(Buf *out);

#endif
