// SPDX-License-Identifier: MIT
/* The order of a step is the promise: forward, loss, backward, the look for NaN and infinity, and only then, in step_keep, what
 * changes the model: moving averages (tape_commit) and the update. A bad step leaves no trace. */
#include "train/step.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/ops.h"
#include "tensor/kern.h"
#include "train/custom.h"
#include "train/lossmath.h"

/* ---- masks ----
 * A masked prediction's loss is the mean over the time steps that count, and so are its metrics. Source: keras/src/losses/loss.py,
 * apply_mask. */

/* The mask of a prediction [B, T, ..], if it has one that fits. */
static Node *mask_of(const Node *prediction)
{
    const Shape *shape = &prediction->value.shape;
    Node *mask = prediction->mask;
    bool fits = mask && shape->rank > 2 && mask->value.shape.rank == 2 && mask->value.shape.d[0] == shape->d[0] && mask->value.shape.d[1] == shape->d[1];
    return fits ? mask : NULL;
}

/* *weight [B] or NULL becomes the weight of each time step: times total / valid steps where they count, else 0. */
static bool weigh_steps(Tape *tape, Node *mask, int64_t n, StepResult *out, Node **weight, Err *err)
{
    double valid = kern_sum(tensor_real(&mask->value), tensor_count(&mask->value)), total = (double)tensor_count(&mask->value);
    Node *each = mask;
    if (*weight) {
        Args args;
        args_init(&args, op_reshape.args, op_reshape.n_args);
        if (!args_set_numbers(&args, 0, (double[]){ (double)n, 1 }, 2, "reshape", err) ||
            !(*weight = tape_op(tape, &op_reshape, weight, 1, &args, err)))
            return false;
        each = loss_binary(tape, &op_multiply, mask, *weight, err);
    }
    *weight = loss_scale(tape, each, valid > 0 ? total / valid : 0, 0, err);
    if (!*weight)
        return false;
    out->mask = tensor_real(&mask->value);
    out->weight = tensor_real(&each->value);
    return true;
}

/* Values of the metrics that are functions; behind the loss, so that they change nothing of it. */
static bool run_metrics(const Compiled *compiled, Tape *tape, Node *target, StepResult *out, Err *err)
{
    for (int i = 0; i < compiled->n_metrics; i++) {
        out->metrics[i] = NULL;
        if (!custom_is(&compiled->metric_custom[i]))
            continue;
        tape->where = compiled->metric_names[i];
        if (!(out->metrics[i] = custom_values(&compiled->metric_custom[i], tape, out->prediction, target, err)))
            return false;
    }
    tape->where = compiled->loss->name;
    return true;
}

bool step_forward(Model *model, const Compiled *compiled, Tape *tape, TapeMode mode, uint64_t seed, const Batch *batch,
                  StepResult *out, Err *err)
{
    Node *in[MODEL_INPUTS], *ends[MODEL_INPUTS];
    tape_begin(tape, mode, seed, (uint64_t)compiled->optimizer->t);
    tape->penalize = true;
    for (int i = 0; i < batch->n_x; i++)
        if (!(in[i] = tape_input(tape, &batch->x[i], err)))
            return false;
    if (!model_forward(model, tape, in, ends, NULL, NULL, err))
        return false;
    tape->where = compiled->loss->name;
    Node *target = tape_input(tape, &batch->y, err), *weight = NULL;
    if (!target)
        return false;
    if (batch->weight) {
        Tensor tensor = tensor_borrow(DTYPE_FLOAT32, SHAPE(batch->n), (void *)(uintptr_t)batch->weight);
        if (!(weight = tape_input(tape, &tensor, err)))
            return false;
    }
    out->prediction = ends[0];
    out->mask = out->weight = NULL;
    Node *mask = mask_of(ends[0]);
    if (mask && !weigh_steps(tape, mask, batch->n, out, &weight, err))
        return false;
    out->loss = compiled_loss(compiled, tape, ends[0], target, weight, err);
    if (!out->loss)
        return false;
    Node *parts[2] = { out->loss, tape->penalty };
    if (tape->penalty && !(out->loss = tape_op(tape, &op_add, parts, 2, NULL, err)))
        return false;
    out->value = (double)tensor_real(&out->loss->value)[0];
    return run_metrics(compiled, tape, target, out, err);
}

#define CAUSES "usual causes: a learning rate that is too high, inputs that are not scaled, NaN in the data"

