// SPDX-License-Identifier: MIT
/* Making a run: everything is checked and built before the trainer thread starts; a failure leaves nothing behind but a model
 * that may have been built for its data. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "train/callback.h"
#include "train/custom.h"
#include "train/saved.h"

#define BUDGET ((size_t)256 << 20)

void fit_options_init(FitOptions *options)
{
    *options = (FitOptions){ .batch_size = 32, .epochs = 1, .shuffle = true, .seed = model_default_seed(), .autosave = true };
}

/* ---- life ---- */

Run *run_ref(Run *run)
{
    if (run)
        atomic_fetch_add(&run->refs, 1);
    return run;
}

static void run_free(Run *run)
{
    if (run->started) {
        pthread_mutex_lock(&run->lock);
        atomic_store(&run->quit, true);
        pthread_cond_signal(&run->work);
        pthread_mutex_unlock(&run->lock);
        pthread_join(run->thread, NULL);
    }
    recorder_drop(run);
    for (int i = 0; i < run->n_callbacks; i++)
        if (run->callbacks[i].release)
            run->callbacks[i].release(run->callbacks[i].ctx);
    rate_unref(run->schedule);
    while (run->first) {
        Request *next = run->first->next;
        mem_free(run->first);
        run->first = next;
    }
    probe_free(run->probe);
    ring_fini(run);
    feed_fini(&run->feed);
    feed_fini(&run->check);
    tape_fini(&run->tape);
    tape_fini(&run->look);
    for (int i = 0; i < run->n_layers; i++)
        layer_unref(run->layers[i]);
    mem_free(run->layers);
    sums_fini(&run->sums);
    sums_fini(&run->batch_sums);
    sums_fini(&run->check_sums);
    mem_free(run->class_weight);
    mem_free(run->weights);
    mem_free(run->confusion);
    mem_free(run->class_names);
    mem_free(run->changes);
    optimizer_unref(run->optimizer);
    compiled_unref_custom(&run->compiled);
    telemetry_unref(run->tele);
    model_unref(run->model);
    pthread_mutex_destroy(&run->lock);
    pthread_mutex_destroy(&run->model_lock);
    pthread_cond_destroy(&run->work);
    pthread_cond_destroy(&run->served);
    mem_free(run);
}

void run_unref(Run *run)
{
    if (run && atomic_fetch_sub(&run->refs, 1) == 1)
        run_free(run);
}

static void init_locks(Run *run)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&run->work, &clock);
    pthread_cond_init(&run->served, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&run->lock, NULL);
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&run->model_lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

/* ---- checks ---- */

static bool check_numbers(const FitOptions *o, Err *err)
{
    if (o->batch_size < 1)
        return err_set(err, ERR_ARG, "fit: batch_size must be at least 1, got %d", o->batch_size);
    if (o->epochs < 1)
        return err_set(err, ERR_ARG, "fit: epochs must be at least 1, got %d", o->epochs);
    if (o->initial_epoch < 0 || o->initial_epoch >= o->epochs)
        return err_set(err, ERR_ARG, "fit: initial_epoch must be 0 to epochs - 1 (%d), got %d", o->epochs - 1, o->initial_epoch);
    if (!(o->validation_split >= 0 && o->validation_split < 1))
        return err_set(err, ERR_ARG, "fit: validation_split must be at least 0 and below 1, got %g", o->validation_split);
    if (o->n_x < 1 || o->n_x > MODEL_INPUTS || o->n_y != 1)
        return err_set(err, ERR_ARG, "fit wants x and one y, got %d inputs and %d targets", o->n_x, o->n_y);
    if (o->n_callbacks < 0 || o->n_callbacks > RUN_CALLBACKS)
        return err_set(err, ERR_ARG, "fit: at most %d callbacks", RUN_CALLBACKS);
    return true;
}

