// SPDX-License-Identifier: MIT
/* Keras's decisions (keras/src/callbacks/model_checkpoint.py). A save at an epoch's end is taken behind it, so that a run that goes on
 * from the file begins with the next epoch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "train/callback.h"
#include "train/deposit.h"

enum { BEST };

static const char *const modes[] = { "auto", "min", "max", NULL };
static const char *const freqs[] = { "epoch", NULL }; /* 0 */

static const ArgSpec args[] = {
    { .name = "monitor", .type = ARG_TEXT, .fallback = "val_loss", .help = "loss, a metric, or one of validation: val_accuracy" },
    { .name = "verbose", .type = ARG_INT, .fallback = "0", .least = 0, .most = 2, .help = "1: an event for each file" },
    { .name = "save_best_only", .type = ARG_BOOL, .fallback = "false", .help = "only when the monitored value is better than ever" },
    { .name = "save_weights_only", .type = ARG_BOOL, .fallback = "false", .help = "without the optimizer and the run's position" },
    { .name = "mode", .type = ARG_CHOICE, .fallback = "auto", .choices = modes, .help = "is less or more better; auto: as the metric says" },
    { .name = "save_freq", .type = ARG_INT, .fallback = "epoch", .choices = freqs, .least = 0, .most = 1e9, .help = "batches between saves" },
    { .name = "initial_value_threshold", .type = ARG_FLOAT, .fallback = "nil", .help = "better than this counts, from the start" },
};

/* ---- the name ---- */

typedef struct Names {
    const Run *run;
    int epoch;
    const double *logs, *validation; /* NULL: zeros, to see whether the name is sound */
} Names;

/* The value of {name}; false: there is none. */
static bool value_of(const Names *names, const char *name, bool batches, double *out)
{
    bool validation = !strncmp(name, "val_", 4);
    const Compiled *compiled = &names->run->compiled;
    const double *values = validation ? names->validation : names->logs;
    *out = names->epoch;
    if (!strcmp(name, "epoch"))
        return true;
    *out = (double)names->run->at.batch;
    if (!strcmp(name, "batch"))
        return batches;
    for (int i = 0; i < compiled->n_values; i++)
        if (!strcmp(name + (validation ? 4 : 0), compiled->values[i])) {
            *out = values ? values[i] : names->logs ? (double)NAN : 0;
            return !validation || (names->run->check.n > 0 && !batches);
        }
    return false;
}

