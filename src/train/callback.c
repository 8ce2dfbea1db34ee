// SPDX-License-Identifier: MIT
/* The table of built-in callbacks, and what is the same for all of them: what they watch, the marks by which they go back. */
#include "train/callback.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fence.h"
#include "base/mem.h"
#include "base/name.h"
#include "tensor/kern.h"
#include "train/deposit.h"
#include "train/trainer.h"

#define ROW(name) extern const CallbackKind callback_##name;
#include "gen/callbacks.h"
#undef ROW

static const CallbackKind *const table[] = {
#define ROW(name) &callback_##name,
#include "gen/callbacks.h"
#undef ROW
    NULL,
};

const CallbackKind *callback_at(int i)
{
    int n = (int)(sizeof table / sizeof *table) - 1;
    return i >= 0 && i < n ? table[i] : NULL;
}

static const char *name_at(int i)
{
    return table[i] ? table[i]->name : NULL;
}

const CallbackKind *callback_find(const char *name, Err *err)
{
    int i = name_find(name_at, name, "callback", err);
    return i < 0 ? NULL : table[i];
}

#define LAST_S 10.0 /* seconds that a run's end waits for its files */

/* ---- as the trainer calls them ---- */

static bool batch_end(void *ctx, Run *run, int64_t step_in_epoch, const double *logs, Err *err)
{
    Callback *callback = ctx;
    (void)step_in_epoch;
    return callback->kind->batch_end(callback, run, logs, err);
}

static void tell(const Callback *callback, Run *run, Writer *writer)
{
    const char *why = writer_trouble(writer);
    if (why)
        report_event(run, false, "recorder", "%s cannot write, training goes on: %.140s", callback->kind->name, why);
}

static void tell_trouble(const Callback *callback, Run *run)
{
    for (int i = 0; i < CALLBACK_SINKS; i++)
        tell(callback, run, callback->sinks[i] ? sink_writer(callback->sinks[i]) : NULL);
    tell(callback, run, callback->deposit ? deposit_writer(callback->deposit) : NULL);
}

static bool epoch_end(void *ctx, Run *run, int epoch, const double *logs, const double *validation, Err *err)
{
    Callback *callback = ctx;
    tell_trouble(callback, run);
    return callback->kind->epoch_end(callback, run, epoch, logs, validation, err);
}

/* What a script does next may be to read the files. */
static bool train_end(void *ctx, Run *run, Err *err)
{
    Callback *callback = ctx;
    bool ok = !callback->kind->train_end || callback->kind->train_end(callback, run, err);
    if (callback->file && !recorder_finish(LAST_S))
        report_event(run, false, "recorder", "%s: the last of it is not on disk yet", callback->file);
    tell_trouble(callback, run);
    return ok;
}

static void release(void *ctx)
{
    Callback *callback = ctx;
    for (int i = 0; i < CALLBACK_SINKS; i++)
        sink_close(callback->sinks[i]);
    deposit_close(callback->deposit);
    buf_fini(&callback->room);
    mem_free(callback->file);
    mem_free(callback->kept);
    mem_free(callback->marks);
    mem_free(callback);
}

bool callback_new(const CallbackKind *kind, const Args *args, const char *file, RunCallback *out, Err *err)
{
    file = file ? file : kind->file_fallback;
    if (!args_complete(args, kind->name, err) || (kind->check && !kind->check(args, err)))
        return false;
    if (kind->file && (!file || !*file || strlen(file) >= CALLBACK_PATH))
        return err_set(err, ERR_ARG, "%s wants %s, a path of 1 to %d bytes", kind->name, kind->file, CALLBACK_PATH - 1);
    Callback *callback = mem_zero(1, sizeof *callback, err);
    if (!callback || (kind->file && !(callback->file = mem_copy_text(file, err)))) {
        mem_free(callback);
        return false;
    }
    callback->kind = kind;
    callback->args = *args;
    callback->metric = callback->kept_step = -1;
    callback->state[CALLBACK_KEPT] = -1;
    *out = (RunCallback){ .name = kind->name, .ctx = callback, .builtin = callback, .release = release };
    out->batch_end = kind->batch_end ? batch_end : NULL;
    out->epoch_end = kind->epoch_end ? epoch_end : NULL;
    out->train_end = kind->train_end || kind->file ? train_end : NULL;
    return true;
}

