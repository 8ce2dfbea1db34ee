// SPDX-License-Identifier: MIT
/* x [B, P, C], P all axes between the batch and the channels. Loops run over channels, which lie side by side: sums for each channel
 * are folded into those of its group, and what is applied to a channel is one factor and one offset.
 * A sample is a tile's own. saved [B, 2, C]: mean and 1 / deviation of the group, for each channel. scratch [B, 4, C]. */
#include <math.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

enum { X, GAMMA, BETA };

#define BLOCK 64 /* pixels that are summed before the sum is added up */

typedef struct Sizes {
    int64_t B, P, C, G;
    double epsilon;
} Sizes;

static Sizes sizes_of(const OpCall *call)
{
    const Shape *x = &call->in[X].shape;
    Sizes s = { .B = x->d[0] < 0 ? 1 : x->d[0], .P = 1, .C = x->d[x->rank - 1], .G = call->args->v[0].u.i, .epsilon = call->args->v[1].u.f };
    for (int i = 1; i < x->rank - 1; i++)
        s.P *= x->d[i];
    return s;
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[X].shape;
    char text[SHAPE_TEXT];
    if (x->rank < 2 || x->d[x->rank - 1] < 1)
        return op_refuse(call, err, "x must have a batch axis and a known axis of channels, got shape %s", shape_text(x, text));
    Sizes s = sizes_of(call);
    if (s.C % s.G)
        return op_refuse(call, err, "groups = %lld must divide the %lld channels of x", (long long)s.G, (long long)s.C);
    for (int i = GAMMA; i < call->n_in; i++)
        if (call->has[i] && (call->in[i].shape.rank != 1 || call->in[i].shape.d[0] != s.C))
            return op_refuse(call, err, "%s must have shape (%lld), one number for each channel of x, got %s", call->op->in_names[i],
                             (long long)s.C, shape_text(&call->in[i].shape, text));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    call->saved_size = 2 * (size_t)(s.B * s.C) * sizeof(real);
    call->scratch_size = 4 * (size_t)(s.B * s.C) * sizeof(real);
    return true;
}

/* The mean over each group's channels, put to each of them; n: numbers behind a channel's sum. */
static void fold(real *sum, const Sizes *s, int64_t n)
{
    int64_t width = s->C / s->G;
    for (int64_t g = 0; g < s->G; g++) {
        double total = 0;
        for (int64_t c = g * width; c < (g + 1) * width; c++)
            total += (double)sum[c];
        for (int64_t c = g * width; c < (g + 1) * width; c++)
            sum[c] = (real)(total / ((double)n * (double)width));
    }
}

/* sum [C] of f over the pixels p, c: a block at a time into part [C]. */
#define CHANNEL_SUMS(sum, part, s, f) \
    do { \
        for (int64_t c = 0; c < (s)->C; c++) \
            (sum)[c] = 0; \
        for (int64_t first = 0; first < (s)->P; first += BLOCK) { \
            for (int64_t c = 0; c < (s)->C; c++) \
                (part)[c] = 0; \
            for (int64_t p = first; p < (s)->P && p < first + BLOCK; p++) \
                for (int64_t c = 0; c < (s)->C; c++) { \
                    const int64_t i = p * (s)->C + c; \
                    (part)[c] += f; \
                } \
            for (int64_t c = 0; c < (s)->C; c++) \
                (sum)[c] += (part)[c]; \
        } \
    } while (0)

KERN_CLONES static void moments(real *restrict mean, real *restrict rstd, real *restrict part, const real *restrict x, const Sizes *s)
{
    CHANNEL_SUMS(mean, part, s, x[i]);
    fold(mean, s, s->P);
    CHANNEL_SUMS(rstd, part, s, (x[i] - mean[c]) * (x[i] - mean[c]));
    fold(rstd, s, s->P);
    for (int64_t c = 0; c < s->C; c++)
        rstd[c] = (real)(1 / sqrt((double)rstd[c] + s->epsilon));
}

/* y = (x - mean) factor + offset, by channels */
KERN_CLONES static void apply(real *restrict y, const real *restrict x, const real *restrict mean, const real *restrict factor,
                              const real *restrict offset, const Sizes *s)
{
    for (int64_t p = 0; p < s->P; p++)
        for (int64_t c = 0; c < s->C; c++)
            y[p * s->C + c] = (x[p * s->C + c] - mean[c]) * factor[c] + offset[c];
}

static const real *optional(const OpCall *call, int i)
{
    return i < call->n_in && call->has[i] ? tensor_real(&call->in[i]) : NULL;
}

static void forward_tile(void *ctx, size_t b, int worker)
{
    (void)worker;
    OpCall *call = ctx;
    Sizes s = sizes_of(call);
    int64_t at = (int64_t)b * s.P * s.C;
    real *scratch = (real *)call->scratch + (int64_t)b * 4 * s.C, *factor = scratch, *offset = scratch + s.C;
    real *mean = call->saved ? (real *)call->saved + (int64_t)b * 2 * s.C : scratch + 2 * s.C, *rstd = mean + s.C;
    const real *x = tensor_real(&call->in[X]) + at, *gamma = optional(call, GAMMA), *beta = optional(call, BETA);
    moments(mean, rstd, factor, x, &s);
    for (int64_t c = 0; c < s.C; c++) {
        factor[c] = rstd[c] * (gamma ? gamma[c] : 1);
        offset[c] = beta ? beta[c] : 0;
    }
    apply(tensor_real(&call->out) + at, x, mean, factor, offset, &s);
}

