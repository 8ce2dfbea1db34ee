// SPDX-License-Identifier: MIT
#include "opcase.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

/* "name=value name=value" */
static bool parse_args(Trial *trial, const char *who, Err *err)
{
    char text[256];
    snprintf(text, sizeof text, "%s", trial->c->args ? trial->c->args : "");
    for (char *save, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        if (value)
            *value++ = '\0';
        int row = args_find(&trial->args, word);
        if (!value || row < 0)
            return err_set(err, ERR_BUG, "%s: the case names an argument \"%s\" that does not exist", who, word);
        if (!args_parse(&trial->args, row, value, who, err))
            return false;
    }
    return true;
}

/* All elements of the float inputs together are evenly spaced numbers in random order, so that no two lie close: a maximum or a
 * pooling window has one clear winner. */
static bool draw(Trial *trial, Rng *rng, Err *err)
{
    const OpCase *c = trial->c;
    double low = c->low, high = c->high;
    if (low == 0 && high == 0)
        low = -1, high = 1;
    int64_t total = 0, used = 0;
    for (int i = 0; i < c->n_in; i++)
        total += trial->call.in[i].dtype == DTYPE_FLOAT32 ? tensor_count(&trial->call.in[i]) : 0;
    int64_t *order = mem_alloc((size_t)total + 1, sizeof *order, err);
    if (!order)
        return false;
    for (int64_t k = 0; k < total; k++)
        order[k] = k;
    rng_shuffle(rng, order, total);
    trial->spacing = (high - low) / (double)(total > 0 ? total : 1);
    for (int i = 0; i < c->n_in; i++) {
        Tensor *in = &trial->call.in[i];
        for (int64_t k = 0; k < tensor_count(in); k++)
            if (in->dtype == DTYPE_FLOAT32)
                tensor_set(in, k, low + ((double)order[used++] + 0.5) * trial->spacing);
            else
                tensor_set(in, k, (double)rng_below(rng, (uint64_t)(c->classes > 0 ? c->classes : 1)));
    }
    mem_free(order);
    return true;
}

static bool reserve(Trial *trial, Rng *rng, Err *err)
{
    OpCall *call = &trial->call;
    if (call->alias)
        call->out.data = call->in[0].data;
    else if (!tensor_new(&call->out, call->out.dtype, call->out.shape, err))
        return false;
    int64_t n = tensor_count(&call->out);
    trial->dout = mem_alloc((size_t)n, sizeof(real), err);
    call->saved = call->saved_size ? mem_alloc(call->saved_size, 1, err) : NULL;
    call->scratch = call->scratch_size ? mem_alloc(call->scratch_size, 1, err) : NULL;
    if (!trial->dout || (call->saved_size && !call->saved) || (call->scratch_size && !call->scratch))
        return false;
    /* Whatever an op does not write itself shows up as NaN. */
    if (call->saved)
        memset(call->saved, 0xff, call->saved_size);
    for (int64_t i = 0; i < n; i++)
        trial->dout[i] = (real)(0.5 + rng_uniform(rng));
    for (int i = 0; i < call->n_in; i++)
        if (call->in[i].dtype == DTYPE_FLOAT32) {
            trial->grads[i] = mem_alloc((size_t)tensor_count(&call->in[i]), sizeof(real), err);
            if (!trial->grads[i])
                return false;
        }
    return true;
}

bool trial_init(Trial *trial, const Op *op, const OpCase *c, uint64_t seed, Err *err)
{
    memset(trial, 0, sizeof *trial);
    trial->c = c;
    Rng rng;
    rng_init(&rng, seed, RNG_TEST, 0);
    OpCall *call = &trial->call;
    *call = (OpCall){ .op = op, .args = &trial->args, .n_in = c->n_in, .training = c->training, .wants_grad = op->backward != NULL, .seed = seed };
    args_init(&trial->args, op->args, op->n_args);
    if (!parse_args(trial, op->name, err))
        return false;
    for (int i = 0; i < c->n_in; i++) {
        call->has[i] = true;
        if (!tensor_new(&call->in[i], op->integer_in >> i & 1 ? DTYPE_INT32 : DTYPE_FLOAT32, c->in[i], err))
            return false;
    }
    return draw(trial, &rng, err) && op_infer(call, err) && reserve(trial, &rng, err) && (!op->check || op->check(call, err));
}

void trial_fini(Trial *trial)
{
    OpCall *call = &trial->call;
    for (int i = 0; i < call->n_in; i++) {
        if (call->in[i].data)
            tensor_unref(&call->in[i]);
        mem_free(trial->grads[i]);
    }
    if (call->out.storage)
        tensor_unref(&call->out);
    mem_free(trial->dout);
    mem_free(call->saved);
    mem_free(call->scratch);
}

void trial_forward(Trial *trial)
{
    if (trial->call.scratch)
        memset(trial->call.scratch, 0xff, trial->call.scratch_size);
    if (!trial->call.alias)
        trial->call.op->forward(&trial->call);
}

double trial_loss(Trial *trial)
{
    double sum = 0;
    trial_forward(trial);
    for (int64_t i = 0; i < tensor_count(&trial->call.out); i++)
        sum += (double)trial->dout[i] * tensor_get(&trial->call.out, i);
    return sum;
}

void trial_backward(Trial *trial, bool add, int only)
{
    OpCall *call = &trial->call;
    call->dout = trial->dout;
    if (call->scratch)
        memset(call->scratch, 0xff, call->scratch_size);
    for (int i = 0; i < call->n_in; i++) {
        call->din[i] = only < 0 || only == i ? trial->grads[i] : NULL;
        call->add[i] = add;
        if (call->din[i] && !add && call->op->backward_adds) {
            memset(call->din[i], 0, (size_t)tensor_count(&call->in[i]) * sizeof(real));
            call->add[i] = true;
        }
    }
    call->op->backward(call);
}
