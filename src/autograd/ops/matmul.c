// SPDX-License-Identifier: MIT
/* op(a) [.., M, K] times op(b) [.., K, N] -> y [.., M, N]; op transposes the last two axes where asked. Axes in front are batches, and
 * broadcast. A single b under many a without transposition is one large product. Many small products are spread over the pool;
 * large ones split themselves. In backward, where several products share one target they are added in order. */
#include "autograd/op.h"
#include "base/pool.h"
#include "tensor/kern.h"

enum { ARG_TRANSPOSE_A, ARG_TRANSPOSE_B };

/* One batch of products: c_i (+)= op(a_i) op(b_i). */
typedef struct Plan {
    bool ta, tb;
    int64_t M, N, K;
    Shape batch, a_batch, b_batch; /* axes in front: of y, of a, of b */
    int64_t n, n_a, n_b;           /* their products */
} Plan;

/* A vector counts as a matrix of one row (a) or one column (b). */
static void matrix_of(const Shape *in, bool first, Shape *out)
{
    *out = *in;
    if (in->rank == 1)
        *out = first ? SHAPE(1, in->d[0]) : SHAPE(in->d[0], 1);
}

static Shape front(const Shape *shape)
{
    Shape out = *shape;
    out.rank -= 2;
    return out;
}

static void plan_init(Plan *plan, const OpCall *call)
{
    Shape a, b;
    matrix_of(&call->in[0].shape, true, &a);
    matrix_of(&call->in[1].shape, false, &b);
    plan->ta = call->args->v[ARG_TRANSPOSE_A].u.b && call->in[0].shape.rank > 1;
    plan->tb = call->args->v[ARG_TRANSPOSE_B].u.b && call->in[1].shape.rank > 1;
    plan->M = a.d[a.rank - (plan->ta ? 1 : 2)];
    plan->K = a.d[a.rank - (plan->ta ? 2 : 1)];
    plan->N = b.d[b.rank - (plan->tb ? 2 : 1)];
    plan->a_batch = front(&a);
    plan->b_batch = front(&b);
    plan->n_a = shape_count(&plan->a_batch);
    plan->n_b = shape_count(&plan->b_batch);
    if (plan->n_b == 1 && b.rank == 2 && !plan->ta && a.rank > 2) { /* one large product */
        plan->M *= plan->n_a;
        plan->n_a = 1;
        plan->a_batch.rank = 0;
    }
}

static void plan_batches(Plan *plan)
{
    plan->batch = plan->a_batch;
    if (plan->a_batch.rank + plan->b_batch.rank > 0 && !shape_broadcast(&plan->a_batch, &plan->b_batch, &plan->batch, "", NULL))
        plan->batch.rank = 0; /* infer has refused this */
    plan->n = shape_count(&plan->batch);
}

static bool infer(OpCall *call, Err *err)
{
    char left[SHAPE_TEXT], right[SHAPE_TEXT];
    Shape a, b, batch;
    if (call->in[0].shape.rank < 1 || call->in[1].shape.rank < 1)
        return op_refuse(call, err, "a and b must be vectors or matrices, got shapes %s and %s", shape_text(&call->in[0].shape, left),
                         shape_text(&call->in[1].shape, right));
    matrix_of(&call->in[0].shape, true, &a);
    matrix_of(&call->in[1].shape, false, &b);
    bool ta = call->args->v[ARG_TRANSPOSE_A].u.b && call->in[0].shape.rank > 1;
    bool tb = call->args->v[ARG_TRANSPOSE_B].u.b && call->in[1].shape.rank > 1;
    if (a.d[a.rank - (ta ? 2 : 1)] != b.d[b.rank - (tb ? 1 : 2)])
        return op_refuse(call, err, "%s%s times %s%s: inner sizes %lld and %lld differ", shape_text(&call->in[0].shape, left),
                         ta ? " transposed" : "", shape_text(&call->in[1].shape, right), tb ? " transposed" : "",
                         (long long)a.d[a.rank - (ta ? 2 : 1)], (long long)b.d[b.rank - (tb ? 1 : 2)]);
    Shape a_front = front(&a), b_front = front(&b);
    batch = a_front;
    if (b_front.rank > 0 && !shape_broadcast(&a_front, &b_front, &batch, "matmul", err))
        return false;
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = batch;
    if (call->in[0].shape.rank > 1)
        call->out.shape.d[call->out.shape.rank++] = a.d[a.rank - (ta ? 1 : 2)];
    if (call->in[1].shape.rank > 1)
        call->out.shape.d[call->out.shape.rank++] = b.d[b.rank - (tb ? 2 : 1)];
    return true;
}

