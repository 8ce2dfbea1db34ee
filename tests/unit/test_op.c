// SPDX-License-Identifier: MIT
/* The table of ops, the checks that every call begins with, and values of ops worked out by hand. */
#include "check.h"

#include "autograd/op.h"
#include "autograd/var.h"
#include "base/mem.h"
#include "base/pool.h"

static Err err;

/* ---- helpers: an op on small arrays, its arguments as text ---- */

static Tensor floats(Shape shape, const double *values)
{
    Tensor t;
    assert_ok(tensor_new(&t, DTYPE_FLOAT32, shape, &err));
    for (int64_t i = 0; i < tensor_count(&t); i++)
        tensor_set(&t, i, values ? values[i] : (double)i);
    return t;
}

static Tensor ints(Shape shape, DType dtype, const int *values)
{
    Tensor t;
    assert_ok(tensor_new(&t, dtype, shape, &err));
    for (int64_t i = 0; i < tensor_count(&t); i++)
        tensor_set(&t, i, values[i]);
    return t;
}

static Var *leaf(Tensor t)
{
    Var *var = var_new(&t, false, &err);
    assert_non_null(var);
    return var;
}

/* Takes the inputs over. */
static Var *run(const char *name, Var **in, int n, const char *args_text)
{
    const Op *op = op_find(name, &err);
    assert_non_null(op);
    Args args;
    args_init(&args, op->args, op->n_args);
    char text[200];
    snprintf(text, sizeof text, "%s", args_text ? args_text : "");
    bool ok = true;
    for (char *save, *word = strtok_r(text, " ", &save); word && ok; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        ok = args_parse(&args, args_find(&args, word), value, name, &err);
    }
    Var *out = ok ? var_op(op, in, n, &args, false, 0, &err) : NULL;
    for (int i = 0; i < n; i++)
        var_unref(in[i]);
    return out;
}

static void expect(Var *take, Shape shape, const double *values)
{
    if (!take)
        fail_msg("%s", err.text);
    char got[SHAPE_TEXT], want[SHAPE_TEXT];
    assert_string_equal(shape_text(&take->value.shape, got), shape_text(&shape, want));
    for (int64_t i = 0; i < tensor_count(&take->value); i++)
        assert_near(tensor_get(&take->value, i), values[i], 1e-5);
    var_unref(take);
}

#define IN(...) (Var *[]){ __VA_ARGS__ }, (int)COUNT_OF(((Var *[]){ __VA_ARGS__ }))
#define D(...) ((const double[]){ __VA_ARGS__ })
#define SCALAR shape_make(0, NULL)
#define F(shape) leaf(floats(shape, NULL))

static void refused(Var *out, ErrCode code, const char *part)
{
    if (out)
        fail_msg("it was accepted; wanted \"%s\"", part);
    if (err.code != code || !strstr(err.text, part))
        fail_msg("wanted %s and \"%s\", got %s and \"%s\"", err_tag(code), part, err_tag(err.code), err.text);
}

/* ---- the table ---- */

static void test_find(void **state)
{
    (void)state;
    for (int i = 0; op_at(i); i++) {
        assert_ptr_equal(op_find(op_at(i)->name, NULL), op_at(i));
        if (i > 0)
            assert_true(strcmp(op_at(i - 1)->name, op_at(i)->name) < 0);
    }
    assert_null(op_at(-1));
    assert_err(op_find("matmull", &err), ERR_NAME, "did you mean \"matmul\"");
    assert_err(op_find("", &err), ERR_NAME, "there is no op");
    assert_null(op_find("zzzzzzzz", NULL));
}

static void test_defaults(void **state)
{
    (void)state;
    for (int i = 0; op_at(i); i++) {
        const Args *args = op_defaults(op_at(i));
        assert_non_null(args);
        assert_ptr_equal(op_defaults(op_at(i)), args);
        assert_int_equal(args->n, op_at(i)->n_args);
    }
    static const ArgSpec own[] = { { .name = "x", .type = ARG_INT, .fallback = "1" } };
    Op stranger = { .name = "stranger", .args = own, .n_args = 1 };
    assert_null(op_defaults(&stranger));
}

