// SPDX-License-Identifier: MIT
/* One loop at a time stands in `job`; its generation number tells the workers that there is a new one. A worker claims
 * tiles by an atomic counter that carries the generation in its upper half, so that a late worker can never claim a tile of
 * a newer loop with an older function. The caller takes part, then waits until `done` has counted every tile. */
#define _GNU_SOURCE
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#define RELAX() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define RELAX() __asm__ volatile("yield")
#else
#define RELAX() ((void)0)
#endif

#define SPINS 4000 /* about 40 microseconds before a worker sleeps */

static struct {
    pthread_mutex_t lock; /* guards sleeping workers and `quit` */
    pthread_cond_t wake;
    pthread_mutex_t taken; /* held by the caller whose loop runs */
    pthread_t threads[POOL_MOST];
    int n_threads; /* workers beside the caller */
    _Atomic int sleepers;
    _Atomic bool quit;
    _Atomic uint32_t generation;
    _Atomic uint64_t next; /* generation << 32 | next tile */
    _Atomic size_t done;
    _Atomic(PoolFn) fn;
    _Atomic(void *) ctx;
    _Atomic size_t n_tiles;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .taken = PTHREAD_MUTEX_INITIALIZER };

static void work(uint32_t generation, int worker)
{
    PoolFn fn = atomic_load(&pool.fn);
    void *ctx = atomic_load(&pool.ctx);
    size_t n_tiles = atomic_load(&pool.n_tiles);
    uint64_t ticket = atomic_load(&pool.next);
    while (ticket >> 32 == generation && (uint32_t)ticket < n_tiles) {
        if (!atomic_compare_exchange_weak(&pool.next, &ticket, ticket + 1))
            continue;
        fn(ctx, (uint32_t)ticket, worker);
        atomic_fetch_add(&pool.done, 1);
        ticket = atomic_load(&pool.next);
    }
}

static uint32_t wait_for_loop(uint32_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&pool.generation, memory_order_acquire) != seen || atomic_load(&pool.quit))
            return atomic_load(&pool.generation);
        RELAX();
    }
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while (atomic_load(&pool.generation) == seen && !atomic_load(&pool.quit))
        pthread_cond_wait(&pool.wake, &pool.lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
    return atomic_load(&pool.generation);
}

static void *worker_main(void *arg)
{
    int worker = (int)(intptr_t)arg;
    uint32_t seen = 0;
    while (!atomic_load(&pool.quit)) {
        uint32_t generation = wait_for_loop(seen);
        if (generation != seen)
            work(generation, worker);
        seen = generation;
    }
    return NULL;
}

/* The quota of a control group, in processors; a large number when there is none. */
static double cgroup_cores(void)
{
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    double quota = 0, period = 0, cores = 1e9;
    if (file && fscanf(file, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0)
        cores = quota / period;
    if (file)
        fclose(file);
    return cores;
}

int pool_cores(void)
{
    int n = (int)sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set))
        n = CPU_COUNT(&set);
#endif
    double most = cgroup_cores();
    if (n > most)
        n = (int)(most + 0.999);
    return n < 1 ? 1 : n > POOL_MOST ? POOL_MOST : n;
}

bool pool_start(int threads, Err *err)
{
    if (threads < 0 || threads > POOL_MOST)
        return err_set(err, ERR_ARG, "threads must be 1 to %d, got %d", POOL_MOST, threads);
    int wanted = (threads ? threads : pool_cores()) - 1;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&pool.quit, false);
    for (pool.n_threads = 0; pool.n_threads < wanted; pool.n_threads++)
        if (pthread_create(&pool.threads[pool.n_threads], NULL, worker_main, (void *)(intptr_t)(pool.n_threads + 1)))
            break;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pool.n_threads == wanted)
        return true;
    pool_stop();
    return err_set(err, ERR_IO, "the system refused to start %d threads; try --threads 1", wanted + 1);
}

void pool_stop(void)
{
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.quit, true);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
    while (pool.n_threads > 0)
        pthread_join(pool.threads[--pool.n_threads], NULL);
}

int pool_threads(void)
{
    return pool.n_threads + 1;
}

static void run_alone(size_t n_tiles, PoolFn fn, void *ctx)
{
    for (size_t tile = 0; tile < n_tiles; tile++)
        fn(ctx, tile, 0);
}

void pool_run(size_t n_tiles, PoolFn fn, void *ctx)
{
    if (n_tiles < 2 || pool.n_threads == 0 || n_tiles > UINT32_MAX || pthread_mutex_trylock(&pool.taken)) {
        run_alone(n_tiles, fn, ctx);
        return;
    }
    uint32_t generation = atomic_load(&pool.generation) + 1;
    atomic_store(&pool.next, (uint64_t)(generation - 1) << 32 | UINT32_MAX); /* closes the old loop */
    atomic_store(&pool.fn, fn);
    atomic_store(&pool.ctx, ctx);
    atomic_store(&pool.n_tiles, n_tiles);
    atomic_store(&pool.done, 0);
    atomic_store(&pool.next, (uint64_t)generation << 32);
    atomic_store(&pool.generation, generation);
    if (atomic_load(&pool.sleepers)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.lock);
    }
    work(generation, 0);
    for (int spins = 0; atomic_load(&pool.done) < n_tiles; spins++) {
        if (spins < SPINS)
            RELAX();
        else
            sched_yield(); /* more threads than processors: let the worker finish */
    }
    pthread_mutex_unlock(&pool.taken);
}

size_t pool_tiles(size_t n, double cost)
{
    double tiles = (double)n * cost / 32768;
    if (tiles > 64)
        tiles = 64;
    if (tiles > (double)n)
        tiles = (double)n;
    return tiles < 2 ? 1 : (size_t)tiles;
}
