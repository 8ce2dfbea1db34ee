// SPDX-License-Identifier: MIT
/* What compile() hangs on a model, and single steps without a run. */
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "train/custom.h"
#include "train/step.h"
#include "train/tally.h"

/* Compiled with the memory that train_on_batch and evaluate reuse. */
typedef struct Home {
    Compiled compiled;
    Tape tape;
    real *weights; /* owned: of a batch's samples */
    size_t weights_room;
} Home;

static void home_free(void *given)
{
    Home *home = given;
    if (!home)
        return;
    optimizer_unref(home->compiled.optimizer);
    compiled_unref_custom(&home->compiled);
    tape_fini(&home->tape);
    mem_free(home->weights);
    mem_free(home);
}

bool compile_model(Model *model, Compiled *take, Err *err)
{
    Home *home = NULL;
    bool ok = false;
    if (!take->loss || !take->optimizer)
        err_set(err, ERR_ARG, "compile wants an optimizer and a loss: model:compile{optimizer = \"adam\", loss = \"mse\"}");
    else if (atomic_load(&model->owner))
        err_set(err, ERR_STATE, "%s is being trained; stop its run before compiling it anew", model->name);
    else
        ok = (home = mem_zero(1, sizeof *home, err)) != NULL;
    if (!ok) {
        optimizer_unref(take->optimizer);
        compiled_unref_custom(take);
        *take = (Compiled){ 0 };
        return false;
    }
    home->compiled = *take;
    *take = (Compiled){ 0 };
    tape_init(&home->tape);
    if (model->compiled_free)
        model->compiled_free(model->compiled);
    model->compiled = home;
    model->compiled_free = home_free;
    return true;
}

Compiled *compiled_of(Model *model, Err *err)
{
    if (model->compiled)
        return &((Home *)model->compiled)->compiled;
    err_set(err, ERR_STATE, "%s is not compiled; first model:compile{optimizer = \"adam\", loss = …}", model->name);
    return NULL;
}

/* ---- one step without a run ---- */

/* lazy: bytes are left for later. */
static bool prepare(Model *model, const Compiled *compiled, const Tensor *x, const Tensor *y, const Tensor *weight, bool lazy, Batch *batch,
                    Tensor *weights, Err *err)
{
    *batch = (Batch){ .n_x = 1 };
    if (x->shape.rank < 1 || x->shape.d[0] < 1)
        return err_set(err, ERR_DATA, "there is no data: x is empty");
    if (y->shape.rank < 1 || y->shape.d[0] != x->shape.d[0])
        return err_set(err, ERR_SHAPE, "x has %lld samples, y has %lld", (long long)x->shape.d[0],
                       (long long)(y->shape.rank ? y->shape.d[0] : 0));
    Shape shape = x->shape;
    shape.d[0] = -1;
    if (!model_build(model, &shape, 1, err))
        return false;
    if (model->n_inputs != 1)
        return err_set(err, ERR_STATE, "%s has %d inputs; here it needs one", model->name, model->n_inputs);
    if (!input_fit(model, 0, x, lazy, &batch->x[0], err))
        return false;
    batch->n = x->shape.d[0];
    if (weight && !weights_fit(weight, batch->n, weights, err))
        return false;
    batch->weight = weight ? tensor_real(weights) : NULL;
    return target_fit(compiled, model, y, &batch->y, err);
}

static void batch_fini(Batch *batch)
{
    tensor_unref(&batch->x[0]);
    tensor_unref(&batch->y);
}

static bool weigh(Home *home, Batch *batch, const real *class_weight, int n_classes, Err *err)
{
    if (!class_weight)
        return true;
    if ((size_t)batch->n > home->weights_room) {
        real *more = mem_grow(home->weights, (size_t)batch->n, sizeof *more, err);
        if (!more)
            return false;
        home->weights = more;
        home->weights_room = (size_t)batch->n;
    }
    target_weights(home->weights, &batch->y, class_weight, n_classes, batch->weight);
    batch->weight = home->weights;
    return true;
}

