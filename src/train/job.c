// SPDX-License-Identifier: MIT
#include "train/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "train/trainer.h"

#define BURST_S 0.1 /* steps are done in one go for so long; other Lua code waits no longer than this and a step */

/* ---- curves ---- */

static int find_metric(const Job *job, const char *name)
{
    for (int i = 0; i < job->n_metrics; i++)
        if (!strcmp(job->metrics[i], name))
            return i;
    return -1;
}

static bool add_metric(Job *job, const char *name, Err *err)
{
    if (job->n_metrics == TELE_METRICS)
        return err_set(err, ERR_ARG, "a job has at most %d curves", TELE_METRICS);
    if (!*name || strlen(name) >= TELE_VALUE)
        return err_set(err, ERR_ARG, "the name of a curve has 1 to %d letters, got \"%.60s\"", TELE_VALUE - 1, name);
    if (find_metric(job, name) >= 0)
        return err_set(err, ERR_ARG, "there are two curves called \"%s\"", name);
    snprintf(job->metrics[job->n_metrics++], TELE_VALUE, "%s", name);
    return true;
}

bool job_log(Run *run, const char *name, double value, Err *err)
{
    Job *job = run->job;
    Buf known = BUF_INIT;
    int i = find_metric(job, name);
    if (i < 0 && !job->named) {
        if (!add_metric(job, name, err))
            return false;
        i = job->n_metrics - 1;
    }
    if (i >= 0) {
        job->values[i] = value;
        return true;
    }
    for (int k = 0; k < job->n_metrics; k++)
        buf_printf(&known, "%s%s", k ? ", " : "", job->metrics[k]);
    err_set(err, ERR_NAME, "log: this job has no curve \"%.40s\", only %s; name all of them with metrics = {…}, or log them in the first step",
            name, job->n_metrics ? buf_text(&known) : "none");
    buf_fini(&known);
    return false;
}

static void clear_sums(Job *job)
{
    memset(job->sums, 0, sizeof job->sums);
    memset(job->counts, 0, sizeof job->counts);
}

void job_means(const Job *job, double *out)
{
    for (int i = 0; i < job->n_metrics; i++)
        out[i] = job->counts[i] > 0 ? job->sums[i] / (double)job->counts[i] : (double)NAN;
}

/* ---- optimizers ---- */

bool job_adopt(Run *run, Optimizer *optimizer, Err *err)
{
    Job *job = run->job;
    for (int i = 0; i < job->n_optimizers; i++)
        if (job->optimizers[i] == optimizer)
            return true;
    if (job->n_optimizers == JOB_OPTIMIZERS)
        return err_set(err, ERR_ARG, "a job has at most %d optimizers", JOB_OPTIMIZERS);
    job->optimizers[job->n_optimizers++] = optimizer_ref(optimizer);
    return true;
}

void job_set_rate(Job *job, double learning_rate)
{
    double before = job->n_optimizers ? job->optimizers[0]->learning_rate : 0;
    for (int i = 0; i < job->n_optimizers; i++) {
        Optimizer *optimizer = job->optimizers[i];
        rate_unref(optimizer->rate);
        optimizer->rate = NULL;
        optimizer->learning_rate = before > 0 ? optimizer->learning_rate * (learning_rate / before) : learning_rate;
    }
    if (job->n_optimizers)
        job->optimizers[0]->learning_rate = learning_rate;
}

void job_finish(Job *job)
{
    for (int i = 0; i < job->n_optimizers; i++)
        optimizer_finish(job->optimizers[i]);
}

/* ---- a step ---- */

void job_given(Run *run, const Model *model, const Tensor *x, int n_x)
{
    probe_given(run, model, x, n_x);
}

static void prepare(Run *run)
{
    run->job->look = probe_before_update(run);
    run->batch = (Batch){ .n = 1 };
    if (run->feed.n > 0)
        trainer_take_batch(run);
    for (int i = 0; i < TELE_METRICS; i++)
        run->job->values[i] = (double)NAN;
}

/* Steps until job_more says no; the last one is not kept yet, and nothing of it has moved when it fails. */
static bool do_step(Run *run, Err *err)
{
    prepare(run);
    run->job->burst_s = clock_now();
    return run->job->step(run->job->ctx, run, &run->batch, err);
}

