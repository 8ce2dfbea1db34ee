// SPDX-License-Identifier: MIT
/* The convolution that would make x of y, run backwards: its data gradient is our forward, its forward our gradient.
 *   x [B, H, W, C], kernel [KH, KW, F, C] -> y [B, OH, OW, F]
 * scratch: what the convolution's kernels want, then room for a dx that must be added. */
#include <inttypes.h>
#include <string.h>

#include "autograd/op.h"
#include "autograd/window.h"
#include "tensor/kern_conv.h"

enum { X, KERNEL };

static const ArgSpec args[] = {
    { .name = "strides", .type = ARG_INTS, .count = 2, .fallback = "1,1", .least = 1, .most = 65536,
      .help = "pixels of y from one pixel of x to the next: down, right" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = window_paddings,
      .help = "valid: all that windows reach; same: x's size times the strides" },
    { .name = "output_padding", .type = ARG_INTS, .count = 2, .fallback = "nil", .least = 0, .most = 65535,
      .help = "more pixels below and on the right, fewer than the strides; nil: as padding says" },
    { .name = "dilation_rate", .type = ARG_INTS, .count = 2, .fallback = "1,1", .least = 1, .most = 65536,
      .help = "pixels from one tap of the window to the next" },
};

typedef struct Fit {
    int64_t out[2], pad[2], stride[2], dilation[2];
} Fit;

/* Keras's sizes, with reach = (size - 1) dilation + 1:
 *   valid: (in - 1) stride + reach + more, where more is what a stride leaves over a window unless it is given
 *   same:  in stride, or (in - 1) stride + reach mod 2 + more where more is given; what a window has beyond that is cut evenly */
static bool fit(const OpCall *call, Fit *f, Err *err)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape;
    bool same = !strcmp(args_choice(call->args, "padding"), "same"), given = args_given(call->args, "output_padding");
    for (int i = 0; i < 2; i++) {
        int64_t in = x->d[i + 1], s = f->stride[i] = args_ints(call->args, "strides", NULL)[i];
        int64_t d = f->dilation[i] = args_ints(call->args, "dilation_rate", NULL)[i], reach = (kernel->d[i] - 1) * d + 1;
        int64_t more = given ? args_ints(call->args, "output_padding", NULL)[i] : 0;
        if (given && more >= s)
            return op_refuse(call, err, "output_padding = %" PRId64 " must be less than the stride, %" PRId64 ", in the same direction", more, s);
        if (same)
            f->out[i] = given ? (in - 1) * s + reach % 2 + more : in * s;
        else
            f->out[i] = (in - 1) * s + reach + (given ? more : reach < s ? s - reach : 0);
        int64_t over = (in - 1) * s + reach - f->out[i];
        f->pad[i] = same && over > 0 ? over / 2 : 0;
        if (f->out[i] < 1)
            return op_refuse(call, err, "nothing would be left of y; give a larger output_padding");
    }
    return true;
}

/* The convolution from y to x. */
static Conv conv_of(const OpCall *call, const Fit *f)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape;
    Conv c = { .B = x->d[0] < 0 ? 1 : x->d[0], .H = f->out[0], .W = f->out[1], .C = kernel->d[2], .KH = kernel->d[0], .KW = kernel->d[1] };
    c.F = kernel->d[3], c.OH = x->d[1], c.OW = x->d[2], c.groups = 1;
    c.stride_h = f->stride[0], c.stride_w = f->stride[1];
    c.dilation_h = f->dilation[0], c.dilation_w = f->dilation[1];
    c.pad_top = f->pad[0], c.pad_left = f->pad[1];
    kern_conv_plan(&c);
    return c;
}

static size_t kernels_scratch(const Conv *c)
{
    size_t forward = kern_conv_forward_scratch(c), backward = kern_conv_backward_scratch(c);
    return ((forward > backward ? forward : backward) + 63) / 64 * 64;
}

