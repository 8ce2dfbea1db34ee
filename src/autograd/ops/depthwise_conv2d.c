// SPDX-License-Identifier: MIT
/* x [B, H, W, C], kernel [KH, KW, C, M], bias [C M] -> y [B, OH, OW, C M]. The loops stand in tensor/kern_depth.c. scratch: theirs,
 * then dkernel and dbias. */
#include <inttypes.h>

#include "autograd/op.h"
#include "autograd/window.h"
#include "tensor/kern_depth.h"

enum { X, KERNEL, BIAS };

static const ArgSpec args[] = {
    { .name = "strides", .type = ARG_INTS, .count = 2, .fallback = "1,1", .least = 1, .most = 65536,
      .help = "pixels from one position of the window to the next: down, right" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = window_paddings,
      .help = "valid: only windows that lie inside; same: zeros around, so that strides of 1 keep the size" },
    { .name = "dilation_rate", .type = ARG_INTS, .count = 2, .fallback = "1,1", .least = 1, .most = 65536,
      .help = "pixels from one tap of the window to the next" },
};

static bool check_shapes(const OpCall *call, const Window *w, Err *err)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape, *bias = &call->in[BIAS].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    if (kernel->d[2] != x->d[3])
        return op_refuse(call, err, "x of shape %s has %" PRId64 " channels, but the kernel %s (height, width, channels, filters) takes %" PRId64,
                         shape_text(x, a), x->d[3], shape_text(kernel, b), kernel->d[2]);
    if (call->has[BIAS] && (bias->rank != 1 || bias->d[0] != kernel->d[2] * kernel->d[3]))
        return op_refuse(call, err, "the bias must have shape (%" PRId64 "), one number for each output channel, got %s",
                         kernel->d[2] * kernel->d[3], shape_text(bias, a));
    for (int i = 0; i < 2; i++)
        if (w->stride[i] > 1 && w->dilation[i] > 1)
            return op_refuse(call, err, "strides and dilation_rate cannot both be above 1 in one direction");
    return true;
}

static Depth depth_of(const OpCall *call, const Window *w)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape;
    return (Depth){ .B = x->d[0] < 0 ? 1 : x->d[0], .H = w->in[0], .W = w->in[1], .C = x->d[3], .M = kernel->d[3], .KH = w->size[0],
                    .KW = w->size[1], .OH = w->out[0], .OW = w->out[1], .stride_h = w->stride[0], .stride_w = w->stride[1],
                    .dilation_h = w->dilation[0], .dilation_w = w->dilation[1], .pad_top = w->pad[0], .pad_left = w->pad[1] };
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *kernel = &call->in[KERNEL].shape;
    char text[SHAPE_TEXT];
    Window w;
    if (kernel->rank != 4 || kernel->d[3] < 1)
        return op_refuse(call, err, "the kernel must have shape (height, width, channels, filters), got %s", shape_text(kernel, text));
    if (!window_fit(call, kernel->d[0], kernel->d[1], &w, err) || !check_shapes(call, &w, err))
        return false;
    Depth d = depth_of(call, &w);
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = SHAPE(call->in[X].shape.d[0], d.OH, d.OW, d.C * d.M);
    if (call->wants_grad)
        call->scratch_size = kern_depth_scratch(&d) + (size_t)((d.KH * d.KW + 1) * d.C * d.M) * sizeof(real);
    return true;
}

static Depth depth_again(const OpCall *call)
{
    Window w = { { 0 }, { 0 }, { 0 }, { 0 }, { 0 }, { 0 } };
    bool fits = window_fit(call, call->in[KERNEL].shape.d[0], call->in[KERNEL].shape.d[1], &w, NULL); /* as infer found */
    (void)fits;
    return depth_of(call, &w);
}

static void forward(OpCall *call)
{
    Depth d = depth_again(call);
    kern_depth_forward(&d, tensor_real(&call->out), tensor_real(&call->in[X]), tensor_real(&call->in[KERNEL]),
                       call->has[BIAS] ? tensor_real(&call->in[BIAS]) : NULL);
}

static void backward(OpCall *call)
{
    Depth d = depth_again(call);
    bool bias = call->has[BIAS] && call->din[BIAS];
    if (call->din[X])
        kern_depth_backward_data(&d, call->din[X], call->add[X], call->dout, tensor_real(&call->in[KERNEL]));
    if (!call->din[KERNEL] && !bias)
        return;
    int64_t size = d.KH * d.KW * d.C * d.M;
    real *dkernel = (real *)((char *)call->scratch + kern_depth_scratch(&d)), *dbias = dkernel + size;
    kern_depth_backward_kernel(&d, dkernel, dbias, tensor_real(&call->in[X]), call->dout, call->scratch);
    if (call->din[KERNEL])
        op_give(call->din[KERNEL], dkernel, size, call->add[KERNEL]);
    if (bias)
        op_give(call->din[BIAS], dbias, d.C * d.M, call->add[BIAS]);
}

static double flops(const OpCall *call)
{
    const Shape *kernel = &call->in[KERNEL].shape;
    return (double)shape_count(&call->out.shape) * (double)(kernel->d[0] * kernel->d[1]);
}

static const char *const in_names[] = { "x", "kernel", "bias" };
static const OpCase cases[] = {
    { .in = { { 4, { 2, 4, 5, 3 } }, { 4, { 2, 3, 3, 1 } }, { 1, { 3 } } }, .n_in = 3 },
    { .in = { { 4, { 1, 5, 6, 2 } }, { 4, { 3, 2, 2, 3 } }, { 1, { 6 } } }, .n_in = 3, .args = "padding=same" },
    { .in = { { 4, { 2, 6, 5, 2 } }, { 4, { 3, 3, 2, 1 } } }, .n_in = 2, .args = "strides=2,3 padding=same" },
    { .in = { { 4, { 1, 7, 6, 2 } }, { 4, { 2, 3, 2, 2 } } }, .n_in = 2, .args = "strides=3,2" },
    { .in = { { 4, { 1, 6, 7, 2 } }, { 4, { 2, 3, 2, 1 } } }, .n_in = 2, .args = "dilation_rate=2,3 padding=same" },
    { .in = { { 4, { 1, 3, 3, 20 } }, { 4, { 2, 2, 20, 1 } } }, .n_in = 2, .args = "strides=2,1" },
};

const Op op_depthwise_conv2d = {
    .name = "depthwise_conv2d",
    .doc = "depthwise_conv2d(x, kernel, bias = nil, {strides = {1, 1}, padding = \"valid\", dilation_rate = {1, 1}}) -> y\n"
           "y[b, i, j, c * M + m] = bias + sum over u, v of x[b, i * stride + u, j * stride + v, c] * kernel[u, v, c, m]\n"
           "Shapes: x [B, H, W, C], kernel [KH, KW, C, M], bias [C * M] -> y [B, OH, OW, C * M].  Source: Chollet 2017.",
    .example = "local y = op.depthwise_conv2d({{{{1, 2}}}}, {{{{10}, {100}}}}); assert(y[1][1][1][1] == 10 and y[1][1][1][2] == 200)",
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