static bool check_rows(const Tensor *x, int n_x, const Tensor *y, const char *what, Err *err)
{
    for (int i = 0; i < n_x; i++)
        if (!x[i].data || x[i].shape.rank < 1 || x[i].shape.d[0] < 1)
            return err_set(err, ERR_DATA, "fit: there is no %sdata: x is empty", what);
    int64_t rows = x[0].shape.d[0];
    for (int i = 1; i < n_x; i++)
        if (x[i].shape.d[0] != rows)
            return err_set(err, ERR_SHAPE, "fit: the inputs have different numbers of samples: %lld and %lld", (long long)rows,
                           (long long)x[i].shape.d[0]);
    int64_t targets = y->data && y->shape.rank > 0 ? y->shape.d[0] : 0;
    if (targets != rows)
        return err_set(err, ERR_SHAPE, "fit: %sx has %lld samples, y has %lld; each sample wants its target", what, (long long)rows,
                       (long long)targets);
    return true;
}

static bool build_model(Model *model, const FitOptions *o, Err *err)
{
    Shape shapes[MODEL_INPUTS];
    for (int i = 0; i < o->n_x; i++) {
        shapes[i] = o->x[i].shape;
        shapes[i].d[0] = -1;
    }
    if (!model_build(model, shapes, o->n_x, err))
        return false;
    if (model->n_inputs != o->n_x)
        return err_set(err, ERR_ARG, "fit: %s has %d inputs, got data for %d", model->name, model->n_inputs, o->n_x);
    return true;
}

/* ---- data ---- */

/* Fitted references in x and y; the caller unrefs them, also on failure. */
static bool fit_tensors(const Run *run, const Tensor *x, int n_x, const Tensor *y, Tensor *fx, Tensor *fy, Err *err)
{
    for (int i = 0; i < n_x; i++)
        if (!input_fit(run->model, i, &x[i], true, &fx[i], err))
            return false;
    return target_fit(&run->compiled, run->model, y, fy, err);
}

/* Weights of all rows for one feed, or two that share them. */
static bool add_weights(Feed *feed, Feed *rest, const Tensor *weights, int64_t rows, Err *err)
{
    Tensor fit = { 0 };
    if (!weights->data)
        return true;
    bool ok = weights_fit(weights, rows, &fit, err) && feed_weigh(feed, &fit, err) && (!rest || rest->n == 0 || feed_weigh(rest, &fit, err));
    tensor_unref(&fit);
    return ok;
}

static bool add_validation(Run *run, const FitOptions *o, Err *err)
{
    Tensor x[MODEL_INPUTS] = { 0 }, y = { 0 };
    int n = o->n_validation_x;
    if (n != o->n_x)
        return err_set(err, ERR_ARG, "fit: validation_data has %d inputs, x has %d; give {{x1, x2, ...}, y}", n, o->n_x);
    bool ok = check_rows(o->validation_x, n, &o->validation_y, "validation ", err) &&
              fit_tensors(run, o->validation_x, n, &o->validation_y, x, &y, err);
    if (!ok)
        err_wrap(err, "validation_data");
    ok = ok && feed_init(&run->check, x, n, &y, 0, x[0].shape.d[0], run->batch_size, false, run->seed, err) &&
         add_weights(&run->check, NULL, &o->validation_weight, x[0].shape.d[0], err);
    for (int i = 0; i < n; i++)
        tensor_unref(&x[i]);
    tensor_unref(&y);
    return ok;
}

static bool add_data(Run *run, const FitOptions *o, Err *err)
{
    Tensor x[MODEL_INPUTS] = { 0 }, y = { 0 };
    int64_t rows = o->x[0].shape.d[0], kept = rows;
    if (o->n_validation_x == 0 && o->validation_split > 0)
        kept = (int64_t)floor((double)rows * (1 - o->validation_split)); /* Keras's rounding */
    bool ok = kept > 0 || err_set(err, ERR_DATA, "fit: validation_split = %g leaves nothing of %lld samples to train on",
                                  o->validation_split, (long long)rows);
    ok = ok && fit_tensors(run, o->x, o->n_x, &o->y[0], x, &y, err) &&
         feed_init(&run->feed, x, o->n_x, &y, 0, kept, run->batch_size, o->shuffle, run->seed, err);
    if (ok && kept < rows)
        ok = feed_init(&run->check, x, o->n_x, &y, kept, rows - kept, run->batch_size, false, run->seed, err);
    ok = ok && add_weights(&run->feed, &run->check, &o->sample_weight, rows, err);
    for (int i = 0; i < o->n_x; i++)
        tensor_unref(&x[i]);
    tensor_unref(&y);
    return ok && (o->n_validation_x == 0 || add_validation(run, o, err));
}

