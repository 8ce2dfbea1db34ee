// SPDX-License-Identifier: MIT
#include "data/sequence.h"

#include <string.h>

#include "base/rng.h"

void sequence_place(Tensor *out, int64_t row, const Tensor *sequence, bool fill_front, bool cut_front)
{
    int64_t length = out->shape.d[1], n = tensor_count(sequence), kept = n < length ? n : length;
    int64_t from = cut_front ? n - kept : 0, to = row * length + (fill_front ? length - kept : 0);
    for (int64_t i = 0; i < kept; i++)
        tensor_set(out, to + i, tensor_get(sequence, from + i));
}

/* ---- windows ---- */

int64_t window_count(const WindowPlan *plan, int64_t T)
{
    int64_t target = plan->length + plan->gap + plan->horizon, span = target > plan->length ? target : plan->length;
    return T < span ? 0 : (T - span) / plan->stride + 1;
}

bool window_take(Tensor *out, const Tensor *series, int64_t n, int64_t offset, int64_t length, int64_t stride, Err *err)
{
    Shape shape = { .rank = series->shape.rank + 1, .d = { n, length } };
    for (int i = 1; i < series->shape.rank; i++)
        shape.d[i + 1] = series->shape.d[i];
    if (stride == length) {
        Tensor rows = { 0 };
        bool ok = tensor_rows(&rows, series, offset, n * length, err) && tensor_reshape(out, &rows, shape, err);
        tensor_unref(&rows);
        return ok;
    }
    if (!tensor_new(out, series->dtype, shape, err))
        return false;
    size_t row = (size_t)shape_count_from(&series->shape, 1) * dtype_size(series->dtype), size = row * (size_t)length;
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)out->data + (size_t)i * size, (const char *)series->data + row * (size_t)(i * stride + offset), size);
    return true;
}

/* ---- hidden words ---- */

static bool is_special(const HidePlan *plan, int32_t id)
{
    for (int i = 0; i < plan->n_special; i++)
        if (plan->special[i] == id)
            return true;
    return false;
}

static double unit(uint32_t word)
{
    return (word >> 8) * (1.0 / 16777216.0);
}

static bool check_hide(const Tensor *ids, const HidePlan *plan, Err *err)
{
    if (ids->dtype != DTYPE_INT32)
        return err_set(err, ERR_ARG, "mask_tokens wants token ids (int32), got %s", dtype_name(ids->dtype));
    if (plan->vocab_size <= plan->first_id || plan->mask_id < 0 || plan->mask_id >= plan->vocab_size)
        return err_set(err, ERR_ARG, "mask_tokens: the mask token %d is not in 0 ... %d", (int)plan->mask_id, (int)plan->vocab_size - 1);
    for (int64_t i = 0; i < tensor_count(ids); i++)
        if (tensor_int(ids)[i] < 0 || tensor_int(ids)[i] >= plan->vocab_size)
            return err_set(err, ERR_DATA, "mask_tokens: token id %d at place %lld is not in 0 ... %d", (int)tensor_int(ids)[i], (long long)i + 1,
                           (int)plan->vocab_size - 1);
    return true;
}

bool sequence_hide(const Tensor *ids, const HidePlan *plan, Tensor *x, Tensor *chosen, Err *err)
{
    if (!check_hide(ids, plan, err) || !tensor_copy(x, ids, err) || !tensor_zero(chosen, DTYPE_FLOAT32, ids->shape, err))
        return false;
    for (int64_t i = 0; i < tensor_count(ids); i++) {
        uint32_t words[4];
        if (is_special(plan, tensor_int(ids)[i]))
            continue;
        rng_block(words, rng_mix(plan->seed, (uint64_t)i >> 32), RNG_DATA, plan->step, (uint32_t)i);
        if (unit(words[0]) >= plan->rate)
            continue;
        tensor_real(chosen)[i] = 1;
        double which = unit(words[1]);
        if (which < 0.8)
            tensor_int(x)[i] = plan->mask_id;
        else if (which < 0.9)
            tensor_int(x)[i] = plan->first_id + (int32_t)((uint64_t)words[2] * (uint64_t)(plan->vocab_size - plan->first_id) >> 32);
    }
    return true;
}
