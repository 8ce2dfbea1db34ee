// SPDX-License-Identifier: MIT
/* The trainer thread. It works in units, an update or one batch of validation, and between two of them stands at a boundary:
 * run_serve answers what was asked and sleeps while there is nothing to train. A unit either happens whole or, when it went
 * wrong, leaves everything as it was. In the steady state a unit allocates nothing and takes no lock. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "train/callback.h"
#include "train/job.h"
#include "train/tally.h"

int64_t trainer_batches(const Run *run)
{
    return run->steps_per_epoch;
}

bool trainer_validates(const Run *run)
{
    int epoch = run->at.epoch + 1;
    if (run->check.n == 0 || !run->validation_epochs)
        return run->check.n > 0 && epoch % run->validation_freq == 0;
    for (int i = 0; i < run->n_validation_epochs; i++)
        if (run->validation_epochs[i] == epoch)
            return true;
    return false;
}

/* The batch that is due. Epochs of steps_per_epoch batches go through the data one behind the other: what one has left is the
 * next one's, and each pass has an order of its own. */
void trainer_take_batch(Run *run)
{
    const Position *at = &run->at;
    int64_t all = feed_batches(&run->feed), n = (at->epoch - run->first_epoch) * run->steps_per_epoch + at->batch;
    feed_take(&run->feed, run->first_epoch + (int)(n / all), n % all, &run->batch);
}

void trainer_means(Run *run, double *out)
{
    if (run->job)
        job_means(run->job, out);
    else
        step_values(&run->compiled, &run->sums, out);
}

/* ---- callbacks ---- */

typedef enum {
    CALL_TRAIN_BEGIN,
    CALL_EPOCH_BEGIN,
    CALL_BATCH_BEGIN,
    CALL_BATCH_END,
    CALL_TEST_BEGIN,
    CALL_TEST_BATCH_BEGIN,
    CALL_TEST_BATCH_END,
    CALL_TEST_END,
    CALL_EPOCH_END,
    CALL_TRAIN_END
} CallKind;

static bool call_one(Run *run, const RunCallback *callback, CallKind kind, const double *values, const double *validation, Err *err)
{
    void *ctx = callback->ctx;
    switch (kind) {
    case CALL_TRAIN_BEGIN:
        return !callback->train_begin || callback->train_begin(ctx, run, err);
    case CALL_EPOCH_BEGIN:
        return !callback->epoch_begin || callback->epoch_begin(ctx, run, run->at.epoch + 1, err);
    case CALL_BATCH_BEGIN:
        return !callback->batch_begin || callback->batch_begin(ctx, run, run->at.batch + 1, err);
    case CALL_TEST_BEGIN:
        return !callback->test_begin || callback->test_begin(ctx, run, err);
    case CALL_TEST_BATCH_BEGIN:
        return !callback->test_batch_begin || callback->test_batch_begin(ctx, run, run->check_row + 1, err);
    case CALL_TEST_BATCH_END:
        return !callback->test_batch_end || callback->test_batch_end(ctx, run, run->check_row, values, err);
    case CALL_TEST_END:
        return !callback->test_end || callback->test_end(ctx, run, values, err);
    case CALL_BATCH_END:
        return !callback->batch_end || callback->batch_end(ctx, run, run->at.batch, values, err);
    case CALL_EPOCH_END:
        return !callback->epoch_end || callback->epoch_end(ctx, run, run->at.epoch + 1, values, validation, err);
    case CALL_TRAIN_END:
        break;
    }
    return !callback->train_end || callback->train_end(ctx, run, err);
}

/* All callbacks in order; an error in one is trouble of the run, but the others are called all the same. */
static void call_all(Run *run, CallKind kind, const double *values, const double *validation)
{
    for (int i = 0; i < run->n_callbacks && !run->silent; i++) {
        Err err = ERR_INIT;
        RunState before = (RunState)atomic_load(&run->state);
        if (run->callbacks[i].waits)
            report_now(run); /* what the callback reads of the run is of this moment */
        atomic_store(&run->in_callback, true);
        bool ok = call_one(run, &run->callbacks[i], kind, values, validation, &err);
        atomic_store(&run->in_callback, false);
        if ((RunState)atomic_load(&run->state) == RUN_CALLBACK)
            report_state(run, before, run->now.reason);
        if (!ok && err.code != ERR_INTERRUPT) {
            err_wrap(&err, "callback %s", run->callbacks[i].name ? run->callbacks[i].name : "");
            trainer_trouble(run, &err);
        }
    }
}

