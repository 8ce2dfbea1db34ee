// SPDX-License-Identifier: MIT
#include "nn/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

typedef struct Score {
    double value;
    int32_t id;
} Score;

static int by_score(const void *a, const void *b)
{
    const Score *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* [V] as one row of [1, V]. */
static bool rows_of(const Tensor *x, int64_t *rows, int64_t *width, const char *who, Err *err)
{
    char text[SHAPE_TEXT];
    if (x->dtype != DTYPE_FLOAT32 || x->shape.rank < 1 || x->shape.rank > 2 || x->shape.d[x->shape.rank - 1] < 1)
        return err_set(err, ERR_SHAPE, "%s wants scores of shape (choices) or (batch, choices), float32; got %s %s", who,
                       shape_text(&x->shape, text), dtype_name(x->dtype));
    *rows = x->shape.rank == 2 ? x->shape.d[0] : 1;
    *width = x->shape.d[x->shape.rank - 1];
    return *width <= INT32_MAX || err_set(err, ERR_SHAPE, "%s: too many choices", who);
}

static void load(Score *scores, const real *row, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        scores[i] = (Score){ (double)row[i], (int32_t)i };
}

/* How many of the sorted scores may be drawn, their values turned into probabilities that do not sum to one; *sum is their sum. */
static int64_t allow(Score *scores, int64_t n, const SampleOptions *o, double *sum)
{
    double highest = scores[0].value, all = 0, part = 0;
    n = o->top_k > 0 && o->top_k < n ? o->top_k : n;
    for (int64_t i = 0; i < n; i++)
        all += scores[i].value = exp((scores[i].value - highest) / o->temperature);
    int64_t kept = 0;
    do
        part += scores[kept++].value;
    while (kept < n && part < o->top_p * all);
    *sum = part;
    return kept;
}

static int32_t draw(Score *scores, int64_t n, const SampleOptions *o, int64_t row)
{
    double sum;
    n = allow(scores, n, o, &sum);
    Rng rng;
    rng_init(&rng, rng_mix(o->seed, (uint64_t)row), RNG_USER, o->step);
    double at = rng_uniform(&rng) * sum;
    for (int64_t i = 0; i < n; i++) {
        at -= scores[i].value;
        if (at < 0)
            return scores[i].id;
    }
    return scores[0].id; /* rounding: the sum in another order */
}

static bool check_row(const real *row, int64_t n, int64_t number, Err *err)
{
    bool finite = false;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(row[i]) || row[i] == (real)INFINITY)
            return err_set(err, ERR_NUMERIC, "sample: the score of choice %lld in row %lld is %s", (long long)i, (long long)number + 1,
                           isnan(row[i]) ? "NaN" : "infinite");
        finite = finite || isfinite(row[i]);
    }
    return finite || err_set(err, ERR_NUMERIC, "sample: no choice in row %lld has a finite score", (long long)number + 1);
}

bool sample_logits(const Tensor *logits, const SampleOptions *options, int32_t *ids, Err *err)
{
    int64_t rows, width;
    if (!rows_of(logits, &rows, &width, "sample", err))
        return false;
    for (int64_t r = 0; r < rows; r++)
        if (!check_row(tensor_real(logits) + r * width, width, r, err))
            return false;
    Score *scores = mem_alloc((size_t)width, sizeof *scores, err);
    if (!scores)
        return false;
    for (int64_t r = 0; r < rows; r++) {
        load(scores, tensor_real(logits) + r * width, width);
        qsort(scores, (size_t)width, sizeof *scores, by_score);
        ids[r] = options->temperature > 0 ? draw(scores, width, options, r) : scores[0].id;
    }
    mem_free(scores);
    return true;
}

bool sample_top_k(const Tensor *x, int64_t k, Tensor *values, Tensor *indices, Err *err)
{
    int64_t rows, width;
    if (!rows_of(x, &rows, &width, "top_k", err))
        return false;
    if (k < 1 || k > width)
        return err_set(err, ERR_ARG, "top_k: k must be 1 to %lld, the size of the last axis; got %lld", (long long)width, (long long)k);
    Shape shape = x->shape;
    shape.d[shape.rank - 1] = k;
    Score *scores = mem_alloc((size_t)width, sizeof *scores, err);
    bool ok = scores && tensor_new(values, DTYPE_FLOAT32, shape, err) && tensor_new(indices, DTYPE_INT32, shape, err);
    for (int64_t r = 0; ok && r < rows; r++) {
        load(scores, tensor_real(x) + r * width, width);
        qsort(scores, (size_t)width, sizeof *scores, by_score);
        for (int64_t i = 0; i < k; i++) {
            tensor_real(values)[r * k + i] = (real)scores[i].value;
            tensor_int(indices)[r * k + i] = scores[i].id;
        }
    }
    mem_free(scores);
    return ok;
}
