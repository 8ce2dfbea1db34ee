// SPDX-License-Identifier: MIT
/* Everything passes through blocks of doubles: a double holds every value exactly that fits into a tensor's types, and a
 * 64-bit integer that it cannot hold is far out of int32's range. Equal representations are copied. */
#include "formats/element.h"

#include <math.h>
#include <string.h>

#define BLOCK 512

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HOST_BIG true
#else
#define HOST_BIG false
#endif

static const struct {
    const char *name;
    size_t size;
    DType dtype;
} rows[ELEMENT_COUNT] = {
#define X(name, size, dtype) { #name, size, dtype },
    ELEMENTS(X)
#undef X
};

size_t element_size(Element element)
{
    return rows[element].size;
}

const char *element_name(Element element)
{
    return rows[element].name;
}

DType element_dtype(Element element)
{
    return rows[element].dtype;
}

Element element_of(DType dtype)
{
    return dtype == DTYPE_FLOAT32 ? ELEMENT_F32 : dtype == DTYPE_INT32 ? ELEMENT_I32 : ELEMENT_U8;
}

bool element_check_shape(const Shape *shape, const char *name, Err *err)
{
    if (shape_check(shape, err))
        return true;
    if (err)
        err->code = ERR_DATA;
    return err_wrap(err, "%s", name);
}

static uint16_t load16(const uint8_t *p, bool swap)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return swap ? (uint16_t)(v << 8 | v >> 8) : v;
}

static uint32_t load32(const uint8_t *p, bool swap)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return swap ? v << 24 | (v & 0xFF00u) << 8 | (v >> 8 & 0xFF00u) | v >> 24 : v;
}

static uint64_t load64(const uint8_t *p, bool swap)
{
    if (swap)
        return (uint64_t)load32(p, true) << 32 | load32(p + 4, true);
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static float float_of(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction. */
static double half_of(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
        : exponent               ? ldexp(1024 + fraction, exponent - 25)
                                 : ldexp(fraction, -24);
    return bits & 0x8000 ? -size : size;
}

static double double_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

#define EACH(size, value) \
    for (int64_t i = 0; i < n; i++, p += (size)) \
        out[i] = (double)(value); \
    return

static void decode(double *out, const uint8_t *p, Element from, bool swap, int64_t n)
{
    switch (from) {
    case ELEMENT_BOOL:
        EACH(1, *p != 0);
    case ELEMENT_U8:
        EACH(1, *p);
    case ELEMENT_I8:
        EACH(1, (int8_t)*p);
    case ELEMENT_U16:
        EACH(2, load16(p, swap));
    case ELEMENT_I16:
        EACH(2, (int16_t)load16(p, swap));
    case ELEMENT_U32:
        EACH(4, load32(p, swap));
    case ELEMENT_I32:
        EACH(4, (int32_t)load32(p, swap));
    case ELEMENT_U64:
        EACH(8, load64(p, swap));
    case ELEMENT_I64:
        EACH(8, (int64_t)load64(p, swap));
    case ELEMENT_F16:
        EACH(2, half_of(load16(p, swap)));
    case ELEMENT_BF16:
        EACH(2, float_of((uint32_t)load16(p, swap) << 16));
    case ELEMENT_F32:
        EACH(4, float_of(load32(p, swap)));
    case ELEMENT_F64:
        EACH(8, double_of(load64(p, swap)));
    case ELEMENT_COUNT:
        break;
    }
}

static bool store(void *out, DType to, const double *values, int64_t n, int64_t first, Err *err)
{
    if (to == DTYPE_FLOAT32) {
        for (int64_t i = 0; i < n; i++)
            ((real *)out)[i] = (real)(float)values[i];
        return true;
    }
    double least = to == DTYPE_INT32 ? -2147483648.0 : 0, most = to == DTYPE_INT32 ? 2147483647.0 : 255;
    for (int64_t i = 0; i < n; i++) {
        double v = values[i];
        if (!(v >= least && v <= most) || v != floor(v)) /* NaN fails the first test */
            return err_set(err, ERR_DATA, "element %lld is %.17g, which does not fit %s; load it as float32", (long long)(first + i), v,
                           to == DTYPE_INT32 ? "int32" : "uint8");
        if (to == DTYPE_INT32)
            ((int32_t *)out)[i] = (int32_t)v;
        else
            ((uint8_t *)out)[i] = (uint8_t)v;
    }
    return true;
}

bool element_is_native(Element element, bool big_endian, DType dtype)
{
    return element_of(dtype) == element && element_size(element) == dtype_size(dtype) && (big_endian == HOST_BIG || dtype == DTYPE_UINT8);
}

bool element_read(void *out, DType to, const void *bytes, Element from, bool big_endian, int64_t n, int64_t first, Err *err)
{
    bool swap = big_endian != HOST_BIG;
    size_t size = element_size(from), step = dtype_size(to);
    if (n <= 0)
        return true;
    if (element_is_native(from, big_endian, to)) {
        memcpy(out, bytes, (size_t)n * size);
        return true;
    }
    double block[BLOCK];
    for (int64_t at = 0; at < n; at += BLOCK) {
        int64_t count = n - at < BLOCK ? n - at : BLOCK;
        decode(block, (const uint8_t *)bytes + (size_t)at * size, from, swap, count);
        if (!store((char *)out + (size_t)at * step, to, block, count, first + at, err))
            return false;
    }
    return true;
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

void element_write(void *bytes, const Tensor *tensor, int64_t first, int64_t n)
{
    uint8_t *p = bytes;
    size_t step = dtype_size(tensor->dtype);
    const char *from = n > 0 ? (const char *)tensor->data + (size_t)first * step : NULL;
    if (tensor->dtype == DTYPE_UINT8 || (!HOST_BIG && step == 4)) {
        if (n > 0)
            memcpy(p, from, (size_t)n * step);
        return;
    }
    for (int64_t i = 0; i < n; i++, p += 4) {
        uint32_t bits;
        if (tensor->dtype == DTYPE_INT32) {
            bits = (uint32_t)((const int32_t *)(const void *)from)[i];
        } else {
            float v = (float)((const real *)(const void *)from)[i];
            memcpy(&bits, &v, sizeof bits);
        }
        put32(p, bits);
    }
}
