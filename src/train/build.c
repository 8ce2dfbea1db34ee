// SPDX-License-Identifier: MIT
/* What a run is built of, in the order in which it is made: data, classes, layers, sums, telemetry. All of it is checked here,
 * before the trainer thread starts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "train/job.h"
#include "train/saved.h"

bool build_check(const FitOptions *o, Err *err)
{
    if (o->batch_size < 1)
        return err_set(err, ERR_ARG, "fit: batch_size must be at least 1, got %d", o->batch_size);
    if (o->epochs < 1)
        return err_set(err, ERR_ARG, "fit: epochs must be at least 1, got %d", o->epochs);
    if (o->initial_epoch < 0 || o->initial_epoch >= o->epochs)
        return err_set(err, ERR_ARG, "fit: initial_epoch must be 0 to epochs - 1 (%d), got %d", o->epochs - 1, o->initial_epoch);
    if (!(o->validation_split >= 0 && o->validation_split < 1))
        return err_set(err, ERR_ARG, "fit: validation_split must be at least 0 and below 1, got %g", o->validation_split);
    if (o->steps_per_epoch < 0 || o->validation_steps < 0 || o->validation_batch_size < 0 || o->validation_freq < 0)
        return err_set(err, ERR_ARG, "fit: steps_per_epoch, validation_steps, validation_batch_size and validation_freq are at least 1");
    bool checks = o->validation.n_x > 0 || o->validation_split > 0;
    if (!checks && (o->validation_steps || o->validation_batch_size))
        return err_set(err, ERR_ARG, "fit: %s is given, but neither validation_data nor validation_split",
                       o->validation_steps ? "validation_steps" : "validation_batch_size");
    for (int i = 0; i < o->n_validation_epochs; i++)
        if (o->validation_epochs[i] < 1)
            return err_set(err, ERR_ARG, "fit: validation_freq lists epochs, which count from 1, got %d", o->validation_epochs[i]);
    if (o->n_callbacks < 0 || o->n_callbacks > RUN_CALLBACKS)
        return err_set(err, ERR_ARG, "fit: at most %d callbacks", RUN_CALLBACKS);
    return true;
}

/* ---- data ---- */

static int64_t check_size(const FitOptions *o)
{
    return o->validation_batch_size > 0 ? o->validation_batch_size : o->batch_size;
}

static bool add_validation(Run *run, const FitOptions *o, Err *err)
{
    static const char what[] = "validation_data";
    Samples fit = { 0 };
    if (o->validation.n_x != o->data.n_x)
        return err_set(err, ERR_ARG, "%s has %d inputs, x has %d; give {{x1, x2, ...}, y}", what, o->validation.n_x, o->data.n_x);
    if (!samples_check(&o->validation, what, err))
        return false;
    bool ok = samples_fit(&fit, &o->validation, &run->compiled, run->model, "fit", err) &&
              feed_init(&run->check, &fit, 0, samples_rows(&fit), check_size(o), false, run->seed, err);
    samples_unref(&fit);
    return ok || (err_wrap(err, "%s", what), false);
}

/* Rows that are trained on: Keras's rounding. */
static int64_t rows_kept(const FitOptions *o)
{
    int64_t rows = samples_rows(&o->data);
    return o->validation.n_x == 0 && o->validation_split > 0 ? (int64_t)floor((double)rows * (1 - o->validation_split)) : rows;
}

static bool add_data(Run *run, const FitOptions *o, Err *err)
{
    Samples fit = { 0 };
    int64_t rows = samples_rows(&o->data), kept = rows_kept(o);
    if (kept < 1)
        return err_set(err, ERR_DATA, "fit: validation_split = %g leaves nothing of %lld samples to train on", o->validation_split,
                       (long long)rows);
    bool ok = samples_fit(&fit, &o->data, &run->compiled, run->model, "fit", err) &&
              feed_init(&run->feed, &fit, 0, kept, run->batch_size, o->shuffle, run->seed, err) && feed_augment(&run->feed, o->augment, o->n_augment, err) &&
              (kept == rows || feed_init(&run->check, &fit, kept, rows - kept, check_size(o), false, run->seed, err));
    samples_unref(&fit);
    return ok && (o->validation.n_x == 0 || add_validation(run, o, err));
}