void job_enter(Run *run)
{
    atomic_store(&run->stepper, pthread_self());
}

void job_leave(Run *run)
{
    atomic_store(&run->stepper, (pthread_t){ 0 });
}

static void keep_step(Run *run)
{
    Job *job = run->job;
    if (run->at.batch == 0)
        clear_sums(job);
    for (int i = 0; i < job->n_metrics; i++)
        if (!isnan(job->values[i])) {
            job->sums[i] += job->values[i] * (double)run->batch.n;
            job->counts[i] += run->batch.n;
        }
    if (job->n_optimizers > 0)
        run->optimizer->learning_rate = job->optimizers[0]->learning_rate;
    if (job->look)
        probe_after_update(run);
    run->at.batch++;
    run->at.step++;
    report_step(run, job->values);
}

static bool tells_steps(const Run *run)
{
    for (int i = 0; i < run->n_callbacks; i++)
        if (run->callbacks[i].batch_begin || run->callbacks[i].batch_end)
            return true;
    return false;
}

const Batch *job_more(Run *run)
{
    bool asked = atomic_load(&run->pending) || atomic_load(&run->quit) || atomic_load(&run->stop_all) || atomic_load(&run->abandon);
    bool counted = run->steps_left > 0 || tells_steps(run) || !run->job->named;
    bool last = run->at.batch + 1 == trainer_batches(run);
    if (asked || counted || last || clock_now() - run->job->burst_s > BURST_S)
        return NULL;
    keep_step(run);
    prepare(run);
    return &run->batch;
}

bool job_update(Run *run, Err *err)
{
    if (!do_step(run, err))
        return false;
    keep_step(run);
    return true;
}

/* ---- making ---- */

static bool check_numbers(const JobOptions *o, Err *err)
{
    if (o->batch_size < 1)
        return err_set(err, ERR_ARG, "job: batch_size must be at least 1, got %d", o->batch_size);
    if (o->epochs < 1)
        return err_set(err, ERR_ARG, "job: epochs must be at least 1, got %d", o->epochs);
    if (o->n_data == 0 && o->steps_per_epoch < 1)
        return err_set(err, ERR_ARG, "job: without data it must be said how many steps make an epoch: steps_per_epoch = 100");
    if (o->n_models < 1 || o->n_models > JOB_MODELS)
        return err_set(err, ERR_ARG, "job wants 1 to %d models, got %d", JOB_MODELS, o->n_models);
    for (int i = 0; i < o->n_callbacks; i++)
        if (o->callbacks[i].builtin)
            return err_set(err, ERR_ARG, "job: %s is for fit; in a job the step sees to that", o->callbacks[i].name);
    return true;
}

static bool check_data(const JobOptions *o, Err *err)
{
    for (int i = 0; i < o->n_data; i++) {
        const Shape *shape = &o->data[i].shape;
        if (shape->rank < 1 || shape->d[0] < 1)
            return err_set(err, ERR_DATA, "job: there is no data: tensor %d is empty", i + 1);
        if (shape->d[0] != o->data[0].shape.d[0])
            return err_set(err, ERR_SHAPE, "job: the data have different numbers of samples: %lld and %lld", (long long)o->data[0].shape.d[0],
                           (long long)shape->d[0]);
    }
    return true;
}

static bool check_models(const JobOptions *o, Err *err)
{
    for (int i = 0; i < o->n_models; i++) {
        if (!o->models[i]->built)
            return err_set(err, ERR_STATE, "job: %s is not built yet: give its first layer an input_shape", o->models[i]->name);
        if (strlen(o->names[i]) >= TELE_NAME)
            return err_set(err, ERR_ARG, "job: the name of a model has at most %d letters, got \"%.60s\"", TELE_NAME - 1, o->names[i]);
        for (int k = 0; k < i; k++)
            if (o->models[k] == o->models[i])
                return err_set(err, ERR_ARG, "job: %s and %s are the same model", o->names[k], o->names[i]);
            else if (!strcmp(o->names[k], o->names[i]))
                return err_set(err, ERR_ARG, "job: two models are called %s; give them names: models = {G = G, D = D}", o->names[i]);
    }
    return true;
}

