// SPDX-License-Identifier: MIT
/* How others ask something of a run, and wait for it. Those that wait put the request on their own stack and take it back when
 * they are interrupted before it was begun. */
#include "train/trainer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

#define WAIT_S 0.05 /* between two looks of a waiter at its stop flag */

/* Everybody who waits for some run's state. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t count;
} waiters = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static _Thread_local struct {
    void (*serve)(void *ctx);
    void *ctx;
} server;

void run_wake_waiters(void)
{
    pthread_mutex_lock(&waiters.lock);
    waiters.count++;
    pthread_cond_broadcast(&waiters.changed);
    pthread_mutex_unlock(&waiters.lock);
}

void run_set_serve(void (*serve)(void *ctx), void *ctx)
{
    server.serve = serve;
    server.ctx = ctx;
}

struct timespec run_moment(clockid_t clock, double seconds)
{
    struct timespec at;
    clock_gettime(clock, &at);
    double ns = (double)at.tv_nsec + seconds * 1e9;
    at.tv_sec += (time_t)(ns / 1e9);
    at.tv_nsec = (long)fmod(ns, 1e9);
    return at;
}

static uint64_t waiters_count(void)
{
    pthread_mutex_lock(&waiters.lock);
    uint64_t count = waiters.count;
    pthread_mutex_unlock(&waiters.lock);
    return count;
}

/* Sleep until a state changed after `seen`, for at most WAIT_S. */
static void wait_change(uint64_t seen, double seconds)
{
    struct timespec until = run_moment(CLOCK_REALTIME, seconds);
    pthread_mutex_lock(&waiters.lock);
    if (waiters.count == seen)
        pthread_cond_timedwait(&waiters.changed, &waiters.lock, &until);
    pthread_mutex_unlock(&waiters.lock);
}

bool run_do_here(Run *run, RunFn fn, void *ctx, Err *err)
{
    pthread_mutex_lock(&run->model_lock);
    bool ok = fn(ctx, err);
    pthread_mutex_unlock(&run->model_lock);
    return ok;
}

void run_nudge(Run *run)
{
    run_answered(run);
}

static void enqueue(Run *run, Request *request)
{
    request->next = NULL;
    if (run->last)
        run->last->next = request;
    else
        run->first = request;
    run->last = request;
    atomic_store_explicit(&run->pending, true, memory_order_release);
    pthread_cond_signal(&run->work);
}

static bool post(Run *run, AskKind kind, int64_t n, double value, Err *err)
{
    Request *request = mem_zero(1, sizeof *request, err);
    if (!request)
        return false;
    request->kind = kind;
    request->n = n;
    request->value = value;
    pthread_mutex_lock(&run->lock);
    enqueue(run, request);
    pthread_mutex_unlock(&run->lock);
    return true;
}

/* With the lock held: take back a request that was not begun. */
static bool withdraw(Run *run, Request *request)
{
    for (Request **at = &run->first, *before = NULL; *at; before = *at, at = &(*at)->next)
        if (*at == request) {
            *at = request->next;
            if (run->last == request)
                run->last = before;
            return true;
        }
    return false;
}

bool run_ask(Run *run, Request *request, Err *err)
{
    request->waited = true;
    if (pthread_equal(pthread_self(), run->thread) || pthread_equal(pthread_self(), atomic_load(&run->stepper)))
        return request->kind == ASK_DO ? request->fn(request->ctx, err)
                                       : err_set(err, ERR_STATE, "run %d: not from inside its own callback", run->id);
    if (server.serve) /* a run that stands in a callback answers at once: who asks it again and again must not starve the callback */
        server.serve(server.ctx);
    pthread_mutex_lock(&run->lock);
    enqueue(run, request);
    while (!request->done) {
        if (request->stop && atomic_load(request->stop) && withdraw(run, request)) {
            pthread_mutex_unlock(&run->lock);
            return err_set(err, ERR_INTERRUPT, "interrupted while waiting for run %d", run->id);
        }
        struct timespec until = run_moment(CLOCK_MONOTONIC, WAIT_S);
        pthread_cond_timedwait(&run->served, &run->lock, &until);
        if (server.serve && !request->done) {
            pthread_mutex_unlock(&run->lock);
            server.serve(server.ctx);
            pthread_mutex_lock(&run->lock);
        }
    }
    pthread_mutex_unlock(&run->lock);
    if (!request->ok && err)
        *err = request->err;
    return request->ok;
}