/* Does a callback get the values of each batch? For nobody else are they worked out: a metric may sort all that it has seen. */
static bool asks_batches(const Run *run, bool validation)
{
    for (int i = 0; i < run->n_callbacks; i++)
        if (validation ? run->callbacks[i].test_batch_end : run->callbacks[i].batch_end)
            return true;
    return false;
}

/* ---- one update ---- */

static void set_rate(Run *run)
{
    if (run->at.scheduled)
        optimizer_follow(run->optimizer, run->schedule);
}

static void count_classes(Run *run, const StepResult *result, const Batch *batch)
{
    int k = run->class_output;
    confusion_add(run->confusion, run->n_classes, &result->outputs[k].prediction->value, &batch->y[k]);
}

bool trainer_update(Run *run, Err *err)
{
    Position *at = &run->at;
    StepResult result;
    if (run->job)
        return job_update(run, err);
    if (at->batch == 0 && !at->validating)
        sums_clear(&run->sums);
    trainer_take_batch(run);
    if (run->class_weight) {
        target_weights(run->weights, &run->batch.y[0], run->class_weight, run->n_classes, run->batch.weight[0]);
        run->batch.weight[0] = run->weights;
    }
    set_rate(run);
    if (!step_train(run->model, &run->compiled, &run->tape, run->seed, &run->batch, &result, err))
        return false;
    bool look = !run->silent && probe_before_update(run);
    step_keep(&run->compiled, &run->tape);
    if (look)
        probe_after_update(run);
    at->batch++;
    at->step++;
    step_add(&run->compiled, &run->batch, &result, &run->sums);
    if (run->silent)
        return true;
    double values[TELE_METRICS];
    sums_clear(&run->batch_sums);
    step_add(&run->compiled, &run->batch, &result, &run->batch_sums);
    step_values(&run->compiled, &run->batch_sums, values);
    if (run->confusion && run->check.n == 0)
        count_classes(run, &result, &run->batch);
    report_step(run, values);
    return true;
}

void trainer_next_epoch(Run *run)
{
    run->at.epoch++;
    run->at.batch = 0;
    run->at.validating = false;
    run->check_row = 0;
    run->epoch_s = 0;
}

/* ---- the end of an epoch ---- */

static void clear_confusion(Run *run)
{
    if (run->confusion)
        memset(run->confusion, 0, (size_t)run->n_classes * (size_t)run->n_classes * sizeof *run->confusion);
}

static void epoch_end(Run *run, const double *validation)
{
    double values[TELE_METRICS];
    trainer_means(run, values);
    if (validation)
        memcpy(run->at.validation, validation, (size_t)run->n_metrics * sizeof *validation);
    report_epoch(run, values, validation);
    if (run->confusion && (validation || run->check.n == 0))
        report_confusion(run, validation != NULL);
    clear_confusion(run);
    call_all(run, CALL_EPOCH_END, values, validation);
    Err err = ERR_INIT;
    if (!callbacks_mark(run, &err))
        trainer_trouble(run, &err);
    trainer_next_epoch(run);
    if (!callbacks_epoch_done(run, &err))
        trainer_trouble(run, &err);
    report_now(run);
    ring_epoch(run);
    recorder_step(run);
}

/* One batch of validation: forward only. */
static bool check_unit(Run *run, Err *err)
{
    StepResult result;
    Batch batch;
    if (run->check_row == 0) {
        sums_clear(&run->check_sums);
        clear_confusion(run);
        call_all(run, CALL_TEST_BEGIN, NULL, NULL);
    }
    call_all(run, CALL_TEST_BATCH_BEGIN, NULL, NULL);
    feed_take(&run->check, 0, run->check_row, &batch);
    if (!step_forward(run->model, &run->compiled, &run->look, TAPE_FORWARD, run->seed, &batch, &result, err))
        return false;
    step_add(&run->compiled, &batch, &result, &run->check_sums);
    if (run->confusion)
        count_classes(run, &result, &batch);
    run->last_s = clock_now(); /* the rate is that of training alone */
    bool last = ++run->check_row == run->validation_steps;
    double values[TELE_METRICS];
    if (last || asks_batches(run, true))
        step_values(&run->compiled, &run->check_sums, values);
    call_all(run, CALL_TEST_BATCH_END, values, NULL);
    if (!last)
        return true;
    call_all(run, CALL_TEST_END, values, NULL);
    epoch_end(run, values);
    return true;
}

