// SPDX-License-Identifier: MIT
#include "autograd/pooling.h"

#include "autograd/window.h"

const ArgSpec pooling_args[POOLING_ARGS] = {
    { .name = "pool_size",
      .type = ARG_INTS,
      .count = 2,
      .fallback = "2,2",
      .least = 1,
      .most = 65536,
      .help = "height and width of the window" },
    { .name = "strides",
      .type = ARG_INTS,
      .count = 2,
      .fallback = "nil",
      .least = 1,
      .most = 65536,
      .help = "pixels from one position of the window to the next; nil: pool_size" },
    { .name = "padding",
      .type = ARG_CHOICE,
      .fallback = "valid",
      .choices = window_paddings,
      .help = "valid: only windows that lie inside; same: also those that stand out, by their part inside" },
};

const OpCase pooling_cases[POOLING_CASES] = {
    { .in = { { 4, { 2, 4, 6, 3 } } }, .n_in = 1 },
    { .in = { { 4, { 1, 5, 7, 2 } } }, .n_in = 1, .args = "pool_size=3,2 strides=1,2" },
    { .in = { { 4, { 2, 5, 7, 2 } } }, .n_in = 1, .args = "pool_size=3,3 strides=2,2 padding=same" },
    { .in = { { 4, { 1, 3, 3, 20 } } }, .n_in = 1, .args = "pool_size=2,2 strides=3,3" },
};

const char *const pooling_in_names[1] = { "x" };

static bool fit(const OpCall *call, Window *w, Err *err)
{
    const int64_t *size = args_ints(call->args, "pool_size", NULL);
    return window_fit(call, size[0], size[1], w, err);
}

bool pooling_infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[0].shape;
    Window w;
    if (!fit(call, &w, err))
        return false;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = SHAPE(x->d[0], w.out[0], w.out[1], x->d[3]);
    return true;
}

Pooling pooling_of(const OpCall *call)
{
    const Shape *x = &call->in[0].shape;
    Window w = { { 0 }, { 0 }, { 0 }, { 0 }, { 0 }, { 0 } };
    bool fits = fit(call, &w, NULL); /* as infer found */
    (void)fits;
    return (Pooling){ x->d[0],  w.in[0],  w.in[1],     x->d[3],     w.size[0], w.size[1],
                      w.out[0], w.out[1], w.stride[0], w.stride[1], w.pad[0],  w.pad[1] };
}

double pooling_flops(const OpCall *call)
{
    const int64_t *size = args_ints(call->args, "pool_size", NULL);
    return (double)shape_count(&call->out.shape) * (double)(size[0] * size[1]);
}