/* Which matrix of an operand goes into product i. */
static int64_t matrix_at(int64_t i, const Shape *batch, const Shape *own)
{
    int64_t at = 0, apart = 1;
    for (int k = batch->rank - 1, j = own->rank - 1; j >= 0; k--, j--) {
        if (own->d[j] != 1)
            at += i % batch->d[k] * apart;
        apart *= own->d[j];
        i /= batch->d[k];
    }
    return at;
}

/* ---- many products ---- */

typedef struct Product {
    bool ta, tb;
    int64_t M, N, K;
} Product;

typedef struct Many {
    const Plan *plan;
    Product p;
    const real *a, *b;
    real *c;
    int which[3]; /* of a, b, c: 0 counts as the operand a, 1 as b, 2 as y */
    int64_t size[3]; /* elements of a matrix */
    int64_t n_targets;
    size_t n_tiles;
    bool add, whole; /* whole: each product may use the pool */
} Many;

static int64_t place(const Many *many, int operand, int64_t i)
{
    const Plan *plan = many->plan;
    int which = many->which[operand];
    int64_t at = which == 2 ? i : matrix_at(i, &plan->batch, which == 0 ? &plan->a_batch : &plan->b_batch);
    return at * many->size[operand];
}

static void one(const Many *many, int64_t i, bool add)
{
    const Product *p = &many->p;
    const real *a = many->a + place(many, 0, i), *b = many->b + place(many, 1, i);
    real *c = many->c + place(many, 2, i);
    (many->whole ? kern_gemm : kern_gemm_one)(p->ta, p->tb, p->M, p->N, p->K, 1, a, p->ta ? p->M : p->K, b, p->tb ? p->K : p->N,
                                              add ? 1 : 0, c, p->N);
}

static void many_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Many *many = ctx;
    int64_t end = (int64_t)pool_first((size_t)many->n_targets, many->n_tiles, tile + 1);
    for (int64_t i = (int64_t)pool_first((size_t)many->n_targets, many->n_tiles, tile); i < end; i++)
        one(many, i, many->add);
}

/* c [M, N] (+)= op(a) op(b) for all products. */
static void run_many(Many *many)
{
    const Product *p = &many->p;
    const Plan *plan = many->plan;
    many->size[0] = p->M * p->K;
    many->size[1] = p->K * p->N;
    many->size[2] = p->M * p->N;
    many->n_targets = many->which[2] == 2 ? plan->n : many->which[2] == 0 ? plan->n_a : plan->n_b;
    double cost = (double)p->M * (double)p->N * (double)p->K;
    if (plan->n == 0 || many->size[2] == 0) {
        if (!many->add)
            kern_fill(many->c, 0, many->n_targets * many->size[2]);
    } else if (many->n_targets == plan->n) {
        many->whole = plan->n == 1 || cost > 1e7;
        many->n_tiles = many->whole ? 1 : pool_tiles((size_t)plan->n, cost / 8);
        if (many->whole)
            many_tile(many, 0, 0);
        else
            pool_run(many->n_tiles, many_tile, many);
    } else { /* several products into one target */
        many->whole = true;
        if (!many->add)
            kern_fill(many->c, 0, many->n_targets * many->size[2]);
        for (int64_t i = 0; i < plan->n; i++)
            one(many, i, true);
    }
}

static void forward(OpCall *call)
{
    Plan plan;
    plan_init(&plan, call);
    plan_batches(&plan);
    run_many(&(Many){ .plan = &plan, .p = { plan.ta, plan.tb, plan.M, plan.N, plan.K }, .a = tensor_real(&call->in[0]),
                      .b = tensor_real(&call->in[1]), .c = tensor_real(&call->out), .which = { 0, 1, 2 } });
}

