// SPDX-License-Identifier: MIT
/* One group of reduced axes is a reduction x [A, R, C] -> y [A, C] over the middle. Several groups are done one after the
 * other, the innermost first, with intermediate results in scratch. A reduction is cut into units: by A and blocks of COLUMNS
 * columns or, where these are few and R is long, by A and T runs of rows, whose partial results [A, T, C] are then combined in
 * the order of t. Rows are added eight at a time as a tree, which is faster and rounds less than one after the other. */
#include "tensor/reduce.h"

#include <string.h>

#include "base/pool.h"
#include "tensor/kern.h"

#define COLUMNS 256
#define ROWS_LEAST 64 /* of one run */

typedef struct Pass {
    const real *x;
    real *y, *partial;
    int64_t A, R, C, T, n_blocks; /* T: runs of rows; n_blocks: blocks of columns */
    size_t n_tiles;
    real factor;
    bool add, max;
} Pass;

void reduce_plan(Reduce *plan, const Shape *shape, unsigned axes)
{
    memset(plan, 0, sizeof *plan);
    for (int i = 0; i < shape->rank; i++) {
        bool reduced = axes >> i & 1;
        if (shape->d[i] == 1)
            continue;
        if (plan->n > 0 && plan->reduced[plan->n - 1] == reduced) {
            plan->d[plan->n - 1] *= shape->d[i];
        } else {
            plan->d[plan->n] = shape->d[i];
            plan->reduced[plan->n++] = reduced;
        }
    }
}

unsigned reduce_axes_between(const Shape *from, const Shape *to)
{
    unsigned axes = 0;
    for (int i = 0; i < from->rank; i++) {
        int own = i - (from->rank - to->rank);
        if (own < 0 || (to->d[own] == 1 && from->d[i] != 1))
            axes |= 1u << i;
    }
    return axes;
}

static int64_t product(const Reduce *plan, int first, int end)
{
    int64_t count = 1;
    for (int i = first; i < end; i++)
        count *= plan->d[i];
    return count;
}

/* Runs of rows; 1 where there are units enough without. */
static int64_t row_runs(int64_t A, int64_t R, int64_t C)
{
    if (A >= 64 || R < 2 * ROWS_LEAST)
        return 1;
    int64_t runs = (int64_t)pool_tiles((size_t)R, (double)A * (double)C);
    return runs > R / ROWS_LEAST ? R / ROWS_LEAST : runs;
}

/* The innermost reduced group, or -1; A, R, C around it. */
static int next_group(const Reduce *plan, int64_t *A, int64_t *R, int64_t *C)
{
    for (int k = plan->n - 1; k >= 0; k--)
        if (plan->reduced[k]) {
            *A = product(plan, 0, k);
            *R = plan->d[k];
            *C = product(plan, k + 1, plan->n);
            return k;
        }
    return -1;
}

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t partial_size(int64_t A, int64_t R, int64_t C)
{
    int64_t T = row_runs(A, R, C);
    return T > 1 ? round_up((size_t)(A * T * C) * sizeof(real)) : 0;
}

/* Bytes of the partial results of any pass, of even and of odd intermediate results: scratch holds them in this order. */
static void scratch_parts(const Reduce *plan, size_t *partial, size_t middle[2])
{
    Reduce left = *plan;
    int64_t A, R, C;
    *partial = middle[0] = middle[1] = 0;
    for (int k, pass = 0; (k = next_group(&left, &A, &R, &C)) >= 0; pass++) {
        size_t part = partial_size(A, R, C), size = round_up((size_t)(A * C) * sizeof(real));
        *partial = part > *partial ? part : *partial;
        left.d[k] = 1;
        left.reduced[k] = false;
        if (next_group(&left, &A, &R, &C) >= 0 && size > middle[pass & 1])
            middle[pass & 1] = size;
    }
}

size_t reduce_scratch(const Reduce *plan)
{
    size_t partial, middle[2];
    scratch_parts(plan, &partial, middle);
    return partial + middle[0] + middle[1];
}

/* ---- loops ---- */

/* acc [n] = the sum over rows of x [rows, stride], columns 0 … n-1. */
KERN_CLONES static void sum_rows(real *restrict acc, const real *x, int64_t rows, int64_t stride, int64_t n)
{
    memset(acc, 0, (size_t)n * sizeof *acc);
    int64_t r = 0;
    for (; r + 8 <= rows; r += 8) {
        const real *p = x + r * stride;
        for (int64_t c = 0; c < n; c++) {
            const real *q = p + c;
            acc[c] += ((q[0] + q[stride]) + (q[2 * stride] + q[3 * stride])) +
                      ((q[4 * stride] + q[5 * stride]) + (q[6 * stride] + q[7 * stride]));
        }
    }
    for (; r < rows; r++)
        for (int64_t c = 0; c < n; c++)
            acc[c] += x[r * stride + c];
}

