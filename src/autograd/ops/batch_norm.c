// SPDX-License-Identifier: MIT
/* x [.., C]; gamma, beta, moving_mean, moving_variance [C] -> y [.., C]. All axes but the last are rows, N of them.
 * saved [3, C]: mean and variance of the batch (in training), and 1 / deviation. The moving averages
 * change in `commit`, when the step is kept, so that a step that is not applied leaves no trace. */
#include <math.h>

#include "autograd/op.h"
#include "tensor/kern_norm.h"

enum { X, GAMMA, BETA, MEAN, VARIANCE };

static const ArgSpec args[] = {
    { .name = "momentum",
      .type = ARG_FLOAT,
      .fallback = "0.99",
      .least = 0,
      .most = 1,
      .help = "share of the old moving average that stays" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "0.001", .least = 0, .most = HUGE_VAL, .help = "added to the variance" },
};

typedef struct Sizes {
    int64_t N, C;
} Sizes;

static Sizes sizes_of(const OpCall *call)
{
    const Shape *x = &call->in[X].shape;
    Sizes s = { .N = 1, .C = x->d[x->rank - 1] };
    for (int i = 0; i < x->rank - 1; i++)
        s.N *= x->d[i] < 0 ? 1 : x->d[i];
    return s;
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[X].shape;
    char text[SHAPE_TEXT];
    if (x->rank < 2)
        return op_refuse(call, err, "x must have a batch axis and an axis of channels at least, got shape %s", shape_text(x, text));
    Sizes s = sizes_of(call);
    if (s.C < 0)
        return op_refuse(call, err, "the last axis of x, the channels, must be known, got shape %s", shape_text(x, text));
    for (int i = GAMMA; i <= VARIANCE; i++) {
        const Shape *shape = &call->in[i].shape;
        if (i >= MEAN && !call->has[i])
            return op_refuse(call, err, "%s is missing", call->op->in_names[i]);
        if (call->has[i] && (shape->rank != 1 || shape->d[0] != s.C))
            return op_refuse(call, err, "%s must have shape (%lld), one number for each channel of x, got %s",
                             call->op->in_names[i], (long long)s.C, shape_text(shape, text));
    }
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    call->saved_size = 3 * (size_t)s.C * sizeof(real);
    call->scratch_size = kern_norm_scratch(s.N, s.C) + 2 * (size_t)s.C * sizeof(real);
    return true;
}

static const real *optional(const OpCall *call, int i)
{
    return call->has[i] ? tensor_real(&call->in[i]) : NULL;
}

/* Two rows [C] behind the kernels' own scratch memory. */
static real *spare(const OpCall *call, const Sizes *s)
{
    return (real *)((char *)call->scratch + kern_norm_scratch(s->N, s->C));
}

static void forward(OpCall *call)
{
    Sizes s = sizes_of(call);
    const real *x = tensor_real(&call->in[X]), *mean = tensor_real(&call->in[MEAN]), *variance = tensor_real(&call->in[VARIANCE]);
    real *saved = call->saved, *rstd = saved ? saved + 2 * s.C : spare(call, &s);
    if (call->training && saved) {
        kern_norm_moments(saved, saved + s.C, x, s.N, s.C, call->scratch);
        mean = saved;
        variance = saved + s.C;
    }
    double epsilon = args_float(call->args, "epsilon");
    for (int64_t c = 0; c < s.C; c++)
        rstd[c] = (real)(1 / sqrt((double)variance[c] + epsilon));
    kern_norm_apply(tensor_real(&call->out), x, mean, rstd, optional(call, GAMMA), optional(call, BETA), s.N, s.C, call->scratch);
}

/* The moving averages are constants in training. Otherwise y = (x - m) r gamma + beta with r = (v + epsilon)^-1/2:
 * dm = -gamma r sum of dy,  dv = -1/2 gamma r^2 dgamma. */
