// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/mem.h"
#include "base/pool.h"
#include "tensor/kern_conv.h"

static Err err;

static real *noise(int64_t n, uint32_t seed)
{
    real *x = mem_alloc((size_t)n + 1, sizeof(real), &err);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (real)(seed >> 8) / 16777216 - (real)0.5;
    }
    return x;
}

/* ---- the definition, in double ---- */

static double act(KernAct kind, double v)
{
    return kind == KERN_ACT_RELU      ? (v > 0 ? v : 0)
           : kind == KERN_ACT_TANH    ? tanh(v)
           : kind == KERN_ACT_SIGMOID ? 1 / (1 + exp(-v))
                                      : v;
}

static double slope(KernAct kind, double y)
{
    return kind == KERN_ACT_RELU ? (y > 0 ? 1 : 0) : kind == KERN_ACT_TANH ? 1 - y * y : kind == KERN_ACT_SIGMOID ? y * (1 - y) : 1;
}

typedef struct Plain {
    double *y, *dx, *dkernel, *dbias;
} Plain;

/* Visit every (output pixel, tap) that lies inside the image. */
#define EACH_TAP(c, body) \
    for (int64_t b = 0; b < (c)->B; b++) \
        for (int64_t oh = 0; oh < (c)->OH; oh++) \
            for (int64_t ow = 0; ow < (c)->OW; ow++) \
                for (int64_t f = 0; f < (c)->F; f++) { \
                    int64_t o = ((b * (c)->OH + oh) * (c)->OW + ow) * (c)->F + f, g = f / ((c)->F / (c)->groups); \
                    for (int64_t kh = 0; kh < (c)->KH; kh++) \
                        for (int64_t kw = 0; kw < (c)->KW; kw++) { \
                            int64_t ih = oh * (c)->stride_h - (c)->pad_top + kh * (c)->dilation_h; \
                            int64_t iw = ow * (c)->stride_w - (c)->pad_left + kw * (c)->dilation_w; \
                            if (ih < 0 || ih >= (c)->H || iw < 0 || iw >= (c)->W) \
                                continue; \
                            int64_t cg = (c)->C / (c)->groups; \
                            for (int64_t k = 0; k < cg; k++) { \
                                int64_t i = ((b * (c)->H + ih) * (c)->W + iw) * (c)->C + g * cg + k; \
                                int64_t w = ((kh * (c)->KW + kw) * cg + k) * (c)->F + f; \
                                body; \
                            } \
                        } \
                }

static double *zeros(int64_t n)
{
    double *x = mem_zero((size_t)n + 1, sizeof(double), &err);
    assert_non_null(x);
    return x;
}

static void plain(const Conv *c, Plain *p, const real *x, const real *kernel, const real *bias, const real *dy)
{
    int64_t n_y = c->B * c->OH * c->OW * c->F, n_k = c->KH * c->KW * (c->C / c->groups) * c->F;
    *p = (Plain){ zeros(n_y), zeros(c->B * c->H * c->W * c->C), zeros(n_k), zeros(c->F) };
    double *dz = zeros(n_y);
    EACH_TAP(c, p->y[o] += (double)x[i] * (double)kernel[w])
    for (int64_t o = 0; o < n_y; o++) {
        p->y[o] = act(c->act, p->y[o] + (bias ? (double)bias[o % c->F] : 0));
        dz[o] = (double)dy[o] * slope(c->act, p->y[o]);
        p->dbias[o % c->F] += dz[o];
    }
    EACH_TAP(c, (p->dx[i] += dz[o] * (double)kernel[w], p->dkernel[w] += dz[o] * (double)x[i]))
    mem_free(dz);
}

static void compare(const char *what, int row, const real *got, const double *want, double before, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i] - before) <= 3e-5 * fmax(1, fabs(want[i]))))
            fail_msg("case %d: %s[%ld] is %g, wanted %g", row, what, (long)i, (double)got[i], want[i] + before);
}

/* ---- cases ---- */

typedef struct Case {
    int64_t B, H, W, C, KH, KW, F, stride_h, stride_w, dilation_h, dilation_w, groups;
    bool same;
    KernAct act;
} Case;

