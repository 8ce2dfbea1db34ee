// SPDX-License-Identifier: MIT
#include "train/custom.h"

#include "train/lossmath.h"
#include "train/tally.h"

const Loss loss_custom = {
    .name = "custom_loss",
    .doc = "custom_loss: a Lua function of (y_true, y_pred), composed of ops.",
    .target = TARGET_SAME, /* or labels: custom_target */
};

static void add_nothing(const Args *args, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    (void)args, (void)sums, (void)prediction, (void)target, (void)weight; /* custom_add does, with values of the step's tape */
}

const Metric metric_custom = {
    .name = "custom_metric",
    .falls = true,
    .doc = "custom_metric: a Lua function of (y_true, y_pred), composed of ops; its mean over the samples.",
    .add = add_nothing,
    .value = tally_mean,
};

/* ---- references ---- */

bool custom_is(const Custom *custom)
{
    return custom->by[TARGET_SAME] || custom->by[TARGET_LABELS];
}

void custom_ref(const Custom *custom)
{
    for (int k = 0; k < 2; k++)
        program_ref(custom->by[k]);
}

void custom_unref(Custom *custom)
{
    for (int k = 0; k < 2; k++)
        program_unref(custom->by[k]);
    *custom = (Custom){ { NULL, NULL } };
}

/* ---- targets ---- */

static bool takes(const Custom *custom, TargetKind kind, const char *name, const Tensor *y, Err *err)
{
    char text[SHAPE_TEXT];
    if (!custom_is(custom) || custom->by[kind])
        return true;
    return err_set(err, ERR_ARG, kind == TARGET_LABELS
                       ? "%s is a function that takes y_true of the output's shape only, these targets have shape %s"
                       : "%s is a function that takes class numbers as y_true only, these targets have shape %s",
                   name, shape_text(&y->shape, text));
}

bool custom_target(const Compiled *compiled, int output, const Shape *shape, const Tensor *y, TargetKind *kind, Err *err)
{
    const Objective *objective = &compiled->outputs[output];
    if (custom_is(&objective->custom)) {
        bool same = y->shape.rank == shape->rank;
        for (int i = 1; same && i < shape->rank; i++)
            same = y->shape.d[i] == shape->d[i];
        bool one = shape->rank == y->shape.rank + 1 && shape->d[shape->rank - 1] == 1;
        bool labels = !same && y->shape.rank + 1 == shape->rank && (!one || !objective->custom.by[TARGET_SAME]);
        *kind = labels ? TARGET_LABELS : TARGET_SAME;
        if (!takes(&objective->custom, *kind, "the loss", y, err))
            return false;
    }
    for (int i = 0; i < compiled->n_metrics; i++)
        if (compiled->metrics[i].output == output && !takes(&compiled->metrics[i].custom, *kind, compiled->metrics[i].name, y, err))
            return false;
    return true;
}

/* ---- a step ---- */

static Node *run(const Custom *custom, Tape *tape, Node *prediction, Node *target, Err *err)
{
    const Program *program = custom->by[target->value.dtype == DTYPE_INT32 ? TARGET_LABELS : TARGET_SAME];
    return program_run(program, tape, (Node *[]){ target, prediction }, NULL, err);
}

Node *objective_loss(const Objective *objective, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    if (!custom_is(&objective->custom))
        return objective->loss->apply(&objective->args, tape, prediction, target, weight, err);
    return loss_mean(tape, run(&objective->custom, tape, prediction, target, err), weight, err);
}

Node *custom_values(const Custom *custom, Tape *tape, Node *prediction, Node *target, Err *err)
{
    return run(custom, tape, prediction, target, err);
}

void custom_add(double *sums, const Tensor *values, const real *weight)
{
    const real *v = tensor_real(values);
    int64_t n = tensor_count(values), samples = values->shape.rank > 0 ? values->shape.d[0] : 1, each = samples > 0 ? n / samples : 1;
    bool weighs = weight && values->shape.rank > 0;
    for (int64_t i = 0; i < n; i++) {
        double w = weighs ? (double)weight[i / (each > 0 ? each : 1)] : 1;
        sums[0] += w * (double)v[i];
        sums[1] += w;
    }
}

/* ---- in files ---- */

static const char *const keys[2] = { [TARGET_SAME] = "same", [TARGET_LABELS] = "labels" };

json_t *custom_json(const Custom *custom)
{
    json_t *out = json_object();
    for (int k = 0; k < 2; k++)
        if (custom->by[k] && json_object_set_new(out, keys[k], program_json(custom->by[k])) != 0) {
            json_decref(out);
            return NULL;
        }
    return out;
}

bool custom_read(json_t *in, Custom *out, Err *err)
{
    *out = (Custom){ { NULL, NULL } };
    for (int k = 0; k < 2; k++) {
        json_t *given = json_object_get(in, keys[k]);
        if (given && !(out->by[k] = program_read(given, 2, 0, err)))
            return false;
    }
    return custom_is(out) || err_set(err, ERR_DATA, "a function of the training's state has no ops");
}