static bool fill(Run *run, JobOptions *o, Err *err)
{
    Job *job = run->job = mem_zero(1, sizeof *job, err);
    if (!job)
        return false;
    job->step = o->step;
    job->release = o->release;
    job->ctx = o->ctx;
    o->release = NULL;
    for (int i = 0; i < o->n_models; i++) {
        job->models[i] = model_ref(o->models[i]);
        snprintf(job->names[i], TELE_NAME, "%s", o->names[i]);
        job->n_models++;
    }
    for (int i = 0; i < o->n_metrics; i++)
        if (!add_metric(job, o->metrics[i], err))
            return false;
    job->named = o->n_metrics > 0;
    Samples all = { .n_x = o->n_data };
    memcpy(all.x, o->data, sizeof all.x);
    if (o->n_data > 0 && !feed_init(&run->feed, &all, 0, o->data[0].shape.d[0], o->batch_size, o->shuffle, o->seed, err))
        return false;
    run->steps_per_epoch = o->steps_per_epoch > 0 ? o->steps_per_epoch : feed_batches(&run->feed);
    return true;
}

/* The first step, here, so that the names of the curves are known before anybody looks. */
static bool learn_names(Run *run, Err *err)
{
    bool ok = do_step(run, err);
    run->job->named = true;
    return ok && (run->job->n_metrics > 0 || err_set(err, ERR_ARG, "job: the first step logged nothing, so there is no curve to show: job:log{loss = loss}"));
}

static bool start(Run *run, Err *err)
{
    bool named = run->job->named;
    run->last_s = clock_now();
    if (!build_layers(run, err) || !build_telemetry(run, err) || !probe_add(run, err) || !control_claim(run, err))
        return false;
    bool ok = named || learn_names(run, err);
    if (ok && !named) {
        telemetry_unref(run->tele);
        run->tele = NULL;
        ok = build_telemetry(run, err);
        if (ok)
            keep_step(run);
    }
    if (ok)
        return run_start(run, NULL, err);
    control_release(run);
    return false;
}

static void release_given(JobOptions *o)
{
    for (int i = 0; i < o->n_callbacks; i++)
        if (o->callbacks[i].release)
            o->callbacks[i].release(o->callbacks[i].ctx);
    if (o->release)
        o->release(o->ctx);
}

Run *job_new(JobOptions *o, Err *err)
{
    Compiled compiled = { 0 };
    FitOptions fit = { .batch_size = o->batch_size, .epochs = o->epochs, .seed = o->seed, .start_paused = o->start_paused, .autosave = o->autosave,
                       .fail_on_trouble = o->fail_on_trouble };
    Args args;
    const OptimizerKind *kind = optimizer_find("sgd", err);
    optimizer_args_init(&args, kind);
    bool ok = check_numbers(o, err) && check_data(o, err) && check_models(o, err) &&
              (compiled.optimizer = optimizer_new(kind, &args, err)) != NULL; /* holds the learning rate that is shown */
    Run *run = ok ? run_begin(o->models[0], &compiled, &fit, err) : NULL;
    optimizer_unref(compiled.optimizer);
    ok = run && fill(run, o, err);
    if (ok) {
        memcpy(run->callbacks, o->callbacks, (size_t)o->n_callbacks * sizeof *o->callbacks);
        run->n_callbacks = o->n_callbacks;
        o->n_callbacks = 0;
        run->id = control_new_id();
        ok = start(run, err);
    }
    release_given(o);
    if (ok)
        return run;
    run_unref(run);
    return NULL;
}

uint64_t job_seed(const Run *run)
{
    return run->seed;
}

int64_t job_steps(const Run *run)
{
    return run->at.step;
}

int job_epoch(const Run *run)
{
    return run->at.epoch + 1;
}

Job *run_job(Run *run)
{
    return run->job;
}

void job_free(Job *job)
{
    if (!job)
        return;
    if (job->release)
        job->release(job->ctx);
    for (int i = 0; i < job->n_optimizers; i++)
        optimizer_unref(job->optimizers[i]);
    for (int i = 0; i < job->n_models; i++)
        model_unref(job->models[i]);
    mem_free(job);
}