/* ---- what is watched ---- */

static bool refuse_monitor(const Callback *callback, const Run *run, Err *err)
{
    Buf known = BUF_INIT;
    for (int v = 0; v < 1 + (run->check.n > 0); v++)
        for (int i = 0; i < run->compiled.n_values; i++)
            buf_printf(&known, "%s%s%s", v || i ? ", " : "", v ? "val_" : "", run->compiled.values[i]);
    bool wants_data = !strncmp(callback->monitor, "val_", 4) && run->check.n == 0;
    err_set(err, ERR_ARG, "%s watches %s, which is not among the values of this run (%s); %s", callback->kind->name, callback->monitor,
            buf_text(&known), wants_data ? "give validation_split or validation_data, or another monitor" : "give another monitor");
    buf_fini(&known);
    return false;
}

static bool find_monitor(Callback *callback, const Run *run, Err *err)
{
    const char *needs = callback->kind->monitor_if;
    if (args_find(&callback->args, "monitor") < 0 || (needs && !args_bool(&callback->args, needs)))
        return true;
    snprintf(callback->monitor, sizeof callback->monitor, "%s", args_text(&callback->args, "monitor"));
    callback->validation = !strncmp(callback->monitor, "val_", 4);
    const char *name = callback->monitor + (callback->validation ? 4 : 0), *mode = args_choice(&callback->args, "mode");
    for (int i = 0; i < run->compiled.n_values && callback->metric < 0; i++)
        if (!strcmp(run->compiled.values[i], name))
            callback->metric = i;
    if (callback->metric < 0 || (callback->validation && run->check.n == 0))
        return refuse_monitor(callback, run, err);
    callback->larger = !strcmp(mode, "max") || (!strcmp(mode, "auto") && !compiled_falls(&run->compiled, callback->metric));
    return true;
}

bool callbacks_bind(Run *run, Err *err)
{
    for (int i = 0; i < run->n_callbacks; i++) {
        Callback *callback = run->callbacks[i].builtin;
        if (callback && (!find_monitor(callback, run, err) || (callback->kind->bind && !callback->kind->bind(callback, run, err))))
            return false;
    }
    return callbacks_mark(run, err);
}

bool callbacks_epoch_done(Run *run, Err *err)
{
    for (int i = 0; i < run->n_callbacks; i++) {
        Callback *callback = run->callbacks[i].builtin;
        if (callback && callback->kind->epoch_done && !callback->kind->epoch_done(callback, run, err))
            return false;
    }
    return true;
}

const char *callbacks_resume(Run *run)
{
    for (int i = 0; i < run->n_callbacks; i++) {
        Callback *callback = run->callbacks[i].builtin;
        const char *path = callback && callback->kind->resume ? callback->kind->resume(callback) : NULL;
        if (path)
            return path;
    }
    return NULL;
}

bool callback_knows(const Callback *callback, const double *validation)
{
    return !callback->validation || validation;
}

double callback_value(const Callback *callback, const double *logs, const double *validation)
{
    const double *values = callback->validation ? validation : logs;
    return values && callback->metric >= 0 ? values[callback->metric] : (double)NAN;
}

bool callback_better(const Callback *callback, double value, double best, double min_delta)
{
    if (isnan(best))
        return true;
    return callback->larger ? (float)(value - min_delta) > (float)best : (float)(value + min_delta) < (float)best;
}

double callback_best(const Callback *callback, double value)
{
    return isnan(value) ? (callback->larger ? HUGE_VAL : -HUGE_VAL) : value;
}

/* ---- what they do to the run and to files ---- */

bool callback_may_write(const Callback *callback, const char *path, Err *err)
{
    return !callback->fenced || fence_holds(path, ".", err);
}

bool callback_sink(Callback *callback, int i, const char *path, bool append, Err *err)
{
    return callback_may_write(callback, path, err) && (callback->sinks[i] = sink_open(path, append, err)) != NULL;
}

