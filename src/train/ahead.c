// SPDX-License-Identifier: MIT
/* There is one job at a time, in one of two slots; rows of it are claimed by counting `next` up. The thread sets `busy` while it may look
 * at the job; the trainer changes a job only when it has withdrawn what is posted and seen that nobody is busy. */
#include "train/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "tensor/kern.h"

struct Ahead {
    Tensor x; /* reference */
    Layer *layers[AUGMENT_MOST];
    int n_layers;
    uint64_t seed;
    int64_t size; /* of an image */
    real *pixels[2], *spare; /* owned, [batch_size, size] */
    int taken;     /* the slot that the trainer has */
    bool begun;    /* there is a job in the other one */
    int epoch;     /* of the job … */
    int64_t index, n;
    int64_t *rows; /* owned [batch_size] */
    _Atomic int64_t next;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    bool posted, busy, quit; /* under the lock */
    bool threaded;
    pthread_t thread;
};

static void make_row(const Ahead *a, int64_t i)
{
    const Shape *shape = &a->x.shape;
    real *out = a->pixels[!a->taken] + i * a->size;
    Picture picture = { out, a->spare + i * a->size, shape->d[1], shape->d[2], shape->d[3] };
    if (a->x.dtype == DTYPE_UINT8)
        kern_from_bytes(out, tensor_byte(&a->x) + a->rows[i] * a->size, a->size);
    else
        memcpy(out, tensor_real(&a->x) + a->rows[i] * a->size, (size_t)a->size * sizeof *out);
    augment_image(a->layers, a->n_layers, a->seed, (uint64_t)a->rows[i], (uint64_t)a->epoch, &picture);
    if (picture.now != out)
        memcpy(out, picture.now, (size_t)a->size * sizeof *out);
}

/* Claim a row and make it; false: there is none left. */
static bool make_one(Ahead *a)
{
    int64_t i = atomic_fetch_add(&a->next, 1);
    if (i < a->n)
        make_row(a, i);
    return i < a->n;
}

static void make_tile(void *ctx, size_t tile, int worker)
{
    (void)tile, (void)worker;
    make_one(ctx);
}

static void *ahead_main(void *ctx)
{
    Ahead *a = ctx;
    pthread_mutex_lock(&a->lock);
    while (!a->quit) {
        if (!a->posted) {
            pthread_cond_wait(&a->work, &a->lock);
            continue;
        }
        a->posted = false;
        a->busy = true;
        pthread_mutex_unlock(&a->lock);
        while (make_one(a)) { }
        pthread_mutex_lock(&a->lock);
        a->busy = false;
        pthread_cond_signal(&a->idle);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* Nobody looks at the job any more. */
static void settle(Ahead *a)
{
    pthread_mutex_lock(&a->lock);
    a->posted = false;
    while (a->busy)
        pthread_cond_wait(&a->idle, &a->lock);
    pthread_mutex_unlock(&a->lock);
}

static void set_job(Ahead *a, int epoch, int64_t index, const int64_t *rows, int64_t n)
{
    a->epoch = epoch;
    a->index = index;
    a->n = n;
    memcpy(a->rows, rows, (size_t)n * sizeof *rows);
    atomic_store(&a->next, 0);
    a->begun = true;
}

real *ahead_take(Ahead *a, int epoch, int64_t index, const int64_t *rows, int64_t n)
{
    if (!a->begun || a->epoch != epoch || a->index != index || a->n != n || memcmp(a->rows, rows, (size_t)n * sizeof *rows) != 0) {
        atomic_store(&a->next, a->n); /* what nobody wants is left undone */
        settle(a);
        set_job(a, epoch, index, rows, n);
    }
    int64_t made = atomic_load(&a->next);
    if (made < n)
        pool_run((size_t)(n - made), make_tile, a);
    settle(a);
    a->begun = false;
    a->taken = !a->taken;
    return a->pixels[a->taken];
}

void ahead_begin(Ahead *a, int epoch, int64_t index, const int64_t *rows, int64_t n)
{
    if (!a->threaded)
        return;
    set_job(a, epoch, index, rows, n);
    pthread_mutex_lock(&a->lock);
    a->posted = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
}

static bool start_thread(Ahead *a, Err *err)
{
    sigset_t all, before;
    if (pool_threads() < 2)
        return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    a->threaded = pthread_create(&a->thread, NULL, ahead_main, a) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return a->threaded || err_set(err, ERR_IO, "the system gives no thread for the augmentation of images");
}

Ahead *ahead_new(const Tensor *x, Layer *const *layers, int n_layers, int64_t batch_size, uint64_t seed, Err *err)
{
    Ahead *a = mem_zero(1, sizeof *a, err);
    if (!a)
        return NULL;
    *a = (Ahead){ .x = tensor_ref(x), .seed = seed, .size = shape_count_from(&x->shape, 1) };
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->work, NULL);
    pthread_cond_init(&a->idle, NULL);
    for (int i = 0; i < n_layers; i++)
        a->layers[a->n_layers++] = layer_ref(layers[i]);
    size_t n = (size_t)(batch_size * a->size);
    bool ok = (a->rows = mem_alloc((size_t)batch_size, sizeof *a->rows, err)) != NULL;
    real **rooms[] = { &a->pixels[0], &a->pixels[1], &a->spare };
    for (int i = 0; ok && i < 3; i++)
        ok = (*rooms[i] = mem_alloc(n, sizeof(real), err)) != NULL;
    if (ok && start_thread(a, err))
        return a;
    ahead_free(a);
    return NULL;
}

void ahead_free(Ahead *a)
{
    if (!a)
        return;
    if (a->threaded) {
        atomic_store(&a->next, a->n);
        pthread_mutex_lock(&a->lock);
        a->quit = true;
        pthread_cond_signal(&a->work);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->work);
    pthread_cond_destroy(&a->idle);
    for (int i = 0; i < a->n_layers; i++)
        layer_unref(a->layers[i]);
    tensor_unref(&a->x);
    mem_free(a->pixels[0]);
    mem_free(a->pixels[1]);
    mem_free(a->spare);
    mem_free(a->rows);
    mem_free(a);
}
