// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "app/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "app/workload.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/name.h"
#include "base/pool.h"
#include "tensor/kern.h"

#define BLOCK_S 0.4
#define BLOCKS_MOST 101
#define SIDE 1024 /* of the matrices that show the machine's peak */

typedef struct Asked {
    bool json, help;
    int threads, blocks;
    char **names;
    int n_names;
} Asked;

typedef struct Timing {
    double seconds, flops; /* of a step */
    double allocations;
} Timing;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static bool steps(Ready *ready, int64_t n, Err *err)
{
    for (int64_t i = 0; i < n; i++)
        if (!workload_step(ready, err))
            return false;
    return true;
}

static bool measure(const Workload *workload, int blocks, Timing *out, Err *err)
{
    Ready ready;
    double means[BLOCKS_MOST];
    int64_t count = 0;
    bool ok = workload_init(&ready, workload, err) && steps(&ready, 3, err);
    for (double start = clock_now(); ok && clock_now() - start < BLOCK_S; count++)
        ok = steps(&ready, 1, err);
    uint64_t allocations = mem_count();
    for (int b = 0; ok && b < blocks; b++) {
        double start = clock_now();
        ok = steps(&ready, count, err);
        means[b] = (clock_now() - start) / (double)count;
    }
    if (ok) {
        out->allocations = (double)(mem_count() - allocations) / ((double)count * blocks);
        out->seconds = median(means, blocks);
        out->flops = 2 * workload_flops(&ready);
    }
    workload_fini(&ready);
    return ok;
}

/* Floating-point operations a second of a large product on all threads: the best of some tries. 0 when memory is short. */
static double peak_rate(void)
{
    size_t n = (size_t)SIDE * SIDE;
    real *a = mem_zero(3 * n, sizeof *a, NULL);
    double best = 0;
    if (!a)
        return 0;
    for (int i = 0; i < 8; i++) {
        double start = clock_now();
        kern_gemm(false, false, SIDE, SIDE, SIDE, 1, a, SIDE, a + n, SIDE, 0, a + 2 * n, SIDE);
        double rate = 2.0 * SIDE * SIDE * SIDE / (clock_now() - start);
        best = rate > best ? rate : best;
    }
    mem_free(a);
    return best;
}

static void print_help(void)
{
    printf("hebb bench [NAME ...]    time training steps on this machine; without a name: every workload\n\n"
           "  --json         one line of JSON a workload, for programs\n"
           "  --threads N    threads that compute (default: what the machine leaves to this process)\n"
           "  --blocks B     blocks of %.1f s, of which the median counts (default: 5)\n\nworkloads:\n",
           BLOCK_S);
    for (int i = 0; workload_at(i); i++)
        printf("  %-22s batches of %d, %s\n", workload_at(i)->name, (int)workload_at(i)->batch,
               workload_at(i)->infer ? "prediction only" : workload_at(i)->optimizer);
}

/* A whole number from 1 to `most`; 0: it is none. */
static int whole(const char *text, int most)
{
    char *end;
    long n = strtol(text, &end, 10);
    return end == text || *end || n < 1 || n > most ? 0 : (int)n;
}

static bool parse(Asked *asked, int argc, char **argv, Err *err)
{
    *asked = (Asked){ .blocks = 5, .names = argv };
    for (int i = 0; i < argc; i++) {
        bool threads = !strcmp(argv[i], "--threads"), blocks = !strcmp(argv[i], "--blocks");
        if (!strcmp(argv[i], "--json")) {
            asked->json = true;
        } else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            asked->help = true;
        } else if (threads || blocks) {
            int most = threads ? POOL_MOST : BLOCKS_MOST, n = i + 1 < argc ? whole(argv[i + 1], most) : 0;
            if (!n)
                return err_set(err, ERR_ARG, "bench: %s wants a whole number from 1 to %d behind it", argv[i], most);
            *(threads ? &asked->threads : &asked->blocks) = n;
            i++;
        } else if (argv[i][0] == '-') {
            return err_set(err, ERR_ARG, "bench: no option %s; hebb bench --help lists them", argv[i]);
        } else {
            asked->names[asked->n_names++] = argv[i];
        }
    }
    return true;
}