static size_t count_weights(const Run *run)
{
    size_t n = 0;
    for (int i = 0; i < run->n_layers; i++)
        n += run->layers[i]->n_elements;
    return n;
}

static void copy_weights(Run *run, real *data, bool restore)
{
    for (int i = 0; i < run->n_layers; i++) {
        size_t n = run->layers[i]->n_elements;
        kern_copy(restore ? run->layers[i]->block : data, restore ? data : run->layers[i]->block, (int64_t)n);
        data += n;
    }
}

bool callback_keep(Callback *callback, Run *run, Err *err)
{
    if (!callback->kept && !(callback->kept = mem_alloc(count_weights(run) + 1, sizeof(real), err)))
        return false;
    copy_weights(run, callback->kept, false);
    callback->kept_step = run->at.step;
    callback->state[CALLBACK_KEPT] = (double)run->at.step;
    return true;
}

void callback_restore(Callback *callback, Run *run)
{
    if (!callback->kept || callback->kept_step < 0 || callback->kept_step == run->at.step)
        return;
    copy_weights(run, callback->kept, true);
    ring_take(run, true); /* replay does not repeat it */
}

bool callback_set_rate(Run *run, double learning_rate, const char *why, Err *err)
{
    char label[24];
    if (!run_log_change(run, learning_rate, err))
        return false;
    run->changes[run->n_changes - 1].at_end = true;
    snprintf(label, sizeof label, "lr %.3g", learning_rate);
    report_event(run, false, label, "learning rate %.6g -> %.6g: %s", run->optimizer->learning_rate, learning_rate, why);
    run->at.scheduled = false;
    run->optimizer->learning_rate = learning_rate;
    return true;
}

bool callback_stop(Run *run, const char *why, Err *err)
{
    report_event(run, false, "stop", "%s", why);
    run->enough = true;
    return run_stop(run, err);
}

bool callbacks_end_on_nan(const Run *run)
{
    for (int i = 0; i < run->n_callbacks; i++)
        if (run->callbacks[i].builtin && run->callbacks[i].builtin->kind->ends_on_nan)
            return true;
    return false;
}

/* ---- back and elsewhere ---- */

static bool mark(Callback *callback, int64_t step, Err *err)
{
    if (callback->n_marks == callback->marks_room) {
        int room = callback->marks_room ? 2 * callback->marks_room : 64;
        CallbackMark *more = mem_grow(callback->marks, (size_t)room, sizeof *more, err);
        if (!more)
            return false;
        callback->marks = more;
        callback->marks_room = room;
    }
    CallbackMark *new = &callback->marks[callback->n_marks++];
    new->step = step;
    memcpy(new->state, callback->state, sizeof new->state);
    return true;
}

bool callbacks_mark(Run *run, Err *err)
{
    for (int i = 0; i < run->n_callbacks; i++)
        if (run->callbacks[i].builtin && !mark(run->callbacks[i].builtin, run->at.step, err))
            return false;
    return true;
}

static int marks_until(const Callback *callback, int64_t step)
{
    int n = callback->n_marks;
    while (n > 1 && callback->marks[n - 1].step > step)
        n--;
    return n;
}

void callbacks_return(Run *run)
{
    for (int i = 0; i < run->n_callbacks; i++) {
        Callback *callback = run->callbacks[i].builtin;
        if (!callback || callback->n_marks == 0)
            continue;
        callback->n_marks = marks_until(callback, run->at.step);
        memcpy(callback->state, callback->marks[callback->n_marks - 1].state, sizeof callback->state);
        if (callback->kept_step != (int64_t)callback->state[CALLBACK_KEPT])
            callback->kept_step = -1;
    }
}

static int64_t missing(const Callback *callback, int64_t step)
{
    int n = callback ? marks_until(callback, step) : 0;
    int64_t wanted = n ? (int64_t)callback->marks[n - 1].state[CALLBACK_KEPT] : -1;
    return callback && wanted != callback->kept_step ? wanted : -1;
}

