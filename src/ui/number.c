// SPDX-License-Identifier: MIT
#include "ui/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* printf obeys LC_NUMERIC, which readline's host may have set. */
static void force_point(char *text)
{
    for (; *text; text++)
        if (*text == ',')
            *text = '.';
}

const char *number_fixed(char out[NUMBER_ROOM], double value, int decimals)
{
    snprintf(out, NUMBER_ROOM, "%.*f", decimals, value);
    force_point(out);
    return out;
}

/* A comma before each third digit from the right. */
const char *number_group(char out[NUMBER_ROOM], int64_t value)
{
    char digits[NUMBER_ROOM];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value), to = 0;
    for (int i = 0; i < n; i++) {
        out[to++] = digits[i];
        if (digits[i] != '-' && i < n - 1 && (n - 1 - i) % 3 == 0)
            out[to++] = ',';
    }
    out[to] = '\0';
    return out;
}

/* Three digits and a unit: 1.23, 12.3, 123. */
static const char *with_unit(char out[NUMBER_ROOM], double value, const char *unit)
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    number_fixed(out, value, decimals);
    size_t n = strlen(out);
    snprintf(out + n, NUMBER_ROOM - n, " %s", unit);
    return out;
}

const char *number_count(char out[NUMBER_ROOM], int64_t value)
{
    static const char *const units[] = { "M", "G", "T", "P", "E" };
    if (value > -1000000 && value < 1000000)
        return number_group(out, value);
    double v = (double)value / 1e6;
    int unit = 0;
    while (fabs(v) >= 999.5 && unit < 4) {
        v /= 1000;
        unit++;
    }
    return with_unit(out, v, units[unit]);
}

/* "1.2e-4": printf's exponent has a sign and two digits more than needed. */
static void scientific(char *out, size_t size, double value, int decimals)
{
    char text[NUMBER_ROOM];
    snprintf(text, sizeof text, "%.*e", decimals, value);
    force_point(text);
    char *e = strchr(text, 'e');
    int exponent = 0;
    if (!e || sscanf(e + 1, "%d", &exponent) != 1) {
        snprintf(out, size, "%s", text);
        return;
    }
    snprintf(out, size, "%.*se%d", (int)(e - text), text, exponent);
}

/* Decimals go as digits before the point come; beyond that, powers of ten. */
const char *number_value(char out[NUMBER_ROOM], double value)
{
    char text[NUMBER_ROOM];
    double size = fabs(value);
    int sign = value < 0;
    if (isnan(value)) {
        snprintf(text, sizeof text, "NaN");
    } else if (isinf(value)) {
        snprintf(text, sizeof text, value > 0 ? "+inf" : "-inf");
    } else if (value == 0) {
        snprintf(text, sizeof text, "0.0000");
    } else if (size >= 0.001 && size < 99999.5) {
        int decimals = size < 9.99995 ? 4 : size < 99.9995 ? 3 : size < 999.995 ? 2 : size < 9999.95 ? 1 : 0;
        number_fixed(text, value, decimals > sign ? decimals - sign : 0);
    } else { /* as many digits as six columns leave room for */
        for (int decimals = 2; decimals >= 0; decimals--) {
            scientific(text, sizeof text, value, decimals);
            if (strlen(text) <= 6)
                break;
        }
    }
    snprintf(out, NUMBER_ROOM, "%6s", text);
    return out;
}

/* 99.96 % is not all, and 0.04 % is not nothing. */
const char *number_percent(char out[NUMBER_ROOM], double share)
{
    if (isnan(share)) {
        snprintf(out, NUMBER_ROOM, "    - %%");
        return out;
    }
    double percent = 100 * share;
    if (share < 1 && percent > 99.9)
        percent = 99.9;
    if (share > 0 && percent < 0.1)
        percent = 0.1;
    snprintf(out, NUMBER_ROOM, "%5.1f %%", percent);
    force_point(out);
    return out;
}

const char *number_time(char out[NUMBER_ROOM], double seconds)
{
    if (!(seconds >= 0) || seconds > 1e9) {
        snprintf(out, NUMBER_ROOM, "-:--");
        return out;
    }
    long s = (long)(seconds + 0.5);
    if (s < 3600)
        snprintf(out, NUMBER_ROOM, "%ld:%02ld", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, NUMBER_ROOM, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, NUMBER_ROOM, "%ld d %ld h", s / 86400, s / 3600 % 24);
    return out;
}

const char *number_rate(char out[NUMBER_ROOM], double per_second)
{
    char text[NUMBER_ROOM];
    if (!(per_second > 0) || isinf(per_second)) {
        snprintf(out, NUMBER_ROOM, "-");
        return out;
    }
    if (per_second < 9.95)
        number_fixed(text, per_second, 1);
    else
        number_count(text, per_second < 9e18 ? (int64_t)(per_second + 0.5) : (int64_t)9e18);
    snprintf(out, NUMBER_ROOM, "%.28s/s", text);
    return out;
}

/* "0.100" says no more than "0.1". */
static void cut_zeros(char *text)
{
    char *end = text + strlen(text);
    if (!strchr(text, '.'))
        return;
    while (end > text && end[-1] == '0')
        *--end = '\0';
    if (end > text && end[-1] == '.')
        end[-1] = '\0';
}

const char *number_short(char out[NUMBER_ROOM], double value)
{
    double size = fabs(value);
    if (!isfinite(value)) {
        snprintf(out, NUMBER_ROOM, "%s", isnan(value) ? "NaN" : value > 0 ? "+inf" : "-inf");
    } else if (size == 0 || (size >= 0.00995 && size < 99950)) {
        int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.995 ? 2 : size >= 0.0995 ? 3 : 4;
        number_fixed(out, value, decimals);
        cut_zeros(out);
    } else {
        char text[NUMBER_ROOM], *e;
        scientific(text, sizeof text, value, 2);
        e = strchr(text, 'e');
        char exponent[8];
        snprintf(exponent, sizeof exponent, "%s", e);
        *e = '\0';
        cut_zeros(text);
        snprintf(out, NUMBER_ROOM, "%.16s%s", text, exponent);
    }
    return out;
}

/* printf's %g and Lua's agree on when an exponent comes and how it looks. */
const char *number_plain(char out[NUMBER_ROOM], double value)
{
    snprintf(out, NUMBER_ROOM, "%.3g", value);
    force_point(out);
    return out;
}

const char *number_bytes(char out[NUMBER_ROOM], uint64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    if (bytes < 1000) {
        snprintf(out, NUMBER_ROOM, "%d B", (int)bytes);
        return out;
    }
    double v = (double)bytes / 1000;
    int unit = 0;
    while (v >= 999.5 && unit < 5) {
        v /= 1000;
        unit++;
    }
    return with_unit(out, v, units[unit]);
}