static void test_checks(void **state)
{
    (void)state;
    Shape s = SHAPE(2, 3);
    refused(run("relu", IN(F(s), F(s)), NULL), ERR_ARG, "relu takes 1 input, got 2");
    refused(run("linear", IN(F(s), F(s), F(s), F(s)), NULL), ERR_ARG, "linear takes at most 3 inputs, got 4");
    refused(run("matmul", IN(F(s)), NULL), ERR_ARG, "matmul: input 2 (b) is missing");
    refused(run("matmul", IN(NULL, F(s)), NULL), ERR_ARG, "matmul: input 1 (a) is missing");
    refused(run("relu", IN(leaf(ints(SHAPE(1), DTYPE_INT32, (int[]){ 1 }))), NULL), ERR_ARG, "relu: x must be float32, got int32; cast it");
    refused(run("gather", IN(F(s), F(s)), NULL), ERR_ARG, "indices must be int32, got float32");
    refused(run("reshape", IN(F(s)), NULL), ERR_ARG, "shape");
    assert_err(var_op(op_find("relu", NULL), NULL, -1, NULL, false, 0, &err), ERR_ARG, "got");
    Var *many[17];
    for (int i = 0; i < 17; i++)
        many[i] = F(s);
    refused(run("concat", many, 17, NULL), ERR_ARG, "concat takes at most 16 inputs, got 17");
}

/* ---- bad shapes ---- */

static void test_refusals(void **state)
{
    (void)state;
    refused(run("matmul", IN(F(SHAPE(2, 3)), F(SHAPE(4, 5))), NULL), ERR_SHAPE, "matmul: (2, 3) times (4, 5): inner sizes 3 and 4 differ");
    refused(run("matmul", IN(F(SHAPE(2, 3)), F(SHAPE(3, 5))), "transpose_b=true"), ERR_SHAPE, "(3, 5) transposed: inner sizes 3 and 5");
    refused(run("matmul", IN(F(SCALAR), F(SHAPE(3))), NULL), ERR_SHAPE, "vectors or matrices");
    refused(run("matmul", IN(F(SHAPE(2, 2, 3)), F(SHAPE(3, 3, 4))), NULL), ERR_SHAPE, "matmul");
    refused(run("linear", IN(F(SHAPE(2, 3)), F(SHAPE(4, 5))), NULL), ERR_SHAPE, "do not fit: the last axis of x must be the first of the kernel");
    refused(run("linear", IN(F(SHAPE(2, 3)), F(SHAPE(3))), NULL), ERR_SHAPE, "(2, 3) and a kernel of shape (3) do not fit");
    refused(run("linear", IN(F(SHAPE(2, 3)), F(SHAPE(3, 5)), F(SHAPE(3))), NULL), ERR_SHAPE, "the bias must have shape (5), got (3)");
    refused(run("add", IN(F(SHAPE(2, 3)), F(SHAPE(2))), NULL), ERR_SHAPE, "add");
    refused(run("sum", IN(F(SHAPE(2, 3))), "axis=2"), ERR_ARG, "sum");
    refused(run("max", IN(F(SHAPE(2, 0))), NULL), ERR_SHAPE, "no largest element in shape (2, 0)");
    refused(run("reshape", IN(F(SHAPE(2, 3))), "shape=4,2"), ERR_SHAPE, "(2, 3) has 6 elements, which do not fill the shape (4, 2)");
    refused(run("reshape", IN(F(SHAPE(2, 3))), "shape=-1,4"), ERR_SHAPE, "do not fill");
    refused(run("reshape", IN(F(SHAPE(2, 3))), "shape=-1,-1"), ERR_SHAPE, "only one size");
    refused(run("reshape", IN(F(SHAPE(2, 3))), "shape=4294967296,4294967296"), ERR_SHAPE, "do not fill");
    refused(run("reshape", IN(F(SHAPE(0, 3))), "shape=-1,0"), ERR_SHAPE, "do not fill");
    refused(run("transpose", IN(F(SHAPE(2, 3))), "axes=0,0"), ERR_SHAPE, "each of the 2 axes of shape (2, 3) once");
    refused(run("transpose", IN(F(SHAPE(2, 3))), "axes=0"), ERR_SHAPE, "once");
    refused(run("transpose", IN(F(SHAPE(2, 3))), "axes=0,1,2"), ERR_SHAPE, "once");
    refused(run("transpose", IN(F(SHAPE(2, 3))), "axes=0,5"), ERR_SHAPE, "once");
    refused(run("slice", IN(F(SHAPE(2, 3))), "begin=0,0,0"), ERR_SHAPE, "3 numbers for begin, but shape (2, 3) has 2 axes");
    refused(run("slice", IN(F(SHAPE(2, 3))), "step=0"), ERR_ARG, "step");
    refused(run("concat", IN(F(SHAPE(2, 3)), F(SHAPE(3, 3))), NULL), ERR_SHAPE, "all must agree but for axis 1");
    refused(run("concat", IN(F(SHAPE(2, 3)), F(SHAPE(3))), NULL), ERR_SHAPE, "input 2 has shape (3)");
    refused(run("concat", IN(F(SHAPE(2, 3)), NULL), NULL), ERR_SHAPE, "input 2 is missing");
    refused(run("concat", IN(F(SHAPE(2, 3))), "axis=4"), ERR_ARG, "concat");
    refused(run("power", IN(F(SHAPE(2))), NULL), ERR_SHAPE, "the exponent is missing");
    refused(run("power", IN(F(SHAPE(2)), F(SHAPE(2))), "exponent=2"), ERR_SHAPE, "once");
}