bool compile_train_batch(Model *model, const Tensor *x, const Tensor *y, const Tensor *weight, const real *class_weight, int n_classes,
                         double *logs, Err *err)
{
    Compiled *compiled = compiled_of(model, err);
    Batch batch = { 0 };
    Tensor weights = { 0 };
    if (!compiled || !prepare(model, compiled, x, y, weight, false, &batch, &weights, err)) {
        batch_fini(&batch);
        tensor_unref(&weights);
        return false;
    }
    Home *home = model->compiled;
    StepResult result;
    if (atomic_load(&model->owner)) {
        batch_fini(&batch);
        tensor_unref(&weights);
        return err_set(err, ERR_STATE, "%s is being trained by a run; wait for it or stop it first: run:stop()", model->name);
    }
    Sums sums = { 0 };
    bool ok = optimizer_bind(compiled->optimizer, model, err) && sums_init(&sums, compiled, model, batch.n, err) && weigh(home, &batch, class_weight, n_classes, err);
    if (ok) {
        Optimizer *optimizer = compiled->optimizer;
        if (optimizer->rate)
            optimizer_follow(optimizer, optimizer->rate);
        optimizer_attach(optimizer, 0);
        ok = step_train(model, compiled, &home->tape, model->seed, &batch, &result, err);
        if (ok) {
            step_keep(compiled, &home->tape);
            step_add(compiled, &batch, &result, &sums);
            step_values(compiled, &sums, logs);
        }
        optimizer_detach(compiled->optimizer);
    }
    sums_fini(&sums);
    batch_fini(&batch);
    tensor_unref(&weights);
    return ok;
}

/* ---- evaluation without a run ---- */

static bool evaluate_rows(Model *model, Compiled *compiled, Tape *tape, const Batch *all, int64_t first, int64_t n, Sums *sums,
                          uint32_t *confusion, int n_classes, Err *err)
{
    Batch part = { .n_x = 1, .n = n, .weight = all->weight ? all->weight + first : NULL };
    StepResult result;
    Tensor rows = { 0 };
    bool ok = tensor_rows(&rows, &all->x[0], first, n, err) && input_fit(model, 0, &rows, false, &part.x[0], err) &&
              tensor_rows(&part.y, &all->y, first, n, err) && step_forward(model, compiled, tape, TAPE_FORWARD, model->seed, &part, &result, err);
    if (ok) {
        if (!atomic_load(&model->owner))
            tape_commit(tape); /* stateful layers go on; while a run trains them, their states are the run's */
        step_add(compiled, &part, &result, sums);
        if (confusion)
            confusion_add(confusion, n_classes, &result.prediction->value, &part.y);
    }
    tensor_unref(&rows);
    batch_fini(&part);
    return ok;
}

bool compile_evaluate(Model *model, const Tensor *x, const Tensor *y, const Tensor *weight, int batch_size, double *logs,
                      uint32_t *confusion, int n_classes, const _Atomic bool *stop, Err *err)
{
    Compiled *compiled = compiled_of(model, err);
    Batch all = { 0 };
    if (!compiled)
        return false;
    if (batch_size < 1)
        return err_set(err, ERR_ARG, "evaluate: batch_size must be at least 1, got %d", batch_size);
    Sums sums = { 0 };
    Tensor weights = { 0 };
    bool ok = prepare(model, compiled, x, y, weight, true, &all, &weights, err) && sums_init(&sums, compiled, model, all.n, err);
    for (int64_t i = 0; ok && i < all.n; i += batch_size) {
        int64_t n = all.n - i < batch_size ? all.n - i : batch_size;
        if (stop && atomic_load(stop))
            ok = err_set(err, ERR_INTERRUPT, "evaluate was interrupted");
        else
            ok = evaluate_rows(model, compiled, &((Home *)model->compiled)->tape, &all, i, n, &sums, confusion, n_classes, err);
    }
    if (ok)
        step_values(compiled, &sums, logs);
    sums_fini(&sums);
    tensor_unref(&weights);
    batch_fini(&all);
    return ok;
}
