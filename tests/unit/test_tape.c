// SPDX-License-Identifier: MIT
#include "check.h"

#include "autograd/tape.h"
#include "base/mem.h"
#include "base/rng.h"

static Err err;
static Tape tape;

#define OP(name) op_find(name, NULL)
#define BORROW(array, ...) tensor_borrow(DTYPE_FLOAT32, SHAPE(__VA_ARGS__), array)

static int setup(void **state)
{
    (void)state;
    tape_init(&tape);
    tape.keep_grads = true; /* test_reuse and the steps go without */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tape_fini(&tape);
    return 0;
}

static Node *param(real *values, real *grad, Shape shape)
{
    Tensor t = tensor_borrow(DTYPE_FLOAT32, shape, values);
    Node *node = tape_param(&tape, &t, grad, &err);
    assert_non_null(node);
    return node;
}

static Node *input(const Tensor *t)
{
    Node *node = tape_input(&tape, t, &err);
    assert_non_null(node);
    return node;
}

static Node *op1(const char *name, Node *x)
{
    Node *y = tape_op(&tape, OP(name), &x, 1, NULL, &err);
    if (!y)
        fail_msg("%s: %s", name, err.text);
    return y;
}

static Node *op2(const char *name, Node *a, Node *b)
{
    Node *y = tape_op(&tape, OP(name), (Node *[]){ a, b }, 2, NULL, &err);
    if (!y)
        fail_msg("%s: %s", name, err.text);
    return y;
}

static Node *reshape(Node *x, const char *shape)
{
    Args args;
    args_init(&args, OP("reshape")->args, OP("reshape")->n_args);
    assert_ok(args_parse(&args, 0, shape, "reshape", &err));
    Node *y = tape_op(&tape, OP("reshape"), &x, 1, &args, &err);
    assert_non_null(y);
    return y;
}

/* ---- gradients ---- */

static void test_chain(void **state)
{
    (void)state;
    real w[2] = { 3, 4 }, dw[2] = { NAN, NAN }, x[2] = { 5, 6 };
    Tensor tx = BORROW(x, 2);
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *nw = param(w, dw, SHAPE(2)), *nx = input(&tx);
    Node *loss = op1("sum", op2("multiply", nw, nx));
    assert_true(loss->wants_grad);
    assert_false(nx->wants_grad);
    assert_near(tensor_get(&loss->value, 0), 39, 1e-6);
    assert_ok(tape_backward(&tape, loss, &err));
    assert_near(dw[0], 5, 0);
    assert_near(dw[1], 6, 0);
    assert_null(nx->grad);
    assert_near(*loss->grad, 1, 0);
    assert_int_equal(tape.n_nodes, 4);
}

static void test_shared_inputs(void **state)
{
    (void)state;
    /* x used by four ops, twice by one of them: d(x*x + x + relu(x) + x*x)/dx = 4x + 1 + (x > 0) */
    real x[3] = { 2, -1, 0.5 }, dx[3] = { NAN, NAN, NAN };
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *n = param(x, dx, SHAPE(3)), *sum = op2("add", op2("multiply", n, n), n);
    sum = op2("add", op2("add", sum, op1("relu", n)), op2("multiply", n, n));
    assert_ok(tape_backward(&tape, op1("sum", sum), &err));
    for (int i = 0; i < 3; i++)
        assert_near(dx[i], 4 * x[i] + 1 + (x[i] > 0), 1e-6);
    /* A matrix times itself: both gradients are products, into one buffer. */
    real m[4] = { 1, 2, 3, 4 }, dm[4];
    tape_begin(&tape, TAPE_TRAIN, 1, 2);
    n = param(m, dm, SHAPE(2, 2));
    assert_ok(tape_backward(&tape, op1("sum", op2("matmul", n, n)), &err));
    static const double want[] = { 7, 11, 9, 13 }; /* J M^T + M^T J */
    for (int i = 0; i < 4; i++)
        assert_near(dm[i], want[i], 1e-6);
    /* The same vector three times into concat, and a gather that only adds. */
    tape_begin(&tape, TAPE_TRAIN, 1, 3);
    n = param(x, dx, SHAPE(3));
    Node *c = tape_op(&tape, OP("concat"), (Node *[]){ n, n, n }, 3, NULL, &err);
    assert_non_null(c);
    assert_ok(tape_backward(&tape, op1("sum", op1("square", c)), &err));
    for (int i = 0; i < 3; i++)
        assert_near(dx[i], 6 * x[i], 1e-6);
}

