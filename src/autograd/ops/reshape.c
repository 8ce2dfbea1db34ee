// SPDX-License-Identifier: MIT
#include "autograd/op.h"

/* The sizes that were asked for, with -1 computed. A symbolic batch (-1 in x) counts as 1 and stays symbolic where the other
 * sizes leave it: in the place of -1, or as the first axis. */
static bool infer(OpCall *call, Err *err)
{
    const Shape *in = &call->in[0].shape;
    const ArgValue *value = &call->args->v[0];
    Shape out = { .rank = value->u.ints.n };
    bool symbolic = false;
    for (int i = 0; i < in->rank; i++)
        symbolic = symbolic || in->d[i] < 0;
    int64_t count = shape_count(in), known = 1;
    int open = -1;
    for (int i = 0; i < out.rank; i++) {
        out.d[i] = value->u.ints.v[i];
        if (out.d[i] < 0 && open >= 0)
            return op_refuse(call, err, "only one size of the new shape may be -1");
        if (out.d[i] < 0)
            open = i;
        else if (__builtin_mul_overflow(known, out.d[i], &known))
            known = -1;
    }
    bool fits = open < 0 ? known == count : known > 0 && count % known == 0;
    if (!fits) {
        char from[SHAPE_TEXT], to[SHAPE_TEXT];
        return op_refuse(call, err, "%s has %lld elements, which do not fill the shape %s", shape_text(in, from), (long long)count,
                         shape_text(&out, to));
    }
    if (open >= 0)
        out.d[open] = symbolic && known == count ? -1 : count / known;
    call->out.dtype = call->in[0].dtype;
    call->out.shape = out;
    call->alias = true;
    return true;
}

static void forward(OpCall *call)
{
    (void)call; /* the result is x's data */
}

static void backward(OpCall *call)
{
    if (call->din[0])
        op_give(call->din[0], call->dout, shape_count(&call->out.shape), call->add[0]);
}

static const char *const in_names[] = { "x" };
static const ArgSpec args[] = {
    { .name = "shape", .type = ARG_INTS, .least = -1, .most = 281474976710656.0, .help = "the new sizes; one may be -1: what is left" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } } }, .n_in = 1, .args = "shape=2,6" },
    { .in = { { 3, { 2, 3, 2 } } }, .n_in = 1, .args = "shape=-1,6" },
};

const Op op_reshape = {
    .name = "reshape",
    .doc = "reshape(x, shape) -> y: the same elements in the same order, in another shape. Nothing is copied.\n"
           "Shapes: x any -> y as asked; one size may be -1 and is computed. Any type.",
    .example = "local y = op.reshape({1, 2, 3, 4, 5, 6}, {2, 3}); assert(y[2][1] == 4)",
    .in_least = 1,
    .in_most = 1,
    .in_names = in_names,
    .any_in = 1,
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