static bool add_classes(Run *run, const FitOptions *o, Err *err)
{
    int n = run->n_classes = target_classes(&run->compiled, run->model);
    if (o->class_weight) {
        int wanted = o->n_classes > 0 ? o->n_classes : n;
        if (n > 0 && wanted != n)
            return err_set(err, ERR_ARG, "fit: class_weight names %d classes, the model's output has %d", wanted, n);
        run->n_classes = n = wanted;
        run->class_weight = mem_alloc((size_t)n, sizeof(real), err);
        run->weights = mem_alloc((size_t)run->batch_size, sizeof(real), err);
        if (!run->class_weight || !run->weights)
            return false;
        memcpy(run->class_weight, o->class_weight, (size_t)n * sizeof(real));
    }
    if (n == 0)
        return true;
    run->class_names = mem_zero((size_t)n, TELE_NAME, err);
    run->confusion = mem_zero((size_t)n * (size_t)n, sizeof *run->confusion, err);
    if (!run->class_names || !run->confusion)
        return false;
    for (int i = 0; i < n; i++)
        if (o->class_names && (o->n_classes == 0 || i < o->n_classes) && o->class_names[i])
            snprintf(run->class_names[i], TELE_NAME, "%s", o->class_names[i]);
        else
            snprintf(run->class_names[i], TELE_NAME, "%d", i);
    return true;
}

typedef struct Collect {
    Run *run;
    int n;
} Collect;

static bool collect_layer(void *ctx, Layer *layer, const char *path)
{
    Collect *collect = ctx;
    (void)path;
    if (collect->run->layers)
        collect->run->layers[collect->n] = layer_ref(layer);
    collect->n++;
    return true;
}

static bool add_sums(Run *run, Err *err)
{
    return sums_init(&run->sums, &run->compiled, run->model, run->feed.n, err) &&
           sums_init(&run->batch_sums, &run->compiled, run->model, run->batch_size, err) &&
           sums_init(&run->check_sums, &run->compiled, run->model, run->check.n, err);
}

static bool add_layers(Run *run, Err *err)
{
    Collect count = { run, 0 }, fill = { run, 0 };
    model_each_layer(run->model, collect_layer, &count);
    run->layers = mem_zero((size_t)count.n, sizeof *run->layers, err);
    if (!run->layers)
        return false;
    model_each_layer(run->model, collect_layer, &fill);
    run->n_layers = fill.n;
    return true;
}

static bool add_telemetry(Run *run, Err *err)
{
    TelePlan plan = { .run_id = run->id, .first_epoch = run->first_epoch + 1, .n_epochs = run->epochs, .seed = run->seed };
    plan.n_metrics = run->n_metrics = 1 + run->compiled.n_metrics;
    snprintf(plan.model, sizeof plan.model, "%.31s", run->model->name);
    snprintf(plan.metrics[0], TELE_NAME, "loss");
    for (int i = 1; i < plan.n_metrics; i++)
        snprintf(plan.metrics[i], TELE_NAME, "%s", run->compiled.metric_names[i - 1]);
    plan.validates = run->check.n > 0;
    plan.steps_per_epoch = feed_batches(&run->feed);
    plan.samples_per_epoch = run->feed.n;
    plan.batch_size = run->batch_size;
    plan.n_classes = run->confusion ? run->n_classes : 0;
    plan.threads = pool_threads();
    run->tele = telemetry_new(&plan, err);
    for (int i = 0; i < TELE_METRICS; i++)
        run->at.validation[i] = run->now.metrics[i] = run->now.validation[i] = (double)NAN;
    return run->tele != NULL;
}

/* ---- start ---- */

