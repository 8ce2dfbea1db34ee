// SPDX-License-Identifier: MIT
/* The kernels: pure loops and BLAS calls over arrays. They check nothing, allocate nothing, cannot fail. Results do not
 * depend on the number of threads: loops are cut by size, partial sums are added in tile order. Any thread. */
#ifndef TENSOR_KERN_H
#define TENSOR_KERN_H

#include "tensor/tensor.h"

/* One function, one body for each level of the processor, chosen at load time by what the processor can do. ("arch=haswell"
 * would ask for that very processor: an AMD with AVX2 gets the slow body.) Empty where that does not work: clang, old gcc, the
 * sanitizers (clones crash before main there). */
#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && !defined(HEBB_NO_CLONES) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define KERN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KERN_CLONES
#endif

/* Small functions used inside clones: inlined always, since gcc does not inline from one processor level into another unasked. */
#if defined(__GNUC__)
#define KERN_INLINE static inline __attribute__((always_inline))
#else
#define KERN_INLINE static inline
#endif

/* The larger one, NaN where either is. */
KERN_INLINE real kern_larger(real a, real b)
{
    real larger = a > b ? a : b; /* b, when that is NaN */
    return a != a ? a : larger;
}

/* Before an element-wise loop whose output may be its input: iterations do not depend on one another. */
#if defined(__clang__)
#define KERN_EACH _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define KERN_EACH _Pragma("GCC ivdep")
#else
#define KERN_EACH
#endif

/* ---- kern_blas.c: matrix products ----
 * c [M, N] = alpha * op(a) [M, K] * op(b) [K, N] + beta * c, row-major; ta: a is stored [K, M]; tb: b is stored [N, K].
 * lda, ldb, ldc: elements from one stored row to the next. kern_gemm splits over the pool; kern_gemm_one runs on the calling
 * thread (for use inside a tile). Every thread limits BLAS to itself before its first product. */
void kern_gemm(bool ta, bool tb, int64_t M, int64_t N, int64_t K, real alpha, const real *a, int64_t lda, const real *b,
               int64_t ldb, real beta, real *c, int64_t ldc);
void kern_gemm_one(bool ta, bool tb, int64_t M, int64_t N, int64_t K, real alpha, const real *a, int64_t lda, const real *b,
                   int64_t ldb, real beta, real *c, int64_t ldc);
const char *kern_blas_core(void);    /* "SkylakeX": which kernels OpenBLAS chose */
const char *kern_blas_warning(void); /* a sentence when the environment forces slower kernels than the processor has, else NULL */

/* ---- kern_vec.c: arrays of n elements; y may be x ---- */
void kern_fill(real *y, real value, int64_t n);
void kern_copy(real *y, const real *x, int64_t n);
void kern_add_to(real *y, const real *x, int64_t n);       /* y += x */
void kern_axpy(real *y, real a, const real *x, int64_t n); /* y += a x */
void kern_scale(real *y, real a, int64_t n);               /* y *= a */
double kern_sum(const real *x, int64_t n);                 /* sixteen partial sums, double over blocks */
double kern_sum_squares(const real *x, int64_t n);
real kern_max(const real *x, int64_t n);                   /* NaN where there is one; -infinity of nothing */
bool kern_finite(const real *x, int64_t n);                 /* no NaN, no infinity */
void kern_from_bytes(real *y, const uint8_t *x, int64_t n); /* the same numbers */

/* ---- kern_math.c: own polynomials (libm in f64), vectorised ---- */
void kern_exp(real *y, const real *x, int64_t n);
void kern_log(real *y, const real *x, int64_t n);
void kern_tanh(real *y, const real *x, int64_t n);
void kern_sigmoid(real *y, const real *x, int64_t n);
void kern_erf(real *y, const real *x, int64_t n);

#endif