static const Case cases[] = {
    { 2, 5, 5, 3, 3, 3, 4, 1, 1, 1, 1, 1, false, KERN_ACT_LINEAR },
    { 2, 5, 6, 3, 3, 3, 4, 1, 1, 1, 1, 1, true, KERN_ACT_RELU },
    { 3, 7, 6, 2, 3, 2, 5, 2, 2, 1, 1, 1, true, KERN_ACT_TANH },
    { 1, 9, 9, 2, 3, 3, 3, 1, 1, 2, 2, 1, false, KERN_ACT_SIGMOID },
    { 1, 9, 8, 2, 3, 3, 3, 2, 1, 1, 2, 1, true, KERN_ACT_RELU },
    { 2, 6, 6, 4, 3, 3, 6, 1, 1, 1, 1, 2, true, KERN_ACT_RELU },
    { 2, 6, 6, 4, 3, 3, 4, 2, 2, 1, 1, 4, true, KERN_ACT_LINEAR },
    { 2, 4, 5, 6, 1, 1, 7, 1, 1, 1, 1, 1, false, KERN_ACT_RELU },
    { 2, 4, 5, 6, 1, 1, 7, 2, 2, 1, 1, 1, true, KERN_ACT_LINEAR },
    { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, false, KERN_ACT_LINEAR },
    { 1, 1, 1, 2, 5, 5, 3, 1, 1, 1, 1, 1, true, KERN_ACT_LINEAR },
    { 0, 5, 5, 2, 3, 3, 3, 1, 1, 1, 1, 1, true, KERN_ACT_RELU },
    { 1, 40, 33, 3, 3, 3, 8, 1, 1, 1, 1, 1, true, KERN_ACT_RELU },
    { 1, 40, 33, 3, 5, 3, 8, 2, 3, 1, 1, 1, true, KERN_ACT_LINEAR },
    { 17, 8, 8, 8, 3, 3, 16, 1, 1, 1, 1, 1, false, KERN_ACT_RELU },
    { 33, 4, 4, 16, 3, 3, 20, 1, 1, 1, 1, 1, true, KERN_ACT_RELU },
    { 3, 30, 30, 3, 7, 7, 24, 2, 2, 1, 1, 1, false, KERN_ACT_RELU },
    { 2, 20, 20, 40, 3, 3, 48, 1, 1, 1, 1, 1, true, KERN_ACT_LINEAR },
    { 33, 6, 6, 16, 3, 3, 16, 1, 1, 1, 1, 1, false, KERN_ACT_RELU },
    { 33, 6, 6, 16, 3, 3, 16, 2, 2, 1, 1, 1, true, KERN_ACT_TANH },
    { 2, 14, 15, 16, 3, 3, 16, 1, 1, 2, 2, 1, true, KERN_ACT_RELU },
    { 2, 14, 15, 32, 3, 3, 32, 1, 1, 1, 1, 2, true, KERN_ACT_RELU },
    { 9, 7, 7, 32, 1, 1, 40, 1, 1, 1, 1, 2, false, KERN_ACT_RELU },
    { 4, 3, 30, 8, 7, 7, 16, 1, 1, 1, 1, 1, true, KERN_ACT_LINEAR },
    { 1, 48, 20, 2, 3, 3, 3, 1, 1, 3, 1, 1, true, KERN_ACT_LINEAR },
    { 8, 12, 12, 150, 1, 3, 3, 1, 1, 1, 1, 1, true, KERN_ACT_LINEAR },
};

static int64_t out_size(int64_t in, int64_t k, int64_t stride, int64_t dilation, bool same, int64_t *pad)
{
    int64_t reach = (k - 1) * dilation + 1, out = same ? (in + stride - 1) / stride : (in - reach) / stride + 1;
    int64_t total = (out - 1) * stride + reach - in;
    *pad = same && total > 0 ? total / 2 : 0;
    return out;
}

static Conv make(const Case *k)
{
    Conv c = {
        .B = k->B, .H = k->H, .W = k->W, .C = k->C, .KH = k->KH, .KW = k->KW, .F = k->F, .groups = k->groups, .act = k->act
    };
    c.stride_h = k->stride_h, c.stride_w = k->stride_w, c.dilation_h = k->dilation_h, c.dilation_w = k->dilation_w;
    c.OH = out_size(k->H, k->KH, k->stride_h, k->dilation_h, k->same, &c.pad_top);
    c.OW = out_size(k->W, k->KW, k->stride_w, k->dilation_w, k->same, &c.pad_left);
    kern_conv_plan(&c);
    return c;
}

typedef struct Result {
    real *y, *dx, *dkernel, *dbias;
} Result;

static void result_free(Result *r)
{
    mem_free(r->y);
    mem_free(r->dx);
    mem_free(r->dkernel);
    mem_free(r->dbias);
}

static int64_t kernel_count(const Conv *c)
{
    return c->KH * c->KW * c->Cg * c->F;
}