static Run *run_begin(Model *model, const Compiled *compiled, FitOptions *o, Err *err)
{
    Run *run = mem_zero(1, sizeof *run, err);
    if (!run)
        return NULL;
    atomic_init(&run->refs, 1);
    init_locks(run);
    tape_init(&run->tape);
    tape_init(&run->look);
    run->model = model_ref(model);
    run->compiled = *compiled;
    compiled_ref_custom(&run->compiled);
    run->optimizer = optimizer_ref(compiled->optimizer);
    run->batch_size = o->batch_size;
    run->first_epoch = run->at.epoch = o->initial_epoch;
    run->epochs = o->epochs;
    run->seed = o->seed;
    run->autosave = o->autosave;
    run->fail_on_trouble = o->fail_on_trouble;
    run->going = !o->start_paused;
    atomic_init(&run->want_layer, -1);
    run->steps_left = -1;
    run->begun = -1;
    run->schedule = rate_ref(o->rate ? o->rate : run->optimizer->rate);
    run->at.scheduled = run->schedule != NULL;
    return run;
}

static bool run_build(Run *run, const FitOptions *o, Err *err)
{
    if (!add_data(run, o, err) || !optimizer_bind(run->optimizer, run->model, err) || !add_classes(run, o, err) || !add_layers(run, err) || !add_sums(run, err))
        return false;
    run->data_hash = saved_hash_data(&run->feed);
    return true;
}

/* The same data, classes and position as another run's. */
static bool run_build_like(Run *run, const Run *from, Err *err)
{
    const Feed *feeds[2] = { &from->feed, &from->check };
    Feed *to[2] = { &run->feed, &run->check };
    for (int i = 0; i < 2; i++)
        if (feeds[i]->n > 0 && (!feed_init(to[i], feeds[i]->x, feeds[i]->n_x, &feeds[i]->y, feeds[i]->first, feeds[i]->n,
                                           feeds[i]->batch_size, feeds[i]->shuffle, feeds[i]->seed, err) ||
                                (feeds[i]->w.data && !feed_weigh(to[i], &feeds[i]->w, err))))
            return false;
    FitOptions o = { .class_weight = from->class_weight, .n_classes = from->n_classes };
    if (!add_classes(run, &o, err) || !add_layers(run, err) || !add_sums(run, err))
        return false;
    if (run->class_names)
        memcpy(run->class_names, from->class_names, (size_t)run->n_classes * TELE_NAME);
    run->data_hash = from->data_hash;
    run->first_epoch = from->first_epoch;
    run->first_step = from->first_step;
    run->begun = from->begun;
    return true;
}

static void copy_history(Run *run, const Run *from)
{
    int n = history_rows(from->tele, telemetry_facts(from->tele), NULL, 0);
    const Fact **rows = mem_alloc((size_t)n, sizeof *rows, NULL);
    if (rows)
        n = history_rows(from->tele, telemetry_facts(from->tele), rows, n);
    for (int i = 0; rows && i < n; i++)
        telemetry_add_fact(run->tele, rows[i]);
    mem_free(rows);
}

static bool start_thread(Run *run, Err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    run->started = !pthread_create(&run->thread, NULL, trainer_main, run);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return run->started || err_set(err, ERR_IO, "the system refused to start a thread for the run");
}

/* From here on the run is in the list, and owns its layers. */
static bool run_launch(Run *run, const char *resume, size_t budget, const Run *from, Err *err)
{
    run->id = control_new_id();
    if (!add_telemetry(run, err) || !(run->probe = probe_new(run, err)) || !control_claim(run, err))
        return false;
    ring_init(run, budget ? budget : BUDGET);
    if (from) {
        run->at = from->at;
        if (!callbacks_mark(run, err)) {
            control_release(run);
            return false;
        }
        memcpy(run->sums.v, from->sums.v, run->sums.n * sizeof *run->sums.v);
        copy_history(run, from);
        report_event(run, true, "branch", "branched from run %d at step %lld", from->id, (long long)from->at.step);
    }
    bool ok = control_reserve(err) && (!resume || checkpoint_load(run, resume, err)) && control_add(run, err);
    if (ok) {
        atomic_store(&run->state, run->going ? RUN_WAITING : RUN_PAUSED);
        recorder_add(run, resume);
        report_now(run); /* who looks at once sees where it stands */
        ok = start_thread(run, err);
        if (!ok)
            atomic_store(&run->state, RUN_FAILED);
    }
    if (!ok)
        control_release(run);
    return ok;
}

