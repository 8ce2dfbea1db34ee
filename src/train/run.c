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
#include "train/job.h"
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
    mem_free(run->validation_epochs);
    mem_free(run->class_weight);
    mem_free(run->weights);
    mem_free(run->confusion);
    mem_free(run->class_names);
    mem_free(run->changes);
    compiled_fini(&run->compiled);
    telemetry_unref(run->tele);
    job_free(run->job);
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

/* ---- start ---- */

Run *run_begin(Model *model, const Compiled *compiled, FitOptions *o, Err *err)
{
    Run *run = mem_zero(1, sizeof *run, err);
    if (!run)
        return NULL;
    atomic_init(&run->refs, 1);
    init_locks(run);
    tape_init(&run->tape);
    tape_init(&run->look);
    run->model = model_ref(model);
    compiled_copy(&run->compiled, compiled);
    run->optimizer = run->compiled.optimizer;
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
    run->begun_step = -1;
    run->schedule = rate_ref(o->rate ? o->rate : run->optimizer->rate);
    run->at.scheduled = run->schedule != NULL;
    return run;
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

bool run_start(Run *run, const char *resume, Err *err)
{
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

/* From here on the run is in the list, and owns its layers. */
static bool run_launch(Run *run, const char *resume, size_t budget, const Run *from, Err *err)
{
    run->id = control_new_id();
    if (!build_telemetry(run, err) || !probe_add(run, err) || !control_claim(run, err))
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
    return run_start(run, resume, err);
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
    bool given = o->resume && !model->compiled; /* the file says how it was compiled */
    const Compiled *compiled = given && !compile_from_file(model, o->resume, err) ? NULL : compiled_of(model, err);
    bool ok = compiled && build_check(o, err) && samples_build(model, &o->data, "fit", err);
    Run *run = ok ? run_begin(model, compiled, o, err) : NULL;
    ok = run && build_run(run, o, err);
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
    if (given)
        compile_drop(model);
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
    if (run && build_run_like(run, from, err) && callbacks_copy(run, from, err) && run_launch(run, NULL, from->ring.budget, from, err)) {
        branch->made = run;
        return true;
    }
    run_unref(run);
    return false;
}

static bool refuse_job(const Run *run, const char *what, Err *err)
{
    return !run->job || err_set(err, ERR_STATE, "run %d is a job, whose Lua variables are not known: it cannot be %s; save its models by themselves: model:save(file)",
                                run->id, what);
}

Run *run_branch(Run *run, Model **model_copy, Err *err)
{
    if (!refuse_job(run, "branched", err))
        return NULL;
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
    if (!refuse_job(run, "saved as one file", err))
        return false;
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

bool run_trains(const Run *run, const Model *model)
{
    int n;
    Model *const *models = run_models(run, &n);
    for (int i = 0; i < n; i++)
        if (models[i] == model)
            return true;
    return false;
}

