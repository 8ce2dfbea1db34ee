// SPDX-License-Identifier: MIT
/* x [B, P, C], P all axes between: one choice for each sample and channel. saved [B, C]: 0, or 1 / (1 - rate). The choices are
 * few and are made by the caller alone, in order. */
#include "autograd/op.h"
#include "base/pool.h"
#include "base/rng.h"
#include "tensor/kern.h"

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape;
    char text[SHAPE_TEXT];
    if (x->rank < 2)
        return op_refuse(call, err, "x must have a batch axis and an axis of channels at least, got shape %s", shape_text(x, text));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    call->alias = !call->training || call->args->v[0].u.f == 0;
    if (!call->alias)
        call->saved_size = (size_t)((x->d[0] < 0 ? 1 : x->d[0]) * (x->d[x->rank - 1] < 0 ? 1 : x->d[x->rank - 1])) * sizeof(real);
    return true;
}

typedef struct Rows {
    real *to;
    const real *from, *factor;
    int64_t P, C;
    size_t N, n_tiles;
    bool add;
} Rows;

KERN_CLONES static void times(real *to, const real *from, const real *factor, int64_t C, bool add)
{
    for (int64_t c = 0; c < C; c++)
        to[c] = (add ? to[c] : 0) + from[c] * factor[c];
}

static void tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Rows *r = ctx;
    size_t end = pool_first(r->N, r->n_tiles, number + 1);
    for (size_t i = pool_first(r->N, r->n_tiles, number); i < end; i++)
        times(r->to + (int64_t)i * r->C, r->from + (int64_t)i * r->C, r->factor + (int64_t)i / r->P * r->C, r->C, r->add);
}

static void run(const OpCall *call, real *to, const real *from, bool add)
{
    const Shape *x = &call->in[0].shape;
    Rows r = { .to = to, .from = from, .factor = call->saved, .P = 1, .C = x->d[x->rank - 1], .add = add };
    for (int i = 1; i < x->rank - 1; i++)
        r.P *= x->d[i];
    r.N = (size_t)(x->d[0] * r.P);
    r.n_tiles = pool_tiles(r.N, (double)r.C);
    pool_run(r.N > 0 ? r.n_tiles : 0, tile, &r);
}

static void forward(OpCall *call)
{
    double rate = call->args->v[0].u.f;
    const uint32_t threshold = (uint32_t)(rate * 65536 + 0.5);
    real *factor = call->saved, kept = (real)(1 / (1 - rate));
    uint32_t word[4];
    for (int64_t i = 0; i < (int64_t)(call->saved_size / sizeof(real)); i++) {
        if (i % 8 == 0)
            rng_block(word, call->seed, RNG_DROPOUT, call->step, (uint32_t)(i / 8));
        factor[i] = (word[i % 8 / 2] >> (i % 2 * 16) & 0xFFFF) >= threshold ? kept : 0;
    }
    run(call, tensor_real(&call->out), tensor_real(&call->in[0]), false);
}

static void backward(OpCall *call)
{
    if (!call->din[0])
        return;
    if (call->alias)
        op_give(call->din[0], call->dout, shape_count(&call->out.shape), call->add[0]);
    else
        run(call, call->din[0], call->dout, call->add[0]);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "rate", .type = ARG_FLOAT, .least = 0, .most = 1, .open_most = true, .help = "share of channels that are set to zero while training" },
};
static const OpCase cases[] = {
    { .in = { { 4, { 2, 2, 3, 7 } } }, .n_in = 1, .args = "rate=0.5", .training = true },
    { .in = { { 3, { 3, 4, 20 } } }, .n_in = 1, .args = "rate=0.2", .training = true },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "rate=0.5" },
};

const Op op_spatial_dropout = {
    .name = "spatial_dropout",
    .doc = "spatial_dropout(x, rate) -> y: while training, zero for a share of each sample's channels, whole, and x / (1 - rate) for the\n"
           "others; else x.  Shapes: x [B, .., C] -> y like x.  Source: Tompson et al. 2015.",
    .example = "local y = op.spatial_dropout({{1, 2, 3}}, 0.5); assert(y[1][2] == 2)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