static Result compute(const Conv *c, bool add, const real *x, const real *kernel, const real *bias, const real *dy)
{
    int64_t n_x = c->B * c->H * c->W * c->C, n_y = c->P * c->F, n_k = kernel_count(c);
    Result r = { noise(n_y, 9), noise(n_x, 9), noise(n_k, 9), noise(c->F, 9) };
    size_t forward = kern_conv_forward_scratch(c), backward = kern_conv_backward_scratch(c);
    void *scratch = mem_alloc(forward > backward ? forward : backward, 1, &err);
    assert_non_null(scratch);
    if (add) {
        kern_fill(r.dx, 1, n_x);
        kern_fill(r.dkernel, 1, n_k);
        kern_fill(r.dbias, 1, c->F);
    }
    kern_conv_forward(c, r.y, x, kernel, bias, scratch);
    kern_conv_backward_data(c, r.dx, add, dy, r.y, kernel, scratch);
    kern_conv_backward_kernel(c, r.dkernel, add, bias ? r.dbias : NULL, add, x, dy, r.y, scratch);
    mem_free(scratch);
    return r;
}

static void test_definition(void **state)
{
    (void)state;
    assert_ok(pool_start(2, &err));
    for (int row = 0; row < (int)COUNT_OF(cases); row++) {
        Conv c = make(&cases[row]);
        real *x = noise(c.B * c.H * c.W * c.C, 1), *kernel = noise(kernel_count(&c), 2), *bias = noise(c.F, 3),
             *dy = noise(c.P * c.F, 4);
        Plain want;
        for (int add = 0; add < 2; add++) {
            plain(&c, &want, x, kernel, add ? NULL : bias, dy);
            Result got = compute(&c, add, x, kernel, add ? NULL : bias, dy);
            compare("y", row, got.y, want.y, 0, c.P * c.F);
            compare("dx", row, got.dx, want.dx, add, c.B * c.H * c.W * c.C);
            compare("dkernel", row, got.dkernel, want.dkernel, add, kernel_count(&c));
            if (!add)
                compare("dbias", row, got.dbias, want.dbias, add, c.F);
            result_free(&got);
            mem_free(want.y), mem_free(want.dx), mem_free(want.dkernel), mem_free(want.dbias);
        }
        mem_free(x), mem_free(kernel), mem_free(bias), mem_free(dy);
    }
    pool_stop();
}

/* The same bits for any number of threads, in layers of several tiles, bands and sums. */
static void test_threads(void **state)
{
    (void)state;
    static const Case rows[] = {
        { 16, 32, 32, 3, 3, 3, 32, 1, 1, 1, 1, 1, false, KERN_ACT_RELU },
        { 16, 15, 15, 32, 3, 3, 64, 1, 1, 1, 1, 1, false, KERN_ACT_LINEAR },
        { 2, 48, 48, 8, 3, 3, 16, 1, 1, 1, 1, 1, true, KERN_ACT_TANH },
        { 32, 12, 12, 64, 1, 1, 32, 1, 1, 1, 1, 1, true, KERN_ACT_RELU },
    };
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        Conv c = make(&rows[row]);
        real *x = noise(c.B * c.H * c.W * c.C, 1), *kernel = noise(kernel_count(&c), 2), *bias = noise(c.F, 3),
             *dy = noise(c.P * c.F, 4);
        Result first = { 0 };
        for (int threads = 1; threads <= 4; threads *= 2) {
            assert_ok(pool_start(threads, &err));
            Result r = compute(&c, false, x, kernel, bias, dy);
            pool_stop();
            if (threads > 1) {
                assert_memory_equal(first.y, r.y, (size_t)(c.P * c.F) * sizeof(real));
                assert_memory_equal(first.dx, r.dx, (size_t)(c.B * c.H * c.W * c.C) * sizeof(real));
                assert_memory_equal(first.dkernel, r.dkernel, (size_t)kernel_count(&c) * sizeof(real));
                assert_memory_equal(first.dbias, r.dbias, (size_t)c.F * sizeof(real));
                result_free(&r);
            } else
                first = r;
        }
        result_free(&first);
        mem_free(x), mem_free(kernel), mem_free(bias), mem_free(dy);
    }
}

/* NaN in an input reaches the output through every activation: a diverged network must show. */
static void test_nan(void **state)
{
    (void)state;
    for (int kind = KERN_ACT_LINEAR; kind <= KERN_ACT_TANH; kind++) {
        real y[3] = { 1, NAN, -1 }, bias[3] = { 0, 0, NAN }, z[1] = { NAN };
        kern_act_rows((KernAct)kind, y, bias, 1, 3);
        kern_act_rows((KernAct)kind, z, NULL, 1, 1);
        assert_true(isnan(y[1]) && isnan(y[2]) && isnan(z[0]) && !isnan(y[0]));
    }
    assert_string_equal(kern_act_names[KERN_ACT_TANH], "tanh");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_definition), cmocka_unit_test(test_threads),
                                        cmocka_unit_test(test_nan) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