static bool check_live(const Run *run, Err *err)
{
    if (!run_has_ended(run))
        return true;
    return err_set(err, ERR_STATE, "run %d is %s; run.epochs = N trains on, run:rewind(n) goes back", run->id,
                   run_state_name(run_state(run)));
}

bool run_pause(Run *run, Err *err)
{
    return check_live(run, err) && post(run, ASK_PAUSE, 0, 0, err);
}

bool run_resume(Run *run, Err *err)
{
    return check_live(run, err) && post(run, ASK_RESUME, 0, 0, err);
}

bool run_step(Run *run, int64_t n, Err *err)
{
    if (n < 1)
        return err_set(err, ERR_ARG, "step: at least 1, got %lld", (long long)n);
    return check_live(run, err) && post(run, ASK_STEP, n, 0, err);
}

bool run_stop(Run *run, Err *err)
{
    return check_live(run, err) && post(run, ASK_STOP, 0, 0, err);
}

bool run_set_rate(Run *run, double learning_rate, Err *err)
{
    if (!isfinite(learning_rate) || learning_rate < 0)
        return err_set(err, ERR_ARG, "the learning rate must be a number of at least 0, got %g", learning_rate);
    return check_live(run, err) && post(run, ASK_RATE, 0, learning_rate, err);
}

bool run_wait(Run *run, double seconds, const _Atomic bool *stop, void (*serve)(void *), void *ctx, Err *err)
{
    double end = seconds >= 0 ? clock_now() + seconds : 0;
    for (;;) {
        uint64_t seen = waiters_count(); /* before serving: what is asked behind it wakes us */
        if (serve)
            serve(ctx);
        if ((run_has_ended(run) || run_state(run) == RUN_TROUBLE) && !atomic_load(&run->pending))
            return true;
        if (stop && atomic_load(stop))
            return err_set(err, ERR_INTERRUPT, "interrupted while waiting for run %d", run->id);
        double left = seconds >= 0 ? end - clock_now() : WAIT_S;
        if (left <= 0)
            return true;
        wait_change(seen, left < WAIT_S ? left : WAIT_S);
    }
}

bool run_do(Run *run, RunFn fn, void *ctx, const _Atomic bool *stop, Err *err)
{
    Request request = { .kind = ASK_DO, .fn = fn, .ctx = ctx, .stop = stop };
    if (check_live(run, NULL) || atomic_load(&run->pending))
        return run_ask(run, &request, err);
    bool several;
    Run *owner = control_reach(run->model, &several); /* another may train the model since */
    bool ok = owner && owner != run && check_live(owner, NULL) ? run_ask(owner, &request, err) : run_do_here(run, fn, ctx, err);
    run_unref(owner);
    return ok;
}

bool run_settle(Run *run, const _Atomic bool *stop, Err *err)
{
    Request request = { .kind = ASK_NOTHING, .stop = stop };
    return run_ask(run, &request, err);
}

bool run_rewind(Run *run, int epochs, const _Atomic bool *stop, Err *err)
{
    if (epochs < 0)
        return err_set(err, ERR_ARG, "rewind: epochs back must be at least 0, got %d", epochs);
    Request request = { .kind = ASK_REWIND, .n = epochs, .value = 1, .stop = stop };
    return run_ask(run, &request, err);
}

bool run_rewind_to(Run *run, int64_t step, const _Atomic bool *stop, Err *err)
{
    if (step < 0)
        return err_set(err, ERR_ARG, "rewind: steps count from 0 (nothing trained), got %lld", (long long)step);
    Request request = { .kind = ASK_REWIND, .n = step, .stop = stop };
    return run_ask(run, &request, err);
}

bool run_set_epochs(Run *run, int epochs, Err *err)
{
    if (epochs < 1)
        return err_set(err, ERR_ARG, "epochs must be at least 1, got %d", epochs);
    Request request = { .kind = ASK_EPOCHS, .n = epochs };
    return run_ask(run, &request, err);
}

bool run_set_budget(Run *run, size_t bytes, Err *err)
{
    Request request = { .kind = ASK_BUDGET, .value = (double)bytes };
    return run_ask(run, &request, err);
}

void run_choose_probe(Run *run, int layer, int sample)
{
    atomic_store(&run->want_layer, layer < 0 ? -1 : layer);
    atomic_store(&run->want_sample, sample < 0 ? 0 : sample);
    run_nudge(run);
}

void run_when(Run *run, Buf *out)
{
    buf_printf(out, "takes effect at the next step (step %lld)", (long long)atomic_load(&run->step_now) + 1);
}