static bool infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[X].shape, *kernel = &call->in[KERNEL].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    Fit f;
    if (x->rank != 4 || x->d[1] < 1 || x->d[2] < 1)
        return op_refuse(call, err, "x must have shape (batch, height, width, channels), got %s", shape_text(x, a));
    if (kernel->rank != 4 || shape_count(kernel) < 1)
        return op_refuse(call, err, "the kernel must have shape (height, width, out, in), got %s", shape_text(kernel, a));
    if (kernel->d[3] != x->d[3])
        return op_refuse(call, err, "x of shape %s has %" PRId64 " channels, but the kernel %s (height, width, out, in) takes %" PRId64,
                         shape_text(x, a), x->d[3], shape_text(kernel, b), kernel->d[3]);
    if (!fit(call, &f, err))
        return false;
    Conv c = conv_of(call, &f);
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = SHAPE(x->d[0], f.out[0], f.out[1], kernel->d[2]);
    call->scratch_size = kernels_scratch(&c) + (call->wants_grad ? (size_t)shape_count(x) * sizeof(real) : 0);
    return true;
}

static Conv conv_again(const OpCall *call)
{
    Fit f = { { 0 }, { 0 }, { 0 }, { 0 } };
    bool fits = fit(call, &f, NULL); /* as infer found */
    (void)fits;
    return conv_of(call, &f);
}

static void forward(OpCall *call)
{
    Conv c = conv_again(call);
    kern_conv_backward_data(&c, tensor_real(&call->out), false, tensor_real(&call->in[X]), NULL, tensor_real(&call->in[KERNEL]),
                            call->scratch);
}

static void backward(OpCall *call)
{
    Conv c = conv_again(call);
    if (call->din[KERNEL])
        kern_conv_backward_kernel(&c, call->din[KERNEL], call->add[KERNEL], NULL, false, call->dout, tensor_real(&call->in[X]), NULL,
                                  call->scratch);
    if (!call->din[X])
        return;
    real *dx = call->add[X] ? (real *)((char *)call->scratch + kernels_scratch(&c)) : call->din[X];
    kern_conv_forward(&c, dx, call->dout, tensor_real(&call->in[KERNEL]), NULL, call->scratch);
    op_give(call->din[X], dx, shape_count(&call->in[X].shape), call->add[X]);
}

static double flops(const OpCall *call)
{
    const Shape *kernel = &call->in[KERNEL].shape;
    return (double)shape_count(&call->in[X].shape) * (double)(kernel->d[0] * kernel->d[1] * kernel->d[2]);
}

static const char *const in_names[] = { "x", "kernel" };
static const OpCase cases[] = {
    { .in = { { 4, { 2, 3, 4, 2 } }, { 4, { 2, 3, 3, 2 } } }, .n_in = 2 },
    { .in = { { 4, { 1, 3, 4, 2 } }, { 4, { 3, 2, 3, 2 } } }, .n_in = 2, .args = "strides=2,3" },
    { .in = { { 4, { 2, 3, 3, 3 } }, { 4, { 4, 4, 2, 3 } } }, .n_in = 2, .args = "strides=2,2 padding=same" },
    { .in = { { 4, { 1, 3, 4, 2 } }, { 4, { 3, 3, 2, 2 } } }, .n_in = 2, .args = "strides=2,2 padding=same output_padding=1,0" },
    { .in = { { 4, { 1, 3, 3, 2 } }, { 4, { 1, 2, 2, 2 } } }, .n_in = 2, .args = "strides=3,3" },
    { .in = { { 4, { 1, 4, 3, 2 } }, { 4, { 2, 3, 2, 2 } } }, .n_in = 2, .args = "dilation_rate=2,2 padding=same" },
    { .in = { { 4, { 1, 4, 3, 9 } }, { 4, { 1, 1, 2, 9 } } }, .n_in = 2 },
};

const Op op_conv2d_transpose = {
    .name = "conv2d_transpose",
    .doc = "conv2d_transpose(x, kernel, {strides = {1, 1}, padding = \"valid\", output_padding = nil, dilation_rate = {1, 1}}) -> y\n"
           "y[b, i * stride + u, j * stride + v, f] is the sum over all i, j, u, v that give it of x[b, i, j, c] * kernel[u, v, f, c]:\n"
           "the gradient of a convolution, used to make images larger.\n"
           "Shapes: x [B, H, W, C], kernel [KH, KW, F, C] -> y [B, OH, OW, F].  Source: Dumoulin and Visin 2016, chapter 4.",
    .example = "local y = op.conv2d_transpose({{{{2}}}}, {{{{1}}, {{3}}}}); assert(y[1][1][1][1] == 2 and y[1][1][2][1] == 6)",
    .in_least = 2,
    .in_most = 2,
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