static void test_unused(void **state)
{
    (void)state;
    real a[2] = { 1, 2 }, da[2] = { 7, 7 }, b[2] = { 3, 4 }, db[2] = { 7, 7 }, f[2] = { 5, 6 };
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *na = param(a, da, SHAPE(2)), *nb = param(b, db, SHAPE(2)), *frozen = param(f, NULL, SHAPE(2));
    Node *loss = op1("sum", op2("multiply", na, frozen));
    Node *later = op1("square", op1("sum", nb)); /* recorded after the loss, and not part of it */
    assert_ok(tape_backward(&tape, loss, &err));
    assert_near(da[0], 5, 0);
    assert_near(db[0], 0, 0);
    assert_near(db[1], 0, 0);
    assert_null(frozen->grad);
    assert_null(later->grad);
    /* A second loss in the same step adds. */
    assert_ok(tape_backward(&tape, later, &err));
    assert_near(da[0], 5, 0);
    assert_near(db[0], 14, 0);
    /* A loss without parameters clears them all. */
    tape_begin(&tape, TAPE_TRAIN, 1, 2);
    param(a, da, SHAPE(2));
    frozen = param(f, NULL, SHAPE(2));
    assert_ok(tape_backward(&tape, op1("sum", frozen), &err));
    assert_near(da[0], 0, 0);
    /* A parameter that is the loss itself. */
    tape_begin(&tape, TAPE_TRAIN, 1, 3);
    assert_ok(tape_backward(&tape, param(a, da, SHAPE(1)), &err));
    assert_near(da[0], 1, 0);
}

static void test_alias(void **state)
{
    (void)state;
    real x[6] = { 1, 2, 3, 4, 5, 6 }, dx[6];
    for (int i = 0; i < 6; i++)
        dx[i] = NAN;
    /* Shared buffers: parameter, op, and a chain of reshapes. */
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *n = param(x, dx, SHAPE(2, 3)), *flat = reshape(n, "6"), *back = reshape(flat, "3,2");
    assert_ptr_equal(flat->value.data, x);
    assert_int_equal(tape.n_nodes, 3);
    assert_ok(tape_backward(&tape, op1("sum", op1("square", back)), &err));
    for (int i = 0; i < 6; i++)
        assert_near(dx[i], 2 * x[i], 1e-6);
    assert_ptr_equal(flat->grad, dx);
    assert_ptr_equal(back->grad, dx);
    /* Used beside its alias: nothing may be shared. */
    tape_begin(&tape, TAPE_TRAIN, 1, 2);
    n = param(x, dx, SHAPE(2, 3));
    Node *s = op1("square", n), *r = reshape(s, "6");
    Node *loss = op2("add", op1("sum", op1("square", r)), op1("sum", s));
    assert_ok(tape_backward(&tape, loss, &err));
    for (int i = 0; i < 6; i++) {
        assert_near(dx[i], 4 * pow(x[i], 3) + 2 * x[i], 1e-5);
        assert_near(r->grad[i], 2 * x[i] * x[i], 1e-5);
        assert_near(s->grad[i], 2 * x[i] * x[i] + 1, 1e-5);
    }
    /* Twice in one step: the parameter keeps adding. */
    tape_begin(&tape, TAPE_TRAIN, 1, 3);
    n = param(x, dx, SHAPE(2, 3));
    loss = op1("sum", reshape(n, "6"));
    assert_ok(tape_backward(&tape, loss, &err));
    assert_ok(tape_backward(&tape, loss, &err));
    for (int i = 0; i < 6; i++)
        assert_near(dx[i], 2, 1e-6);
}

static void test_integers(void **state)
{
    (void)state;
    real x[4] = { 1, 2, 3, 4 }, dx[4];
    int32_t at[3] = { 1, 1, 0 };
    Tensor ti = tensor_borrow(DTYPE_INT32, SHAPE(3), at);
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *n = param(x, dx, SHAPE(2, 2)), *rows = op2("gather", n, input(&ti));
    assert_ok(tape_backward(&tape, op1("sum", rows), &err));
    assert_near(dx[0], 1, 0);
    assert_near(dx[2], 2, 0);
    at[2] = 2;
    tape.where = "embedding";
    assert_err(tape_op(&tape, OP("gather"), (Node *[]){ n, input(&ti) }, 2, NULL, &err), ERR_ARG, "embedding: gather: index 2");
    /* A cast to whole numbers lets no gradient through. */
    Args args;
    args_init(&args, OP("cast")->args, OP("cast")->n_args);
    assert_ok(args_parse(&args, 0, "int32", "cast", &err));
    Node *whole = tape_op(&tape, OP("cast"), &n, 1, &args, &err);
    assert_non_null(whole);
    assert_false(whole->wants_grad);
}