KERN_CLONES static void max_rows(real *restrict acc, const real *x, int64_t rows, int64_t stride, int64_t n)
{
    memcpy(acc, x, (size_t)n * sizeof *acc);
    for (int64_t r = 1; r < rows; r++)
        for (int64_t c = 0; c < n; c++)
            acc[c] = kern_larger(x[r * stride + c], acc[c]);
}

static void rows_to(const Pass *pass, real *acc, const real *x, int64_t rows, int64_t n)
{
    if (n == 1 && pass->C == 1)
        *acc = pass->max ? kern_max(x, rows) : (real)kern_sum(x, rows);
    else if (pass->max)
        max_rows(acc, x, rows, pass->C, n);
    else
        sum_rows(acc, x, rows, pass->C, n);
}

static void finish(const Pass *pass, real *y, const real *acc, int64_t n)
{
    if (pass->max)
        memcpy(y, acc, (size_t)n * sizeof *y);
    else if (pass->add)
        for (int64_t c = 0; c < n; c++)
            y[c] += pass->factor * acc[c];
    else
        for (int64_t c = 0; c < n; c++)
            y[c] = pass->factor * acc[c];
}

/* Unit (a, t or block): T runs of rows over all columns, or one run over a block of columns. */
static void run_unit(const Pass *pass, int64_t unit)
{
    real acc[COLUMNS];
    int64_t per_a = pass->T * pass->n_blocks, a = unit / per_a, t = unit % per_a / pass->n_blocks, block = unit % pass->n_blocks;
    int64_t first = (int64_t)pool_first((size_t)pass->R, (size_t)pass->T, (size_t)t);
    int64_t rows = (int64_t)pool_first((size_t)pass->R, (size_t)pass->T, (size_t)t + 1) - first;
    int64_t column = block * COLUMNS, n = pass->C - column < COLUMNS ? pass->C - column : COLUMNS;
    const real *x = pass->x + (a * pass->R + first) * pass->C + column;
    if (pass->T > 1) {
        rows_to(pass, pass->partial + (a * pass->T + t) * pass->C + column, x, rows, n);
    } else {
        rows_to(pass, acc, x, rows, n);
        finish(pass, pass->y + a * pass->C + column, acc, n);
    }
}

static void run_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Pass *pass = ctx;
    size_t n_units = (size_t)(pass->A * pass->T * pass->n_blocks);
    size_t end = pool_first(n_units, pass->n_tiles, tile + 1);
    for (size_t unit = pool_first(n_units, pass->n_tiles, tile); unit < end; unit++)
        run_unit(pass, (int64_t)unit);
}

static void run_pass(Pass *pass)
{
    if (pass->A == 0 || pass->C == 0)
        return;
    pass->T = row_runs(pass->A, pass->R, pass->C);
    pass->n_blocks = (pass->C + COLUMNS - 1) / COLUMNS;
    size_t n_units = (size_t)(pass->A * pass->T * pass->n_blocks);
    pass->n_tiles = pool_tiles(n_units, (double)pass->A * (double)pass->R * (double)pass->C / (double)n_units);
    pool_run(pass->n_tiles, run_tile, pass);
    if (pass->T == 1)
        return;
    Pass last = *pass;
    last.x = pass->partial;
    last.R = pass->T;
    last.T = 1;
    for (int64_t unit = 0; unit < pass->A * pass->n_blocks; unit++)
        run_unit(&last, unit);
}

static void reduce(real *y, const real *x, const Reduce *plan, Pass pass, void *scratch)
{
    Reduce left = *plan;
    size_t partial, middle[2];
    scratch_parts(plan, &partial, middle);
    real *buffers[2] = { (real *)((char *)scratch + partial), (real *)((char *)scratch + partial + middle[0]) };
    Pass now = { .x = x, .partial = scratch, .A = 1, .R = 1, .C = product(plan, 0, plan->n), .max = pass.max };
    int k = next_group(&left, &now.A, &now.R, &now.C);
    for (int i = 0;; i++) {
        Pass then = now;
        if (k >= 0) {
            left.d[k] = 1;
            left.reduced[k] = false;
        }
        k = next_group(&left, &then.A, &then.R, &then.C);
        now.y = k >= 0 ? buffers[i & 1] : y;
        now.factor = k >= 0 ? 1 : pass.factor;
        now.add = k < 0 && pass.add;
        run_pass(&now);
        if (k < 0)
            return;
        then.x = now.y;
        now = then;
    }
}

void reduce_sum(real *y, const real *x, const Reduce *plan, real factor, bool add, void *scratch)
{
    reduce(y, x, plan, (Pass){ .factor = factor, .add = add }, scratch);
}

void reduce_max(real *y, const real *x, const Reduce *plan, void *scratch)
{
    reduce(y, x, plan, (Pass){ .max = true }, scratch);
}
