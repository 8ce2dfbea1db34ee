// SPDX-License-Identifier: MIT
/* The runs of this process, and who trains which layers. The list holds a reference to every run that has not ended, and to the
 * newest; older ended ones live as long as somebody else refers to them. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "train/trainer.h"

static struct {
    pthread_mutex_t lock; /* guards everything here, Model.owner and Layer.run_id */
    Run **runs;           /* owned list of references, by rising id */
    int n, room, last_id;
} registry = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool run_has_ended(const Run *run)
{
    RunState state = run_state(run);
    return state == RUN_FINISHED || state == RUN_STOPPED || state == RUN_FAILED;
}

/* Drop ended runs but the newest: out of the list under the lock, released after it. */
static void prune(void)
{
    for (;;) {
        Run *over = NULL;
        pthread_mutex_lock(&registry.lock);
        for (int i = 0; i < registry.n - 1 && !over; i++) {
            if (!run_has_ended(registry.runs[i]) || atomic_load(&registry.runs[i]->pending))
                continue;
            over = registry.runs[i];
            memmove(&registry.runs[i], &registry.runs[i + 1], (size_t)(--registry.n - i) * sizeof(Run *));
        }
        pthread_mutex_unlock(&registry.lock);
        if (!over)
            return;
        run_unref(over);
    }
}

int control_new_id(void)
{
    pthread_mutex_lock(&registry.lock);
    int id = ++registry.last_id;
    pthread_mutex_unlock(&registry.lock);
    return id;
}

/* Room for one more; with the lock held. */
static bool make_room(Err *err)
{
    if (registry.n < registry.room)
        return true;
    int room = registry.room ? 2 * registry.room : 16;
    Run **more = mem_grow(registry.runs, (size_t)room, sizeof *more, err);
    registry.runs = more ? more : registry.runs;
    registry.room = more ? room : registry.room;
    return more != NULL;
}

bool control_reserve(Err *err)
{
    pthread_mutex_lock(&registry.lock);
    bool ok = make_room(err);
    pthread_mutex_unlock(&registry.lock);
    return ok;
}

bool control_add(Run *run, Err *err)
{
    bool listed = false;
    pthread_mutex_lock(&registry.lock);
    for (int i = 0; i < registry.n; i++)
        listed |= registry.runs[i] == run;
    bool ok = listed || make_room(err);
    if (ok && !listed) {
        int at = registry.n++;
        for (; at > 0 && registry.runs[at - 1]->id > run->id; at--)
            registry.runs[at] = registry.runs[at - 1];
        registry.runs[at] = run_ref(run);
    }
    pthread_mutex_unlock(&registry.lock);
    prune();
    return ok;
}

int control_count(void)
{
    prune();
    pthread_mutex_lock(&registry.lock);
    int n = registry.n;
    pthread_mutex_unlock(&registry.lock);
    return n;
}

Run *control_run(int i)
{
    pthread_mutex_lock(&registry.lock);
    Run *run = i >= 0 && i < registry.n ? run_ref(registry.runs[i]) : NULL;
    pthread_mutex_unlock(&registry.lock);
    return run;
}

Run *control_latest(void)
{
    pthread_mutex_lock(&registry.lock);
    Run *run = registry.n > 0 ? run_ref(registry.runs[registry.n - 1]) : NULL;
    pthread_mutex_unlock(&registry.lock);
    return run;
}

static bool any_run(bool paused)
{
    bool found = false;
    pthread_mutex_lock(&registry.lock);
    for (int i = 0; i < registry.n && !found; i++) {
        RunState state = run_state(registry.runs[i]);
        found = !run_has_ended(registry.runs[i]) && (paused || (state != RUN_PAUSED && state != RUN_TROUBLE));
    }
    pthread_mutex_unlock(&registry.lock);
    return found;
}

bool control_any_active(void)
{
    return any_run(true);
}

bool control_any_going(void)
{
    return any_run(false);
}

void control_stop_all(void)
{
    pthread_mutex_lock(&registry.lock);
    for (int i = 0; i < registry.n; i++) {
        Run *run = registry.runs[i];
        atomic_store(&run->abandon, true);
        atomic_store(&run->stop_all, true);
        run_nudge(run);
    }
    pthread_mutex_unlock(&registry.lock);
    run_wake_waiters();
}

bool control_settle(double seconds)
{
    double end = clock_now() + seconds;
    control_stop_all();
    while (control_any_active() && clock_now() < end)
        clock_sleep(0.002);
    double left = end - clock_now();
    return recorder_finish(left > 0 ? left : 0) && !control_any_active();
}

/* ---- who trains what ---- */

static Run *find(int id)
{
    for (int i = 0; i < registry.n; i++)
        if (registry.runs[i]->id == id)
            return registry.runs[i];
    return NULL;
}