static void forward(OpCall *call)
{
    pool_run((size_t)sizes_of(call).B, forward_tile, call);
}

KERN_CLONES static void sums(real *restrict dbeta, real *restrict dgamma, real *restrict part, const real *restrict dy,
                             const real *restrict x, const real *restrict mean, const real *restrict rstd, const Sizes *s)
{
    CHANNEL_SUMS(dbeta, part, s, dy[i]);
    CHANNEL_SUMS(dgamma, part, s, dy[i] * (x[i] - mean[c]) * rstd[c]);
}

/* dx (+)= rstd (gamma dy - a - z b), z = (x - mean) rstd */
KERN_CLONES static void give(real *restrict dx, const real *restrict dy, const real *restrict x, const real *restrict mean,
                             const real *restrict rstd, const real *restrict a, const real *restrict b, const real *gamma, const Sizes *s,
                             bool add)
{
    for (int64_t p = 0; p < s->P; p++)
        for (int64_t c = 0; c < s->C; c++) {
            const int64_t i = p * s->C + c;
            real g = gamma ? dy[i] * gamma[c] : dy[i];
            dx[i] = (add ? dx[i] : 0) + rstd[c] * (g - a[c] - (x[i] - mean[c]) * rstd[c] * b[c]);
        }
}

static void backward_tile(void *ctx, size_t sample, int worker)
{
    (void)worker;
    OpCall *call = ctx;
    Sizes s = sizes_of(call);
    int64_t at = (int64_t)sample * s.P * s.C;
    real *dbeta = (real *)call->scratch + (int64_t)sample * 4 * s.C, *dgamma = dbeta + s.C, *a = dgamma + s.C, *b = a + s.C;
    const real *mean = (const real *)call->saved + (int64_t)sample * 2 * s.C, *rstd = mean + s.C, *gamma = optional(call, GAMMA);
    const real *x = tensor_real(&call->in[X]) + at, *dy = call->dout + at;
    sums(dbeta, dgamma, a, dy, x, mean, rstd, &s);
    if (!call->din[X])
        return;
    for (int64_t c = 0; c < s.C; c++) {
        a[c] = dbeta[c] * (gamma ? gamma[c] : 1);
        b[c] = dgamma[c] * (gamma ? gamma[c] : 1);
    }
    fold(a, &s, s.P);
    fold(b, &s, s.P);
    give(call->din[X] + at, dy, x, mean, rstd, a, b, gamma, &s, call->add[X]);
}

static void backward(OpCall *call)
{
    Sizes s = sizes_of(call);
    pool_run((size_t)s.B, backward_tile, call);
    for (int i = GAMMA; i < call->n_in; i++)
        for (int64_t c = 0; call->din[i] && c < s.C; c++) {
            double sum = 0;
            for (int64_t b = 0; b < s.B; b++)
                sum += (double)((const real *)call->scratch)[(b * 4 + (i == GAMMA)) * s.C + c];
            call->din[i][c] = (call->add[i] ? call->din[i][c] : 0) + (real)sum;
        }
}

static const char *const in_names[] = { "x", "gamma", "beta" };
static const ArgSpec args[] = {
    { .name = "groups", .type = ARG_INT, .fallback = "32", .least = 1, .most = 1 << 24, .help = "how many groups the channels make" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "0.001", .least = 0, .most = INFINITY, .help = "added to the variance" },
};
static const OpCase cases[] = {
    { .in = { { 4, { 2, 3, 2, 4 } }, { 1, { 4 } }, { 1, { 4 } } }, .n_in = 3, .args = "groups=2" },
    { .in = { { 2, { 3, 6 } }, { 1, { 6 } }, { 1, { 6 } } }, .n_in = 3, .args = "groups=2 epsilon=0.1" },
    { .in = { { 3, { 2, 5, 3 } } }, .n_in = 1, .args = "groups=3" },
    { .in = { { 3, { 1, 70, 4 } }, { 1, { 4 } } }, .n_in = 2, .args = "groups=1" },
};

const Op op_group_norm = {
    .name = "group_norm",
    .doc = "group_norm(x, gamma = nil, beta = nil, {groups = 32, epsilon = 0.001}) -> y\n"
           "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with mean and biased variance of each sample's groups of channels.\n"
           "Shapes: x [B, .., C], gamma and beta [C] -> y like x.  Source: Wu and He 2018.",
    .example = "local y = op.group_norm({{1, 3, 5, 5}}, nil, nil, {groups = 2, epsilon = 1e-9}); assert(math.abs(y[1][1] + 1) < 1e-3 and y[1][3] == 0)",
    .in_least = 1,
    .in_most = 3,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
