// SPDX-License-Identifier: MIT
/* x may be uint8 (images as they are stored) or int32: read as it is, without a float copy. */
#include "autograd/each.h"
#include "base/pool.h"

enum { ARG_SCALE, ARG_OFFSET };

typedef struct Scale {
    const Tensor *x;
    real *y;
    real factor, offset;
    size_t n, n_tiles;
} Scale;

KERN_CLONES static void scale_reals(real *y, const real *x, real factor, real offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = factor * x[i] + offset;
}

KERN_CLONES static void scale_bytes(real *y, const uint8_t *x, real factor, real offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = factor * (real)x[i] + offset;
}

KERN_CLONES static void scale_ints(real *y, const int32_t *x, real factor, real offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = factor * (real)x[i] + offset;
}

static void tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    const Scale *s = ctx;
    size_t first = pool_first(s->n, s->n_tiles, number);
    int64_t n = (int64_t)(pool_first(s->n, s->n_tiles, number + 1) - first);
    if (s->x->dtype == DTYPE_FLOAT32)
        scale_reals(s->y + first, tensor_real(s->x) + first, s->factor, s->offset, n);
    else if (s->x->dtype == DTYPE_UINT8)
        scale_bytes(s->y + first, tensor_byte(s->x) + first, s->factor, s->offset, n);
    else
        scale_ints(s->y + first, tensor_int(s->x) + first, s->factor, s->offset, n);
}

static void forward(OpCall *call)
{
    size_t n = (size_t)shape_count(&call->out.shape);
    Scale s = { &call->in[0], tensor_real(&call->out), (real)call->args->v[ARG_SCALE].u.f, (real)call->args->v[ARG_OFFSET].u.f, n,
                pool_tiles(n, 1) };
    pool_run(s.n_tiles, tile, &s);
}

static void backward(OpCall *call)
{
    const Shape *shape = &call->out.shape;
    if (call->din[0])
        broadcast_copy(call->din[0], shape, call->dout, shape, (real)call->args->v[ARG_SCALE].u.f, call->add[0]);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "scale", .type = ARG_FLOAT, .fallback = "1", .help = "x is multiplied by it" },
    { .name = "offset", .type = ARG_FLOAT, .fallback = "0", .help = "added after that" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "scale=-2.5 offset=0.5" },
    { .in = { { 1, { 5 } } }, .n_in = 1 },
};

const Op op_scale = {
    .name = "scale",
    .doc = "scale(x, scale = 1, offset = 0) -> y: scale * x + offset, as float32. x may also be uint8 or int32.\n"
           "Shapes: x any -> y the same.",
    .example = "local y = op.scale({0, 255}, 1/255, -0.5); assert(y[1] == -0.5 and math.abs(y[2] - 0.5) < 1e-6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .any_in = 1,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = each_infer,
    .forward = forward,
    .backward = backward,
};
