// SPDX-License-Identifier: MIT
/* -log of the chance that a sequence of T steps says the labels when repeats are merged and blanks (class 0) left out. The paths
 * run through l' = blank, label, blank, label … blank of S = 2 n + 1 places; with logarithms in double:
 *   a[t, s] = log p[t, l'_s] + log sum of a[t-1, s], a[t-1, s-1] and, between different labels, a[t-1, s-2]
 *   b[t, s] the same from the end, without step t
 *   loss = -log sum of a[T-1, S-1], a[T-1, S-2];   d loss / d x[t, c] = p[t, c] - sum over l'_s = c of exp(a[t, s] + b[t, s] + loss)
 * Samples are tiles. Labels for which T steps are too few have infinite loss and no gradient; labels out of range give NaN: data
 * are checked before they get here. Source: Graves et al. 2006, sections 4.1 and 4.2; classes as Keras numbers them. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"
#include "tensor/kern_softmax.h"

typedef struct Ctc {
    int64_t B, T, C, L;
    const real *x, *lse;
    const int32_t *labels;
    real *loss;
    real *slope;  /* [B, T, C]: softmax, from which each sample's places are taken; NULL: not wanted */
    double *work; /* [threads, 2 T S] */
} Ctc;

/* One sample's path. */
typedef struct Path {
    int64_t T, C, S;
    const real *x, *lse;
    const int32_t *labels; /* in front, those that are not blank */
    double *a, *b;
} Path;

static double log_sum(double a, double b)
{
    double high = a > b ? a : b, low = a > b ? b : a;
    return low == -HUGE_VAL ? high : high + log1p(exp(low - high));
}

static int32_t class_at(const Path *path, int64_t s)
{
    return s % 2 ? path->labels[s / 2] : 0;
}

static double log_chance(const Path *path, int64_t t, int64_t s)
{
    return (double)path->x[t * path->C + class_at(path, s)] - (double)path->lse[t];
}

static bool leaps(const Path *path, int64_t s)
{
    return s % 2 && s >= 3 && path->labels[s / 2] != path->labels[s / 2 - 1];
}

static double go_forward(const Path *path)
{
    int64_t S = path->S;
    for (int64_t s = 0; s < S; s++)
        path->a[s] = s < 2 ? log_chance(path, 0, s) : -HUGE_VAL;
    for (int64_t t = 1; t < path->T; t++) {
        const double *before = path->a + (t - 1) * S;
        for (int64_t s = 0; s < S; s++) {
            double sum = s ? log_sum(before[s], before[s - 1]) : before[s];
            path->a[t * S + s] = (leaps(path, s) ? log_sum(sum, before[s - 2]) : sum) + log_chance(path, t, s);
        }
    }
    const double *end = path->a + (path->T - 1) * S;
    return -(S > 1 ? log_sum(end[S - 1], end[S - 2]) : end[S - 1]);
}

static void go_back(const Path *path)
{
    int64_t S = path->S;
    double *end = path->b + (path->T - 1) * S;
    for (int64_t s = 0; s < S; s++)
        end[s] = s >= S - 2 ? 0 : -HUGE_VAL;
    for (int64_t t = path->T - 2; t >= 0; t--) {
        const double *behind = path->b + (t + 1) * S;
        for (int64_t s = 0; s < S; s++) {
            double sum = behind[s] + log_chance(path, t + 1, s);
            if (s + 1 < S)
                sum = log_sum(sum, behind[s + 1] + log_chance(path, t + 1, s + 1));
            if (s + 2 < S && leaps(path, s + 2))
                sum = log_sum(sum, behind[s + 2] + log_chance(path, t + 1, s + 2));
            path->b[t * S + s] = sum;
        }
    }
}

/* The labels that are not blank, moved to the front of own[L]; -1: one is no class. */
static int64_t keep_labels(int32_t *own, const int32_t *labels, int64_t L, int64_t C)
{
    int64_t n = 0;
    for (int64_t i = 0; i < L; i++) {
        if (labels[i] < 0 || labels[i] >= C)
            return -1;
        if (labels[i])
            own[n++] = labels[i];
    }
    return n;
}

static size_t work_size(int64_t T, int64_t L)
{
    return (size_t)(2 * T * (2 * L + 1)) * sizeof(double) + (((size_t)L * sizeof(int32_t) + 7) & ~(size_t)7);
}

