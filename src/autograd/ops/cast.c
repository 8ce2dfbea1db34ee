// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

static const char *const types[] = { "float32", "int32", "uint8", NULL };
static const DType type_of[] = { DTYPE_FLOAT32, DTYPE_INT32, DTYPE_UINT8 };

static bool infer(OpCall *call, Err *err)
{
    (void)err;
    call->out.dtype = type_of[call->args->v[0].u.i];
    call->out.shape = call->in[0].shape;
    call->alias = call->out.dtype == call->in[0].dtype;
    return true;
}

static bool check(const OpCall *call, Err *err)
{
    if (call->in[0].dtype != DTYPE_FLOAT32 || call->out.dtype == DTYPE_FLOAT32)
        return true;
    const real *x = tensor_real(&call->in[0]);
    int64_t n = shape_count(&call->in[0].shape);
    for (int64_t i = 0; i < n; i++)
        if (isnan(x[i]))
            return err_set(err, ERR_DATA, "cast: element %lld is NaN, which no %s can hold", (long long)i + 1, dtype_name(call->out.dtype));
    return true;
}

/* Floats lose what stands behind the point; what is too large or small becomes the nearest number of the type. */
static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : trunc(value);
}

static void convert(OpCall *call, int64_t first, int64_t n)
{
    const Tensor *in = &call->in[0];
    if (call->out.dtype == DTYPE_FLOAT32 && in->dtype == DTYPE_UINT8)
        kern_from_bytes(tensor_real(&call->out) + first, tensor_byte(in) + first, n);
    else if (call->out.dtype == DTYPE_FLOAT32)
        for (int64_t i = first; i < first + n; i++)
            tensor_real(&call->out)[i] = (real)tensor_int(in)[i];
    else if (call->out.dtype == DTYPE_INT32)
        for (int64_t i = first; i < first + n; i++)
            tensor_int(&call->out)[i] = (int32_t)clamp(tensor_get(in, i), INT32_MIN, INT32_MAX);
    else
        for (int64_t i = first; i < first + n; i++)
            tensor_byte(&call->out)[i] = (uint8_t)clamp(tensor_get(in, i), 0, 255);
}

static void tile(void *ctx, size_t number, int worker)
{
    (void)worker;
    OpCall *call = ctx;
    size_t n = (size_t)shape_count(&call->out.shape), n_tiles = pool_tiles(n, 1), first = pool_first(n, n_tiles, number);
    convert(call, (int64_t)first, (int64_t)(pool_first(n, n_tiles, number + 1) - first));
}

static void forward(OpCall *call)
{
    pool_run(pool_tiles((size_t)shape_count(&call->out.shape), 1), tile, call);
}

/* Only from float32 to float32. */
static void backward(OpCall *call)
{
    if (call->din[0])
        op_give(call->din[0], call->dout, shape_count(&call->out.shape), call->add[0]);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "dtype", .type = ARG_CHOICE, .fallback = "float32", .choices = types, .help = "the type of y" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
};

const Op op_cast = {
    .name = "cast",
    .doc = "cast(x, dtype = \"float32\") -> y: the same numbers as another type. To int32 and uint8 the part behind the point is cut\n"
           "off, and what is out of range becomes the nearest number; NaN is refused.\n"
           "Shapes: x any -> y the same. A gradient passes only from float32 to float32.",
    .example = "local y = op.cast({1.75, -3.5}, \"int32\"); assert(y[1] == 1 and y[2] == -3)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .any_in = 1,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .check = check,
    .forward = forward,
    .backward = backward,
};