static void test_size_limit(void **state)
{
    (void)state;
    /* 2^34 elements are more than the limit allows, 2^51 more than any tensor may have. */
    Var *a = run("reshape", IN(F(SHAPE(1 << 17))), "shape=131072,1,1"), *b = run("reshape", IN(F(SHAPE(1 << 17))), "shape=1,131072,1");
    Var *in[] = { a, b };
    size_t held = mem_bytes();
    mem_limit(held + (1 << 20));
    assert_err(var_op(op_find("add", NULL), in, 2, NULL, false, 0, &err), ERR_MEM, "memory");
    assert_int_equal(mem_bytes(), held);
    mem_limit(0);
    OpCall call = { .op = op_find("add", NULL), .args = op_defaults(op_find("add", NULL)), .n_in = 2, .has = { true, true } };
    call.in[0].shape = SHAPE(1 << 17, 1 << 17, 1);
    call.in[1].shape = SHAPE(1, 1, 1 << 17);
    call.in[0].dtype = call.in[1].dtype = DTYPE_FLOAT32;
    assert_false(op_infer(&call, &err));
    assert_int_equal(err.code, ERR_SHAPE);
    var_unref(a);
    var_unref(b);
}

/* ---- values ---- */

static void test_arithmetic(void **state)
{
    (void)state;
    Shape s = SHAPE(2, 2);
    const double *a = D(1, 2, 3, 4), *b = D(10, 20, 30, 40);
    expect(run("add", IN(leaf(floats(s, a)), leaf(floats(s, b))), NULL), s, D(11, 22, 33, 44));
    expect(run("subtract", IN(leaf(floats(s, a)), leaf(floats(SHAPE(2), b))), NULL), s, D(-9, -18, -7, -16));
    expect(run("multiply", IN(leaf(floats(SHAPE(2, 1), a)), leaf(floats(s, b))), NULL), s, D(10, 20, 60, 80));
    expect(run("divide", IN(leaf(floats(SCALAR, b)), leaf(floats(s, a))), NULL), s, D(10, 5, 10. / 3, 2.5));
    expect(run("maximum", IN(leaf(floats(s, a)), leaf(floats(SCALAR, D(2.5)))), NULL), s, D(2.5, 2.5, 3, 4));
    expect(run("minimum", IN(leaf(floats(s, a)), leaf(floats(SCALAR, D(2.5)))), NULL), s, D(1, 2, 2.5, 2.5));
    expect(run("power", IN(leaf(floats(s, a))), "exponent=2"), s, D(1, 4, 9, 16));
    expect(run("power", IN(leaf(floats(s, a)), leaf(floats(SHAPE(2), D(1, 3)))), NULL), s, D(1, 8, 3, 64));
    expect(run("scale", IN(leaf(floats(s, a))), "scale=2 offset=-1"), s, D(1, 3, 5, 7));
    expect(run("scale", IN(leaf(ints(SHAPE(2), DTYPE_UINT8, (int[]){ 0, 255 }))), "scale=0.2"), SHAPE(2), D(0, 51));
    expect(run("scale", IN(leaf(ints(SHAPE(2), DTYPE_INT32, (int[]){ -7, 70000 }))), NULL), SHAPE(2), D(-7, 70000));
    /* Empty arrays pass through. */
    expect(run("add", IN(F(SHAPE(0, 2)), F(SHAPE(2))), NULL), SHAPE(0, 2), D(0));
    expect(run("relu", IN(F(SHAPE(0))), NULL), SHAPE(0), D(0));
}

