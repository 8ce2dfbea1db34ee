// SPDX-License-Identifier: MIT
/* The order is step.c's: loss, backward, the look for NaN and infinity, and only then what changes the models. */
#include "train/apply.h"

#include <math.h>
#include <string.h>

#include "train/step.h"

static real *find_target(void *ctx, const Tensor *value)
{
    Optimizer *optimizer = ctx;
    const real *data = tensor_real(value);
    for (int i = 0; i < optimizer->n_blocks; i++) {
        OptimizerBlock *block = &optimizer->blocks[i];
        const real *first = block->layer->block;
        if (data < first || data >= first + block->layer->n_trainable)
            continue;
        block->aimed += (size_t)tensor_count(value);
        return block->grad + (data - first);
    }
    return NULL;
}

/* Weights that are not on the tape have no gradient: that of the last update is not theirs. */
static void clear_others(Optimizer *optimizer)
{
    for (int i = 0; i < optimizer->n_blocks; i++)
        if (optimizer->blocks[i].aimed < optimizer->blocks[i].layer->n_trainable)
            memset(optimizer->blocks[i].grad, 0, optimizer->blocks[i].layer->n_trainable * sizeof(real));
}

static bool aim(const Apply *a, Err *err)
{
    const Node *stale = NULL;
    Err why = ERR_INIT;
    for (int i = 0; i < a->optimizer->n_blocks; i++)
        a->optimizer->blocks[i].aimed = 0;
    if (tape_aim(a->tape, a->loss, find_target, a->optimizer, &stale, &why))
        return true;
    if (stale)
        return err_set(err, ERR_STATE, "%s; compute the loss again in a tape of its own, or apply the loss whose gradient passes %s first",
                       why.text, stale->where ? stale->where : "it");
    if (why.code == ERR_STATE)
        return err_set(err, ERR_STATE, "%s of %s%s; compute it inside tape(function() … end), with no detach() on the way", why.text,
                       a->models[0]->name, a->n_models > 1 ? " and the others" : "");
    *err = why;
    return false;
}

bool apply_loss(const Apply *a, Err *err)
{
    Optimizer *optimizer = a->optimizer;
    const char *where = NULL;
    if (a->tape->mode != TAPE_TRAIN)
        return err_set(err, ERR_STATE, "the loss must be computed inside tape(function() … end): only there is kept what gradients need");
    if (!optimizer_bind_all(optimizer, a->models, a->n_models, err) || !aim(a, err))
        return false;
    StepResult result = { .loss = a->loss, .value = (double)tensor_real(&a->loss->value)[0] };
    if (!isfinite(result.value))
        return step_say_bad(a->tape, NULL, &result, NULL, err);
    clear_others(optimizer);
    if (!tape_backward(a->tape, a->loss, err))
        return false;
    if (!optimizer_finite(optimizer, &where))
        return step_say_bad(a->tape, NULL, &result, where, err);
    if (optimizer->rate)
        optimizer_follow(optimizer, optimizer->rate);
    tape_commit(a->tape);
    optimizer_apply(optimizer);
    for (int t = 0; t < a->n_others; t++)
        for (int i = 0; i < optimizer->n_blocks; i++)
            tape_outdate(a->others[t], optimizer->blocks[i].layer->block, optimizer->blocks[i].layer->n_trainable);
    return true;
}
