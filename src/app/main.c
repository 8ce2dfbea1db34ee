// SPDX-License-Identifier: MIT
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/bench.h"
#include "app/options.h"
#include "app/session.h"
#include "app/signals.h"
#include "app/version.h"
#include "base/mem.h"
#include "base/pool.h"

/* Leave a fifth of the memory to others, so that a mistake is an error message and not a machine that swaps. */
static void limit_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    if (pages > 0 && size > 0)
        mem_limit((size_t)pages / 5 * 4 * (size_t)size);
}

/* UTF-8 where it can be had; numbers always with a point. */
static void choose_locale(void)
{
    if (!setlocale(LC_ALL, "") || MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8");
    setlocale(LC_NUMERIC, "C");
}

static int print(void (*write_text)(Buf *))
{
    Buf out = BUF_INIT;
    write_text(&out);
    fputs(buf_text(&out), stdout);
    buf_fini(&out);
    return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
    signals_guard_streams();
    choose_locale();
    Err err = ERR_INIT;
    Options options;
    if (!options_parse(&options, argc, argv, &err)) {
        fprintf(stderr, "hebb: %s\n", err.text);
        return 2;
    }
    if (options.help)
        return print(options_help);
    limit_memory();
    if (!pool_start(options.threads, &err)) {
        fprintf(stderr, "hebb: %s\n", err.text);
        return 2;
    }
    int status;
    if (options.version)
        status = print(version_write);
    else if (options.command && !strcmp(options.command, "bench"))
        status = bench_run(options.argc, options.argv);
    else
        status = session_run(&options);
    pool_stop();
    return status;
}