static bool check_names(const Asked *asked, Err *err)
{
    for (int i = 0; i < asked->n_names; i++) {
        NameSearch search;
        char hint[96];
        bool found = false;
        name_search(&search, asked->names[i]);
        for (int w = 0; workload_at(w) && !found; w++) {
            found = !strcmp(workload_at(w)->name, asked->names[i]);
            name_offer(&search, workload_at(w)->name);
        }
        if (!found)
            return err_set(err, ERR_NAME, "bench: no workload \"%s\"%s", asked->names[i], name_hint(&search, hint));
    }
    return true;
}

static bool wanted(const Asked *asked, const char *name)
{
    for (int i = 0; i < asked->n_names; i++)
        if (!strcmp(asked->names[i], name))
            return true;
    return asked->n_names == 0;
}

/* The process's largest so far, in megabytes; 0: unknown. */
static double resident_mb(void)
{
    struct rusage usage;
#ifdef __APPLE__
    double unit = 1 << 20;
#else
    double unit = 1 << 10;
#endif
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (double)usage.ru_maxrss / unit;
}

static void print_row(const Asked *asked, const Workload *workload, const Timing *timing, double peak)
{
    double samples = (double)workload->batch / timing->seconds, share = peak > 0 ? timing->flops / timing->seconds / peak : 0;
    if (asked->json)
        printf("{\"peer\": \"hebb-%s\", \"workload\": \"%s\", \"threads\": %d, \"ms_per_step\": %.4f, \"samples_per_s\": %.1f, "
               "\"peak_share\": %.4f, \"allocations_per_step\": %.2f, \"resident_mb\": %.1f}\n",
               HEBB_VERSION, workload->name, pool_threads(), timing->seconds * 1e3, samples, share, timing->allocations, resident_mb());
    else
        printf("%-22s %11.4f %14.0f %9.1f %7.1f %% %8.2f\n", workload->name, timing->seconds * 1e3, samples,
               timing->flops / timing->seconds / 1e9, 100 * share, timing->allocations);
    fflush(stdout);
}

static bool run_all(const Asked *asked, Err *err)
{
    double peak = peak_rate();
    if (!asked->json) {
        printf("%d thread%s, OpenBLAS %s kernels, %.0f GFLOP/s in a product of %d x %d matrices\n", pool_threads(),
               pool_threads() == 1 ? "" : "s", kern_blas_core(), peak / 1e9, SIDE, SIDE);
        if (kern_blas_warning())
            printf("! %s\n", kern_blas_warning());
        printf("%-22s %11s %14s %9s %9s %8s\n", "workload", "ms a step", "samples a s", "GFLOP/s", "of peak", "allocs");
    }
    for (int i = 0; workload_at(i); i++) {
        Timing timing;
        if (!wanted(asked, workload_at(i)->name))
            continue;
        if (!measure(workload_at(i), asked->blocks, &timing, err))
            return err_wrap(err, "%s", workload_at(i)->name);
        print_row(asked, workload_at(i), &timing, peak);
    }
    if (!asked->json && resident_mb() > 0)
        printf("largest resident memory: %.1f MB\n", resident_mb());
    return true;
}

int bench_run(int argc, char **argv)
{
    Err err = ERR_INIT;
    Asked asked;
    bool usage = parse(&asked, argc, argv, &err) && check_names(&asked, &err);
    if (usage && asked.help) {
        print_help();
        return fflush(stdout) ? 1 : 0;
    }
    if (usage && asked.threads) {
        pool_stop();
        usage = pool_start(asked.threads, &err);
    }
    if (usage && run_all(&asked, &err))
        return 0;
    fprintf(stderr, "hebb: %s\n", err.text);
    return usage ? 1 : 2;
}
