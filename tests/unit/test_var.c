// SPDX-License-Identifier: MIT
#include "check.h"

#include "autograd/var.h"
#include "base/mem.h"

static Err err;

static Var *scalar(double value, bool requires_grad)
{
    Tensor t;
    assert_ok(tensor_new(&t, DTYPE_FLOAT32, shape_make(0, NULL), &err));
    tensor_set(&t, 0, value);
    Var *var = var_new(&t, requires_grad, &err);
    assert_non_null(var);
    return var;
}

static Var *vector(int n, const double *values, bool requires_grad)
{
    Tensor t;
    assert_ok(tensor_new(&t, DTYPE_FLOAT32, SHAPE(n), &err));
    for (int i = 0; i < n; i++)
        tensor_set(&t, i, values[i]);
    Var *var = var_new(&t, requires_grad, &err);
    assert_non_null(var);
    return var;
}

/* Operators that take their operands over, as temporaries of an expression are. */
static Var *two(const char *name, Var *a, Var *b)
{
    Var *out = var_op(op_find(name, NULL), (Var *[]){ a, b }, 2, NULL, true, 0, &err);
    if (!out)
        fail_msg("%s: %s", name, err.text);
    var_unref(a);
    var_unref(b);
    return out;
}

static Var *one(const char *name, Var *a)
{
    Var *out = var_op(op_find(name, NULL), &a, 1, NULL, true, 0, &err);
    if (!out)
        fail_msg("%s: %s", name, err.text);
    var_unref(a);
    return out;
}

#define REF(v) var_ref(v)
#define NUM(x) scalar(x, false)
#define ADD(a, b) two("add", a, b)
#define MUL(a, b) two("multiply", a, b)

static double value_of(const Var *var)
{
    return tensor_get(&var->value, 0);
}

static double grad_of(const Var *var)
{
    assert_non_null(var->grad.data);
    return tensor_get(&var->grad, 0);
}

static void test_leaves(void **state)
{
    (void)state;
    size_t held = mem_bytes();
    Tensor t;
    assert_ok(tensor_zero(&t, DTYPE_INT32, SHAPE(2), &err));
    assert_err(var_new(&t, true, &err), ERR_ARG, "only float32 tensors can have gradients, this one is int32");
    assert_null(t.data);
    Var *a = scalar(1, false);
    assert_err(var_backward(a, NULL, &err), ERR_STATE, "requires_grad = true");
    assert_null(var_ref(NULL));
    var_unref(NULL);
    var_unref(REF(a));
    var_unref(a);
    assert_int_equal(mem_bytes(), held);
}

/* The expression of micrograd's README. */
static void test_micrograd(void **state)
{
    (void)state;
    size_t held = mem_bytes();
    Var *a = scalar(-4, true), *b = scalar(2, true);
    Var *c = ADD(REF(a), REF(b));
    Var *d = ADD(MUL(REF(a), REF(b)), two("power", REF(b), NUM(3)));
    c = ADD(REF(c), ADD(c, NUM(1)));
    c = ADD(REF(c), ADD(ADD(NUM(1), c), one("negative", REF(a))));
    d = ADD(REF(d), ADD(MUL(d, NUM(2)), one("relu", ADD(REF(b), REF(a)))));
    d = ADD(REF(d), ADD(MUL(NUM(3), d), one("relu", two("subtract", REF(b), REF(a)))));
    Var *f = two("power", two("subtract", c, d), NUM(2));
    Var *g = two("divide", REF(f), NUM(2));
    g = ADD(g, two("divide", NUM(10), f));
    assert_near(value_of(g), 24.7041, 5e-6);
    assert_ok(var_backward(g, NULL, &err));
    assert_near(grad_of(a), 138.8338, 1e-6);
    assert_near(grad_of(b), 645.5773, 1e-6);
    var_unref(a);
    var_unref(b);
    var_unref(g);
    assert_int_equal(mem_bytes(), held);
}

static void test_accumulate(void **state)
{
    (void)state;
    size_t held = mem_bytes();
    Var *w = vector(3, (double[]){ 1, 2, 3 }, true), *x = vector(3, (double[]){ 4, 5, 6 }, false);
    Var *loss = one("sum", MUL(REF(w), REF(x)));
    assert_null(w->grad.data);
    for (int n = 1; n <= 3; n++) { /* the graph is kept, gradients add up */
        assert_ok(var_backward(loss, NULL, &err));
        for (int i = 0; i < 3; i++)
            assert_near(tensor_get(&w->grad, i), n * (4 + i), 1e-6);
    }
    assert_null(x->grad.data);
    assert_null(loss->grad.data);
    /* Dropping the gradient starts anew; the same leaf in another graph, used twice by one op. */
    tensor_unref(&w->grad);
    Var *again = one("sum", MUL(REF(w), REF(w)));
    assert_ok(var_backward(again, NULL, &err));
    for (int i = 0; i < 3; i++)
        assert_near(tensor_get(&w->grad, i), 2 * (i + 1), 1e-6);
    /* A leaf is its own result. */
    Var *one_leaf = scalar(5, true);
    assert_ok(var_backward(one_leaf, NULL, &err));
    assert_ok(var_backward(one_leaf, NULL, &err));
    assert_near(grad_of(one_leaf), 2, 0);
    Var *all[] = { w, x, loss, again, one_leaf };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        var_unref(all[i]);
    assert_int_equal(mem_bytes(), held);
}