/* How much of the data an epoch and a validation go through. */
static bool add_steps(Run *run, const FitOptions *o, Err *err)
{
    int64_t all = feed_batches(&run->check);
    run->steps_per_epoch = o->steps_per_epoch > 0 ? o->steps_per_epoch : feed_batches(&run->feed);
    run->validation_steps = o->validation_steps > 0 && o->validation_steps < all ? o->validation_steps : all;
    run->validation_freq = o->validation_freq > 0 ? o->validation_freq : 1;
    if (!o->validation_epochs)
        return true;
    size_t n = (size_t)o->n_validation_epochs;
    if (!(run->validation_epochs = mem_alloc(n, sizeof(int), err)))
        return false;
    memcpy(run->validation_epochs, o->validation_epochs, n * sizeof(int));
    run->n_validation_epochs = o->n_validation_epochs;
    return true;
}

/* ---- classes ---- */

static bool add_class_weight(Run *run, const FitOptions *o, Err *err)
{
    int n = run->n_classes, wanted = o->n_classes > 0 ? o->n_classes : n;
    if (!class_weight_fits(&run->compiled, "fit", err))
        return false;
    if (n > 0 && wanted != n)
        return err_set(err, ERR_ARG, "fit: class_weight names %d classes, the model's output has %d", wanted, n);
    run->n_classes = n = wanted;
    run->class_weight = mem_alloc((size_t)n, sizeof(real), err);
    run->weights = mem_alloc((size_t)run->batch_size, sizeof(real), err);
    if (!run->class_weight || !run->weights)
        return false;
    memcpy(run->class_weight, o->class_weight, (size_t)n * sizeof(real));
    return true;
}

static bool add_classes(Run *run, const FitOptions *o, Err *err)
{
    run->n_classes = target_classes(&run->compiled, run->model, &run->class_output);
    if (o->class_weight && !add_class_weight(run, o, err))
        return false;
    size_t n = (size_t)run->n_classes;
    if (n == 0)
        return true;
    run->class_names = mem_zero(n, TELE_NAME, err);
    run->confusion = mem_zero(n * n, sizeof *run->confusion, err);
    if (!run->class_names || !run->confusion)
        return false;
    for (int i = 0; i < run->n_classes; i++)
        if (o->class_names && (o->n_classes == 0 || i < o->n_classes) && o->class_names[i])
            snprintf(run->class_names[i], TELE_NAME, "%s", o->class_names[i]);
        else
            snprintf(run->class_names[i], TELE_NAME, "%d", i);
    return true;
}

/* ---- layers, sums ---- */

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

Model *const *run_models(const Run *run, int *n)
{
    *n = run->job ? run->job->n_models : 1;
    return run->job ? run->job->models : &run->model;
}

bool build_layers(Run *run, Err *err)
{
    Collect count = { run, 0 }, fill = { run, 0 };
    int n;
    Model *const *models = run_models(run, &n);
    for (int i = 0; i < n; i++)
        model_each_layer(models[i], collect_layer, &count);
    run->layers = mem_zero((size_t)count.n, sizeof *run->layers, err);
    if (!run->layers)
        return false;
    for (int i = 0; i < n; i++)
        model_each_layer(models[i], collect_layer, &fill);
    run->n_layers = fill.n;
    return true;
}

static bool add_sums(Run *run, Err *err)
{
    int64_t most = run->steps_per_epoch * run->batch_size; /* of an epoch that goes through the rows more than once */
    return sums_init(&run->sums, &run->compiled, run->model, most > run->feed.n ? most : run->feed.n, err) &&
           sums_init(&run->batch_sums, &run->compiled, run->model, run->batch_size, err) &&
           sums_init(&run->check_sums, &run->compiled, run->model, run->check.n, err);
}