static void test_reductions(void **state)
{
    (void)state;
    Shape s = SHAPE(2, 3);
    const double *x = D(1, 5, 3, 4, 2, 6);
    expect(run("sum", IN(leaf(floats(s, x))), NULL), SCALAR, D(21));
    expect(run("sum", IN(leaf(floats(s, x))), "axis=0"), SHAPE(3), D(5, 7, 9));
    expect(run("sum", IN(leaf(floats(s, x))), "axis=-1 keepdims=true"), SHAPE(2, 1), D(9, 12));
    expect(run("mean", IN(leaf(floats(s, x))), "axis=0,1"), SCALAR, D(3.5));
    expect(run("max", IN(leaf(floats(s, x))), "axis=1"), SHAPE(2), D(5, 6));
    expect(run("max", IN(leaf(floats(s, x))), "axis=0"), SHAPE(3), D(4, 5, 6));
    expect(run("sum", IN(F(SHAPE(0, 3))), NULL), SCALAR, D(0));
    expect(run("sum", IN(F(SHAPE(0, 3))), "axis=0"), SHAPE(3), D(0, 0, 0));
    expect(run("sum", IN(leaf(floats(SCALAR, D(7)))), NULL), SCALAR, D(7));
    /* Every way to cut: sums of whole numbers are exact. */
    static const int64_t sizes[][4] = { { 5, 7, 3, 11 }, { 1, 3000, 1, 2 }, { 3, 500, 5, 300 }, { 70, 3, 9, 2 }, { 1, 1, 1, 70000 } };
    for (size_t k = 0; k < COUNT_OF(sizes); k++)
        for (unsigned axes = 1; axes < 16; axes++) {
            Tensor t = floats(shape_make(4, sizes[k]), NULL);
            double want[4096] = { 0 }, most[4096] = { 0 };
            int64_t n = tensor_count(&t), kept[4], at[4], n_out = 1;
            char text[40] = "axis=", *end = text + 5;
            for (int d = 0; d < 4; d++) {
                kept[d] = axes >> d & 1 ? 1 : sizes[k][d];
                n_out *= kept[d];
                if (axes >> d & 1)
                    end += sprintf(end, "%s%d", end == text + 5 ? "" : ",", d);
            }
            if (n_out <= 4096) {
                for (int64_t i = 0; i < n; i++) {
                    int64_t rest = i, o = 0;
                    tensor_set(&t, i, (double)(i % 7));
                    for (int d = 3; d >= 0; rest /= sizes[k][d--])
                        at[d] = rest % sizes[k][d];
                    for (int d = 0; d < 4; d++)
                        o = o * kept[d] + (axes >> d & 1 ? 0 : at[d]);
                    want[o] += (double)(i % 7);
                    most[o] = fmax(most[o], (double)(i % 7));
                }
                strcpy(end, " keepdims=true");
                Var *x4 = leaf(t);
                expect(run("sum", IN(var_ref(x4)), text), shape_make(4, kept), want);
                expect(run("max", IN(x4), text), shape_make(4, kept), most);
            } else {
                tensor_unref(&t);
            }
        }
}

/* NaN is not passed over, wherever it stands: who looks at the largest error would not see it. */
static void test_nan(void **state)
{
    (void)state;
    static const int64_t lengths[] = { 1, 2, 17, 40, 5000, 70000 };
    for (size_t k = 0; k < COUNT_OF(lengths); k++)
        for (int place = 0; place < 3; place++)
            for (int width = 1; width <= 3; width += 2) {
                int64_t n = lengths[k], bad = place == 0 ? 0 : place == 1 ? n / 2 : n - 1;
                Tensor t = floats(SHAPE(n, width), NULL);
                tensor_set(&t, bad * width, (double)NAN);
                Var *x = leaf(t), *most = run("max", IN(var_ref(x)), "axis=0"), *least = run("min", IN(x), "axis=0");
                for (int c = 0; c < width; c++)
                    assert_true(isnan(tensor_get(&most->value, c)) == (c == 0) && isnan(tensor_get(&least->value, c)) == (c == 0));
                var_unref(most);
                var_unref(least);
            }
}

