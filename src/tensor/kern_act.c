// SPDX-License-Identifier: MIT
#include "tensor/kern_act.h"

#include <string.h>

#include "tensor/kern_fun.h"

const char *const kern_act_names[] = { "linear", "relu", "sigmoid", "tanh", "hard_sigmoid", NULL };

/* One body a combination, so that the inner loop is plain: f is applied to v = y + bias (rows) or to v = y (run).
 * relu keeps NaN: a diverged network must show. */
#define ACT_ROWS(name, f) \
    KERN_CLONES static void name##_rows(real *y, const real *restrict bias, int64_t rows, int64_t n) \
    { \
        for (int64_t r = 0; r < rows; r++, y += n) { \
            KERN_EACH \
            for (int64_t i = 0; i < n; i++) { \
                real v = y[i] + bias[i]; \
                y[i] = f; \
            } \
        } \
    }

#define ACT_RUN(name, f) \
    KERN_CLONES static void name##_run(real *y, int64_t n) \
    { \
        KERN_EACH \
        for (int64_t i = 0; i < n; i++) { \
            real v = y[i]; \
            y[i] = f; \
        } \
    }

#define ACT_BACK(name, slope) \
    KERN_CLONES static void name##_back(real *dz, const real *dy, const real *y, int64_t n) \
    { \
        KERN_EACH \
        for (int64_t i = 0; i < n; i++) \
            dz[i] = dy[i] * (slope); \
    }

ACT_ROWS(linear, v)
ACT_ROWS(relu, v < 0 ? 0 : v)
ACT_ROWS(sigmoid, fun_sigmoid(v))
ACT_ROWS(tanh, fun_tanh(v))
ACT_ROWS(hard_sigmoid, v <= -3 ? 0 : v >= 3 ? 1 : (v + 3) / 6)
ACT_RUN(relu, v < 0 ? 0 : v)
ACT_RUN(sigmoid, fun_sigmoid(v))
ACT_RUN(tanh, fun_tanh(v))
ACT_RUN(hard_sigmoid, v <= -3 ? 0 : v >= 3 ? 1 : (v + 3) / 6)
ACT_BACK(relu, y[i] > 0 ? (real)1 : (real)0)
ACT_BACK(sigmoid, y[i] * (1 - y[i]))
ACT_BACK(tanh, 1 - y[i] * y[i])
ACT_BACK(hard_sigmoid, y[i] > 0 && y[i] < 1 ? (real)1 / 6 : (real)0)

void kern_act_rows(KernAct act, real *y, const real *bias, int64_t rows, int64_t n)
{
    static void (*const with[])(real *, const real *, int64_t, int64_t) = { linear_rows, relu_rows, sigmoid_rows, tanh_rows,
                                                                                     hard_sigmoid_rows };
    static void (*const without[])(real *, int64_t) = { NULL, relu_run, sigmoid_run, tanh_run, hard_sigmoid_run };
    if (bias)
        with[act](y, bias, rows, n);
    else if (without[act])
        without[act](y, rows * n);
}

void kern_act_back(KernAct act, real *dz, const real *dy, const real *y, int64_t n)
{
    static void (*const back[])(real *, const real *, const real *, int64_t) = { NULL, relu_back, sigmoid_back, tanh_back, hard_sigmoid_back };
    if (back[act])
        back[act](dz, dy, y, n);
    else if (dz != dy)
        memcpy(dz, dy, (size_t)n * sizeof(real));
}
