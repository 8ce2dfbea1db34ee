// SPDX-License-Identifier: MIT
/* Tensors as text. One format serves every element shown, so that columns align: the fewest decimals that show them all
 * (four significant digits of the largest at most), or powers of ten when fixed decimals would be very long or would turn a
 * number into 0. Long axes show head and tail around "...": rows first (as many as the lines allow), then columns. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/tensor.h"

#define CELL_TEXT 40
#define COLUMNS_MOST 128

typedef struct Layout {
    const Tensor *tensor;
    int64_t edge[SHAPE_MOST]; /* items shown at each end of an axis; at least half its size: all are */
    bool whole, powers;       /* numbers have no decimals; are written with a power of ten */
    int decimals, width;      /* of a number */
    int lines, lines_most;    /* ended so far; all there may be */
} Layout;

static bool cut(const Layout *l, int axis)
{
    return l->tensor->shape.d[axis] > 2 * l->edge[axis];
}

/* How many items of an axis are shown, and which one is the k-th of them. */
static int64_t shown(const Layout *l, int axis)
{
    return cut(l, axis) ? 2 * l->edge[axis] : l->tensor->shape.d[axis];
}

static int64_t item(const Layout *l, int axis, int64_t k)
{
    return cut(l, axis) && k >= l->edge[axis] ? l->tensor->shape.d[axis] - 2 * l->edge[axis] + k : k;
}

/* ---- the format of a number ---- */

typedef struct Census {
    double largest, smallest; /* absolute, finite, not 0 */
    bool whole;
    int decimals; /* that show every number exactly */
} Census;

static int decimals_of(double value, int most)
{
    char text[64];
    for (int p = 0; p < most; p++) {
        snprintf(text, sizeof text, "%.*f", p, value);
        double near = 0;
        sscanf(text, "%lf", &near);
        if (fabs(near - value) <= 1e-7 * fabs(value))
            return p;
    }
    return most;
}

static void count_value(Census *census, double value)
{
    if (!isfinite(value))
        return;
    double size = fabs(value);
    if (size > census->largest)
        census->largest = size;
    if (size > 0 && (census->smallest == 0 || size < census->smallest))
        census->smallest = size;
    if (value != floor(value))
        census->whole = false;
    int p = decimals_of(value, 8);
    census->decimals = p > census->decimals ? p : census->decimals;
}

/* Call fn for every element shown of the part that begins at `offset`. */
static void take_census(const Layout *l, int axis, int64_t offset, Census *census)
{
    if (axis == l->tensor->shape.rank) {
        count_value(census, tensor_get(l->tensor, offset));
        return;
    }
    int64_t stride = shape_count_from(&l->tensor->shape, axis + 1);
    for (int64_t k = 0; k < shown(l, axis); k++)
        take_census(l, axis + 1, offset + item(l, axis, k) * stride, census);
}

static void format_number(const Layout *l, double value, char out[CELL_TEXT])
{
    if (isnan(value))
        snprintf(out, CELL_TEXT, "nan");
    else if (isinf(value))
        snprintf(out, CELL_TEXT, value < 0 ? "-inf" : "inf");
    else if (l->powers)
        snprintf(out, CELL_TEXT, "%.*e", l->decimals, value);
    else
        snprintf(out, CELL_TEXT, "%.*f", l->decimals, value == 0 ? 0.0 : value);
}

static void widest(Layout *l, int axis, int64_t offset)
{
    char text[CELL_TEXT];
    if (axis == l->tensor->shape.rank) {
        format_number(l, tensor_get(l->tensor, offset), text);
        l->width = (int)strlen(text) > l->width ? (int)strlen(text) : l->width;
        return;
    }
    int64_t stride = shape_count_from(&l->tensor->shape, axis + 1);
    for (int64_t k = 0; k < shown(l, axis); k++)
        widest(l, axis + 1, offset + item(l, axis, k) * stride);
}

static void choose_format(Layout *l)
{
    Census census = { .whole = true };
    take_census(l, 0, 0, &census);
    int power = census.largest > 0 ? (int)floor(log10(census.largest)) : 0;
    int most = power < 0 ? 3 - power : power < 4 ? 4 : power < 7 ? 8 - power : 1;
    l->whole = census.whole;
    l->powers = power >= (census.whole ? 15 : 8) || (!census.whole && (power < -4 || census.largest > 1e5 * census.smallest));
    l->decimals = l->powers ? 4 : census.decimals < most ? census.decimals : most;
    l->width = 1;
    widest(l, 0, 0);
}

/* ---- which items are shown ---- */

