// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "tensor/tensor.h"

Shape shape_make(int rank, const int64_t *sizes)
{
    Shape shape = { .rank = rank < SHAPE_MOST ? rank : SHAPE_MOST };
    for (int i = 0; i < shape.rank; i++)
        shape.d[i] = sizes[i];
    return shape;
}

int64_t shape_count_from(const Shape *shape, int axis)
{
    int64_t n = 1;
    for (int i = axis; i < shape->rank; i++)
        n *= shape->d[i] < 0 ? 1 : shape->d[i];
    return n;
}

int64_t shape_count(const Shape *shape)
{
    return shape_count_from(shape, 0);
}

bool shape_same(const Shape *a, const Shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->d[i] != b->d[i])
            return false;
    return true;
}

bool shape_check(const Shape *shape, Err *err)
{
    char text[SHAPE_TEXT];
    if (shape->rank < 0 || shape->rank > SHAPE_MOST)
        return err_set(err, ERR_SHAPE, "a tensor has 0 to %d axes, got %d", SHAPE_MOST, shape->rank);
    int64_t n = 1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->d[i] < 0)
            return err_set(err, ERR_SHAPE, "shape %s: sizes must be 0 or more", shape_text(shape, text));
        if (shape->d[i] > TENSOR_ELEMENTS_MOST || (shape->d[i] > 0 && n > TENSOR_ELEMENTS_MOST / shape->d[i]))
            return err_set(err, ERR_SHAPE, "shape %s has more elements than a tensor can hold", shape_text(shape, text));
        n *= shape->d[i] ? shape->d[i] : 1; /* so that the product from any later axis fits, too */
    }
    return true;
}

bool shape_axis(const Shape *shape, int64_t axis, int *out, const char *who, Err *err)
{
    char text[SHAPE_TEXT];
    if (axis < -shape->rank || axis >= shape->rank) {
        if (!shape->rank)
            return err_set(err, ERR_ARG, "%s: a single number has no axis %" PRId64, who, axis);
        return err_set(err, ERR_ARG, "%s: shape %s has axes %d to %d (-1 is the last), got axis %" PRId64, who,
                       shape_text(shape, text), -shape->rank, shape->rank - 1, axis);
    }
    *out = (int)(axis < 0 ? axis + shape->rank : axis);
    return true;
}

bool shape_broadcast(const Shape *a, const Shape *b, Shape *out, const char *who, Err *err)
{
    Shape shape = { .rank = a->rank > b->rank ? a->rank : b->rank };
    for (int i = 0; i < shape.rank; i++) {
        int ia = i - (shape.rank - a->rank), ib = i - (shape.rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->d[ia], db = ib < 0 ? 1 : b->d[ib];
        if (da != db && da != 1 && db != 1) {
            char at[SHAPE_TEXT], bt[SHAPE_TEXT];
            return err_set(err, ERR_SHAPE,
                           "%s: shapes %s and %s do not fit together: counted from the last axis, sizes must be equal or 1", who,
                           shape_text(a, at), shape_text(b, bt));
        }
        shape.d[i] = da == 1 ? db : da;
    }
    *out = shape;
    return true;
}

const char *shape_text(const Shape *shape, char out[SHAPE_TEXT])
{
    size_t used = (size_t)snprintf(out, SHAPE_TEXT, "(");
    for (int i = 0; i < shape->rank && i < SHAPE_MOST && used < SHAPE_TEXT; i++) {
        const char *comma = i ? ", " : "";
        int n = shape->d[i] < 0 ? snprintf(out + used, SHAPE_TEXT - used, "%sNone", comma)
                                : snprintf(out + used, SHAPE_TEXT - used, "%s%" PRId64, comma, shape->d[i]);
        used += n < 0 ? 0 : (size_t)n;
    }
    if (used < SHAPE_TEXT)
        snprintf(out + used, SHAPE_TEXT - used, ")");
    return out;
}