/* What was bad first. `gradient` names the layer where only the gradient is: relu and the like hide a NaN from the loss. */
static bool say_bad(const Tape *tape, const StepResult *result, const char *loss, const char *gradient, Err *err)
{
    const Node *bad = tape_find_bad(tape);
    const char *what = gradient ? "NaN or infinite" : isnan(result->value) ? "NaN" : "infinite";
    if (bad && !bad->call && !bad->wants_grad && !bad->where)
        return err_set(err, ERR_NUMERIC, "the batch's data holds NaN or infinity: clean the data first");
    if (bad && bad->where == loss && result->prediction->where)
        return err_set(err, ERR_NUMERIC, "the loss became %s: what %s gives is too large; " CAUSES, what, result->prediction->where);
    if (bad && bad->where)
        return err_set(err, ERR_NUMERIC, "values became %s, first in %s; " CAUSES, what, bad->where);
    if (gradient)
        return err_set(err, ERR_NUMERIC, "the gradient of %s became NaN or infinite; " CAUSES, gradient);
    return err_set(err, ERR_NUMERIC, "the loss became %s; " CAUSES, what);
}

bool step_train(Model *model, const Compiled *compiled, Tape *tape, uint64_t seed, const Batch *batch, StepResult *out, Err *err)
{
    const char *where = "";
    if (!step_forward(model, compiled, tape, TAPE_TRAIN, seed, batch, out, err))
        return false;
    if (!isfinite(out->value))
        return say_bad(tape, out, compiled->loss->name, NULL, err);
    if (!tape_backward(tape, out->loss, err))
        return false;
    if (!optimizer_finite(compiled->optimizer, &where))
        return say_bad(tape, out, compiled->loss->name, where, err);
    return true;
}

void step_keep(const Compiled *compiled, Tape *tape)
{
    tape_commit(tape);
    optimizer_apply(compiled->optimizer);
}

/* ---- sums ---- */

bool sums_init(Sums *sums, const Compiled *compiled, const Model *model, int64_t samples, Err *err)
{
    const Shape *out = &model->nodes[model->outputs[0]].shape;
    int64_t width = out->rank > 1 ? out->d[out->rank - 1] : 1, each = width > 0 ? shape_count_from(out, 1) / width : 1;
    *sums = (Sums){ .n = 2, .width = width };
    for (int i = 0; i < compiled->n_metrics; i++) {
        const Metric *metric = compiled->metrics[i];
        sums->at[i] = sums->n;
        sums->n += metric->state ? metric->state(&compiled->metric_args[i], width, samples * each) : 2;
    }
    return (sums->v = mem_zero(sums->n, sizeof *sums->v, err)) != NULL;
}

void sums_fini(Sums *sums)
{
    mem_free(sums->v);
    *sums = (Sums){ 0 };
}

void sums_clear(Sums *sums)
{
    memset(sums->v, 0, sums->n * sizeof *sums->v);
}

/* [B, T, ..] as [B T, ..]: weights of time steps are then those of rows. */
static Tensor steps_as_rows(const Tensor *tensor)
{
    Tensor out = *tensor;
    if (tensor->shape.rank < 2)
        return out;
    out.shape.rank--;
    out.shape.d[0] = tensor->shape.d[0] * tensor->shape.d[1];
    for (int i = 1; i < out.shape.rank; i++)
        out.shape.d[i] = tensor->shape.d[i + 1];
    return out;
}

void step_add(const Compiled *compiled, const Batch *batch, const StepResult *result, Sums *sums)
{
    sums->v[0] += result->value * (double)batch->n;
    sums->v[1] += (double)batch->n;
    bool masked = result->mask;
    Tensor prediction = masked ? steps_as_rows(&result->prediction->value) : result->prediction->value;
    Tensor target = masked ? steps_as_rows(&batch->y) : batch->y;
    for (int i = 0; i < compiled->n_metrics; i++) {
        const real *weight = compiled->metric_weighted[i] ? (masked ? result->weight : batch->weight) : result->mask;
        double *state = sums->v + sums->at[i];
        if (!result->metrics[i]) {
            compiled->metrics[i]->add(&compiled->metric_args[i], state, &prediction, &target, weight);
            continue;
        }
        const Tensor *values = &result->metrics[i]->value;
        bool steps = masked && values->shape.rank > 1 && values->shape.d[1] == result->prediction->value.shape.d[1];
        Tensor rows = steps ? steps_as_rows(values) : *values;
        custom_add(state, &rows, steps || !masked ? weight : NULL);
    }
}

void step_values(const Compiled *compiled, Sums *sums, double *out)
{
    out[0] = sums->v[1] > 0 ? sums->v[0] / sums->v[1] : 0;
    for (int i = 0; i < compiled->n_metrics; i++)
        out[1 + i] = compiled->metrics[i]->value(&compiled->metric_args[i], sums->v + sums->at[i], sums->width);
}