/* "{epoch:02d}", "{val_loss:.2f}" as in Python: [0][width][.digits][d f e g]. Returns what follows the brace; NULL: refused. */
static const char *put_field(Buf *out, const char *at, const Names *names, bool batches, Err *err)
{
    bool ok = true;
    char name[TELE_VALUE + 4], spec[16] = "", format[24];
    const char *close = strchr(at, '}');
    size_t n = strcspn(at, ":}"), m = close ? (size_t)(close - at) - n : 0;
    double value;
    snprintf(name, sizeof name, "%.*s", (int)(n < 63 ? n : 63), at);
    if (m > 1)
        snprintf(spec, sizeof spec, "%.*s", (int)(m - 1 < 15 ? m - 1 : 15), at + n + 1);
    size_t digits = strspn(spec, "0123456789"), point = spec[digits] == '.' ? 1 + strspn(spec + digits + 1, "0123456789") : 0;
    const char *type = spec + digits + point;
    bool whole = !strcmp(name, "epoch") || !strcmp(name, "batch"), sound = close && digits < 4 && point < 4 && (!*type || (strchr("dfeg", *type) && !type[1]));
    if (!sound || (*type == 'd' && (!whole || point)))
        ok = err_set(err, ERR_ARG, "ModelCheckpoint: cannot read \"{%.30s\" in the file's name; it holds fields like {epoch:02d} or {val_loss:.3f}", at);
    else if (!value_of(names, name, batches, &value))
        ok = err_set(err, ERR_ARG, "ModelCheckpoint: there is no value \"%s\" for the file's name; use epoch, %sloss, the metrics%s", name, batches ? "batch, " : "",
                names->run->check.n > 0 && !batches ? " and val_loss and the like" : "; those of validation need validation data and save_freq = \"epoch\"");
    else if (whole && (!*type || *type == 'd'))
        buf_printf(out, "%0*lld", digits && spec[0] == '0' ? atoi(spec) : 0, (long long)value);
    else {
        snprintf(format, sizeof format, "%%%.*s%s", (int)(digits + point), spec, *type ? type : "g");
        char text[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* checked above */
        snprintf(text, sizeof text, format, value);
#pragma GCC diagnostic pop
        buf_puts(out, text);
    }
    return ok ? close + 1 : NULL;
}

/* Into callback->room. */
static bool put_name(Callback *callback, const Names *names, Err *err)
{
    bool batches = args_int(&callback->args, "save_freq") > 0;
    Buf *out = &callback->room;
    buf_reset(out);
    const char *s = callback->file;
    while (s && *s)
        if (*s == '{')
            s = put_field(out, s + 1, names, batches, err);
        else
            buf_put(out, *s++);
    if (!s || !buf_ok(out, err))
        return false;
    return out->size < CALLBACK_PATH || err_set(err, ERR_ARG, "ModelCheckpoint: the file's name is too long");
}

/* ---- when ---- */

static bool bind(Callback *callback, Run *run, Err *err)
{
    const Args *a = &callback->args;
    Names names = { .run = run, .epoch = 1 };
    callback->state[BEST] = args_given(a, "initial_value_threshold") ? args_float(a, "initial_value_threshold") : (double)NAN;
    if (callback->validation && args_int(a, "save_freq") > 0)
        return err_set(err, ERR_ARG, "ModelCheckpoint: save_freq counts batches, where %s is not known; monitor loss or a metric of training", callback->monitor);
    if (!put_name(callback, &names, err) || (callback->fenced && !callback_may_write(callback, buf_text(&callback->room), err)))
        return false;
    if (file_is_folder(buf_text(&callback->room)))
        return err_set(err, ERR_IO, "ModelCheckpoint: %.200s is a folder; give the name of a file", buf_text(&callback->room));
    return (callback->deposit = deposit_new(err)) != NULL;
}

static bool is_due(Callback *callback, double value)
{
    if (!args_bool(&callback->args, "save_best_only"))
        return true;
    if (!callback_better(callback, value, callback->state[BEST], 0))
        return false;
    callback->state[BEST] = callback_best(callback, value);
    return true;
}

static bool save(Callback *callback, Run *run, Err *err)
{
    const char *path = buf_text(&callback->room);
    if (!callback_may_write(callback, path, err))
        return false;
    if (args_int(&callback->args, "verbose") > 0)
        report_event(run, false, "checkpoint", "ModelCheckpoint: step %lld goes to %.150s", (long long)run->at.step, path);
    return deposit_fill(callback->deposit, run, path, args_bool(&callback->args, "save_weights_only"), err);
}

static bool batch_end(Callback *callback, Run *run, const double *logs, Err *err)
{
    int64_t every = args_int(&callback->args, "save_freq");
    Names names = { run, run->at.epoch + 1, logs, NULL };
    if (every == 0 || run->at.step % every || !is_due(callback, callback_value(callback, logs, NULL)))
        return true;
    callback->due = run->at.batch == trainer_batches(run); /* then behind the epoch's end */
    return put_name(callback, &names, err) && (callback->due || save(callback, run, err));
}

static bool epoch_end(Callback *callback, Run *run, int epoch, const double *logs, const double *validation, Err *err)
{
    Names names = { run, epoch, logs, validation };
    if (args_int(&callback->args, "save_freq") > 0)
        return true;
    /* In an epoch that is not validated Keras warns and saves, over the best one; here it stays. */
    bool known = callback_knows(callback, validation) || !args_bool(&callback->args, "save_best_only");
    callback->due = known && is_due(callback, callback_value(callback, logs, validation));
    return !callback->due || put_name(callback, &names, err);
}

static bool epoch_done(Callback *callback, Run *run, Err *err)
{
    bool due = callback->due;
    callback->due = false;
    return !due || save(callback, run, err);
}

const CallbackKind callback_model_checkpoint = {
    .name = "model_checkpoint",
    .doc = "ModelCheckpoint(filepath, {monitor = \"val_loss\", save_best_only = false, …}): saves the model at each epoch's end, as Keras's.\n"
           "The name may hold values: \"net-{epoch:02d}-{val_loss:.2f}.safetensors\". nn.load opens the files; fit(x, y, {resume = FILE}) goes on\n"
           "from one, bit for bit, unless save_weights_only left the optimizer out. A branch of the run does not write them.",
    .example = "local keep = nn.ModelCheckpoint('best.safetensors', {monitor = 'loss', save_best_only = true}); assert(keep.save_best_only)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .file = "filepath",
    .monitor_if = "save_best_only",
    .bind = bind,
    .batch_end = batch_end,
    .epoch_end = epoch_end,
    .epoch_done = epoch_done,
};
