// SPDX-License-Identifier: MIT
#include "nn/layer.h"

static const char *const dtypes[] = { "float32", "int32", "uint8", NULL };
static const ArgSpec args[] = {
    { .name = "shape", .type = ARG_INTS, .least = 1, .most = 1 << 30, .help = "sizes of one sample, without the batch: {28, 28, 1}" },
    { .name = "dtype", .type = ARG_CHOICE, .fallback = "float32", .choices = dtypes, .help = "\"int32\" for token ids" },
    { .name = "batch_size", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1 << 30,
      .help = "samples in every batch, where layers want to know it (stateful ones); nil: any number" },
};
static const LayerCase cases[] = {
    { .args = "shape=4" },
    { .args = "shape=28,28,1 dtype=uint8" },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    int n;
    const int64_t *sizes = args_ints(&layer->args, "shape", &n);
    if (n >= SHAPE_MOST)
        return layer_refuse(layer, err, "takes samples of at most %d axes, got %d", SHAPE_MOST - 1, n);
    Shape shape = { .rank = n };
    for (int i = 0; i < n; i++)
        shape.d[i] = sizes[i];
    if (!shape_check(&shape, err))
        return false;
    layer->input_shape = (Shape){ .rank = n + 1, .d = { -1 } };
    for (int i = 0; i < n; i++)
        layer->input_shape.d[i + 1] = sizes[i];
    dtype_find(args_choice(&layer->args, "dtype"), &layer->input_dtype);
    layer->batch = args_given(&layer->args, "batch_size") ? args_int(&layer->args, "batch_size") : 0;
    return true;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)tape, (void)in, (void)n_in;
    layer_refuse(layer, err, "is where data enters; it cannot be applied");
    return NULL;
}

const LayerKind layer_input = {
    .name = "Input",
    .prefix = "input_layer",
    .doc = "Where data enters a model: shape is that of one sample, the batch is in front of it.\n"
           "Shapes: y [B, shape].",
    .example = "local x = nn.Input({4}); local y = nn.Dense(2)(x); local m = nn.Model(x, y); assert(m:count_params() == 10)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 0,
    .in_most = 0,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
    .is_input = true,
};