/* What stands in the options is taken over, whatever happens. */
static void release_given(FitOptions *o)
{
    for (int i = 0; i < o->n_callbacks && i < RUN_CALLBACKS; i++)
        if (o->callbacks[i].release)
            o->callbacks[i].release(o->callbacks[i].ctx);
    o->n_callbacks = 0;
}

Run *run_new(Model *model, FitOptions *o, Err *err)
{
    const Compiled *compiled = compiled_of(model, err);
    bool ok = compiled && check_numbers(o, err) && check_rows(o->x, o->n_x, &o->y[0], "", err) && build_model(model, o, err);
    Run *run = ok ? run_begin(model, compiled, o, err) : NULL;
    ok = run && run_build(run, o, err);
    if (ok) {
        memcpy(run->callbacks, o->callbacks, (size_t)o->n_callbacks * sizeof *o->callbacks);
        run->n_callbacks = o->n_callbacks;
        o->n_callbacks = 0;
        ok = callbacks_bind(run, err) && run_launch(run, o->resume ? o->resume : callbacks_resume(run), o->snapshot_budget, NULL, err);
    }
    release_given(o);
    if (ok)
        return run;
    run_unref(run);
    return NULL;
}

/* ---- branches ---- */

typedef struct Branch {
    Run *from, *made;
    Model *model;
} Branch;

static bool branch_here(void *ctx, Err *err)
{
    Branch *branch = ctx;
    Run *from = branch->from;
    if (!(branch->model = replica_new(from->model, &from->compiled, err)))
        return false;
    replica_fill(branch->model, from);
    FitOptions o = { .batch_size = from->batch_size, .epochs = from->epochs, .initial_epoch = from->first_epoch, .seed = from->seed,
                     .autosave = from->autosave, .fail_on_trouble = from->fail_on_trouble, .start_paused = true, .rate = from->schedule };
    Run *run = run_begin(branch->model, compiled_of(branch->model, err), &o, err);
    if (run && run_build_like(run, from, err) && callbacks_copy(run, from, err) && run_launch(run, NULL, from->ring.budget, from, err)) {
        branch->made = run;
        return true;
    }
    run_unref(run);
    return false;
}

Run *run_branch(Run *run, Model **model_copy, Err *err)
{
    Branch branch = { .from = run };
    bool ok = run_do(run, branch_here, &branch, NULL, err);
    if (ok && model_copy)
        *model_copy = model_ref(branch.model);
    model_unref(branch.model);
    return ok ? branch.made : NULL;
}

typedef struct Save {
    Run *run;
    const char *path;
} Save;

static bool save_here(void *ctx, Err *err)
{
    const Save *save = ctx;
    Saved saved = { 0 };
    bool ok = saved_take(save->run, &saved, err) && saved_write(&saved, save->run->tele, save->run->model, save->path, err);
    saved_fini(&saved);
    return ok;
}

bool run_save(Run *run, const char *path, Err *err)
{
    Save save = { run, path };
    return run_do(run, save_here, &save, NULL, err);
}

/* ---- looking ---- */

Telemetry *run_telemetry(Run *run)
{
    return run->tele;
}

int run_id(const Run *run)
{
    return run->id;
}

RunState run_state(const Run *run)
{
    return (RunState)atomic_load((_Atomic int *)(uintptr_t)&run->state);
}

Model *run_model(Run *run)
{
    return run->model;
}

/* Backward: a row lives if no later rewind went back behind it. */
int history_rows(Telemetry *tele, size_t n_facts, const Fact **rows, int most)
{
    int n = 0, first = most;
    int64_t limit = INT64_MAX;
    for (size_t i = n_facts; i-- > 0;) {
        const Fact *fact = telemetry_fact(tele, i);
        if (fact->kind == FACT_EVENT && !strcmp(fact->label, "rewind") && fact->step < limit)
            limit = fact->step;
        if (fact->kind != FACT_EPOCH || fact->step > limit)
            continue;
        limit = fact->step - 1;
        if (first > 0)
            rows[--first] = fact; /* from the back: the newest `most` */
        n++;
    }
    if (first > 0 && n > 0)
        memmove(rows, rows + first, (size_t)(most - first) * sizeof *rows);
    return n;
}

int run_history(Run *run, const Fact **rows, int most)
{
    return history_rows(run->tele, telemetry_facts(run->tele), rows, most);
}