/* With y = op(a) op(b): d op(a) = dy op(b)^T and d op(b) = op(a)^T dy, transposed once more where op transposes. */
static void backward(OpCall *call)
{
    Plan plan;
    plan_init(&plan, call);
    plan_batches(&plan);
    const real *a = tensor_real(&call->in[0]), *b = tensor_real(&call->in[1]), *dy = call->dout;
    Many da = { .plan = &plan, .c = call->din[0], .add = call->add[0] }, db = { .plan = &plan, .c = call->din[1], .add = call->add[1] };
    if (plan.ta)
        da.p = (Product){ plan.tb, true, plan.K, plan.M, plan.N }, da.a = b, da.b = dy, da.which[0] = 1, da.which[1] = 2, da.which[2] = 0;
    else
        da.p = (Product){ false, !plan.tb, plan.M, plan.K, plan.N }, da.a = dy, da.b = b, da.which[0] = 2, da.which[1] = 1, da.which[2] = 0;
    if (plan.tb)
        db.p = (Product){ true, plan.ta, plan.N, plan.K, plan.M }, db.a = dy, db.b = a, db.which[0] = 2, db.which[1] = 0, db.which[2] = 1;
    else
        db.p = (Product){ !plan.ta, false, plan.K, plan.N, plan.M }, db.a = a, db.b = dy, db.which[0] = 0, db.which[1] = 2, db.which[2] = 1;
    if (call->din[0])
        run_many(&da);
    if (call->din[1])
        run_many(&db);
}

static double flops(const OpCall *call)
{
    const Shape *a = &call->in[0].shape;
    bool ta = call->args->v[ARG_TRANSPOSE_A].u.b && a->rank > 1;
    return (double)shape_count(&call->out.shape) * (double)a->d[a->rank - (ta ? 2 : 1)];
}

static const char *const in_names[] = { "a", "b" };
static const ArgSpec args[] = {
    { .name = "transpose_a", .type = ARG_BOOL, .fallback = "false", .help = "take the last two axes of a in the other order" },
    { .name = "transpose_b", .type = ARG_BOOL, .fallback = "false", .help = "take the last two axes of b in the other order" },
};
static const OpCase cases[] = {
    { .in = { { 2, { 3, 4 } }, { 2, { 4, 5 } } }, .n_in = 2 },
    { .in = { { 2, { 4, 3 } }, { 2, { 4, 5 } } }, .n_in = 2, .args = "transpose_a=true" },
    { .in = { { 2, { 3, 4 } }, { 2, { 5, 4 } } }, .n_in = 2, .args = "transpose_b=true" },
    { .in = { { 2, { 4, 3 } }, { 2, { 5, 4 } } }, .n_in = 2, .args = "transpose_a=true transpose_b=true" },
    { .in = { { 3, { 2, 3, 4 } }, { 2, { 4, 5 } } }, .n_in = 2 },
    { .in = { { 3, { 2, 4, 3 } }, { 2, { 5, 4 } } }, .n_in = 2, .args = "transpose_a=true transpose_b=true" },
    { .in = { { 3, { 2, 3, 4 } }, { 3, { 2, 4, 5 } } }, .n_in = 2 },
    { .in = { { 4, { 3, 1, 2, 4 } }, { 3, { 2, 5, 4 } } }, .n_in = 2, .args = "transpose_b=true" },
    { .in = { { 2, { 3, 4 } }, { 1, { 4 } } }, .n_in = 2 },
    { .in = { { 1, { 4 } }, { 1, { 4 } } }, .n_in = 2 },
};

const Op op_matmul = {
    .name = "matmul",
    .doc = "matmul(a, b, transpose_a = false, transpose_b = false) -> y: the matrix product.\n"
           "Shapes: a [.., M, K] times b [.., K, N] -> y [.., M, N]; axes in front broadcast. A vector counts as a row (a) or a\n"
           "column (b), and that axis is left out of y.",
    .example = "local y = op.matmul({{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}); assert(y[1][1] == 19 and y[2][2] == 50)",
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
