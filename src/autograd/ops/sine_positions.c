// SPDX-License-Identifier: MIT
/* Of x only the shape counts. Feature i of step t: sin where i is even, cos where it is odd, of t * wavelength^(-2 floor(i/2) / D). */
#include <math.h>

#include "autograd/op.h"
#include "tensor/kern.h"

enum { WAVELENGTH, START };

static const ArgSpec args[] = {
    { .name = "max_wavelength", .type = ARG_FLOAT, .fallback = "10000", .least = 1, .most = 1e12, .help = "of the slowest feature" },
    { .name = "start_index", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1 << 30, .help = "position of the first step" },
};

static bool infer(OpCall *call, Err *err)
{
    char text[SHAPE_TEXT];
    if (call->in[0].shape.rank != 3)
        return op_refuse(call, err, "x must have shape (batch, time, features), got %s", shape_text(&call->in[0].shape, text));
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = call->in[0].shape;
    return true;
}

static void forward(OpCall *call)
{
    const int64_t *d = call->out.shape.d;
    const ArgValue *v = call->args->v;
    real *y = tensor_real(&call->out);
    for (int64_t t = 0; d[0] > 0 && t < d[1]; t++)
        for (int64_t i = 0; i < d[2]; i++) {
            double angle = (double)(t + v[START].u.i) * pow(v[WAVELENGTH].u.f, -(double)(i / 2 * 2) / (double)d[2]);
            y[t * d[2] + i] = (real)(i % 2 ? cos(angle) : sin(angle));
        }
    for (int64_t b = 1; b < d[0]; b++)
        kern_copy(y + b * d[1] * d[2], y, d[1] * d[2]);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = { { .in = { { 3, { 2, 4, 5 } } }, .n_in = 1 } };

const Op op_sine_positions = {
    .name = "sine_positions",
    .doc = "sine_positions(x, {max_wavelength = 10000, start_index = 0}) -> y: sines and cosines that tell the steps of x apart.\n"
           "Shapes: x [B, T, D] -> the same, equal for all samples.  Source: Vaswani et al. 2017, section 3.5.",
    .example = "local y = op.sine_positions(tensor.zeros(1, 2, 2)); assert(y[1][1][2] == 1 and math.abs(y[1][2][1] - math.sin(1)) < 1e-6)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
};
