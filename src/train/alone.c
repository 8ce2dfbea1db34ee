// SPDX-License-Identifier: MIT
/* Single steps and evaluation without a run. */
#include "train/alone.h"

#include "base/mem.h"
#include "train/feed.h"
#include "train/tally.h"

/* The given samples, checked and fitted, as batches in order. */
typedef struct Work {
    Home *home;
    Compiled *compiled;
    Feed feed;
    Sums sums;
    real *weights; /* owned: of one batch, with those of classes */
} Work;

static void work_fini(Work *work)
{
    feed_fini(&work->feed);
    sums_fini(&work->sums);
    mem_free(work->weights);
}

/* batch_size 0: all in one. work needs work_fini, also on failure. */
static bool work_init(Work *work, Model *model, const Samples *given, int64_t batch_size, const char *who, Err *err)
{
    Samples fit;
    *work = (Work){ 0 };
    if (!(work->compiled = compiled_of(model, err)) || !samples_build(model, given, who, err))
        return false;
    work->home = model->compiled;
    int64_t rows = samples_rows(given);
    bool ok = samples_fit(&fit, given, work->compiled, model, who, err) &&
              feed_init(&work->feed, &fit, 0, rows, batch_size > 0 ? batch_size : rows, false, 0, err) &&
              sums_init(&work->sums, work->compiled, model, rows, err);
    samples_unref(&fit);
    return ok;
}

/* ---- one update ---- */

static bool weigh(Work *work, Batch *batch, const real *class_weight, int n_classes, Err *err)
{
    if (!class_weight)
        return true;
    if (!class_weight_fits(work->compiled, "train_on_batch", err) || !(work->weights = mem_alloc((size_t)batch->n, sizeof(real), err)))
        return false;
    target_weights(work->weights, &batch->y[0], class_weight, n_classes, batch->weight[0]);
    batch->weight[0] = work->weights;
    return true;
}

static bool train(Model *model, Work *work, const Batch *batch, double *logs, Err *err)
{
    Compiled *compiled = work->compiled;
    Optimizer *optimizer = compiled->optimizer;
    Tape *tape = &work->home->tape;
    StepResult result;
    if (optimizer->rate)
        optimizer_follow(optimizer, optimizer->rate);
    optimizer_attach(optimizer, 0);
    bool ok = step_train(model, compiled, tape, model->seed, batch, &result, err);
    if (ok) {
        step_keep(compiled, tape);
        step_add(compiled, batch, &result, &work->sums);
        step_values(compiled, &work->sums, logs);
    }
    optimizer_detach(optimizer);
    return ok;
}

bool compile_train_batch(Model *model, const Samples *given, const real *class_weight, int n_classes, double *logs, Err *err)
{
    Work work;
    Batch batch;
    bool ok = work_init(&work, model, given, 0, "train_on_batch", err);
    if (ok && atomic_load(&model->owner))
        ok = err_set(err, ERR_STATE, "%s is being trained by a run; wait for it or stop it first: run:stop()", model->name);
    if (ok)
        feed_take(&work.feed, 0, 0, &batch);
    ok = ok && optimizer_bind(work.compiled->optimizer, model, err) && weigh(&work, &batch, class_weight, n_classes, err) &&
         train(model, &work, &batch, logs, err);
    work_fini(&work);
    return ok;
}

/* ---- evaluation ---- */

static bool evaluate_batch(Model *model, Work *work, int64_t i, uint32_t *confusion, int n_classes, Err *err)
{
    Batch batch;
    StepResult result;
    Tape *tape = &work->home->tape;
    feed_take(&work->feed, 0, i, &batch);
    if (!step_forward(model, work->compiled, tape, TAPE_FORWARD, model->seed, &batch, &result, err))
        return false;
    if (!atomic_load(&model->owner))
        tape_commit(tape); /* stateful layers go on; while a run trains them, their states are the run's */
    step_add(work->compiled, &batch, &result, &work->sums);
    int output;
    if (confusion && target_classes(work->compiled, model, &output) > 0)
        confusion_add(confusion, n_classes, &result.outputs[output].prediction->value, &batch.y[output]);
    return true;
}

typedef struct Counts { /* of the output that classifies; counts NULL: none are wanted */
    uint32_t *counts;
    int n_classes;
} Counts;

static bool evaluate(Model *model, const Samples *given, int batch_size, double *logs, Counts confusion, const _Atomic bool *stop, const BatchHook *hook,
                     Err *err)
{
    Work work;
    if (batch_size < 1)
        return err_set(err, ERR_ARG, "evaluate: batch_size must be at least 1, got %d", batch_size);
    bool ok = work_init(&work, model, given, batch_size, "evaluate", err);
    for (int64_t i = 0; ok && i < feed_batches(&work.feed); i++) {
        int64_t first = i * batch_size, left = work.feed.n - first;
        if (stop && atomic_load(stop))
            ok = err_set(err, ERR_INTERRUPT, "evaluate was interrupted");
        else
            ok = (!hook || hook->begin(hook->ctx, i + 1, err)) && evaluate_batch(model, &work, i, confusion.counts, confusion.n_classes, err);
        if (!ok || !hook)
            continue;
        step_values(work.compiled, &work.sums, logs);
        ok = hook->end(hook->ctx, i + 1, first, left < batch_size ? left : batch_size, err);
    }
    if (ok)
        step_values(work.compiled, &work.sums, logs);
    work_fini(&work);
    return ok;
}

bool compile_evaluate(Model *model, const Samples *given, int batch_size, double *logs, uint32_t *confusion, int n_classes,
                      const _Atomic bool *stop, Err *err)
{
    return evaluate(model, given, batch_size, logs, (Counts){ confusion, n_classes }, stop, NULL, err);
}

bool compile_evaluate_watched(Model *model, const Samples *given, int batch_size, double *logs, const _Atomic bool *stop, const BatchHook *hook, Err *err)
{
    return evaluate(model, given, batch_size, logs, (Counts){ 0 }, stop, hook, err);
}