static void test_shapes(void **state)
{
    (void)state;
    Shape s = SHAPE(2, 3);
    expect(run("reshape", IN(F(s)), "shape=3,-1"), SHAPE(3, 2), D(0, 1, 2, 3, 4, 5));
    expect(run("transpose", IN(F(s)), NULL), SHAPE(3, 2), D(0, 3, 1, 4, 2, 5));
    expect(run("transpose", IN(F(SHAPE(1, 2, 3))), "axes=2,0,1"), SHAPE(3, 1, 2), D(0, 3, 1, 4, 2, 5));
    expect(run("slice", IN(F(SHAPE(3, 4))), "begin=1,0 end=3,4 step=1,2"), SHAPE(2, 2), D(4, 6, 8, 10));
    expect(run("slice", IN(F(SHAPE(5))), "begin=-2"), SHAPE(2), D(3, 4));
    expect(run("slice", IN(F(SHAPE(5))), "begin=3 end=2"), SHAPE(0), D(0));
    expect(run("slice", IN(F(SHAPE(5))), "begin=-9 end=99"), SHAPE(5), D(0, 1, 2, 3, 4));
    expect(run("concat", IN(F(s), F(SHAPE(2, 1))), NULL), SHAPE(2, 4), D(0, 1, 2, 0, 3, 4, 5, 1));
    expect(run("concat", IN(F(SHAPE(1, 2)), F(s.rank ? SHAPE(2, 2) : s)), "axis=0"), SHAPE(3, 2), D(0, 1, 0, 1, 2, 3));
    expect(run("cast", IN(leaf(ints(SHAPE(2), DTYPE_UINT8, (int[]){ 3, 200 }))), NULL), SHAPE(2), D(3, 200));
    expect(run("cast", IN(leaf(floats(SHAPE(3), D(-2.7, 1.5, 1e20)))), "dtype=int32"), SHAPE(3), D(-2, 1, INT32_MAX));
    expect(run("cast", IN(leaf(floats(SHAPE(3), D(-2.7, 1.5, 300)))), "dtype=uint8"), SHAPE(3), D(0, 1, 255));
    refused(run("cast", IN(leaf(floats(SHAPE(2), D(1, NAN)))), "dtype=int32"), ERR_DATA, "cast: element 2 is NaN");
    /* Types other than float keep their elements. */
    int values[] = { 1, 2, 3, 4, 5, 6 };
    expect(run("transpose", IN(leaf(ints(s, DTYPE_INT32, values))), NULL), SHAPE(3, 2), D(1, 4, 2, 5, 3, 6));
    expect(run("slice", IN(leaf(ints(s, DTYPE_UINT8, values))), "begin=1"), SHAPE(1, 3), D(4, 5, 6));
}

static void test_big_transpose(void **state)
{
    (void)state;
    static const struct { int64_t d[4], axes[4]; const char *text; } rows[] = {
        { { 3, 50, 40, 17 }, { 0, 3, 1, 2 }, "axes=0,3,1,2" },
        { { 3, 50, 40, 17 }, { 3, 2, 1, 0 }, "axes=3,2,1,0" },
        { { 3, 50, 40, 17 }, { 2, 3, 0, 1 }, "axes=2,3,0,1" },
        { { 1, 300, 1, 301 }, { 3, 2, 1, 0 }, "axes=3,2,1,0" },
        { { 2, 1, 20000, 1 }, { 2, 1, 0, 3 }, "axes=2,1,0,3" },
    };
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        Var *y = run("transpose", IN(F(shape_make(4, rows[k].d))), rows[k].text);
        assert_non_null(y);
        const int64_t *d = y->value.shape.d;
        int64_t apart[4] = { rows[k].d[1] * rows[k].d[2] * rows[k].d[3], rows[k].d[2] * rows[k].d[3], rows[k].d[3], 1 }, at = 0;
        for (int64_t a = 0; a < d[0]; a++)
            for (int64_t b = 0; b < d[1]; b++)
                for (int64_t c = 0; c < d[2]; c++)
                    for (int64_t e = 0; e < d[3]; e++) {
                        const int64_t *x = rows[k].axes;
                        int64_t want = a * apart[x[0]] + b * apart[x[1]] + c * apart[x[2]] + e * apart[x[3]];
                        if (tensor_get(&y->value, at++) != (double)want)
                            fail_msg("row %zu, element %ld: %g", k, (long)at - 1, tensor_get(&y->value, at - 1));
                    }
        var_unref(y);
    }
}

