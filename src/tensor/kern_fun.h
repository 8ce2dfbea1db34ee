// SPDX-License-Identifier: MIT
/* exp, log, tanh, sigmoid and erf of one number, branch-free, for use inside kernels' loops, which the compiler then
 * vectorises. float: within 2 units in the last place of the true value (log: 2, tanh: 3, sigmoid: 3, erf: 2; tested against
 * libm); special values as in libm. MODE=f64: libm itself. Polynomials: minimax fits by Remez exchange over the interval
 * named beside each. */
#ifndef TENSOR_KERN_FUN_H
#define TENSOR_KERN_FUN_H

#include <math.h>
#include <stdint.h>

#include "tensor/kern.h"

#ifdef HEBB_F64

KERN_INLINE double fun_exp(double x)
{
    return exp(x);
}

KERN_INLINE double fun_log(double x)
{
    return log(x);
}

KERN_INLINE double fun_tanh(double x)
{
    return tanh(x);
}

KERN_INLINE double fun_erf(double x)
{
    return erf(x);
}

#else

KERN_INLINE uint32_t fun_bits(float x)
{
    union {
        float f;
        uint32_t u;
    } both = { .f = x };
    return both.u;
}

KERN_INLINE float fun_float(uint32_t bits)
{
    union {
        uint32_t u;
        float f;
    } both = { .u = bits };
    return both.f;
}

/* e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2; e^r = 1 + r + r^2 q(r). Adding 1.5 * 2^23 rounds and leaves n in
 * the low bits. 2^n is applied in two halves, so that results near the ends of the range over- and underflow as they should.
 * Source of the reduction: Cody and Waite 1980, chapter 6. */
KERN_INLINE float fun_exp(float x)
{
    const float magic = 12582912.0f;
    float c = x > 89.0f ? 89.0f : x;
    c = c < -104.0f ? -104.0f : c; /* a NaN passes both */
    float t = c * 1.442695041f + magic, n = t - magic;
    float r = c - n * 0.693145752f;
    r = r - n * 1.42860677e-6f;
    float q = 0.001381314226f;
    q = q * r + 0.008369418802f;
    q = q * r + 0.04166845682f;
    q = q * r + 0.1666651479f;
    q = q * r + 0.4999999305f;
    float y = 1.0f + (r + r * r * q);
    int32_t k = (int32_t)(fun_bits(t) - fun_bits(magic)), half = k >> 1;
    return y * fun_float((uint32_t)(half + 127) << 23) * fun_float((uint32_t)(k - half + 127) << 23);
}

/* x = 2^n m with m in sqrt(1/2) … sqrt(2); f = m - 1; log(1 + f) = f - f^2 / 2 + f^3 p(f). */
KERN_INLINE float fun_log(float x)
{
    int tiny = x < 1.17549435e-38f;
    float s = tiny ? x * 8388608.0f : x;
    uint32_t bits = fun_bits(s) - 0x3F3504F3u; /* the bits of sqrt(1/2) */
    float n = (float)((int32_t)bits >> 23) - (tiny ? 23.0f : 0.0f);
    float f = fun_float((bits & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
    float p = 0.06746598401f;
    p = p * f - 0.1167561417f;
    p = p * f + 0.1188816049f;
    p = p * f - 0.1240559516f;
    p = p * f + 0.142195535f;
    p = p * f - 0.1666799554f;
    p = p * f + 0.2000211859f;
    p = p * f - 0.250000096f;
    p = p * f + 0.3333331261f;
    float z = f * f;
    float y = f + (n * 1.42860677e-6f + (z * f * p - 0.5f * z));
    y = y + n * 0.693145752f;
    y = x < INFINITY ? y : x; /* infinity and NaN as they came */
    y = x == 0 ? -INFINITY : y;
    return x < 0 ? NAN : y;
}

/* |x| < 0.625: x + x^3 p(x^2); beyond: 1 - 2 / (e^(2|x|) + 1). */
KERN_INLINE float fun_tanh(float x)
{
    float a = x < 0 ? -x : x, z = x * x;
    float p = -0.005717045064f;
    p = p * z + 0.02065058712f;
    p = p * z - 0.05374349794f;
    p = p * z + 0.1333149128f;
    p = p * z - 0.3333328393f;
    float small = x + x * z * p;
    float large = 1.0f - 2.0f / (fun_exp(2.0f * a) + 1.0f);
    large = x < 0 ? -large : large;
    return a < 0.625f ? small : large;
}

/* |x| < 1: x p(x^2); beyond: 1 - e^q(|x| - 1), where q fits the logarithm of erfc on 1 … 4; from 4 on it is 1. */
KERN_INLINE float fun_erf(float x)
{
    float a = x < 0 ? -x : x, z = x * x;
    float p = 7.853861925e-5f;
    p = p * z - 0.0008010193752f;
    p = p * z + 0.005188327694f;
    p = p * z - 0.02685381194f;
    p = p * z + 0.1128358515f;
    p = p * z - 0.3761262582f;
    p = p * z + 1.128379166f;
    float b = (a > 4.0f ? 4.0f : a) - 1.0f;
    float q = 0.0001855726621f;
    q = q * b - 0.001826157768f;
    q = q * b + 0.009890884015f;
    q = q * b - 0.04150068325f;
    q = q * b - 0.8431183378f;
    q = q * b - 2.638966816f;
    q = q * b - 1.849605516f;
    float large = 1.0f - fun_exp(q);
    large = x < 0 ? -large : large;
    return a < 1.0f ? x * p : large;
}

#endif

/* 1 / (1 + e^-x), with the exponential of -|x| only: it cannot overflow. */
KERN_INLINE real fun_sigmoid(real x)
{
    real e = fun_exp(x < 0 ? x : -x);
    return (x < 0 ? e : 1) / (1 + e);
}

#endif
