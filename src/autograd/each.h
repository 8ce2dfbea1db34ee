// SPDX-License-Identifier: MIT
/* Ops that work element by element, and reductions: what their files share. The op's file gives the loops over straight runs;
 * here they are cut by size and split over the pool. */
#ifndef AUTOGRAD_EACH_H
#define AUTOGRAD_EACH_H

#include "autograd/op.h"
#include "tensor/broadcast.h"
#include "tensor/kern.h"
#include "tensor/reduce.h"

/* ---- one input: y [as x] ---- */

typedef void (*EachFn)(real *y, const real *x, int64_t n);

/* dx[i] = … or, with add, dx[i] += …, from dy[i], x[i], y[i]. */
typedef struct EachBack {
    real *dx;
    const real *dy, *x, *y;
    bool add;
    int64_t n;
    const real *p; /* the op's arguments, see each_params; NULL: without */
} EachBack;
typedef void (*EachBackFn)(const EachBack *run);

/* The same with the op's arguments. */
typedef void (*EachArgFn)(real *y, const real *x, int64_t n, const real *p);

bool each_infer(OpCall *call, Err *err); /* out as in[0], which is float32 */
void each_forward(OpCall *call, EachFn fn, double cost); /* cost: scalar operations an element */
void each_backward(OpCall *call, EachBackFn fn, double cost);

/* The op's arguments as numbers, in the order of its rows: false is 0, true is 1, nil is infinity. */
#define EACH_PARAMS 4
void each_params(const OpCall *call, real p[EACH_PARAMS]);
void each_forward_with(OpCall *call, EachArgFn fn, double cost);
void each_backward_with(OpCall *call, EachBackFn fn, double cost);

/* The loops NAME_forward_run and NAME_backward_run of an op whose elements do not see one another. F: y from `x`; SLOPE: dy / dx
 * from `x` and `y`; both from p[0], p[1] …, the op's arguments: copied, so that no store to y could change them. */
#define EACH_RUNS(NAME, F, SLOPE) \
    KERN_CLONES static void NAME##_forward_run(real *each_y, const real *each_x, int64_t n, const real *each_p) \
    { \
        const real p[EACH_PARAMS] = { each_p[0], each_p[1], each_p[2], each_p[3] }; \
        (void)p; \
        for (int64_t i = 0; i < n; i++) { \
            const real x = each_x[i]; \
            each_y[i] = F; \
        } \
    } \
    KERN_CLONES static void NAME##_backward_run(const EachBack *run) \
    { \
        real *restrict dx = run->dx; \
        const real *const each_x = run->x, *const each_y = run->y, *const dy = run->dy, *const each_p = run->p; \
        const real p[EACH_PARAMS] = { each_p[0], each_p[1], each_p[2], each_p[3] }; \
        const int64_t n = run->n; \
        (void)p; \
        if (run->add) \
            for (int64_t i = 0; i < n; i++) { \
                const real x = each_x[i], y = each_y[i]; \
                (void)x, (void)y; \
                dx[i] += dy[i] * (SLOPE); \
            } \
        else \
            for (int64_t i = 0; i < n; i++) { \
                const real x = each_x[i], y = each_y[i]; \
                (void)x, (void)y; \
                dx[i] = dy[i] * (SLOPE); \
            } \
    }

/* forward and backward of such an op. COST: scalar operations of an element. */
#define EACH_OP(F, SLOPE, COST) \
    EACH_RUNS(each, F, SLOPE) \
    static void forward(OpCall *call) \
    { \
        each_forward_with(call, each_forward_run, COST); \
    } \
    static void backward(OpCall *call) \
    { \
        each_backward_with(call, each_backward_run, COST); \
    }

/* The loop of an EachBackFn: DY, X, Y are the elements. */
#define EACH_BACK(run, EXPR) \
    do { \
        real *restrict each_dx = (run)->dx; \
        const int64_t each_n = (run)->n; \
        if ((run)->add) \
            for (int64_t i = 0; i < each_n; i++) \
                each_dx[i] += (EXPR); \
        else \
            for (int64_t i = 0; i < each_n; i++) \
                each_dx[i] = (EXPR); \
    } while (0)
#define DY ((run)->dy[i])
#define X ((run)->x[i])
#define Y ((run)->y[i])

/* ---- two inputs, broadcast ---- */

bool pair_infer(OpCall *call, Err *err); /* NumPy's rule; states the scratch that pair_backward wants */
void pair_forward(OpCall *call, RunFn fn);

/* Gradient of input i: fn computes its elements from g = dout, a, b; they are summed where the input was repeated. */
void pair_backward(OpCall *call, int i, RunFn fn);

/* The same where the gradient's elements are factor * dout. */
void pair_backward_linear(OpCall *call, int i, real factor);

/* ---- reductions: arguments axis and keepdims ---- */

extern const ArgSpec each_reduce_args[2];

bool reduce_infer(OpCall *call, Err *err); /* states the scratch of reduce_sum and reduce_max */

/* The axes that call reduces, as bits; shape [rank of x] with those of size 1. */
unsigned reduce_axes(const OpCall *call, Shape *kept);

#endif
