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
static bool weigh_steps(Tape *tape, Node *mask, int64_t n, OutputResult *out, Node **weight, Err *err)
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

/* The text by which nodes of an output's loss are known. */
static const char *loss_place(const Compiled *compiled, int output)
{
    return compiled->n_outputs > 1 ? compiled->output_names[output] : compiled->outputs[output].loss->name;
}

/* Values of an output's metrics that are functions; behind all losses, so that they change nothing of them. */
static bool run_metrics(const Compiled *compiled, Tape *tape, int output, Node *target, StepResult *out, Err *err)
{
    for (int i = 0; i < compiled->n_metrics; i++) {
        const Measure *metric = &compiled->metrics[i];
        if (metric->output != output || !custom_is(&metric->custom))
            continue;
        tape->where = metric->name;
        if (!(out->metrics[i] = custom_values(&metric->custom, tape, out->outputs[output].prediction, target, err)))
            return false;
    }
    return true;
}

/* The loss of one output, added to *sum (NULL: the first), and what its metrics need. */
static bool add_loss(const Compiled *compiled, Tape *tape, int i, const Batch *batch, Node *target, OutputResult *out, Node **sum, Err *err)
{
    const Objective *objective = &compiled->outputs[i];
    Node *weight = NULL, *mask = mask_of(out->prediction), *loss;
    if (batch->weight[i]) {
        Tensor tensor = tensor_borrow(DTYPE_FLOAT32, SHAPE(batch->n), (void *)(uintptr_t)batch->weight[i]);
        if (!(weight = tape_input(tape, &tensor, err)))
            return false;
    }
    if (mask && !weigh_steps(tape, mask, batch->n, out, &weight, err))
        return false;
    if (!objective->loss)
        return true;
    tape->where = loss_place(compiled, i);
    if (!(loss = objective_loss(objective, tape, out->prediction, target, weight, err)))
        return false;
    out->loss = (double)tensor_real(&loss->value)[0];
    if (objective->weight != 1 && !(loss = loss_scale(tape, loss, objective->weight, 0, err)))
        return false;
    *sum = *sum ? loss_binary(tape, &op_add, *sum, loss, err) : loss;
    return *sum != NULL;
}

bool step_forward(Model *model, const Compiled *compiled, Tape *tape, TapeMode mode, uint64_t seed, const Batch *batch,
                  StepResult *out, Err *err)
{
    Node *in[MODEL_INPUTS], *ends[MODEL_OUTPUTS], *targets[MODEL_OUTPUTS], *sum = NULL;
    tape_begin(tape, mode, seed, (uint64_t)compiled->optimizer->t);
    tape->penalize = true;
    for (int i = 0; i < batch->n_x; i++)
        if (!(in[i] = tape_input(tape, &batch->x[i], err)))
            return false;
    if (!model_forward(model, tape, in, ends, NULL, NULL, err))
        return false;
    for (int i = 0; i < compiled->n_outputs; i++) {
        out->outputs[i] = (OutputResult){ .prediction = ends[i] };
        if (batch->y[i].data && (!(targets[i] = tape_input(tape, &batch->y[i], err)) ||
                                 !add_loss(compiled, tape, i, batch, targets[i], &out->outputs[i], &sum, err)))
            return false;
    }
    if (tape->penalty && !(sum = loss_binary(tape, &op_add, sum, tape->penalty, err)))
        return false;
    out->loss = sum;
    out->value = (double)tensor_real(&sum->value)[0];
    for (int i = 0; i < compiled->n_metrics; i++)
        out->metrics[i] = NULL;
    for (int i = 0; i < compiled->n_outputs; i++)
        if (batch->y[i].data && !run_metrics(compiled, tape, i, targets[i], out, err))
            return false;
    return true;
}

#define CAUSES "usual causes: a learning rate that is too high, inputs that are not scaled, NaN in the data"

