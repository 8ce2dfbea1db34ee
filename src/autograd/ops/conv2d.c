// SPDX-License-Identifier: MIT
/* x [B, H, W, C], kernel [KH, KW, C / groups, F], bias [F] -> y [B, OH, OW, F]. The loops stand in tensor/kern_conv.c and
 * kern_convback.c. With an activation, backward reads the slope from y itself, so nothing else is kept. */
#include <inttypes.h>

#include "autograd/op.h"
#include "autograd/window.h"
#include "tensor/kern_conv.h"

enum { X, KERNEL, BIAS };

static const ArgSpec args[] = {
    { .name = "strides",
      .type = ARG_INTS,
      .count = 2,
      .fallback = "1,1",
      .least = 1,
      .most = 65536,
      .help = "pixels from one position of the window to the next: down, right" },
    { .name = "padding",
      .type = ARG_CHOICE,
      .fallback = "valid",
      .choices = window_paddings,
      .help = "valid: only windows that lie inside; same: zeros around, so that strides of 1 keep the size" },
    { .name = "dilation_rate",
      .type = ARG_INTS,
      .count = 2,
      .fallback = "1,1",
      .least = 1,
      .most = 65536,
      .help = "pixels from one tap of the window to the next" },
    { .name = "groups",
      .type = ARG_INT,
      .fallback = "1",
      .least = 1,
      .most = 65536,
      .help = "parts of the channels that are convolved separately" },
    { .name = "activation", .type = ARG_CHOICE, .fallback = "linear", .choices = kern_act_names, .help = "applied to the result" },
};

static bool check_channels(const OpCall *call, Err *err)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape, *bias = &call->in[BIAS].shape;
    int64_t groups = args_int(call->args, "groups");
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (x->d[3] % groups || kernel->d[3] % groups)
        return op_refuse(call, err,
                         "groups = %" PRId64 " must divide the %" PRId64 " channels of x and the %" PRId64 " filters of the kernel",
                         groups, x->d[3], kernel->d[3]);
    if (kernel->d[2] != x->d[3] / groups)
        return op_refuse(
            call, err, "x of shape %s has %" PRId64 " channels%s, but the kernel %s (height, width, in, out) takes %" PRId64,
            shape_text(x, a), x->d[3] / groups, groups > 1 ? " in each group" : "", shape_text(kernel, b), kernel->d[2]);
    if (call->has[BIAS] && (bias->rank != 1 || bias->d[0] != kernel->d[3]))
        return op_refuse(call, err, "the bias must have shape (%" PRId64 "), one number for each filter, got %s", kernel->d[3],
                         shape_text(bias, a));
    return true;
}

/* The shapes have been checked. A symbolic batch counts as one image. */
static Conv conv_of(const OpCall *call, const Window *w)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape;
    Conv c = { .B = x->d[0] < 0 ? 1 : x->d[0], .H = w->in[0], .W = w->in[1], .C = x->d[3], .KH = w->size[0], .KW = w->size[1] };
    c.F = kernel->d[3], c.OH = w->out[0], c.OW = w->out[1];
    c.stride_h = w->stride[0], c.stride_w = w->stride[1];
    c.dilation_h = w->dilation[0], c.dilation_w = w->dilation[1];
    c.pad_top = w->pad[0], c.pad_left = w->pad[1];
    c.groups = args_int(call->args, "groups");
    c.act = (KernAct)call->args->v[args_find(call->args, "activation")].u.i;
    kern_conv_plan(&c);
    return c;
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape;
    char text[SHAPE_TEXT];
    Window w;
    if (kernel->rank != 4 || kernel->d[3] < 1)
        return op_refuse(call, err, "the kernel must have shape (height, width, in, out), got %s", shape_text(kernel, text));
    if (!window_fit(call, kernel->d[0], kernel->d[1], &w, err) || !check_channels(call, err))
        return false;
    Conv c = conv_of(call, &w);
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = SHAPE(x->d[0], w.out[0], w.out[1], c.F);
    size_t forward = kern_conv_forward_scratch(&c), backward = call->wants_grad ? kern_conv_backward_scratch(&c) : 0;
    call->scratch_size = forward > backward ? forward : backward;
    return true;
}

