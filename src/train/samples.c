// SPDX-License-Identifier: MIT
#include "train/samples.h"

#include "train/step.h"

void samples_ref(Samples *out, const Samples *from)
{
    *out = *from;
    for (int i = 0; i < from->n_x; i++)
        out->x[i] = tensor_ref(&from->x[i]);
    for (int i = 0; i < from->n_y; i++)
        out->y[i] = tensor_ref(&from->y[i]);
    for (int i = 0; i < from->n_w; i++)
        out->w[i] = tensor_ref(&from->w[i]);
}

void samples_unref(Samples *samples)
{
    for (int i = 0; i < samples->n_x; i++)
        tensor_unref(&samples->x[i]);
    for (int i = 0; i < samples->n_y; i++)
        tensor_unref(&samples->y[i]);
    for (int i = 0; i < samples->n_w; i++)
        tensor_unref(&samples->w[i]);
    samples->n_x = samples->n_y = samples->n_w = 0;
}

int64_t samples_rows(const Samples *samples)
{
    return samples->n_x > 0 && samples->x[0].shape.rank > 0 ? samples->x[0].shape.d[0] : 0;
}

/* ---- checks ---- */

bool samples_check(const Samples *given, const char *who, Err *err)
{
    for (int i = 0; i < given->n_x; i++)
        if (!given->x[i].data || given->x[i].shape.rank < 1 || given->x[i].shape.d[0] < 1)
            return err_set(err, ERR_DATA, "%s: there is no data: x is empty", who);
    int64_t rows = samples_rows(given);
    for (int i = 1; i < given->n_x; i++)
        if (given->x[i].shape.d[0] != rows)
            return err_set(err, ERR_SHAPE, "%s: the inputs have different numbers of samples: %lld and %lld", who, (long long)rows,
                           (long long)given->x[i].shape.d[0]);
    for (int i = 0; i < given->n_y; i++) {
        const Tensor *y = &given->y[i];
        int64_t targets = y->shape.rank > 0 ? y->shape.d[0] : 0;
        if (y->data && targets != rows)
            return err_set(err, ERR_SHAPE, "%s: x has %lld samples, y has %lld; each sample wants its target", who, (long long)rows,
                           (long long)targets);
    }
    return true;
}

bool samples_build(Model *model, const Samples *given, const char *who, Err *err)
{
    Shape shapes[MODEL_INPUTS];
    if (given->n_x < 1 || given->n_y < 1)
        return err_set(err, ERR_ARG, "%s wants x and y, got %d inputs and %d targets", who, given->n_x, given->n_y);
    if (!samples_check(given, who, err))
        return false;
    for (int i = 0; i < given->n_x; i++) {
        shapes[i] = given->x[i].shape;
        shapes[i].d[0] = -1;
    }
    if (!model_build(model, shapes, given->n_x, err))
        return false;
    if (model->n_inputs != given->n_x)
        return err_set(err, ERR_ARG, "%s: %s has %d inputs, got data for %d", who, model->name, model->n_inputs, given->n_x);
    return true;
}

/* ---- fitting ---- */

static int count_wanted(const Compiled *compiled)
{
    int n = 0;
    for (int i = 0; i < compiled->n_outputs; i++)
        n += compiled_wants_target(compiled, i);
    return n;
}

static bool refuse_count(const Compiled *compiled, const Samples *given, int wanted, const char *who, Err *err)
{
    char names[MODEL_OUTPUTS * (LAYER_NAME + 2)];
    compiled_list_outputs(compiled, names, sizeof names);
    if (compiled->n_outputs == 1)
        return err_set(err, ERR_ARG, "%s: the model has one output, got targets for %d", who, given->n_y);
    return err_set(err, ERR_ARG, "%s: the model has %d outputs (%s)%s, got targets for %d: y = {y1, y2, ...}", who, compiled->n_outputs, names,
                   wanted < compiled->n_outputs ? ", not all with a loss" : "", given->n_y);
}

static bool fit_targets(Samples *out, const Samples *given, const Compiled *compiled, const Model *model, const char *who, Err *err)
{
    int wanted = count_wanted(compiled);
    bool each = given->n_y == compiled->n_outputs;
    if (!each && given->n_y != wanted)
        return refuse_count(compiled, given, wanted, who, err);
    for (int i = 0, next = 0; i < compiled->n_outputs; i++) {
        bool wants = compiled_wants_target(compiled, i);
        const Tensor *y = each ? &given->y[i] : wants ? &given->y[next++] : NULL;
        out->y[i] = (Tensor){ 0 };
        out->n_y = i + 1;
        if (!wants)
            continue;
        if (!y->data)
            return err_set(err, ERR_ARG, "%s: the target of output %s is missing", who, compiled->output_names[i]);
        if (!target_fit(compiled, model, i, y, &out->y[i], err))
            return false;
    }
    return true;
}

static bool fit_weights(Samples *out, const Samples *given, const Compiled *compiled, const char *who, Err *err)
{
    if (given->n_w > 1 && given->n_w != compiled->n_outputs)
        return err_set(err, ERR_ARG, "%s: sample_weight is one for all outputs or one for each of %d, got %d", who, compiled->n_outputs, given->n_w);
    for (int i = 0; i < given->n_w; i++) {
        out->w[i] = (Tensor){ 0 };
        out->n_w = i + 1;
        if (given->w[i].data && !weights_fit(&given->w[i], samples_rows(given), &out->w[i], err))
            return false;
    }
    return true;
}

bool samples_fit(Samples *out, const Samples *given, const Compiled *compiled, const Model *model, const char *who, Err *err)
{
    *out = (Samples){ 0 };
    if (given->n_x != model->n_inputs)
        return err_set(err, ERR_ARG, "%s has %d inputs, the model %d", who, given->n_x, model->n_inputs);
    for (int i = 0; i < given->n_x; i++) {
        out->n_x = i + 1;
        if (!input_fit(model, i, &given->x[i], true, &out->x[i], err))
            return false;
    }
    return fit_targets(out, given, compiled, model, who, err) && fit_weights(out, given, compiled, who, err);
}