bool build_run(Run *run, const FitOptions *o, Err *err)
{
    if (!add_data(run, o, err) || !add_steps(run, o, err) || !optimizer_bind(run->optimizer, run->model, err) || !add_classes(run, o, err) || !build_layers(run, err) ||
        !add_sums(run, err))
        return false;
    run->data_hash = saved_hash_data(&run->feed);
    return true;
}

static bool copy_feed(Feed *to, const Feed *from, Err *err)
{
    return from->n == 0 || (feed_init(to, &from->all, from->first, from->n, from->batch_size, from->shuffle, from->seed, err) &&
                             feed_augment(to, from->layers, from->n_layers, err));
}

bool build_run_like(Run *run, const Run *from, Err *err)
{
    FitOptions o = { .class_weight = from->class_weight, .n_classes = from->n_classes, .steps_per_epoch = from->steps_per_epoch,
                     .validation_steps = from->validation_steps, .validation_freq = from->validation_freq,
                     .validation_epochs = from->validation_epochs, .n_validation_epochs = from->n_validation_epochs };
    if (!copy_feed(&run->feed, &from->feed, err) || !copy_feed(&run->check, &from->check, err) || !add_steps(run, &o, err) || !add_classes(run, &o, err) ||
        !build_layers(run, err) || !add_sums(run, err))
        return false;
    if (run->class_names)
        memcpy(run->class_names, from->class_names, (size_t)run->n_classes * TELE_NAME);
    run->data_hash = from->data_hash;
    run->first_epoch = from->first_epoch;
    run->first_step = from->first_step;
    run->begun = from->begun;
    return true;
}

/* ---- telemetry ---- */

_Static_assert(COMPILE_NAME <= TELE_VALUE, "names of values fit into the plan");

/* The names of what is trained and of the curves: loss and metrics of compile, or a job's. */
static void name_values(const Run *run, TelePlan *plan)
{
    const Compiled *compiled = &run->compiled;
    const Job *job = run->job;
    size_t at = (size_t)snprintf(plan->model, sizeof plan->model, "%.31s", job ? job->names[0] : run->model->name);
    for (int i = 1; job && i < job->n_models && at < sizeof plan->model; i++)
        at += (size_t)snprintf(plan->model + at, sizeof plan->model - at, " + %s", job->names[i]);
    plan->n_metrics = job ? job->n_metrics : compiled->n_values;
    for (int i = 0; i < plan->n_metrics; i++)
        snprintf(plan->metrics[i], TELE_VALUE, "%s", job ? job->metrics[i] : compiled->values[i]);
    if (plan->n_metrics == 0) /* a job before its first step */
        snprintf(plan->metrics[plan->n_metrics++], TELE_VALUE, "loss");
}

bool build_telemetry(Run *run, Err *err)
{
    TelePlan plan = { .run_id = run->id, .first_epoch = run->first_epoch + 1, .n_epochs = run->epochs, .seed = run->seed };
    name_values(run, &plan);
    run->n_metrics = plan.n_metrics;
    plan.validates = run->check.n > 0;
    plan.steps_per_epoch = run->steps_per_epoch;
    plan.samples_per_epoch = run->steps_per_epoch == feed_batches(&run->feed) ? run->feed.n : run->steps_per_epoch * run->batch_size;
    plan.batch_size = run->batch_size;
    plan.n_classes = run->confusion ? run->n_classes : 0;
    plan.threads = pool_threads();
    run->tele = telemetry_new(&plan, err);
    for (int i = 0; i < TELE_METRICS; i++)
        run->at.validation[i] = run->now.metrics[i] = run->now.validation[i] = (double)NAN;
    return run->tele != NULL;
}