static void test_products(void **state)
{
    (void)state;
    expect(run("matmul", IN(F(SHAPE(2, 3)), F(SHAPE(3, 2))), NULL), SHAPE(2, 2), D(10, 13, 28, 40));
    expect(run("matmul", IN(F(SHAPE(3, 2)), F(SHAPE(3, 2))), "transpose_a=true"), SHAPE(2, 2), D(20, 26, 26, 35));
    expect(run("matmul", IN(F(SHAPE(2, 3)), F(SHAPE(2, 3))), "transpose_b=true"), SHAPE(2, 2), D(5, 14, 14, 50));
    expect(run("matmul", IN(F(SHAPE(2, 1, 2)), F(SHAPE(2, 1))), NULL), SHAPE(2, 1, 1), D(1, 3));
    expect(run("matmul", IN(F(SHAPE(2, 1, 2)), F(SHAPE(2, 2, 1))), NULL), SHAPE(2, 1, 1), D(1, 13));
    expect(run("matmul", IN(F(SHAPE(3)), F(SHAPE(3))), NULL), SCALAR, D(5));
    expect(run("matmul", IN(F(SHAPE(2, 3)), F(SHAPE(3))), NULL), SHAPE(2), D(5, 14));
    expect(run("matmul", IN(F(SHAPE(2, 0)), F(SHAPE(0, 2))), NULL), SHAPE(2, 2), D(0, 0, 0, 0));
    expect(run("linear", IN(F(SHAPE(2, 2)), F(SHAPE(2, 1)), leaf(floats(SHAPE(1), D(10)))), NULL), SHAPE(2, 1), D(11, 13));
    expect(run("linear", IN(F(SHAPE(2, 0)), F(SHAPE(0, 1)), leaf(floats(SHAPE(1), D(10)))), NULL), SHAPE(2, 1), D(10, 10));
}

static void test_gather(void **state)
{
    (void)state;
    expect(run("gather", IN(F(SHAPE(3, 2)), leaf(ints(SHAPE(2), DTYPE_INT32, (int[]){ 2, 0 }))), NULL), SHAPE(2, 2), D(4, 5, 0, 1));
    expect(run("gather", IN(F(SHAPE(3)), leaf(ints(SHAPE(1, 2), DTYPE_INT32, (int[]){ 1, 1 }))), NULL), SHAPE(1, 2), D(1, 1));
    refused(run("gather", IN(F(SHAPE(3)), leaf(ints(SHAPE(2), DTYPE_INT32, (int[]){ 1, 3 }))), NULL), ERR_ARG,
            "index 3 (number 2 of the indices) is outside 0 to 2");
    refused(run("gather", IN(F(SHAPE(3)), leaf(ints(SHAPE(1), DTYPE_INT32, (int[]){ -1 }))), NULL), ERR_ARG, "index -1");
    refused(run("gather", IN(F(SCALAR), leaf(ints(SHAPE(1), DTYPE_INT32, (int[]){ 0 }))), NULL), ERR_SHAPE, "gather");
}

static uint64_t digest(const char *name, Shape a, Shape b, const char *args)
{
    Tensor x = floats(a, NULL), z = floats(b, NULL);
    for (int64_t i = 0; i < tensor_count(&x); i++)
        tensor_set(&x, i, sin((double)i));
    for (int64_t i = 0; i < tensor_count(&z); i++)
        tensor_set(&z, i, cos((double)i));
    Var *vx = var_new(&x, true, &err), *vz = var_new(&z, true, &err);
    Var *y = run(name, (Var *[]){ var_ref(vx), var_ref(vz) }, op_find(name, NULL)->in_least, args);
    assert_non_null(y);
    if (op_find(name, NULL)->in_least == 1)
        var_unref(vz); /* the reference that run did not take */
    Tensor seed;
    assert_ok(tensor_copy(&seed, &y->value, &err));
    assert_ok(var_backward(y, &seed, &err));
    uint64_t hash = 1469598103934665603u;
    const Tensor *parts[] = { &y->value, &vx->grad, &vz->grad };
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; parts[k]->data && i < tensor_size(parts[k]); i++)
            hash = (hash ^ ((unsigned char *)parts[k]->data)[i]) * 1099511628211u;
    tensor_unref(&seed);
    var_unref(y);
    var_unref(vx);
    var_unref(vz);
    return hash;
}

