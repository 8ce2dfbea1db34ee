// SPDX-License-Identifier: MIT
/* Loops over two arrays by NumPy's rule of broadcasting: axes that move alike are merged, and what remains is cut into
 * straight runs in which each operand either moves or stands still. Split over the pool; any thread; cannot fail. */
#ifndef TENSOR_BROADCAST_H
#define TENSOR_BROADCAST_H

#include "tensor/tensor.h"

/* One run: y[i] from g[i], a[i or 0], b[i or 0]. */
typedef struct Run {
    real *y;
    const real *g;         /* as y: moves always; NULL where the caller gave none */
    const real *a, *b;     /* b NULL where the caller gave none */
    bool a_moves, b_moves; /* at least one of them where b is given and n > 1 */
    bool add;              /* y += instead of y = */
    real factor;
    int64_t n;
} Run;

typedef void (*RunFn)(const Run *run);

/* The whole array: y and g [shape], a [a_shape], b [b_shape] broadcast to shape. `whole` gives y, g, a, b, add, factor. */
void broadcast_run(RunFn fn, const Run *whole, const Shape *shape, const Shape *a_shape, const Shape *b_shape);

/* y [shape] (+)= factor * x [x_shape], broadcast. */
void broadcast_copy(real *y, const Shape *shape, const real *x, const Shape *x_shape, real factor, bool add);

/* Loops of a RunFn: A and B are the operands' elements, G the gradient's, Y the lvalue y[i]. */
#define RUN_LOOP(run, SET) \
    do { \
        real *restrict run_y = (run)->y; \
        const real *const run_a = (run)->a, *const run_b = (run)->b; \
        const int64_t run_n = (run)->n; \
        if ((run)->a_moves && (run)->b_moves) { \
            for (int64_t i = 0; i < run_n; i++) { \
                const real A = run_a[i], B = run_b[i]; \
                (void)A, (void)B; \
                run_y[i] SET; \
            } \
        } else if ((run)->a_moves) { \
            const real B = *run_b; \
            (void)B; \
            for (int64_t i = 0; i < run_n; i++) { \
                const real A = run_a[i]; \
                (void)A; \
                run_y[i] SET; \
            } \
        } else { \
            const real A = *run_a; \
            (void)A; \
            for (int64_t i = 0; i < run_n; i++) { \
                const real B = run_b[i]; \
                (void)B; \
                run_y[i] SET; \
            } \
        } \
    } while (0)

#endif