/* Lines that the axes above the last take with `edge` items at each end: rows, "..." lines, blank lines between blocks. */
static double lines_needed(const Shape *shape, int64_t edge)
{
    double lines = 1;
    for (int axis = shape->rank - 2; axis >= 0; axis--) {
        double d = (double)shape->d[axis], n = d > 2 * (double)edge ? 2 * (double)edge + 1 : d;
        lines = n * lines + (axis < shape->rank - 2 && n > 1 ? n - 1 : 0);
    }
    return lines;
}

static void choose_items(Layout *l, int columns)
{
    const Shape *shape = &l->tensor->shape;
    int64_t edge = l->lines_most;
    while (edge > 1 && lines_needed(shape, edge) > l->lines_most)
        edge--;
    for (int axis = 0; axis < shape->rank; axis++)
        l->edge[axis] = edge;
    if (!shape->rank)
        return;
    int last = shape->rank - 1, room = columns - 2 * shape->rank;
    l->edge[last] = room / 4 < 1 ? 1 : room / 4 > COLUMNS_MOST ? COLUMNS_MOST : room / 4; /* a number and a space: 2 columns */
    choose_format(l);
    while (l->edge[last] > 1) { /* fewer columns may allow a shorter format, never a longer one */
        int64_t need = shown(l, last) * (l->width + 2) - 2 + (cut(l, last) ? 5 : 0);
        if (need <= room)
            break;
        l->edge[last] = cut(l, last) ? l->edge[last] - 1 : (shape->d[last] - 1) / 2;
        if (l->edge[last] < 1)
            l->edge[last] = 1;
    }
    choose_format(l);
}

/* ---- writing ---- */

static bool new_line(Layout *l, Buf *out)
{
    if (l->lines + 1 >= l->lines_most)
        return false;
    l->lines++;
    buf_put(out, '\n');
    return true;
}

static void write_row(const Layout *l, Buf *out, int64_t offset)
{
    int last = l->tensor->shape.rank - 1;
    char text[CELL_TEXT];
    buf_put(out, '[');
    for (int64_t k = 0; k < shown(l, last); k++) {
        if (k)
            buf_puts(out, "  ");
        if (k == l->edge[last] && cut(l, last))
            buf_puts(out, "...  ");
        format_number(l, tensor_get(l->tensor, offset + item(l, last, k)), text);
        buf_printf(out, "%*s", l->width, text);
    }
    buf_put(out, ']');
}

/* The block of one item of the axis above; false when the lines are used up. */
static bool write_block(Layout *l, Buf *out, int axis, int64_t offset)
{
    int last = l->tensor->shape.rank - 1;
    if (axis == last) {
        write_row(l, out, offset);
        return true;
    }
    int64_t stride = shape_count_from(&l->tensor->shape, axis + 1);
    buf_put(out, '[');
    for (int64_t k = 0; k < shown(l, axis); k++) {
        if (k && !new_line(l, out))
            return false;
        if (k && axis < last - 1 && !new_line(l, out))
            return false;
        if (k == l->edge[axis] && cut(l, axis)) {
            buf_printf(out, "%*s...", axis + 1, "");
            if (!new_line(l, out) || (axis < last - 1 && !new_line(l, out)))
                return false;
        }
        if (k)
            buf_printf(out, "%*s", axis + 1, "");
        if (!write_block(l, out, axis + 1, offset + item(l, axis, k) * stride))
            return false;
    }
    buf_put(out, ']');
    return true;
}

static void write_head(Buf *out, const Tensor *tensor)
{
    char text[SHAPE_TEXT];
    buf_printf(out, "tensor %s %s", dtype_name(tensor->dtype), shape_text(&tensor->shape, text));
    if (tensor->dtype != DTYPE_FLOAT32)
        return;
    int64_t nans = 0, infinities = 0, n = tensor_count(tensor);
    const real *x = tensor_real(tensor);
    for (int64_t i = 0; i < n; i++) {
        nans += isnan(x[i]) ? 1 : 0;
        infinities += isinf(x[i]) ? 1 : 0;
    }
    if (nans)
        buf_printf(out, ", %" PRId64 " NaN", nans);
    if (infinities)
        buf_printf(out, ", %" PRId64 " infinite", infinities);
}

void tensor_write(Buf *out, const Tensor *tensor, int rows, int width)
{
    if (!tensor->data && tensor_count(tensor) > 0) {
        buf_puts(out, "no tensor");
        return;
    }
    write_head(out, tensor);
    buf_put(out, '\n');
    if (tensor_count(tensor) == 0) {
        buf_puts(out, "[]");
        return;
    }
    Layout l = { .tensor = tensor, .lines_most = rows > 2 ? rows - 1 : 1 };
    if (!tensor->shape.rank) {
        char text[CELL_TEXT];
        choose_format(&l);
        format_number(&l, tensor_get(tensor, 0), text);
        buf_puts(out, text);
        return;
    }
    choose_items(&l, width < 20 ? 20 : width);
    if (!write_block(&l, out, 0, 0))
        buf_puts(out, " ...");
}