static void test_seed(void **state)
{
    (void)state;
    size_t held = mem_bytes();
    Var *w = vector(2, (double[]){ 3, 5 }, true), *y = one("square", REF(w)), *seed = vector(2, (double[]){ 1, 10 }, false);
    Var *wrong = vector(3, (double[]){ 1, 1, 1 }, false);
    assert_err(var_backward(y, NULL, &err), ERR_SHAPE, "single number, got shape (2)");
    assert_err(var_backward(y, &wrong->value, &err), ERR_SHAPE, "must be float32 of shape (2), got float32 of shape (3)");
    assert_null(w->grad.data);
    assert_ok(var_backward(y, &seed->value, &err));
    assert_near(tensor_get(&w->grad, 0), 6, 1e-6);
    assert_near(tensor_get(&w->grad, 1), 100, 1e-6);
    Var *all[] = { w, y, seed, wrong };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        var_unref(all[i]);
    assert_int_equal(mem_bytes(), held);
}

static void test_views(void **state)
{
    (void)state;
    size_t held = mem_bytes();
    Var *w = vector(6, (double[]){ 1, 2, 3, 4, 5, 6 }, true);
    Args args;
    args_init(&args, op_find("reshape", NULL)->args, 1);
    assert_ok(args_parse(&args, 0, "2,3", "reshape", &err));
    Var *m = var_op(op_find("reshape", NULL), &w, 1, &args, false, 0, &err);
    assert_non_null(m);
    assert_ptr_equal(m->value.data, w->value.data);
    memset(&args, 0xff, sizeof args); /* what the graph needs it has copied */
    Var *y = one("sum", one("square", m));
    assert_ok(var_backward(y, NULL, &err));
    for (int i = 0; i < 6; i++)
        assert_near(tensor_get(&w->grad, i), 2 * (i + 1), 1e-6);
    var_unref(w);
    var_unref(y);
    assert_int_equal(mem_bytes(), held);
}

static void test_constants_keep_no_graph(void **state)
{
    (void)state;
    Var *a = scalar(2, false), *y = one("square", REF(a));
    assert_null(y->call);
    assert_false(y->requires_grad);
    size_t held = mem_bytes();
    for (int i = 0; i < 1000; i++)
        y = one("sqrt", y);
    assert_int_equal(mem_bytes(), held);
    var_unref(y);
    var_unref(a);
}

static void test_deep(void **state)
{
    (void)state;
    size_t held = mem_bytes();
    Var *x = scalar(1, true), *y = REF(x);
    for (int i = 0; i < 100000; i++)
        y = one("negative", y);
    assert_ok(var_backward(y, NULL, &err));
    assert_near(grad_of(x), 1, 0);
    var_unref(y);
    /* A ladder: every rung used twice has 2^n paths, and is walked once. */
    y = MUL(REF(x), NUM(1));
    for (int i = 0; i < 60; i++)
        y = MUL(ADD(REF(y), y), NUM(0.5));
    tensor_unref(&x->grad);
    assert_ok(var_backward(y, NULL, &err));
    assert_near(grad_of(x), 1, 1e-5);
    var_unref(y);
    var_unref(x);
    assert_int_equal(mem_bytes(), held);
}

/* Build, differentiate, free: false when memory ran out. Nothing may leak, and leaves keep their gradients. */
static bool attempt(Var *w, Var *x)
{
    const Op *matmul = op_find("matmul", NULL), *tanh_op = op_find("tanh", NULL), *sum = op_find("sum", NULL);
    Args args;
    args_init(&args, matmul->args, matmul->n_args);
    bool ok = args_parse(&args, 1, "true", "matmul", &err);
    Var *a = ok ? var_op(matmul, (Var *[]){ x, w }, 2, &args, true, 0, &err) : NULL;
    Var *b = a ? var_op(tanh_op, &a, 1, NULL, true, 0, &err) : NULL;
    Var *c = b ? var_op(sum, &b, 1, NULL, true, 0, &err) : NULL;
    ok = c && var_backward(c, NULL, &err);
    var_unref(a);
    var_unref(b);
    var_unref(c);
    return ok;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    Tensor tw, tx;
    assert_ok(tensor_zero(&tw, DTYPE_FLOAT32, SHAPE(3, 4), &err));
    assert_ok(tensor_zero(&tx, DTYPE_FLOAT32, SHAPE(2, 4), &err));
    Var *w = var_new(&tw, true, &err), *x = var_new(&tx, true, &err);
    bool done = false;
    long n = 0;
    for (; !done && n < 1000; n++) {
        size_t held = mem_bytes();
        mem_fail_after(n);
        err_clear(&err);
        done = attempt(w, x);
        mem_fail_after(-1);
        if (!done) {
            assert_int_equal(err.code, ERR_MEM);
            assert_int_equal(mem_bytes(), held);
            assert_null(w->grad.data);
            assert_null(x->grad.data);
        }
    }
    assert_true(done && n > 8);
    assert_non_null(w->grad.data);
    Tensor t;
    assert_ok(tensor_zero(&t, DTYPE_FLOAT32, SHAPE(1), &err));
    mem_fail_after(0);
    Var *none = var_new(&t, true, &err);
    mem_fail_after(-1);
    assert_null(none);
    var_unref(w);
    var_unref(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves), cmocka_unit_test(test_micrograd), cmocka_unit_test(test_accumulate),
        cmocka_unit_test(test_seed),   cmocka_unit_test(test_views),     cmocka_unit_test(test_constants_keep_no_graph),
        cmocka_unit_test(test_deep),   cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
