// SPDX-License-Identifier: MIT
/* Axes that follow one another in memory are merged. The last axis is the inner loop; where another axis has smaller steps (a
 * transposition), blocks of SIDE of its indices are taken together, so that both sides are touched in whole cache lines. */
#include "tensor/view.h"

#include "base/pool.h"
#include "tensor/kern.h"

#define SIDE 16
#define CHUNK 8192 /* of the last axis, in one unit of work */

typedef struct Walk {
    int rank;                                                      /* of the axes outside block and last */
    int64_t d[SHAPE_MOST], stride[SHAPE_MOST], apart[SHAPE_MOST];  /* apart: elements of y from one index to the next */
    int64_t block_d, block_stride, block_apart, last_d, last_stride;
    int64_t n_blocks, n_chunks;
    size_t n_units, n_tiles;
    int64_t offset;
    void *y, *x;
    DType dtype;
    enum { READ, WRITE, ADD } what;
} Walk;

static int merge(View *out, const View *in)
{
    int n = 0;
    for (int i = 0; i < in->rank; i++) {
        if (in->d[i] == 1)
            continue;
        if (n > 0 && out->stride[n - 1] == in->d[i] * in->stride[i]) {
            out->d[n - 1] *= in->d[i];
            out->stride[n - 1] = in->stride[i];
        } else {
            out->d[n] = in->d[i];
            out->stride[n++] = in->stride[i];
        }
    }
    return n;
}

static void walk_init(Walk *walk, const View *view)
{
    View merged;
    int n = merge(&merged, view), block = -1, last = n - 1;
    for (int i = 0; i < last; i++)
        if (merged.stride[i] < merged.stride[last] && (block < 0 || merged.stride[i] < merged.stride[block]))
            block = i;
    walk->offset = view->offset;
    walk->last_d = n ? merged.d[last] : 1;
    walk->last_stride = n ? merged.stride[last] : 1;
    walk->block_d = block < 0 ? 1 : merged.d[block];
    walk->block_stride = block < 0 ? 0 : merged.stride[block];
    walk->block_apart = 0;
    walk->rank = 0;
    walk->n_blocks = (walk->block_d + SIDE - 1) / SIDE;
    walk->n_chunks = (walk->last_d + CHUNK - 1) / CHUNK;
    walk->n_units = (size_t)(walk->n_blocks * walk->n_chunks);
    int64_t apart = walk->last_d;
    for (int i = last - 1; i >= 0; apart *= merged.d[i--]) {
        if (i == block) {
            walk->block_apart = apart;
            continue;
        }
        walk->d[walk->rank] = merged.d[i];
        walk->stride[walk->rank] = merged.stride[i];
        walk->apart[walk->rank++] = apart;
        walk->n_units *= (size_t)merged.d[i];
    }
}

/* SET for every element of one unit: P stands in y, Q in x. */
#define UNIT_LOOP(T, SET) \
    do { \
        T *y = (T *)walk->y + y_at; \
        T *x = (T *)walk->x + x_at; \
        for (int64_t from = first; from < end; from += SIDE) { \
            const int64_t to = rows > 1 && from + SIDE < end ? from + SIDE : end; \
            for (int64_t i = 0; i < rows; i++) { \
                T *p = y + i * walk->block_apart, *q = x + i * walk->block_stride; \
                if (step == 1) \
                    for (int64_t j = from; j < to; j++) { \
                        T *P = p + j, *Q = q + j; \
                        SET; \
                    } \
                else \
                    for (int64_t j = from; j < to; j++) { \
                        T *P = p + j, *Q = q + j * step; \
                        SET; \
                    } \
            } \
            if (rows == 1) \
                break; \
        } \
    } while (0)

static void run_unit(const Walk *walk, size_t unit)
{
    int64_t rest = (int64_t)unit, y_at = 0, x_at = walk->offset;
    const int64_t chunk = rest % walk->n_chunks, block = rest / walk->n_chunks % walk->n_blocks, step = walk->last_stride;
    rest /= walk->n_chunks * walk->n_blocks;
    for (int k = 0; k < walk->rank; k++) {
        y_at += rest % walk->d[k] * walk->apart[k];
        x_at += rest % walk->d[k] * walk->stride[k];
        rest /= walk->d[k];
    }
    y_at += block * SIDE * walk->block_apart;
    x_at += block * SIDE * walk->block_stride;
    const int64_t left = walk->block_d - block * SIDE, rows = left < SIDE ? left : SIDE;
    const int64_t first = chunk * CHUNK, end = first + CHUNK < walk->last_d ? first + CHUNK : walk->last_d;
    if (walk->what == WRITE)
        UNIT_LOOP(real, *Q = *P);
    else if (walk->what == ADD)
        UNIT_LOOP(real, *Q += *P);
    else if (walk->dtype == DTYPE_FLOAT32)
        UNIT_LOOP(real, *P = *Q);
    else if (walk->dtype == DTYPE_INT32)
        UNIT_LOOP(int32_t, *P = *Q);
    else
        UNIT_LOOP(uint8_t, *P = *Q);
}

static void run_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Walk *walk = ctx;
    size_t end = pool_first(walk->n_units, walk->n_tiles, tile + 1);
    for (size_t unit = pool_first(walk->n_units, walk->n_tiles, tile); unit < end; unit++)
        run_unit(walk, unit);
}

static void run(Walk *walk, const View *view)
{
    int64_t count = 1;
    for (int i = 0; i < view->rank; i++)
        count *= view->d[i];
    if (count == 0)
        return;
    walk_init(walk, view);
    walk->n_tiles = pool_tiles(walk->n_units, 2 * (double)count / (double)walk->n_units);
    pool_run(walk->n_tiles, run_tile, walk);
}

void view_read(void *y, const void *x, const View *view, DType dtype)
{
    Walk walk = { .y = y, .x = (void *)(uintptr_t)x, .dtype = dtype, .what = READ };
    run(&walk, view);
}

void view_write(real *x, const real *y, const View *view, bool add)
{
    Walk walk = { .y = (void *)(uintptr_t)y, .x = x, .dtype = DTYPE_FLOAT32, .what = add ? ADD : WRITE };
    run(&walk, view);
}
