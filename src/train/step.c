// SPDX-License-Identifier: MIT
/* The order of a step is the promise: forward, loss, backward, the look for NaN and infinity, and only then, in step_keep, what
 * changes the model: moving averages (tape_commit) and the update. A bad step leaves no trace. */
#include "train/step.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

bool step_forward(Model *model, const Compiled *compiled, Tape *tape, TapeMode mode, uint64_t seed, const Batch *batch,
                  StepResult *out, Err *err)
{
    Node *in[MODEL_INPUTS], *ends[MODEL_INPUTS];
    tape_begin(tape, mode, seed, (uint64_t)compiled->optimizer->t);
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
    out->loss = compiled->loss->apply(&compiled->loss_args, tape, ends[0], target, weight, err);
    if (!out->loss)
        return false;
    out->value = (double)tensor_real(&out->loss->value)[0];
    return true;
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

void step_add(const Compiled *compiled, const Batch *batch, const StepResult *result, Sums *sums)
{
    sums->v[0] += result->value * (double)batch->n;
    sums->v[1] += (double)batch->n;
    for (int i = 0; i < compiled->n_metrics; i++)
        compiled->metrics[i]->add(&compiled->metric_args[i], sums->v + sums->at[i], &result->prediction->value, &batch->y,
                                  compiled->metric_weighted[i] ? batch->weight : NULL);
}

void step_values(const Compiled *compiled, Sums *sums, double *out)
{
    out[0] = sums->v[1] > 0 ? sums->v[0] / sums->v[1] : 0;
    for (int i = 0; i < compiled->n_metrics; i++)
        out[1 + i] = compiled->metrics[i]->value(&compiled->metric_args[i], sums->v + sums->at[i], sums->width);
}
