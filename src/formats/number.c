// SPDX-License-Identifier: MIT
/* Up to 19 digits fit into 64 bits; where they are below 2^53 and the power of ten is exact too, one multiplication or
 * division rounds correctly. (Source: Clinger 1990, "How to read floating point numbers accurately", the fast case.)
 * The rest goes through strtod as digits and exponent, a form that has no decimal point for a locale to change. */
#include "formats/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_KEPT 40 /* of a longer one; a last digit 1 stands for all that were dropped, so that ties round right */

static bool digit(const char *p, const char *end)
{
    return p < end && (unsigned char)(*p - '0') < 10;
}

static double slow(const char *first, const char *last, int64_t exponent, char decimal)
{
    char text[DIGITS_KEPT + 40];
    int n = 0;
    bool dropped = false;
    for (const char *p = first; p < last; p++) {
        if (*p == decimal || (n == 0 && *p == '0'))
            continue;
        if (n < DIGITS_KEPT) {
            text[n++] = *p;
        } else {
            dropped = dropped || *p != '0';
            exponent++;
        }
    }
    if (n == 0)
        return 0;
    if (dropped) {
        text[n++] = '1';
        exponent--;
    }
    exponent = exponent > 99999 ? 99999 : exponent < -99999 ? -99999 : exponent;
    snprintf(text + n, sizeof text - (size_t)n, "e%d", (int)exponent);
    return strtod(text, NULL);
}

static double scaled(uint64_t digits, int64_t exponent)
{
    static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    return exponent < 0 ? (double)digits / tens[-exponent] : (double)digits * tens[exponent];
}

static const char *infinity(const char *p, const char *end, double *out)
{
    static const char word[] = "infinity";
    size_t n = 0;
    while (n < 8 && p + n < end && (p[n] | 32) == word[n])
        n++;
    if (n != 3 && n != 8)
        return NULL;
    *out = (double)INFINITY;
    return p + n;
}

/* e, a sign or none, digits; without digits the e does not belong to the number. */
static const char *exponent_part(const char *p, const char *end, int64_t *out)
{
    if (p >= end || (*p | 32) != 'e')
        return p;
    const char *q = p + 1;
    bool minus = q < end && *q == '-';
    if (q < end && (*q == '-' || *q == '+'))
        q++;
    if (!digit(q, end))
        return p;
    int64_t value = 0;
    for (; digit(q, end); q++)
        if (value < 1000000)
            value = 10 * value + (*q - '0');
    *out += minus ? -value : value;
    return q;
}

const char *number_scan(const char *p, const char *end, char decimal, double *out)
{
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const char *first = p, *point = NULL;
    uint64_t value = 0;
    int64_t exponent = 0;
    for (; digit(p, end); p++)
        value = 10 * value + (uint64_t)(*p - '0');
    if (p < end && *p == decimal) {
        point = p++;
        for (; digit(p, end); p++)
            value = 10 * value + (uint64_t)(*p - '0');
        exponent = -(p - point - 1);
    }
    const char *last = p;
    int64_t n = last - first - (point ? 1 : 0);
    double result;
    if (n == 0) {
        p = point ? NULL : infinity(first, end, &result);
    } else {
        p = exponent_part(p, end, &exponent);
        bool is_fast = n <= 19 && value <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22;
        result = is_fast ? scaled(value, exponent) : slow(first, last, exponent, decimal);
    }
    if (p)
        *out = minus ? -result : result;
    return p;
}

/* Digits d.ddd and a power of ten -> plain ("0.015", "1500") or scientific ("1.5e-7"). */
static size_t lay_out(char *out, bool minus, const char *digits, int n, int power)
{
    char *p = out;
    if (minus)
        *p++ = '-';
    if (power < -5 || power > 15) {
        *p++ = digits[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digits + 1, (size_t)n - 1);
            p += n - 1;
        }
        return (size_t)(p - out) + (size_t)sprintf(p, "e%d", power);
    }
    if (power < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > power; i--)
            *p++ = '0';
        memcpy(p, digits, (size_t)n);
        p += n;
    } else {
        for (int i = 0; i < n || i <= power; i++) {
            if (i == power + 1)
                *p++ = '.';
            *p++ = i < n ? digits[i] : '0';
        }
    }
    *p = '\0';
    return (size_t)(p - out);
}

static size_t with_digits(char *out, double value, int precision)
{
    char raw[48], digits[24];
    snprintf(raw, sizeof raw, "%.*e", precision - 1, fabs(value));
    int n = 0;
    const char *p = raw;
    for (; *p && *p != 'e'; p++) /* whatever stands for the point is skipped */
        if (*p >= '0' && *p <= '9' && n < 20)
            digits[n++] = *p;
    int power = atoi(p + 1);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return lay_out(out, signbit(value), digits, n, power);
}

size_t number_write(char out[NUMBER_TEXT], double value, bool single)
{
    if (isnan(value) || isinf(value)) {
        strcpy(out, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return strlen(out);
    }
    size_t n = 0;
    for (int precision = single ? 6 : 15, most = single ? 9 : 17; precision <= most; precision++) {
        double back = 0;
        n = with_digits(out, value, precision);
        number_scan(out, out + n, '.', &back);
        if (single ? (float)back == (float)value : back == value)
            break;
    }
    return n;
}