static bool refuse(const char *what, int id, Err *err)
{
    const Run *other = find(id);
    return err_set(err, ERR_STATE, "%s is being trained by run %d (%s); wait for it or stop it first: run:stop()", what, id,
                   other ? run_state_name(run_state(other)) : "going");
}

static bool shares_layer(const Run *a, const Run *b)
{
    for (int i = 0; i < a->n_layers; i++)
        for (int j = 0; j < b->n_layers; j++)
            if (a->layers[i] == b->layers[j])
                return true;
    return false;
}

/* Ended runs of the same layers draw no more pictures of them; waits for one that is being drawn. Not under the registry's lock:
 * who holds a model may ask for the registry. */
static void retire_others(Run *run)
{
    for (int i = 0;; i++) {
        pthread_mutex_lock(&registry.lock);
        Run *other = i < registry.n ? run_ref(registry.runs[i]) : NULL;
        pthread_mutex_unlock(&registry.lock);
        if (!other)
            return;
        if (other != run && shares_layer(run, other)) {
            atomic_store(&other->retired, true);
            pthread_mutex_lock(&other->model_lock);
            pthread_mutex_unlock(&other->model_lock);
        }
        run_unref(other);
    }
}

static void freeze_all(Tensor *tensors, int n, bool on)
{
    for (int i = 0; i < n; i++)
        if (tensors[i].data)
            (on ? tensor_freeze : tensor_thaw)(&tensors[i]);
}

static void freeze(Run *run, bool on)
{
    Samples *all[2] = { &run->feed.all, &run->check.all };
    for (int i = 0; i < 2; i++) {
        freeze_all(all[i]->x, all[i]->n_x, on);
        freeze_all(all[i]->y, all[i]->n_y, on);
        freeze_all(all[i]->w, all[i]->n_w, on);
    }
}

bool control_claim(Run *run, Err *err)
{
    bool ok = true;
    pthread_mutex_lock(&registry.lock);
    int n;
    Model *const *models = run_models(run, &n);
    for (int i = 0; ok && i < n; i++) {
        Run *owner = atomic_load(&models[i]->owner);
        if (owner)
            ok = refuse(models[i]->name, owner->id, err);
    }
    for (int i = 0; ok && i < run->n_layers; i++)
        if (run->layers[i]->run_id)
            ok = refuse(run->layers[i]->name, run->layers[i]->run_id, err);
    if (ok) {
        for (int i = 0; i < n; i++)
            atomic_store(&models[i]->owner, run);
        optimizer_attach(run->optimizer, run->id);
        for (int i = 0; i < run->n_layers; i++)
            run->layers[i]->run_id = run->id;
        freeze(run, true);
    }
    pthread_mutex_unlock(&registry.lock);
    if (ok)
        retire_others(run);
    return ok;
}

void control_release(Run *run)
{
    pthread_mutex_lock(&registry.lock);
    if (atomic_load(&run->model->owner) == run) {
        optimizer_detach(run->optimizer);
        for (int i = 0; i < run->n_layers; i++)
            run->layers[i]->run_id = 0;
        freeze(run, false);
        int n;
        Model *const *models = run_models(run, &n);
        for (int i = 0; i < n; i++)
            atomic_store(&models[i]->owner, NULL);
    }
    pthread_mutex_unlock(&registry.lock);
}

/* ---- work on a model ---- */

typedef struct Owners {
    int id;
    bool several;
} Owners;

static bool see_layer(void *ctx, Layer *layer, const char *path)
{
    Owners *owners = ctx;
    (void)path;
    owners->several |= owners->id && layer->run_id && layer->run_id != owners->id;
    owners->id = layer->run_id ? layer->run_id : owners->id;
    return true;
}

Run *control_reach(Model *model, bool *several)
{
    Owners owners = { 0 };
    pthread_mutex_lock(&registry.lock);
    Run *run = atomic_load(&model->owner);
    if (!run) {
        model_each_layer(model, see_layer, &owners);
        run = owners.id ? find(owners.id) : NULL;
    }
    for (int i = registry.n - 1; i >= 0 && !run; i--)
        if (run_trains(registry.runs[i], model))
            run = registry.runs[i];
    run_ref(run);
    pthread_mutex_unlock(&registry.lock);
    *several = owners.several;
    return run;
}

bool model_do(Model *model, RunFn fn, void *ctx, const _Atomic bool *stop, Err *err)
{
    bool several;
    Run *run = control_reach(model, &several);
    bool ok;
    if (several)
        ok = err_set(err, ERR_STATE, "layers of %s are being trained by several runs; wait for them or stop them", model->name);
    else
        ok = run ? run_do(run, fn, ctx, stop, err) : fn(ctx, err);
    run_unref(run);
    return ok;
}
