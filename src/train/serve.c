// SPDX-License-Identifier: MIT
/* What the trainer does at a boundary: it looks at one atomic flag, and takes the lock only when something was asked or there is
 * nothing to train. Requests are served in the order in which they came, with the lock given up. */
#include "train/job.h"
#include "train/trainer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define LOOK_S 0.25 /* between two looks at watchers while standing still */

static Request *take(Run *run)
{
    Request *request = run->first;
    if (request) {
        run->first = request->next;
        if (!run->first)
            run->last = NULL;
    }
    return request;
}

/* Before the request counts as served: who waits must not see the old state. */
static void start_going(Run *run)
{
    if (run->going && (RunState)atomic_load(&run->state) != RUN_TRAINING) {
        run->last_s = clock_now();
        report_state(run, RUN_TRAINING, "");
    }
}

static bool serve_rate(Run *run, double learning_rate, Err *err)
{
    char when[80];
    double before = run->optimizer->learning_rate;
    if (!run_log_change(run, learning_rate, err))
        return false;
    char label[24];
    snprintf(label, sizeof label, "lr %.3g", learning_rate);
    report_event(run, true, label, "learning rate %.6g -> %.6g, %s%s", before, learning_rate, report_when(run, when),
                 run->at.scheduled ? "; the schedule no longer sets it" : "");
    run->at.scheduled = false;
    if (run->job)
        job_set_rate(run->job, learning_rate);
    run->optimizer->learning_rate = learning_rate;
    report_now(run);
    return true;
}

static bool serve_do(Run *run, Request *request, Err *err)
{
    if (run->job && !run->ended) /* no snapshots, no marks: the step may ask often */
        return request->fn(request->ctx, err);
    if (run->ended) /* ended between question and answer */
        return run_do_here(run, request->fn, request->ctx, err);
    uint64_t before = run_weights_hash(run);
    bool ok = request->fn(request->ctx, err);
    if (run_weights_hash(run) != before) {
        report_event(run, true, "weights", "weights were changed from outside after step %lld", (long long)run->at.step);
        ring_take(run, true);
    }
    return ok;
}

static int64_t step_of_epochs_back(const Run *run, int64_t epochs)
{
    int64_t last = run->at.epoch + (run->at.batch > 0) - epochs;
    return run->first_step + (last - run->first_epoch) * trainer_batches(run);
}

/* An ended run goes on: it trains its layers again, and stands in the list of runs. */
static bool take_up(Run *run, Err *err)
{
    if (!control_claim(run, err))
        return false;
    if (control_add(run, err))
        return true;
    control_release(run);
    return false;
}

static bool has_lua_callbacks(const Run *run)
{
    for (int i = 0; i < run->n_callbacks; i++)
        if (!run->callbacks[i].builtin)
            return true;
    return false;
}

static bool serve_rewind(Run *run, Request *request, Err *err)
{
    if (run->job)
        return err_set(err, ERR_STATE, "run %d is a job: it cannot be rewound, because its Lua variables cannot be restored", run->id);
    int64_t from = run->at.step, target = request->value > 0 ? step_of_epochs_back(run, request->n) : request->n;
    if (request->value > 0 && request->n == 0 && target > from)
        target = from; /* to where it stands: what others did to the model is undone */
    if (target > from)
        return err_set(err, ERR_ARG, "run %d stands at step %lld: it can go back only, not to step %lld", run->id, (long long)from,
                       (long long)target);
    if (run->ended && !take_up(run, err))
        return false;
    if (!ring_rewind(run, target, request->stop, err) && run->at.step == from) {
        if (run->ended)
            control_release(run);
        return false;
    }
    bool reached = run->at.step == target;
    run->ended = run->going = false;
    run->begun = run->at.batch > 0 ? run->at.epoch : -1;
    run->begun_step = -1;
    run->branch++;
    telemetry_cut(run->tele, run->at.step);
    report_event(run, true, "rewind", "rewound from step %lld to step %lld%s", (long long)from, (long long)run->at.step,
                 has_lua_callbacks(run) ? "; variables of Lua callbacks stay as they are" : "");
    report_state(run, RUN_PAUSED, "");
    return reached;
}

static bool serve_epochs(Run *run, int64_t epochs, Err *err)
{
    if (epochs <= run->at.epoch && !(epochs == run->at.epoch && run->at.batch == 0))
        return err_set(err, ERR_ARG, "run %d has already done %d epochs; epochs must be more", run->id, run->at.epoch);
    if (run->ended && run->retired)
        return err_set(err, ERR_STATE, "%s was trained by another run since; first go back to where this one stood: run:rewind(0)",
                       run->model->name);
    if (run->ended && epochs > run->at.epoch && !take_up(run, err))
        return false;
    report_event(run, true, "epochs", "epochs %d -> %lld", run->epochs, (long long)epochs);
    run->epochs = (int)epochs;
    if (run->ended && epochs > run->at.epoch) {
        run->ended = false;
        run->going = true;
        start_going(run);
    }
    report_now(run);
    return true;
}

static void serve_stop(Run *run)
{
    char reason[80];
    if (run->ended)
        return;
    snprintf(reason, sizeof reason, "stopped at step %lld", (long long)run->at.step);
    report_event(run, true, "stop", "%s", reason);
    trainer_end(run, RUN_STOPPED, reason);
}