static Conv conv_again(const OpCall *call)
{
    Window w = { { 0 }, { 0 }, { 0 }, { 0 }, { 0 }, { 0 } };
    const Shape *kernel = &call->in[KERNEL].shape;
    bool fits = window_fit(call, kernel->d[0], kernel->d[1], &w, NULL); /* as infer found */
    (void)fits;
    return conv_of(call, &w);
}

static void forward(OpCall *call)
{
    Conv c = conv_again(call);
    kern_conv_forward(&c, tensor_real(&call->out), tensor_real(&call->in[X]), tensor_real(&call->in[KERNEL]),
                      call->has[BIAS] ? tensor_real(&call->in[BIAS]) : NULL, call->scratch);
}

static void backward(OpCall *call)
{
    Conv c = conv_again(call);
    const real *x = tensor_real(&call->in[X]), *kernel = tensor_real(&call->in[KERNEL]), *y = tensor_real(&call->out);
    real *dbias = call->has[BIAS] ? call->din[BIAS] : NULL;
    if (call->din[KERNEL] || dbias)
        kern_conv_backward_kernel(&c, call->din[KERNEL], call->din[KERNEL] && call->add[KERNEL], dbias, dbias && call->add[BIAS], x,
                                  call->dout, y, call->scratch);
    if (call->din[X])
        kern_conv_backward_data(&c, call->din[X], call->add[X], call->dout, y, kernel, call->scratch);
}

static double flops(const OpCall *call)
{
    const Shape *kernel = &call->in[KERNEL].shape;
    return (double)shape_count(&call->out.shape) * (double)(kernel->d[0] * kernel->d[1] * kernel->d[2]);
}

static const char *const in_names[] = { "x", "kernel", "bias" };
static const OpCase cases[] = {
    { .in = { { 4, { 2, 5, 6, 2 } }, { 4, { 3, 3, 2, 3 } }, { 1, { 3 } } }, .n_in = 3 },
    { .in = { { 4, { 2, 5, 6, 2 } }, { 4, { 3, 2, 2, 3 } }, { 1, { 3 } } },
      .n_in = 3,
      .args = "strides=2,1 padding=same activation=tanh" },
    { .in = { { 4, { 1, 7, 7, 2 } }, { 4, { 3, 3, 2, 2 } } }, .n_in = 2, .args = "dilation_rate=2,3 padding=same" },
    { .in = { { 4, { 1, 7, 6, 4 } }, { 4, { 3, 3, 2, 6 } }, { 1, { 6 } } },
      .n_in = 3,
      .args = "groups=2 strides=2,2 activation=sigmoid" },
    { .in = { { 4, { 2, 3, 4, 5 } }, { 4, { 1, 1, 5, 3 } }, { 1, { 3 } } },
      .n_in = 3,
      .args = "activation=relu",
      .low = 0.1,
      .high = 1 },
    { .in = { { 4, { 2, 5, 4, 3 } }, { 4, { 1, 1, 3, 2 } } }, .n_in = 2, .args = "strides=2,2 padding=same" },
    { .in = { { 4, { 1, 9, 8, 3 } }, { 4, { 5, 4, 1, 3 } } }, .n_in = 2, .args = "groups=3 padding=same" },
    { .in = { { 4, { 1, 9, 7, 1 } }, { 4, { 2, 2, 1, 2 } } }, .n_in = 2, .args = "strides=3,2 dilation_rate=2,2" },
};

const Op op_conv2d = {
    .name = "conv2d",
    .doc = "conv2d(x, kernel, bias = nil, {strides = {1, 1}, padding = \"valid\", dilation_rate = {1, 1}, groups = 1, activation = "
           "\"linear\"}) -> y\n"
           "y[b, i, j, f] = act(bias[f] + sum over u, v, c of x[b, i * stride + u, j * stride + v, c] * kernel[u, v, c, f])\n"
           "Shapes: x [B, H, W, C], kernel [KH, KW, C / groups, F], bias [F] -> y [B, OH, OW, F].  Source: LeCun et al. 1989.",
    .example = "local y = op.conv2d({{{{1}, {2}}, {{3}, {4}}}}, {{{{10}}}}, {1}); assert(y[1][2][2][1] == 41)",
    .in_least = 2,
    .in_most = 3,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