/* ---- trouble and ends ---- */

void trainer_trouble(Run *run, const Err *err)
{
    char reason[sizeof run->now.reason];
    if (err->code == ERR_NUMERIC)
        snprintf(reason, sizeof reason, "step %lld: %.160s", (long long)run->at.step + 1, err->text);
    else
        snprintf(reason, sizeof reason, "%.190s", err->text);
    report_event(run, false, "trouble", "%s", reason);
    if (err->code == ERR_NUMERIC && callbacks_end_on_nan(run)) {
        trainer_end(run, RUN_STOPPED, reason);
        return;
    }
    if (run->fail_on_trouble || (run->job && err->code != ERR_NUMERIC)) {
        trainer_end(run, RUN_FAILED, reason);
        return;
    }
    run->going = false;
    recorder_save(run, SAVE_EVENT);
    report_state(run, RUN_TROUBLE, reason);
}

void trainer_end(Run *run, RunState state, const char *reason)
{
    if (run->ended)
        return;
    run->going = false;
    atomic_store(&run->retired, false);
    run->outcome = state;
    run->ended = true; /* before the callbacks: an error in one must not end it again */
    if (run->job && state != RUN_FAILED)
        job_finish(run->job);
    else if (state != RUN_FAILED && optimizer_finish(run->optimizer))
        ring_take(run, true); /* replay does not repeat it */
    call_all(run, CALL_TRAIN_END, NULL, NULL);
    recorder_save(run, SAVE_END);
    report_now(run);
    control_release(run);
    report_state(run, state, reason);
    recorder_wake();
}

static void after_update(Run *run)
{
    if (run->steps_left > 0)
        run->steps_left--;
    if (asks_batches(run, false)) {
        double values[TELE_METRICS];
        trainer_means(run, values);
        call_all(run, CALL_BATCH_END, values, NULL);
    }
    if (run->at.batch == trainer_batches(run)) {
        run->at.validating = true;
        if (!trainer_validates(run))
            epoch_end(run, NULL);
    } else {
        ring_step(run);
        recorder_step(run);
    }
}

static void train_unit(Run *run)
{
    Err err = ERR_INIT;
    Position *at = &run->at;
    if (at->epoch >= run->epochs) {
        trainer_end(run, RUN_FINISHED, "");
        return;
    }
    if (at->validating) {
        if (!trainer_validates(run)) /* resumed with other options */
            epoch_end(run, NULL);
        else if (!check_unit(run, &err))
            trainer_trouble(run, &err);
        return;
    }
    if (run->begun != at->epoch) {
        run->begun = at->epoch;
        call_all(run, CALL_EPOCH_BEGIN, NULL, NULL);
        if (atomic_load(&run->pending) || !run->going)
            return; /* a callback asked for something, or failed */
    }
    if (run->n_callbacks > 0 && run->begun_step != at->step) {
        run->begun_step = at->step;
        call_all(run, CALL_BATCH_BEGIN, NULL, NULL);
        if (atomic_load(&run->pending) || !run->going)
            return;
    }
    if (trainer_update(run, &err))
        after_update(run);
    else if (!run->job || err.code != ERR_INTERRUPT) /* a job's step that was asked to end: what asked comes at the boundary */
        trainer_trouble(run, &err);
}

/* After run_step's last update the run stands still, but for validation, which belongs to the epoch. */
static void after_unit(Run *run)
{
    if (run->going && run->steps_left == 0 && !run->at.validating) {
        run->going = false;
        run->steps_left = -1;
        if (run->at.epoch < run->epochs) {
            recorder_save(run, SAVE_EVENT);
            report_state(run, RUN_PAUSED, "");
        } else {
            run->going = true; /* nothing is left: it ends */
        }
    }
}

void *trainer_main(void *arg)
{
    Run *run = arg;
    ring_take(run, false);
    report_now(run);
    call_all(run, CALL_TRAIN_BEGIN, NULL, NULL);
    run->last_s = clock_now();
    if (run->job && run->at.step > 0)
        after_update(run); /* of the step that was done when the job was made */
    for (;;) {
        run_serve(run);
        if (atomic_load(&run->quit))
            return NULL;
        train_unit(run);
        after_unit(run);
    }
}
