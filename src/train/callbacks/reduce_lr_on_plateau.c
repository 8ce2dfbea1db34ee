// SPDX-License-Identifier: MIT
/* Keras's decisions, in its order (keras/src/callbacks/reduce_lr_on_plateau.py). */
#include <math.h>
#include <stdio.h>

#include "train/callback.h"
#include "train/trainer.h"

enum { BEST, WAIT, COOLDOWN };

static const char *const modes[] = { "auto", "min", "max", NULL };

static const ArgSpec args[] = {
    { .name = "monitor", .type = ARG_TEXT, .fallback = "val_loss", .help = "loss, a metric, or one of validation: val_accuracy" },
    { .name = "factor", .type = ARG_FLOAT, .fallback = "0.1", .least = 0, .most = 1, .open_least = true, .open_most = true, .help = "the rate is multiplied by it" },
    { .name = "patience", .type = ARG_INT, .fallback = "10", .least = 0, .most = 1e9, .help = "epochs without improvement that are borne" },
    { .name = "verbose", .type = ARG_INT, .fallback = "0", .least = 0, .most = 2, .help = "for Keras's sake: the event is always told" },
    { .name = "mode", .type = ARG_CHOICE, .fallback = "auto", .choices = modes, .help = "is less or more better; auto: as the metric says" },
    { .name = "min_delta", .type = ARG_FLOAT, .fallback = "1e-4", .help = "a smaller change is no improvement" },
    { .name = "cooldown", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e9, .help = "epochs after a reduction that are not counted" },
    { .name = "min_lr", .type = ARG_FLOAT, .fallback = "0", .least = 0, .most = 1e9, .help = "the rate never gets below" },
};

static bool bind(Callback *callback, Run *run, Err *err)
{
    callback->state[BEST] = (double)NAN;
    return !run->schedule || err_set(err, ERR_ARG, "ReduceLROnPlateau sets the learning rate, and so does the schedule %s: use one of them",
                                     run->schedule->schedule->name);
}

/* The rate's floor is compared in float32, in which Keras holds it. */
static bool reduce(Callback *callback, Run *run, int epoch, Err *err)
{
    const Args *a = &callback->args;
    double rate = run->optimizer->learning_rate, least = args_float(a, "min_lr"), reduced = rate * args_float(a, "factor");
    char why[160];
    if (!((float)rate > (float)least))
        return true;
    snprintf(why, sizeof why, "ReduceLROnPlateau, after epoch %d %s was not better than %.6g for %d epochs", epoch, callback->monitor,
             callback->state[BEST], (int)callback->state[WAIT]);
    if (!callback_set_rate(run, reduced > least ? reduced : least, why, err))
        return false;
    callback->state[COOLDOWN] = (double)args_int(a, "cooldown");
    callback->state[WAIT] = 0;
    return true;
}

static bool epoch_end(Callback *callback, Run *run, int epoch, const double *logs, const double *validation, Err *err)
{
    const Args *a = &callback->args;
    double *state = callback->state, value = callback_value(callback, logs, validation);
    if (!callback_knows(callback, validation))
        return true;
    if (state[COOLDOWN] > 0) {
        state[COOLDOWN]--;
        state[WAIT] = 0;
    }
    if (callback_better(callback, value, state[BEST], fabs(args_float(a, "min_delta")))) {
        state[BEST] = callback_best(callback, value);
        state[WAIT] = 0;
        return true;
    }
    if (state[COOLDOWN] > 0 || ++state[WAIT] < (double)args_int(a, "patience"))
        return true;
    return reduce(callback, run, epoch, err);
}

const CallbackKind callback_reduce_lr_on_plateau = {
    .name = "reduce_lr_on_plateau",
    .class_name = "ReduceLROnPlateau",
    .doc = "ReduceLROnPlateau(monitor = \"val_loss\", {factor = 0.1, patience = 10, …}): multiplies the learning rate by factor when the\n"
           "monitored value has not become better for `patience` epochs, as Keras's.",
    .example = "local plateau = nn.ReduceLROnPlateau{factor = 0.5, patience = 2}; assert(plateau.factor == 0.5)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .bind = bind,
    .epoch_end = epoch_end,
};
