// SPDX-License-Identifier: MIT
/* What a run says of itself: the state of this moment at every step, facts when something happened. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "train/tally.h"
#include "train/trainer.h"

#define TELL_EVERY_S 0.04 /* between two looks that are offered to watchers while steps run */

static void fill_now(Run *run)
{
    TeleNow *now = &run->now;
    const Position *at = &run->at;
    int epochs = run->epochs > run->first_epoch ? run->epochs : run->first_epoch;
    int64_t left = ((int64_t)(epochs - at->epoch) * trainer_batches(run) - at->batch) * run->batch_size;
    now->state = (RunState)atomic_load(&run->state);
    now->epoch = at->epoch < epochs ? at->epoch + 1 : epochs;
    now->n_epochs = epochs;
    now->step = at->step;
    now->step_in_epoch = at->epoch < epochs ? at->batch : trainer_batches(run);
    now->learning_rate = run->optimizer->learning_rate;
    now->rate = run->rate;
    now->left_s = run->rate > 0 ? (double)left / run->rate : -1;
    now->train_s = run->train_s;
    now->snapshot_bytes = (size_t)run->ring.n * run->ring.size;
    now->snapshot_budget = run->ring.budget;
    now->n_snapshots = run->ring.n;
    memcpy(now->validation, at->validation, sizeof now->validation);
    atomic_store(&run->step_now, at->step);
}

void report_now(Run *run)
{
    if (run->job ? run->at.step > 0 : run->sums.v[1] > 0) /* at an epoch's start the last epoch's means stay */
        trainer_means(run, run->now.metrics);
    fill_now(run);
    telemetry_set_now(run->tele, &run->now);
}

void report_state(Run *run, RunState state, const char *reason)
{
    atomic_store(&run->state, state);
    snprintf(run->now.reason, sizeof run->now.reason, "%s", reason ? reason : "");
    report_now(run);
    run_wake_waiters();
}

/* Speed, smoothed over about a second. */
static void measure(Run *run, double now_s)
{
    double dt = now_s - run->last_s;
    run->last_s = now_s;
    if (dt <= 0)
        return;
    run->train_s += dt;
    run->epoch_s += dt;
    double speed = (double)run->batch.n / dt, share = dt / (dt + 1);
    run->rate = run->rate > 0 ? run->rate + share * (speed - run->rate) : speed;
}

void report_step(Run *run, const double *values)
{
    double now_s = clock_now();
    measure(run, now_s);
    telemetry_add_step(run->tele, run->at.step, values, run->optimizer->learning_rate);
    atomic_store_explicit(&run->step_now, run->at.step, memory_order_relaxed);
    if (now_s - run->told_s >= TELL_EVERY_S) {
        run->told_s = now_s;
        report_now(run);
    }
}

static Fact fact_new(const Run *run, FactKind kind)
{
    Fact fact = { .kind = kind, .epoch = run->at.epoch + 1, .step = run->at.step, .wall_s = clock_wall(), .branch = run->branch };
    fact.learning_rate = run->optimizer->learning_rate;
    for (int i = 0; i < TELE_METRICS; i++)
        fact.metrics[i] = fact.validation[i] = (double)NAN;
    return fact;
}

void report_epoch(Run *run, const double *values, const double *validation)
{
    Fact fact = fact_new(run, FACT_EPOCH);
    fact.epoch_s = run->epoch_s;
    memcpy(fact.metrics, values, (size_t)run->n_metrics * sizeof *values);
    if (validation)
        memcpy(fact.validation, validation, (size_t)run->n_metrics * sizeof *validation);
    telemetry_add_fact(run->tele, &fact);
}

void report_event(Run *run, bool by_user, const char *label, const char *format, ...)
{
    Fact fact = fact_new(run, FACT_EVENT);
    va_list list;
    va_start(list, format);
    vsnprintf(fact.text, sizeof fact.text, format, list);
    va_end(list);
    snprintf(fact.label, sizeof fact.label, "%s", label);
    fact.by_user = by_user;
    telemetry_add_fact(run->tele, &fact);
    recorder_wake();
}

void report_confusion(Run *run, bool validation)
{
    int n = run->n_classes;
    size_t labels_size = (size_t)n * TELE_NAME, counts_size = (size_t)n * (size_t)n * sizeof(uint32_t);
    TeleConfusion *picture = telemetry_picture_new(run->tele, PICTURE_CONFUSION, sizeof *picture + labels_size + counts_size);
    if (!picture)
        return;
    picture->epoch = run->at.epoch + 1;
    picture->validation = validation;
    snprintf(picture->output, TELE_NAME, "%.31s", run->compiled.n_outputs > 1 ? run->compiled.output_names[run->class_output] : "");
    picture->n = n;
    picture->counts = (uint32_t *)(void *)(picture + 1);
    picture->labels = (char(*)[TELE_NAME])((char *)(picture + 1) + counts_size);
    memcpy(picture->counts, run->confusion, counts_size);
    memcpy(picture->labels, run->class_names, labels_size);
    picture->right = confusion_right(picture->counts, n, &picture->total);
    telemetry_set_picture(run->tele, PICTURE_CONFUSION, picture);
}

const char *report_when(const Run *run, char out[80])
{
    if (run->at.validating)
        snprintf(out, 80, "takes effect at step %lld, after this validation", (long long)run->at.step + 1);
    else
        snprintf(out, 80, "takes effect at step %lld", (long long)run->at.step + 1);
    return out;
}