static void test_threads(void **state)
{
    (void)state;
    static const struct { const char *name; int64_t a[3], b[3]; const char *args; } rows[] = {
        { "add", { 60, 50, 40 }, { 1, 1, 40 }, NULL },       { "multiply", { 60, 50, 40 }, { 60, 1, 40 }, NULL },
        { "divide", { 1, 50, 40 }, { 60, 50, 1 }, NULL },    { "matmul", { 40, 30, 50 }, { 40, 50, 20 }, NULL },
        { "matmul", { 40, 30, 50 }, { 1, 50, 20 }, NULL },   { "sum", { 1, 60000, 3 }, { 1, 1, 1 }, "axis=1" },
        { "mean", { 300, 20, 20 }, { 1, 1, 1 }, "axis=0,2" }, { "max", { 3, 20000, 2 }, { 1, 1, 1 }, "axis=1" },
        { "tanh", { 60, 50, 40 }, { 1, 1, 1 }, NULL },       { "transpose", { 60, 50, 40 }, { 1, 1, 1 }, NULL },
    };
    uint64_t alone[COUNT_OF(rows)];
    for (int threads = 1; threads <= 3; threads++) {
        assert_ok(pool_start(threads, &err));
        for (size_t k = 0; k < COUNT_OF(rows); k++) {
            uint64_t got = digest(rows[k].name, shape_make(3, rows[k].a), shape_make(3, rows[k].b), rows[k].args);
            if (threads == 1)
                alone[k] = got;
            else if (got != alone[k])
                fail_msg("%s (row %zu) differs with %d threads", rows[k].name, k, threads);
        }
        pool_stop();
    }
}

/* The same for ops over images, or with sums over rows of their own. */
static void test_threads_images(void **state)
{
    (void)state;
    static const struct { const char *name; Shape a, b; const char *args; } rows[] = {
        { "depthwise_conv2d", { 4, { 3, 40, 30, 20 } }, { 4, { 3, 3, 20, 1 } }, "padding=same" },
        { "depthwise_conv2d", { 4, { 3, 40, 30, 20 } }, { 4, { 3, 2, 20, 3 } }, "strides=2" },
        { "conv2d_transpose", { 4, { 5, 16, 14, 24 } }, { 4, { 4, 4, 20, 24 } }, "padding=same strides=2" },
        { "upsample2d", { 4, { 3, 30, 20, 17 } }, { 1, { 1 } }, "interpolation=bilinear" },
        { "pad", { 4, { 3, 60, 50, 17 } }, { 1, { 1 } }, "before=0,1,2 after=0,2,0" },
        { "repeat", { 3, { 30, 50, 40 } }, { 1, { 1 } }, "repeats=3 axis=1" },
        { "layer_norm", { 3, { 60, 50, 40 } }, { 1, { 1 } }, NULL },
        { "rms_norm", { 3, { 60, 50, 40 } }, { 1, { 1 } }, NULL },
        { "group_norm", { 4, { 5, 30, 20, 24 } }, { 1, { 1 } }, "groups=8" },
        { "l2_normalize", { 3, { 60, 50, 40 } }, { 1, { 1 } }, NULL },
        { "gelu", { 3, { 60, 50, 40 } }, { 1, { 1 } }, NULL },
        { "sparsemax", { 3, { 60, 50, 40 } }, { 1, { 1 } }, NULL },
        { "prelu", { 3, { 60, 50, 40 } }, { 1, { 40 } }, NULL },
    };
    uint64_t alone[COUNT_OF(rows)];
    for (int threads = 1; threads <= 3; threads++) {
        assert_ok(pool_start(threads, &err));
        for (size_t k = 0; k < COUNT_OF(rows); k++) {
            uint64_t got = digest(rows[k].name, rows[k].a, rows[k].b, rows[k].args);
            if (threads == 1)
                alone[k] = got;
            else if (got != alone[k])
                fail_msg("%s (row %zu) differs with %d threads", rows[k].name, k, threads);
        }
        pool_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),       cmocka_unit_test(test_defaults),      cmocka_unit_test(test_checks),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_size_limit),    cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_reductions), cmocka_unit_test(test_nan), cmocka_unit_test(test_shapes), cmocka_unit_test(test_big_transpose),
        cmocka_unit_test(test_products),   cmocka_unit_test(test_gather),        cmocka_unit_test(test_threads),       cmocka_unit_test(test_threads_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
