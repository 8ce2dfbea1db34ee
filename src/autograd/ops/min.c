// SPDX-License-Identifier: MIT
/* The largest of -x, negated. Equal minima share the gradient evenly: backward counts them, [shape of out] in scratch, from a
 * mask [shape of x]. */
#include "autograd/each.h"

static size_t rounded(int64_t n)
{
    return ((size_t)n * sizeof(real) + 63) / 64 * 64;
}

static bool infer(OpCall *call, Err *err)
{
    char text[SHAPE_TEXT];
    if (!reduce_infer(call, err))
        return false;
    Shape kept;
    unsigned axes = reduce_axes(call, &kept);
    for (int i = 0; i < kept.rank; i++)
        if ((axes >> i & 1) && call->in[0].shape.d[i] == 0)
            return op_refuse(call, err, "there is no smallest element in shape %s", shape_text(&call->in[0].shape, text));
    call->scratch_size += rounded(shape_count(&call->in[0].shape)) + (call->wants_grad ? rounded(shape_count(&kept)) : 0);
    return true;
}

static void forward(OpCall *call)
{
    Shape kept;
    Reduce plan;
    const Shape *in = &call->in[0].shape;
    real *negative = call->scratch, *y = tensor_real(&call->out);
    reduce_plan(&plan, in, reduce_axes(call, &kept));
    broadcast_copy(negative, in, tensor_real(&call->in[0]), in, -1, false);
    reduce_max(y, negative, &plan, (char *)call->scratch + rounded(shape_count(in)));
    for (int64_t i = 0; i < shape_count(&kept); i++)
        y[i] = -y[i];
}

KERN_CLONES static void mask_run(const Run *run)
{
    RUN_LOOP(run, = A == B ? (real)1 : (real)0);
}

/* dx (+)= mask * (dout / count). */
KERN_CLONES static void give_run(const Run *run)
{
    if (run->add)
        RUN_LOOP(run, += A * B);
    else
        RUN_LOOP(run, = A * B);
}

static void backward(OpCall *call)
{
    if (!call->din[0])
        return;
    const Shape *in = &call->in[0].shape;
    Shape kept;
    Reduce plan;
    reduce_plan(&plan, in, reduce_axes(call, &kept));
    real *mask = call->scratch, *count = (real *)((char *)call->scratch + rounded(shape_count(in)));
    void *rest = (char *)count + rounded(shape_count(&kept));
    broadcast_run(mask_run, &(Run){ .y = mask, .a = tensor_real(&call->in[0]), .b = tensor_real(&call->out) }, in, in, &kept);
    reduce_sum(count, mask, &plan, 1, false, rest);
    for (int64_t i = 0; i < shape_count(&kept); i++)
        count[i] = call->dout[i] / count[i];
    broadcast_run(give_run, &(Run){ .y = call->din[0], .a = mask, .b = count, .add = call->add[0] }, in, in, &kept);
}

static const char *const in_names[] = { "x" };
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1 },
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "axis=1" },
    { .in = { { 4, { 2, 3, 2, 2 } } }, .n_in = 1, .args = "axis=0,2 keepdims=true" },
};

const Op op_min = {
    .name = "min",
    .doc = "min(x, axis = nil, keepdims = false) -> y: the smallest element over one axis, several, or all.\n"
           "Shapes: x any -> y without those axes (with size 1 there when keepdims is true). Equal minima share the gradient.",
    .example = "local y = op.min({{1, 5}, {3, 4}}, {axis = 0}); assert(y[1] == 1 and y[2] == 4)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .args = each_reduce_args,
    .n_args = sizeof each_reduce_args / sizeof *each_reduce_args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