/* A residual chain, deep enough for every buffer to be used again. */
static double residual(bool keep, real *x, real *dx, size_t *bytes)
{
    tape.keep_grads = keep;
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *n = param(x, dx, SHAPE(50));
    for (int i = 0; i < 20; i++) {
        Node *h = op1("tanh", op2("multiply", n, n)), *skip = i % 2 ? reshape(n, "50") : n;
        n = i % 3 ? op2("add", h, skip) : op2("subtract", skip, h);
    }
    Node *loss = op1("mean", n);
    size_t before = tape.arena.total;
    assert_ok(tape_backward(&tape, loss, &err));
    *bytes = tape.arena.total - before;
    assert_true((n->grad != NULL) == keep);
    double sum = 0;
    for (int i = 0; i < 50; i++)
        sum += (double)dx[i] * (i + 1);
    return sum;
}

static void test_reuse(void **state)
{
    (void)state;
    real x[50], dx[50];
    for (int i = 0; i < 50; i++)
        x[i] = (real)(i - 25) / 30;
    size_t kept, reused;
    double a = residual(true, x, dx, &kept), b = residual(false, x, dx, &reused);
    assert_near(a, b, 0);
    assert_true(reused < kept / 8);
}

/* ---- modes, messages ---- */

static void test_modes(void **state)
{
    (void)state;
    real w[6] = { 0 }, dw[6];
    Tensor shape_only = tensor_borrow(DTYPE_FLOAT32, SHAPE(4, 2), NULL), tw = BORROW(w, 2, 3);
    tape_begin(&tape, TAPE_INFER, 1, 1);
    Node *y = op2("matmul", input(&shape_only), tape_param(&tape, &tw, dw, &err));
    assert_null(y->value.data);
    assert_false(y->wants_grad);
    assert_int_equal(y->value.shape.d[1], 3);
    assert_near(tape.flops, 4 * 2 * 3, 0);
    assert_int_equal(tape.scratch_size, 0);
    /* A symbolic batch goes through. */
    Tensor open = tensor_borrow(DTYPE_FLOAT32, SHAPE(-1, 2), NULL);
    tape_begin(&tape, TAPE_INFER, 1, 1);
    y = op1("relu", op2("linear", input(&open), tape_param(&tape, &tw, NULL, &err)));
    assert_int_equal(y->value.shape.d[0], -1);
    assert_near(tape.flops, 6, 0);
    assert_int_equal(reshape(y, "-1,3,1")->value.shape.d[0], -1);
    assert_err(tape_backward(&tape, y, &err), ERR_STATE, "begin it as training");
    real x[8] = { 0 };
    Tensor tx = BORROW(x, 4, 2);
    uint64_t before = tape.generation;
    tape_begin(&tape, TAPE_FORWARD, 1, 1);
    assert_true(tape.generation > before);
    y = op2("matmul", input(&tx), tape_param(&tape, &tw, dw, &err));
    assert_false(y->wants_grad);
    assert_false(y->call->training);
    assert_err(tape_backward(&tape, y, &err), ERR_STATE, "training");
}

