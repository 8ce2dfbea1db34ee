// SPDX-License-Identifier: MIT
/* Tensors as text. One format serves every element shown, so that columns align: the fewest decimals that show them all
 * (four significant digits of the largest at most), or powers of ten when fixed decimals would be very long or would turn a
 * number into 0.
 *
 * What there is no room for is "...". Inner axes come first: the rows of a matrix as many as the lines allow, head and tail;
 * then further matrices, where there is only room for the first of them its tail is left out. Rows show head and tail; a
 * tensor of one axis goes on over several lines. Last axes of size 1 (one channel) stand with their number: [[3]  [5]]. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/tensor.h"

#define CELL_TEXT 40
#define COLUMNS_MOST 128
#define VECTOR_MOST 1000 /* elements of one axis that are all shown */

typedef struct Layout {
    const Tensor *tensor;
    int rank;                 /* without the last axes of size 1 */
    int64_t head[SHAPE_MOST], tail[SHAPE_MOST]; /* items shown at the ends of an axis; together its size or more: all are */
    int64_t per_line;         /* of a tensor of one axis; 0: in one line */
    bool whole, powers;       /* numbers have no decimals; are written with a power of ten */
    int decimals, width;      /* of a number */
    int lines, lines_most;    /* ended so far; all there may be */
} Layout;

static bool cut(const Layout *l, int axis)
{
    return l->tensor->shape.d[axis] > l->head[axis] + l->tail[axis];
}

/* How many items of an axis are shown, and which one is the k-th of them. */
static int64_t shown(const Layout *l, int axis)
{
    return cut(l, axis) ? l->head[axis] + l->tail[axis] : l->tensor->shape.d[axis];
}

static int64_t item(const Layout *l, int axis, int64_t k)
{
    return cut(l, axis) && k >= l->head[axis] ? l->tensor->shape.d[axis] - l->head[axis] - l->tail[axis] + k : k;
}

static void set_edges(Layout *l, int axis, int64_t head, int64_t tail)
{
    l->head[axis] = head;
    l->tail[axis] = tail;
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
    if (axis == l->rank) {
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
    if (axis == l->rank) {
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

/* Lines that the axes above the last take: rows, "..." lines, blank lines between blocks. */
static double lines_needed(const Layout *l)
{
    double lines = 1;
    for (int axis = l->rank - 2; axis >= 0; axis--) {
        double n = (double)shown(l, axis), dots = cut(l, axis) ? 1 : 0;
        lines = n * lines + dots + (axis < l->rank - 2 ? n + dots - 1 : 0);
    }
    return lines;
}

/* From the rows of a matrix outwards, each axis as much as the lines allow. */
static void choose_rows(Layout *l)
{
    for (int axis = 0; axis < l->rank - 1; axis++)
        set_edges(l, axis, 1, 0);
    for (int axis = l->rank - 2; axis >= 0; axis--) {
        int64_t d = l->tensor->shape.d[axis], edge = d < l->lines_most ? d : l->lines_most;
        set_edges(l, axis, edge, edge);
        while (edge > 1 && lines_needed(l) > l->lines_most) {
            edge = 2 * edge >= d ? (d - 1) / 2 : edge - 1;
            set_edges(l, axis, edge, edge);
        }
        if (edge < 1 || lines_needed(l) > l->lines_most)
            set_edges(l, axis, 1, 0);
    }
}

/* As many columns as fit; fewer of them may allow a shorter format, never a longer one. */
static void choose_columns(Layout *l, int room)
{
    int last = l->rank - 1, more = 2 + 2 * (l->tensor->shape.rank - l->rank); /* blanks, and brackets of the axes of size 1 */
    int64_t d = l->tensor->shape.d[last], edge = room / 4 < 1 ? 1 : room / 4 > COLUMNS_MOST ? COLUMNS_MOST : room / 4;
    set_edges(l, last, edge, edge);
    choose_format(l);
    while (edge > 1 && shown(l, last) * (l->width + more) - 2 + (cut(l, last) ? 5 : 0) > room) {
        edge = cut(l, last) ? edge - 1 : (d - 1) / 2;
        edge = edge < 1 ? 1 : edge;
        set_edges(l, last, edge, edge);
    }
    choose_format(l);
}

/* One axis, all of it, in lines of equal columns; false when there is no room. */
static bool choose_lines(Layout *l, int room)
{
    int64_t d = l->tensor->shape.d[0];
    if (l->rank != 1 || l->tensor->shape.rank != 1 || d > VECTOR_MOST)
        return false;
    set_edges(l, 0, d, 0);
    choose_format(l);
    l->per_line = (room + 2) / (l->width + 2) < 1 ? 1 : (room + 2) / (l->width + 2);
    if (l->per_line > 10 && d > l->per_line)
        l->per_line -= l->per_line % 10; /* places can be counted */
    return (d + l->per_line - 1) / l->per_line <= l->lines_most;
}

static void choose_items(Layout *l, int columns)
{
    const Shape *shape = &l->tensor->shape;
    for (l->rank = shape->rank; shape->rank > 2 && l->rank > 1 && shape->d[l->rank - 1] == 1;)
        l->rank--;
    if (choose_lines(l, columns - 2))
        return;
    l->per_line = 0;
    choose_rows(l);
    choose_columns(l, columns - 2 * l->rank);
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

static void write_brackets(const Layout *l, Buf *out, char bracket)
{
    for (int i = l->rank; i < l->tensor->shape.rank; i++)
        buf_put(out, bracket);
}

static void write_row(const Layout *l, Buf *out, int64_t offset)
{
    int last = l->rank - 1;
    char text[CELL_TEXT];
    buf_put(out, '[');
    for (int64_t k = 0; k < shown(l, last); k++) {
        if (k)
            buf_puts(out, l->per_line && k % l->per_line == 0 ? "\n " : "  ");
        if (k == l->head[last] && cut(l, last))
            buf_puts(out, "...  ");
        write_brackets(l, out, '[');
        format_number(l, tensor_get(l->tensor, offset + item(l, last, k)), text);
        buf_printf(out, "%*s", l->width, text);
        write_brackets(l, out, ']');
    }
    buf_put(out, ']');
}

/* The line of dots of an axis, and the blank one before it where blocks are apart; false when the lines are used up. */
static bool write_dots(Layout *l, Buf *out, int axis)
{
    if (!new_line(l, out) || (axis < l->rank - 2 && !new_line(l, out)))
        return false;
    buf_printf(out, "%*s...", axis + 1, "");
    return true;
}

/* The block of one item of the axis above; false when the lines are used up. */
static bool write_block(Layout *l, Buf *out, int axis, int64_t offset)
{
    int last = l->rank - 1;
    if (axis == last) {
        write_row(l, out, offset);
        return true;
    }
    int64_t stride = shape_count_from(&l->tensor->shape, axis + 1), n = shown(l, axis);
    buf_put(out, '[');
    for (int64_t k = 0; k < n; k++) {
        if (k && cut(l, axis) && k == l->head[axis] && !write_dots(l, out, axis))
            return false;
        if (k && (!new_line(l, out) || (axis < last - 1 && !new_line(l, out))))
            return false;
        if (k)
            buf_printf(out, "%*s", axis + 1, "");
        if (!write_block(l, out, axis + 1, offset + item(l, axis, k) * stride))
            return false;
    }
    if (cut(l, axis) && l->tail[axis] == 0 && !write_dots(l, out, axis))
        return false;
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