int64_t callbacks_missing(const Run *run, int64_t step)
{
    int64_t lowest = -1;
    for (int i = 0; i < run->n_callbacks; i++) {
        int64_t one = missing(run->callbacks[i].builtin, step);
        if (one >= 0 && (lowest < 0 || one < lowest))
            lowest = one;
    }
    return lowest;
}

void callbacks_refill(Run *run)
{
    for (int i = 0; i < run->n_callbacks; i++) {
        Callback *callback = run->callbacks[i].builtin;
        if (!callback || !callback->kept || callback->kept_step == run->at.step)
            continue;
        bool wanted = false;
        for (int m = 0; m < callback->n_marks; m++)
            wanted |= (int64_t)callback->marks[m].state[CALLBACK_KEPT] == run->at.step;
        if (wanted) {
            copy_weights(run, callback->kept, false);
            callback->kept_step = run->at.step;
        }
    }
}

bool callbacks_copy(Run *run, const Run *from, Err *err)
{
    for (int i = 0; i < from->n_callbacks; i++) {
        const Callback *old = from->callbacks[i].builtin;
        RunCallback *slot = &run->callbacks[run->n_callbacks];
        if (!old || old->file) /* two runs cannot write one file */
            continue;
        if (!callback_new(old->kind, &old->args, NULL, slot, err))
            return false;
        Callback *new = slot->builtin;
        run->n_callbacks++;
        memcpy(new->monitor, old->monitor, sizeof new->monitor);
        new->metric = old->metric;
        new->validation = old->validation;
        new->larger = old->larger;
        memcpy(new->state, old->state, sizeof new->state);
        new->kept_step = old->kept ? old->kept_step : -1;
        if (old->kept) {
            size_t n = count_weights(from) + 1;
            if (!(new->kept = mem_alloc(n, sizeof(real), err)))
                return false;
            memcpy(new->kept, old->kept, n * sizeof(real));
        }
    }
    return true;
}

/* ---- on disk ---- */

static Callback *builtin_at(const Run *run, int i)
{
    for (int k = 0; k < run->n_callbacks; k++)
        if (run->callbacks[k].builtin && i-- == 0)
            return run->callbacks[k].builtin;
    return NULL;
}

size_t callbacks_weights(const Run *run)
{
    return count_weights(run);
}

bool callbacks_save(const Run *run, CallbackSaved **out, int *n, Err *err)
{
    int wanted = 0;
    while (builtin_at(run, wanted))
        wanted++;
    if (wanted == 0)
        return true;
    if (!*out && !(*out = mem_zero((size_t)wanted, sizeof **out, err)))
        return false;
    *n = wanted;
    for (int i = 0; i < wanted; i++) {
        const Callback *callback = builtin_at(run, i);
        CallbackSaved *to = &(*out)[i];
        to->name = callback->kind->name;
        to->n_kept = count_weights(run);
        memcpy(to->state, callback->state, sizeof to->state);
        if (!callback->kept || callback->kept_step < 0) {
            to->state[CALLBACK_KEPT] = -1;
            continue;
        }
        if (!to->kept && !(to->kept = mem_alloc(to->n_kept + 1, sizeof(real), err)))
            return false;
        memcpy(to->kept, callback->kept, to->n_kept * sizeof(real));
    }
    return true;
}

void callbacks_saved_fini(CallbackSaved *saved, int n)
{
    for (int i = 0; i < n; i++)
        mem_free(saved[i].kept);
    mem_free(saved);
}

bool callbacks_take_up(Run *run, int i, const char *name, const double *state, const Tensor *kept, Err *err)
{
    Callback *callback = builtin_at(run, i);
    if (!callback || strcmp(callback->kind->name, name))
        return true; /* fit was given other callbacks: they begin anew */
    if (kept && !callback->kept && !(callback->kept = mem_alloc(count_weights(run) + 1, sizeof(real), err)))
        return false;
    if (kept)
        memcpy(callback->kept, kept->data, count_weights(run) * sizeof(real));
    memcpy(callback->state, state, sizeof callback->state);
    callback->kept_step = kept ? (int64_t)state[CALLBACK_KEPT] : -1;
    callback->n_marks = 0;
    return true;
}