bool step_say_bad(const Tape *tape, const Compiled *compiled, const StepResult *result, const char *gradient, Err *err)
{
    const Node *bad = tape_find_bad(tape);
    const char *what = gradient ? "NaN or infinite" : isnan(result->value) ? "NaN" : "infinite";
    if (bad && !bad->call && !bad->wants_grad && !bad->where)
        return err_set(err, ERR_NUMERIC, "the batch's data holds NaN or infinity: clean the data first");
    for (int i = 0; bad && compiled && i < compiled->n_outputs; i++) {
        const char *giver = result->outputs[i].prediction->where;
        if (compiled->outputs[i].loss && bad->where == loss_place(compiled, i) && giver)
            return err_set(err, ERR_NUMERIC, "the loss became %s: what %s gives is too large; " CAUSES, what, giver);
    }
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
        return step_say_bad(tape, compiled, out, NULL, err);
    if (!tape_backward(tape, out->loss, err))
        return false;
    if (!optimizer_finite(compiled->optimizer, &where))
        return step_say_bad(tape, compiled, out, where, err);
    return true;
}

void step_keep(const Compiled *compiled, Tape *tape)
{
    tape_commit(tape);
    optimizer_apply(compiled->optimizer);
}

/* ---- sums ---- */

/* How many outputs' losses are told beside their sum. */
static size_t losses_told(const Compiled *compiled)
{
    return compiled->n_losses > 1 ? (size_t)compiled->n_losses : 0;
}

bool sums_init(Sums *sums, const Compiled *compiled, const Model *model, int64_t samples, Err *err)
{
    int64_t each[MODEL_OUTPUTS];
    *sums = (Sums){ .n = 2 + losses_told(compiled) };
    for (int i = 0; i < compiled->n_outputs; i++) {
        const Shape *out = &model->nodes[model->outputs[i]].shape;
        int64_t width = out->rank > 1 ? out->d[out->rank - 1] : 1;
        sums->width[i] = width;
        each[i] = width > 0 ? shape_count_from(out, 1) / width : 1;
    }
    for (int i = 0; i < compiled->n_metrics; i++) {
        const Measure *metric = &compiled->metrics[i];
        int k = metric->output;
        sums->at[i] = sums->n;
        sums->n += metric->metric->state ? metric->metric->state(&metric->args, sums->width[k], samples * each[k]) : 2;
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

/* values: of a metric that is a function, else NULL. */
static void add_metric(const Measure *metric, double *state, const Batch *batch, const OutputResult *result, const Node *values)
{
    bool masked = result->mask;
    const Tensor *y = &batch->y[metric->output];
    Tensor prediction = masked ? steps_as_rows(&result->prediction->value) : result->prediction->value;
    Tensor target = masked ? steps_as_rows(y) : *y;
    const real *weight = !metric->weighted ? result->mask : masked ? result->weight : batch->weight[metric->output];
    if (!values) {
        metric->metric->add(&metric->args, state, &prediction, &target, weight);
        return;
    }
    bool steps = masked && values->value.shape.rank > 1 && values->value.shape.d[1] == result->prediction->value.shape.d[1];
    Tensor rows = steps ? steps_as_rows(&values->value) : values->value;
    custom_add(state, &rows, steps || !masked ? weight : NULL);
}

void step_add(const Compiled *compiled, const Batch *batch, const StepResult *result, Sums *sums)
{
    double *at = sums->v;
    *at++ += result->value * (double)batch->n;
    *at++ += (double)batch->n;
    for (int i = 0; losses_told(compiled) && i < compiled->n_outputs; i++)
        if (compiled->outputs[i].loss)
            *at++ += result->outputs[i].loss * (double)batch->n;
    for (int i = 0; i < compiled->n_metrics; i++)
        add_metric(&compiled->metrics[i], sums->v + sums->at[i], batch, &result->outputs[compiled->metrics[i].output],
                   result->metrics[i]);
}

void step_values(const Compiled *compiled, Sums *sums, double *out)
{
    double n = sums->v[1];
    *out++ = n > 0 ? sums->v[0] / n : 0;
    for (size_t i = 0; i < losses_told(compiled); i++)
        *out++ = n > 0 ? sums->v[2 + i] / n : 0;
    for (int i = 0; i < compiled->n_metrics; i++) {
        const Measure *metric = &compiled->metrics[i];
        *out++ = metric->metric->value(&metric->args, sums->v + sums->at[i], sums->width[metric->output]);
    }
}
