// SPDX-License-Identifier: MIT
/* The shape rules and refusals of convolution, pooling and batch normalisation. */
#include "check.h"

#include "autograd/op.h"

static Err err;

/* Infer alone: no data. Arguments as "name=value name=value". */
static bool infer(const char *name, const char *text, const Shape *shapes, int n, Shape *out, Err *e)
{
    const Op *op = op_find(name, e);
    Args args;
    char copy[200], *save, *word;
    assert_non_null(op);
    args_init(&args, op->args, op->n_args);
    snprintf(copy, sizeof copy, "%s", text);
    for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        if (!args_parse(&args, args_find(&args, word), value, name, e))
            return false;
    }
    OpCall call = { .op = op, .args = &args, .n_in = n };
    for (int i = 0; i < n; i++) {
        call.in[i] = tensor_borrow(DTYPE_FLOAT32, shapes[i], NULL);
        call.has[i] = shapes[i].rank > 0;
    }
    bool ok = op_infer(&call, e);
    *out = call.out.shape;
    return ok;
}

static void test_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *op, *args;
        Shape in[3];
        int n;
        Shape out;
    } rows[] = {
        { "conv2d", "", { { 4, { 2, 28, 28, 1 } }, { 4, { 3, 3, 1, 8 } } }, 2, { 4, { 2, 26, 26, 8 } } },
        { "conv2d",
          "padding=same",
          { { 4, { -1, 28, 27, 1 } }, { 4, { 3, 3, 1, 8 } }, { 1, { 8 } } },
          3,
          { 4, { -1, 28, 27, 8 } } },
        { "conv2d", "padding=same strides=2", { { 4, { 2, 7, 8, 1 } }, { 4, { 3, 3, 1, 8 } } }, 2, { 4, { 2, 4, 4, 8 } } },
        { "conv2d", "strides=2,3", { { 4, { 2, 8, 8, 1 } }, { 4, { 3, 3, 1, 8 } } }, 2, { 4, { 2, 3, 2, 8 } } },
        { "conv2d", "dilation_rate=2", { { 4, { 2, 8, 8, 1 } }, { 4, { 3, 3, 1, 8 } } }, 2, { 4, { 2, 4, 4, 8 } } },
        { "conv2d", "groups=2", { { 4, { 2, 8, 8, 4 } }, { 4, { 1, 1, 2, 6 } } }, 2, { 4, { 2, 8, 8, 6 } } },
        { "conv2d", "", { { 4, { 0, 8, 8, 4 } }, { 4, { 1, 1, 4, 6 } } }, 2, { 4, { 0, 8, 8, 6 } } },
        { "max_pool2d", "", { { 4, { -1, 15, 14, 3 } } }, 1, { 4, { -1, 7, 7, 3 } } },
        { "max_pool2d", "padding=same", { { 4, { 1, 15, 14, 3 } } }, 1, { 4, { 1, 8, 7, 3 } } },
        { "average_pool2d", "pool_size=3 strides=1", { { 4, { 1, 5, 6, 3 } } }, 1, { 4, { 1, 3, 4, 3 } } },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Shape out;
        char got[SHAPE_TEXT], want[SHAPE_TEXT];
        assert_ok(infer(rows[i].op, rows[i].args, rows[i].in, rows[i].n, &out, &err));
        if (!shape_same(&out, &rows[i].out))
            fail_msg("row %zu, %s %s: %s, wanted %s", i, rows[i].op, rows[i].args, shape_text(&out, got),
                     shape_text(&rows[i].out, want));
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *op, *args;
        Shape in[5];
        int n;
        ErrCode code;
        const char *part;
    } rows[] = {
        { "conv2d",
          "",
          { { 3, { 28, 28, 1 } }, { 4, { 3, 3, 1, 8 } } },
          2,
          ERR_SHAPE,
          "conv2d: x must have shape (batch, height, width, channels), got (28, 28, 1)" },
        { "conv2d",
          "",
          { { 4, { 1, 28, 28, 1 } }, { 3, { 3, 3, 8 } } },
          2,
          ERR_SHAPE,
          "the kernel must have shape (height, width, in, out)" },
        { "conv2d",
          "",
          { { 4, { 1, 28, 28, 3 } }, { 4, { 3, 3, 1, 8 } } },
          2,
          ERR_SHAPE,
          "has 3 channels, but the kernel (3, 3, 1, 8)" },
        { "conv2d",
          "",
          { { 4, { 1, 2, 28, 1 } }, { 4, { 3, 3, 1, 8 } } },
          2,
          ERR_SHAPE,
          "a window of 3 x 3 does not fit into images of 2 x 28; give padding = \"same\"" },
        { "conv2d", "dilation_rate=9", { { 4, { 1, 9, 9, 1 } }, { 4, { 3, 3, 1, 8 } } }, 2, ERR_SHAPE, "with this dilation" },
        { "conv2d",
          "groups=2",
          { { 4, { 1, 9, 9, 3 } }, { 4, { 3, 3, 1, 8 } } },
          2,
          ERR_SHAPE,
          "groups = 2 must divide the 3 channels" },
        { "conv2d", "groups=2", { { 4, { 1, 9, 9, 4 } }, { 4, { 3, 3, 2, 7 } } }, 2, ERR_SHAPE, "7 filters" },
        { "conv2d",
          "",
          { { 4, { 1, 9, 9, 4 } }, { 4, { 3, 3, 4, 7 } }, { 1, { 6 } } },
          3,
          ERR_SHAPE,
          "the bias must have shape (7)" },
        { "conv2d", "", { { 4, { 1, -1, 9, 4 } }, { 4, { 3, 3, 4, 7 } } }, 2, ERR_SHAPE, "must be known" },
        { "conv2d", "", { { 4, { 1, 9, 9, 0 } }, { 4, { 3, 3, 0, 7 } } }, 2, ERR_SHAPE, "must be known and at least 1" },
        { "conv2d", "", { { 4, { 1, 9, 9, 4 } }, { 4, { 0, 3, 4, 7 } } }, 2, ERR_SHAPE, "out of range" },
        { "conv2d", "", { { 4, { 1, 9, 9, 4 } }, { 4, { INT64_MAX, 3, 4, 7 } } }, 2, ERR_SHAPE, "window" },
        { "conv2d", "", { { 4, { 1, 9, 9, 4 } } }, 1, ERR_ARG, "kernel) is missing" },
        { "conv2d", "strides=0", { { 0 } }, 0, ERR_ARG, "strides must be" },
        { "conv2d", "padding=smae", { { 0 } }, 0, ERR_ARG, "did you mean \"same\"?" },
        { "max_pool2d", "", { { 2, { 28, 28 } } }, 1, ERR_SHAPE, "x must have shape" },
        { "max_pool2d", "pool_size=5", { { 4, { 1, 4, 8, 1 } } }, 1, ERR_SHAPE, "a window of 5 x 5 does not fit" },
        { "average_pool2d", "pool_size=1,2,3", { { 0 } }, 0, ERR_ARG, "pool_size must be" },
        { "batch_norm",
          "",
          { { 1, { 3 } }, { 1, { 3 } }, { 1, { 3 } }, { 1, { 3 } }, { 1, { 3 } } },
          5,
          ERR_SHAPE,
          "a batch axis" },
        { "batch_norm", "", { { 2, { 4, 3 } }, { 1, { 3 } }, { 1, { 3 } } }, 3, ERR_SHAPE, "moving_mean is missing" },
        { "batch_norm",
          "",
          { { 2, { 4, 3 } }, { 1, { 3 } }, { 1, { 2 } }, { 1, { 3 } }, { 1, { 3 } } },
          5,
          ERR_SHAPE,
          "beta must have shape (3), one number for each channel of x, got (2)" },
        { "batch_norm", "momentum=1.5", { { 0 } }, 0, ERR_ARG, "momentum must be a number from 0 to 1, got 1.5" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Shape out;
        assert_err(infer(rows[i].op, rows[i].args, rows[i].in, rows[i].n, &out, &err), rows[i].code, rows[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shapes), cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