static void test_messages(void **state)
{
    (void)state;
    real x[6] = { 0 };
    Tensor a = BORROW(x, 2, 3), b = BORROW(x, 1, 6);
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *na = input(&a), *nb = input(&b);
    int nodes = tape.n_nodes;
    size_t total = tape.arena.total;
    assert_err(tape_op(&tape, OP("matmul"), (Node *[]){ na, nb }, 2, NULL, &err), ERR_SHAPE, "matmul: (2, 3) times (1, 6)");
    tape.where = "dense_1";
    assert_err(tape_op(&tape, OP("matmul"), (Node *[]){ na, nb }, 2, NULL, &err), ERR_SHAPE, "dense_1: matmul: (2, 3) times (1, 6)");
    assert_err(tape_op(&tape, OP("matmul"), (Node *[]){ na, NULL }, 2, NULL, &err), ERR_ARG, "dense_1: matmul: input 2 (b) is missing");
    assert_err(tape_op(&tape, OP("matmul"), &na, 1, NULL, &err), ERR_ARG, "input 2 (b) is missing");
    assert_err(tape_op(&tape, OP("matmul"), &na, 99, NULL, &err), ERR_ARG, "takes 2 inputs");
    assert_err(tape_op(&tape, OP("reshape"), &na, 1, NULL, &err), ERR_ARG, "shape");
    assert_null(tape_op(&tape, OP("matmul"), &na, 1, NULL, NULL));
    assert_int_equal(tape.n_nodes, nodes); /* nothing of them is left */
    assert_int_equal(tape.arena.total, total);
    assert_string_equal(op1("relu", na)->where, "dense_1");
    assert_err(tape_backward(&tape, na, &err), ERR_SHAPE, "got shape (2, 3); take its mean or sum first");
}

static void test_find_bad(void **state)
{
    (void)state;
    real x[3] = { 1, 0, 4 };
    Tensor t = BORROW(x, 3);
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    tape.where = "first";
    Node *n = op1("sqrt", input(&t));
    assert_null(tape_find_bad(&tape));
    tape.where = "second";
    Node *log = op1("log", n);
    tape.where = "third";
    op1("relu", log);
    assert_ptr_equal(tape_find_bad(&tape), log);
    assert_string_equal(tape_find_bad(&tape)->where, "second");
}

static int commits;

static bool counted_infer(OpCall *call, Err *e)
{
    (void)e;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = call->in[0].shape;
    call->saved_size = 8;
    call->scratch_size = 1000;
    return true;
}

static void counted_forward(OpCall *call)
{
    assert_true((call->saved != NULL) == (call->wants_grad || call->training));
    assert_non_null(call->scratch);
    *tensor_real(&call->out) = *tensor_real(&call->in[0]);
}

static void counted_commit(OpCall *call)
{
    (void)call;
    commits++;
}

static void test_commit(void **state)
{
    (void)state;
    static const char *const names[] = { "x" };
    static const ArgSpec args[] = { { .name = "n", .type = ARG_INT, .fallback = "1" } };
    Op counted = { .name = "counted", .in_least = 1, .in_most = 1, .in_names = names, .args = args, .n_args = 1, .infer = counted_infer,
                   .forward = counted_forward, .commit = counted_commit };
    real x = 1;
    Tensor t = BORROW(&x, 1);
    for (TapeMode mode = TAPE_FORWARD; mode <= TAPE_TRAIN; mode++) {
        tape_begin(&tape, mode, 1, 1);
        Node *n = input(&t), *y = tape_op(&tape, &counted, &n, 1, NULL, &err);
        assert_non_null(y);
        assert_non_null(tape_op(&tape, &counted, &y, 1, NULL, &err));
        assert_int_equal(args_int(y->call->args, "n"), 1);
        assert_false(y->wants_grad); /* it has no backward */
        commits = 0;
        tape_commit(&tape);
        tape_commit(&tape);
        assert_int_equal(commits, 2); /* once for each node */
    }
}

/* ---- steps ---- */

typedef struct Net {
    real w1[2 * 4], b1[4], w2[4], b2[1], dw1[2 * 4], db1[4], dw2[4], db2[1], x[32 * 2], y[32];
} Net;

static void net_init(Net *net)
{
    Rng rng;
    rng_init(&rng, 7, RNG_TEST, 0);
    real *all = (real *)net;
    for (size_t i = 0; i < sizeof *net / sizeof(real); i++)
        all[i] = (real)rng_normal(&rng);
    for (int i = 0; i < 32; i++)
        net->y[i] = net->x[2 * i] * net->x[2 * i + 1] > 0 ? 1 : 0;
}