static void moving_back(OpCall *call, const Sizes *s, const real *rstd, const real *dbeta, const real *dgamma)
{
    const real *gamma = optional(call, GAMMA);
    for (int i = MEAN; i <= VARIANCE; i++)
        for (int64_t c = 0; call->din[i] && c < s->C; c++) {
            real g = (gamma ? gamma[c] : 1) * rstd[c];
            real slope = call->training ? 0 : i == MEAN ? -g * dbeta[c] : -g * rstd[c] * dgamma[c] / 2;
            call->din[i][c] = call->add[i] ? call->din[i][c] + slope : slope;
        }
}

static void backward(OpCall *call)
{
    Sizes s = sizes_of(call);
    const real *x = tensor_real(&call->in[X]), *saved = call->saved, *rstd = saved + 2 * s.C;
    const real *mean = call->training ? saved : tensor_real(&call->in[MEAN]);
    real *dbeta = spare(call, &s), *dgamma = dbeta + s.C;
    kern_norm_sums(dbeta, dgamma, call->dout, x, mean, rstd, s.N, s.C, call->scratch);
    if (call->din[X])
        kern_norm_back(call->din[X], call->add[X], call->dout, x, mean, rstd, optional(call, GAMMA), call->training ? dbeta : NULL,
                       dgamma, s.N, s.C, call->scratch);
    if (call->has[GAMMA] && call->din[GAMMA])
        op_give(call->din[GAMMA], dgamma, s.C, call->add[GAMMA]);
    if (call->has[BETA] && call->din[BETA])
        op_give(call->din[BETA], dbeta, s.C, call->add[BETA]);
    moving_back(call, &s, rstd, dbeta, dgamma);
}

static void commit(OpCall *call)
{
    if (!call->training || !call->saved)
        return;
    Sizes s = sizes_of(call);
    const real *saved = call->saved;
    real momentum = (real)args_float(call->args, "momentum");
    for (int i = MEAN; i <= VARIANCE; i++, saved += s.C) {
        real *moving = tensor_real(&call->in[i]);
        for (int64_t c = 0; c < s.C; c++)
            moving[c] = momentum * moving[c] + (1 - momentum) * saved[c];
    }
}

static const char *const in_names[] = { "x", "gamma", "beta", "moving_mean", "moving_variance" };
static const OpCase cases[] = {
    { .in = { { 2, { 7, 3 } }, { 1, { 3 } }, { 1, { 3 } }, { 1, { 3 } }, { 1, { 3 } } }, .n_in = 5, .training = true },
    { .in = { { 4, { 2, 3, 2, 4 } }, { 1, { 4 } }, { 1, { 4 } }, { 1, { 4 } }, { 1, { 4 } } },
      .n_in = 5,
      .args = "epsilon=0.1",
      .training = true },
    { .in = { { 2, { 5, 3 } }, { 1, { 3 } }, { 1, { 3 } }, { 1, { 3 } }, { 1, { 3 } } }, .n_in = 5, .low = 0.2, .high = 1 },
};

const Op op_batch_norm = {
    .name = "batch_norm",
    .doc = "batch_norm(x, gamma, beta, moving_mean, moving_variance, {momentum = 0.99, epsilon = 0.001}) -> y\n"
           "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, for each channel. Training: mean and biased variance of the "
           "batch,\n"
           "and a step that is kept moves the averages: new = momentum * old + (1 - momentum) * batch. Otherwise: the moving "
           "averages.\n"
           "Shapes: x [.., C], the others [C]; gamma and beta may be nil -> y like x.  Source: Ioffe and Szegedy 2015.",
    .example = "local y = op.batch_norm({{1, 10}, {3, 30}}, {1, 2}, {0, 5}, {1, 10}, {1, 100}, {epsilon = 0}); "
               "assert(y[2][1] == 2 and y[1][2] == 5 and y[2][2] == 9)",
    .in_least = 1,
    .in_most = 5,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .commit = commit,
};
