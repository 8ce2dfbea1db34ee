// SPDX-License-Identifier: MIT
/* The one pool of worker threads. A loop is cut into tiles by its caller, from the sizes of the data alone, so that the
 * result does not depend on how many workers there are; workers claim tiles in any order. A caller that finds the pool
 * taken runs its tiles alone. Idle workers spin for some microseconds, then sleep. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/err.h"

#define POOL_MOST 64

/* A tile's work. worker is 0 … pool_threads()-1 and is not shared with a tile that runs at the same time in this loop:
 * an index into scratch memory. */
typedef void (*PoolFn)(void *ctx, size_t tile, int worker);

/* Start with so many threads in all, the caller's included (0: what this process may use, see pool_cores). Call once, from
 * the main thread, before the first loop; signals are blocked in the workers. Fails: ERR_MEM, ERR_IO. */
MUST_USE bool pool_start(int threads, Err *err);
void pool_stop(void);

/* How many tiles may run at once; 1 before pool_start. */
int pool_threads(void);

/* Processors that the affinity mask and the control group leave to this process. */
int pool_cores(void);

/* Run tiles 0 … n_tiles-1, return when all are done. Any thread; not from inside a tile. */
void pool_run(size_t n_tiles, PoolFn fn, void *ctx);

/* How many tiles a loop over n items of about `cost` scalar operations each should have (at least 1): a function of the
 * sizes alone, never of the number of threads. */
size_t pool_tiles(size_t n, double cost);

/* The first item of a tile, of n items cut into n_tiles (tile == n_tiles gives n). */
static inline size_t pool_first(size_t n, size_t n_tiles, size_t tile)
{
    return n / n_tiles * tile + (tile < n % n_tiles ? tile : n % n_tiles);
}

#endif