static void sample(void *ctx, size_t b, int worker)
{
    const Ctc *job = ctx;
    char *work = (char *)job->work + (size_t)worker * work_size(job->T, job->L);
    real *slope = job->slope ? job->slope + (int64_t)b * job->T * job->C : NULL;
    Path path = { .T = job->T, .C = job->C, .x = job->x + (int64_t)b * job->T * job->C, .lse = job->lse + (int64_t)b * job->T };
    path.a = (double *)(void *)work;
    path.b = path.a + job->T * (2 * job->L + 1);
    int32_t *own = (int32_t *)(void *)(path.b + job->T * (2 * job->L + 1));
    int64_t n = keep_labels(own, job->labels + (int64_t)b * job->L, job->L, job->C);
    path.labels = own;
    path.S = 2 * n + 1;
    double loss = n < 0 ? (double)NAN : go_forward(&path);
    job->loss[b] = (real)loss;
    if (!slope)
        return;
    if (!isfinite(loss)) {
        memset(slope, 0, (size_t)(job->T * job->C) * sizeof *slope);
        return;
    }
    go_back(&path);
    for (int64_t t = 0; t < path.T; t++)
        for (int64_t s = 0; s < path.S; s++)
            slope[t * path.C + class_at(&path, s)] -= (real)exp(path.a[t * path.S + s] + path.b[t * path.S + s] + loss);
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape, *labels = &call->in[1].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (x->rank != 3 || x->d[1] < 1 || x->d[2] < 1)
        return op_refuse(call, err, "wants logits of shape (batch, time, classes), got %s", shape_text(x, a));
    if (labels->rank != 2 || (labels->d[0] != x->d[0] && x->d[0] >= 0 && labels->d[0] >= 0))
        return op_refuse(call, err, "logits %s want labels of shape (batch, longest sequence), got %s", shape_text(x, a),
                         shape_text(labels, b));
    int64_t B = x->d[0] < 0 ? 1 : x->d[0], T = x->d[1], C = x->d[2], L = labels->d[1] < 0 ? 1 : labels->d[1];
    size_t own = (size_t)pool_threads() * work_size(T, L), softmax = (size_t)(B * T * C) * sizeof(real);
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = SHAPE(x->d[0]);
    call->saved_size = softmax;
    call->scratch_size = own + softmax + (size_t)(B * T) * sizeof(real);
    return true;
}

static void forward(OpCall *call)
{
    const Shape *x = &call->in[0].shape;
    Ctc job = { .B = x->d[0], .T = x->d[1], .C = x->d[2], .L = call->in[1].shape.d[1], .x = tensor_real(&call->in[0]) };
    job.labels = tensor_int(&call->in[1]);
    job.loss = tensor_real(&call->out);
    job.work = call->scratch;
    real *softmax = (real *)(void *)((char *)call->scratch + (size_t)pool_threads() * work_size(job.T, job.L));
    real *lse = softmax + job.B * job.T * job.C;
    job.slope = call->saved;
    job.lse = lse;
    kern_softmax(job.slope ? job.slope : softmax, lse, job.x, job.B * job.T, job.C);
    pool_run((size_t)job.B, sample, &job);
}

static void backward(OpCall *call)
{
    const Shape *x = &call->in[0].shape;
    int64_t each = x->d[1] * x->d[2];
    const real *slope = call->saved;
    real *dx = call->din[0];
    for (int64_t b = 0; b < x->d[0] && dx; b++)
        for (int64_t i = b * each; i < (b + 1) * each; i++)
            dx[i] = (call->add[0] ? dx[i] : 0) + call->dout[b] * slope[i];
}

static double flops(const OpCall *call)
{
    return 6.0 * (double)shape_count(&call->in[0].shape) / (double)call->in[0].shape.d[2] * (double)(2 * call->in[1].shape.d[1] + 1);
}

static const char *const in_names[] = { "logits", "labels" };
static const OpCase cases[] = {
    { .in = { { 3, { 2, 6, 4 } }, { 2, { 2, 2 } } }, .n_in = 2, .classes = 4, .low = -2, .high = 2 },
    { .in = { { 3, { 3, 7, 3 } }, { 2, { 3, 3 } } }, .n_in = 2, .classes = 3, .low = -1, .high = 1 },
};

const Op op_ctc_loss = {
    .name = "ctc_loss",
    .doc = "ctc_loss(logits, labels) -> loss of each sample: -log of the chance that the steps say the labels, repeats merged and blanks\n"
           "(class 0) left out. Labels that are 0 are padding; labels that need more steps than there are cost infinity.\n"
           "Shapes: logits [B, T, C], labels int32 [B, L] -> [B].  Source: Graves et al. 2006; Keras: ctc.",
    .example = "local l = op.ctc_loss({{{0, 0}, {0, 0}}}, tensor({{1}}, \"int32\")); assert(math.abs(l:item() + math.log(0.75)) < 1e-6)",
    .in_least = 2,
    .in_most = 2,
    .in_names = in_names,
    .integer_in = 1u << 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
