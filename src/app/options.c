// SPDX-License-Identifier: MIT
#include "app/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/pool.h"

typedef struct Row {
    char letter;       /* 0: none */
    const char *name;  /* without the dashes; NULL: none */
    const char *value; /* what its value is called; NULL: takes none */
    const char *help;
    bool (*take)(Options *options, const char *value, Err *err);
} Row;

static bool take_code(Options *options, const char *value, Err *err)
{
    (void)err;
    options->code = value;
    return true;
}

static bool take_prompt(Options *options, const char *value, Err *err)
{
    (void)value, (void)err;
    return options->then_prompt = true;
}

static bool take_watch(Options *options, const char *value, Err *err)
{
    (void)value, (void)err;
    return options->watch = true;
}

static bool take_plain(Options *options, const char *value, Err *err)
{
    (void)value, (void)err;
    return options->plain = true;
}

static bool take_safe(Options *options, const char *value, Err *err)
{
    (void)value, (void)err;
    return options->safe = true;
}

static bool take_help(Options *options, const char *value, Err *err)
{
    (void)value, (void)err;
    return options->help = true;
}

static bool take_version(Options *options, const char *value, Err *err)
{
    (void)value, (void)err;
    return options->version = true;
}

static bool take_theme(Options *options, const char *value, Err *err)
{
    (void)err;
    options->theme = value;
    return true;
}

static bool take_threads(Options *options, const char *value, Err *err)
{
    char *end;
    errno = 0;
    long n = strtol(value, &end, 10);
    if (errno || *end || end == value || n < 1 || n > POOL_MOST)
        return err_set(err, ERR_ARG, "--threads wants a whole number from 1 to %d, got \"%s\"", POOL_MOST, value);
    options->threads = (int)n;
    return true;
}

static bool take_seed(Options *options, const char *value, Err *err)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(value, &end, 10);
    if (errno || *end || end == value || value[0] == '-')
        return err_set(err, ERR_ARG, "--seed wants a whole number from 0 on, got \"%s\"", value);
    options->seed = n;
    return options->seed_given = true;
}

static const Row rows[] = {
    { 'e', NULL, "CODE", "run this Lua code", take_code },
    { 'i', NULL, NULL, "the prompt after FILE or CODE", take_prompt },
    { 'w', NULL, NULL, "the dashboard while FILE runs", take_watch },
    { 0, "plain", NULL, "no dashboard: lines only (also when ACCESSIBLE is set)", take_plain },
    { 0, "theme", "NAME", "colours: dark, light, colorblind, mono, or a file", take_theme },
    { 0, "threads", "N", "threads that compute (default: what the machine leaves to this process)", take_threads },
    { 0, "seed", "N", "seed of all random numbers (default: drawn, and shown)", take_seed },
    { 0, "safe", NULL, "no shell, no init file, no history, no files outside this folder", take_safe },
    { 'h', "help", NULL, "this text", take_help },
    { 'v', "version", NULL, "version, libraries, and what this machine offers", take_version },
};
#define N_ROWS (sizeof rows / sizeof *rows)

static const Row *find_letter(char letter)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].letter == letter && letter)
            return &rows[i];
    return NULL;
}

static const Row *find_name(const char *name, size_t length, Err *err)
{
    NameSearch search;
    char word[64], hint[96];
    if (length >= sizeof word)
        length = sizeof word - 1;
    memcpy(word, name, length);
    word[length] = '\0';
    name_search(&search, word);
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].name && !strcmp(rows[i].name, word))
            return &rows[i];
        if (rows[i].name)
            name_offer(&search, rows[i].name);
    }
    err_set(err, ERR_ARG, "no option --%s%s; hebb -h lists them", word, name_hint(&search, hint));
    return NULL;
}

/* One argument that begins with '-'; may take the next one as its value. Returns how many were used, 0 on failure. */
static int take_option(Options *options, char **argv, int left, Err *err)
{
    const char *word = argv[0], *value = NULL;
    const Row *row;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        row = find_name(word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2), err);
        value = equals ? equals + 1 : NULL;
    } else {
        row = find_letter(word[1]);
        if (!row)
            err_set(err, ERR_ARG, "no option -%c; hebb -h lists them", word[1]);
        else if (word[2] && row->value)
            value = word + 2;
        else if (word[2]) {
            err_set(err, ERR_ARG, "give options one by one: -%c %s", word[1], word + 2);
            return 0;
        }
    }
    if (!row)
        return 0;
    int used = 1;
    if (row->value && !value) {
        if (left < 2) {
            err_set(err, ERR_ARG, "%s wants %s behind it", word, row->value);
            return 0;
        }
        value = argv[1];
        used = 2;
    } else if (!row->value && value) {
        err_set(err, ERR_ARG, "--%s takes no value", row->name);
        return 0;
    }
    return row->take(options, value, err) ? used : 0;
}

bool options_parse(Options *options, int argc, char **argv, Err *err)
{
    *options = (Options){ 0 };
    int i = 1;
    while (i < argc) {
        if (!strcmp(argv[i], "--")) {
            i++;
            break;
        }
        if (argv[i][0] != '-' || !argv[i][1])
            break;
        int used = take_option(options, argv + i, argc - i, err);
        if (!used)
            return false;
        i += used;
    }
    if (i < argc && !options->code && !strcmp(argv[i], "bench"))
        options->command = argv[i++];
    else if (i < argc && !options->code && !strcmp(argv[i], "-"))
        options->input = argv[i++];
    else if (i < argc && !options->code)
        options->file = argv[i++];
    options->argc = argc - i;
    options->argv = argv + i;
    if (options->watch && !options->file)
        return err_set(err, ERR_ARG, "-w wants a FILE to run");
    return true;
}

void options_help(Buf *out)
{
    buf_puts(out, "hebb: a terminal laboratory for neural networks\n\n"
                  "  hebb                     the dashboard and its prompt; without a terminal: Lua from standard input\n"
                  "  hebb FILE [ARG ...]      run a script (its arguments are in arg and ...); - is standard input\n"
                  "  hebb -i FILE             run a script, then the prompt\n"
                  "  hebb -w FILE             the dashboard while a script runs\n"
                  "  hebb -e CODE             run one piece of Lua\n"
                  "  hebb bench [NAME ...]    time this machine's training (hebb bench --help: more)\n\n");
    for (size_t i = 0; i < N_ROWS; i++) {
        char left[40], *at = left;
        const Row *row = &rows[i];
        left[0] = '\0';
        if (row->letter) {
            *at++ = '-';
            *at++ = row->letter;
            *at = '\0';
        }
        if (row->letter && row->name)
            strcat(left, ", ");
        if (row->name)
            strcat(strcat(left, "--"), row->name);
        if (row->value)
            strcat(strcat(left, " "), row->value);
        buf_printf(out, "  %-16s %s\n", left, row->help);
    }
    buf_puts(out, "\nExit status: 0 success, 1 an error in the user's code or data, 2 wrong usage, 130 ended by Ctrl-C.\n"
                  "At the prompt: help() or ?name explains, tour() shows.\n");
}
