// SPDX-License-Identifier: MIT
/* Keras's decisions, in its order (keras/src/callbacks/early_stopping.py). */
#include <math.h>
#include <stdio.h>

#include "train/callback.h"

enum { BEST, WAIT, BEST_EPOCH };

static const char *const modes[] = { "auto", "min", "max", NULL };

static const ArgSpec args[] = {
    { .name = "monitor", .type = ARG_TEXT, .fallback = "val_loss", .help = "loss, a metric, or one of validation: val_accuracy" },
    { .name = "min_delta", .type = ARG_FLOAT, .fallback = "0", .help = "a smaller change is no improvement" },
    { .name = "patience", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e9, .help = "epochs without improvement that are borne" },
    { .name = "verbose", .type = ARG_INT, .fallback = "0", .least = 0, .most = 2, .help = "for Keras's sake: the event is always told" },
    { .name = "mode", .type = ARG_CHOICE, .fallback = "auto", .choices = modes, .help = "is less or more better; auto: as the metric says" },
    { .name = "baseline", .type = ARG_FLOAT, .fallback = "nil", .help = "improvements count only beyond it" },
    { .name = "restore_best_weights", .type = ARG_BOOL, .fallback = "false", .help = "end with the weights of the best epoch" },
    { .name = "start_from_epoch", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e9, .help = "epochs at the start that are not looked at" },
};

static bool bind(Callback *callback, Run *run, Err *err)
{
    (void)run;
    (void)err;
    callback->state[BEST] = (double)NAN;
    return true;
}

static bool stop(Callback *callback, Run *run, int epoch, Err *err)
{
    char why[160];
    snprintf(why, sizeof why, "EarlyStopping: after epoch %d %s was not better than %.6g for %d epochs", epoch, callback->monitor,
             callback->state[BEST], (int)callback->state[WAIT]);
    return callback_stop(run, why, err);
}

static bool epoch_end(Callback *callback, Run *run, int epoch, const double *logs, const double *validation, Err *err)
{
    const Args *a = &callback->args;
    double *state = callback->state, value = callback_value(callback, logs, validation), delta = fabs(args_float(a, "min_delta"));
    bool keeps = args_bool(a, "restore_best_weights");
    if (!callback_knows(callback, validation) || epoch - 1 < args_int(a, "start_from_epoch")) /* Keras counts from 0 */
        return true;
    state[WAIT]++;
    if (callback_better(callback, value, state[BEST], delta)) {
        state[BEST] = callback_best(callback, value);
        state[BEST_EPOCH] = epoch;
        if (keeps && !callback_keep(callback, run, err))
            return false;
        if (!args_given(a, "baseline") || callback_better(callback, value, args_float(a, "baseline"), delta))
            state[WAIT] = 0;
        return true;
    }
    return state[WAIT] < (double)args_int(a, "patience") || epoch == 1 || stop(callback, run, epoch, err);
}

/* A run that is told to go on afterwards has its patience back. */
static bool train_end(Callback *callback, Run *run, Err *err)
{
    (void)err;
    callback->state[WAIT] = 0;
    if (args_bool(&callback->args, "restore_best_weights"))
        callback_restore(callback, run);
    return true;
}

const CallbackKind callback_early_stopping = {
    .name = "early_stopping",
    .doc = "EarlyStopping(monitor = \"val_loss\", {patience = 0, …}): ends the run when the monitored value has not become better for\n"
           "`patience` epochs, as Keras's. With restore_best_weights the model has the best epoch's weights in the end.",
    .example = "local stop = nn.EarlyStopping{monitor = 'loss', patience = 3}; assert(stop.patience == 3)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .bind = bind,
    .epoch_end = epoch_end,
    .train_end = train_end,
};