static bool serve_one(Run *run, Request *request, Err *err)
{
    switch (request->kind) {
    case ASK_NOTHING:
        return true;
    case ASK_PAUSE:
        if (run->going) {
            run->going = false;
            recorder_save(run, SAVE_EVENT);
            report_state(run, RUN_PAUSED, "");
        }
        return true;
    case ASK_RESUME:
    case ASK_STEP:
        if (run->ended)
            return true;
        run->going = true;
        run->steps_left = request->kind == ASK_STEP ? request->n : -1;
        start_going(run);
        return true;
    case ASK_STOP:
        serve_stop(run);
        return true;
    case ASK_RATE:
        return run->ended || serve_rate(run, request->value, err);
    case ASK_DO:
        return serve_do(run, request, err);
    case ASK_REWIND:
        return serve_rewind(run, request, err);
    case ASK_EPOCHS:
        return serve_epochs(run, request->n, err);
    case ASK_BUDGET:
        break;
    }
    if (run->job)
        return err_set(err, ERR_STATE, "run %d is a job: it keeps no snapshots", run->id);
    ring_limit(run, (size_t)request->value);
    report_now(run);
    return true;
}

/* With the lock held, which is given up while the request is served. */
static void serve_and_finish(Run *run, Request *request)
{
    pthread_mutex_unlock(&run->lock);
    Err err = ERR_INIT;
    bool waited = request->waited, ok = serve_one(run, request, &err);
    if (!waited)
        mem_free(request);
    pthread_mutex_lock(&run->lock);
    if (waited) {
        request->ok = ok;
        request->err = err;
        request->done = true;
        pthread_cond_broadcast(&run->served);
    }
}

void run_serve(Run *run)
{
    if (run->going && !atomic_load_explicit(&run->pending, memory_order_acquire) && !atomic_load(&run->stop_all) &&
        atomic_load_explicit(&run->state, memory_order_relaxed) == RUN_TRAINING)
        return;
    pthread_mutex_lock(&run->lock);
    for (;;) {
        for (Request *request = take(run); request; request = take(run))
            serve_and_finish(run, request);
        atomic_store(&run->pending, false);
        if (atomic_exchange(&run->stop_all, false) && !run->ended) {
            pthread_mutex_unlock(&run->lock);
            serve_stop(run);
            pthread_mutex_lock(&run->lock);
            continue;
        }
        if (atomic_load(&run->quit) || run->going)
            break;
        struct timespec until = run_moment(CLOCK_MONOTONIC, LOOK_S);
        pthread_cond_timedwait(&run->work, &run->lock, &until);
        if (!run->first && !atomic_load(&run->quit) && !atomic_load(&run->stop_all)) {
            pthread_mutex_unlock(&run->lock);
            probe_idle(run);
            recorder_step(run);
            pthread_mutex_lock(&run->lock);
        }
    }
    pthread_mutex_unlock(&run->lock);
    if (!atomic_load(&run->quit))
        start_going(run);
}

/* Take the oldest ASK_DO out of the queue, wherever it stands. */
static Request *take_do(Run *run)
{
    Request *before = NULL;
    for (Request *request = run->first; request; before = request, request = request->next) {
        if (request->kind != ASK_DO)
            continue;
        *(before ? &before->next : &run->first) = request->next;
        if (run->last == request)
            run->last = before;
        return request;
    }
    return NULL;
}

bool run_await(Run *run, const _Atomic bool *done)
{
    RunState before = (RunState)atomic_load(&run->state);
    report_state(run, RUN_CALLBACK, "waits for a callback");
    pthread_mutex_lock(&run->lock);
    while (!atomic_load(done) && !atomic_load(&run->abandon)) {
        Request *request = take_do(run);
        if (request) {
            serve_and_finish(run, request);
            continue;
        }
        struct timespec until = run_moment(CLOCK_MONOTONIC, LOOK_S);
        pthread_cond_timedwait(&run->work, &run->lock, &until);
    }
    pthread_mutex_unlock(&run->lock);
    run->last_s = clock_now();
    report_state(run, before, "");
    return atomic_load(done);
}

/* STEP_TOLD keeps the step from beginning while its state is written here. */
static bool tell_late(Run *run, _Atomic int *begun)
{
    int open = STEP_OPEN;
    if (!atomic_compare_exchange_strong(begun, &open, STEP_TOLD))
        return false;
    report_state(run, RUN_CALLBACK, "waits for other Lua code");
    atomic_store(begun, STEP_OPEN);
    return true;
}

static bool take_back(_Atomic int *begun)
{
    int open = STEP_OPEN;
    return atomic_compare_exchange_strong(begun, &open, STEP_GONE);
}

bool run_await_step(Run *run, _Atomic int *begun, const _Atomic bool *done)
{
    bool said = false;
    pthread_mutex_lock(&run->lock);
    while (!atomic_load(done) && !(atomic_load(&run->abandon) && take_back(begun))) {
        struct timespec until = run_moment(CLOCK_MONOTONIC, LOOK_S);
        bool late = pthread_cond_timedwait(&run->work, &run->lock, &until) == ETIMEDOUT;
        if (late && !said)
            said = tell_late(run, begun);
    }
    pthread_mutex_unlock(&run->lock);
    if (said)
        report_state(run, RUN_TRAINING, "");
    return atomic_load(done);
}

void run_answered(Run *run)
{
    pthread_mutex_lock(&run->lock);
    pthread_cond_signal(&run->work);
    pthread_mutex_unlock(&run->lock);
}

bool run_in_callback(Run *run)
{
    return atomic_load(&run->in_callback);
}