/* One step of a 2-4-1 network; NULL when memory ran out. */
static Node *net_step(Net *net, uint64_t step)
{
    Tensor t[] = { BORROW(net->x, 32, 2), BORROW(net->w1, 2, 4), BORROW(net->b1, 4), BORROW(net->w2, 4, 1), BORROW(net->b2, 1), BORROW(net->y, 32, 1) };
    real *grads[] = { NULL, net->dw1, net->db1, net->dw2, net->db2 };
    Node *n[6], *h = NULL, *loss = NULL;
    tape_begin(&tape, TAPE_TRAIN, 1, step);
    for (int i = 0; i < 6; i++)
        if (!(n[i] = i == 0 || i == 5 ? tape_input(&tape, &t[i], &err) : tape_param(&tape, &t[i], grads[i], &err)))
            return NULL;
    if (!(h = tape_op(&tape, OP("linear"), (Node *[]){ n[0], n[1], n[2] }, 3, NULL, &err)) ||
        !(h = tape_op(&tape, OP("tanh"), &h, 1, NULL, &err)) ||
        !(h = tape_op(&tape, OP("linear"), (Node *[]){ h, n[3], n[4] }, 3, NULL, &err)) ||
        !(h = tape_op(&tape, OP("subtract"), (Node *[]){ h, n[5] }, 2, NULL, &err)) ||
        !(h = tape_op(&tape, OP("square"), &h, 1, NULL, &err)) || !(loss = tape_op(&tape, OP("mean"), &h, 1, NULL, &err)) ||
        !tape_backward(&tape, loss, &err))
        return NULL;
    tape_commit(&tape);
    for (int i = 0; i < 8; i++)
        net->w1[i] -= (real)0.1 * net->dw1[i];
    for (int i = 0; i < 4; i++) {
        net->b1[i] -= (real)0.1 * net->db1[i];
        net->w2[i] -= (real)0.1 * net->dw2[i];
    }
    net->b2[0] -= (real)0.1 * net->db2[0];
    return loss;
}

static void test_steady(void **state)
{
    (void)state;
    Net net;
    tape.keep_grads = false;
    net_init(&net);
    Node *first = net_step(&net, 1);
    assert_non_null(first);
    double start = tensor_get(&first->value, 0), end = start;
    uint64_t count = mem_count();
    for (uint64_t step = 2; step <= 2000; step++)
        end = tensor_get(&net_step(&net, step)->value, 0);
    assert_int_equal(mem_count(), count); /* not one allocation */
    if (!(end < 0.6 * start))
        fail_msg("the loss went from %g to %g only", start, end);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    Net net;
    bool done = false;
    long n = 0;
    for (; !done && n < 1000; n++) {
        tape_fini(&tape);
        net_init(&net);
        size_t held = mem_bytes();
        mem_fail_after(n);
        err_clear(&err);
        done = net_step(&net, 1) != NULL;
        mem_fail_after(-1);
        if (!done) {
            assert_int_equal(err.code, ERR_MEM);
            assert_non_null(net_step(&net, 1)); /* it goes on once there is memory */
        }
        tape_fini(&tape);
        assert_int_equal(mem_bytes(), held);
    }
    assert_true(done && n > 2);
}

/* Failing while gradients are reserved changes none. */
static void test_backward_out_of_memory(void **state)
{
    (void)state;
    static real w[100000], dw[100000];
    memset(dw, 0, sizeof dw);
    dw[5] = 42;
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *loss = op1("sum", op1("square", param(w, dw, SHAPE(100000))));
    mem_fail_after(0);
    while (arena_alloc(&tape.arena, 4096, NULL)) /* what room is left in the arena */
        continue;
    bool ok = tape_backward(&tape, loss, &err);
    mem_fail_after(-1);
    assert_false(ok);
    assert_int_equal(err.code, ERR_MEM);
    assert_near(dw[5], 42, 0);
    assert_ok(tape_backward(&tape, loss, &err));
    assert_near(dw[5], 0, 0);
}

static void test_deep(void **state)
{
    (void)state;
    real x = 1, dx;
    tape_begin(&tape, TAPE_TRAIN, 1, 1);
    Node *n = param(&x, &dx, SHAPE(1));
    for (int i = 0; i < 20000; i++)
        n = op1(i % 2 ? "negative" : "relu", n);
    assert_ok(tape_backward(&tape, n, &err));
    assert_true(isfinite(dx));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_chain),    TEST(test_shared_inputs), TEST(test_unused), TEST(test_alias),         TEST(test_integers),
        TEST(test_modes),    TEST(test_messages),      TEST(test_find_bad), TEST(test_commit),      TEST(test_steady),
        TEST(test_out_of_memory), TEST(test_backward_out_of_memory), TEST(test_deep),
        TEST(test_reuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
