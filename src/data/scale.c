// SPDX-License-Identifier: MIT
/* Targets and columns as networks like them: one-hot rows, columns with mean 0 or in 0 … 1. Sums in double. */
#include <math.h>
#include <string.h>

#include "data/dataset.h"
#include "base/mem.h"

bool data_one_hot(const Tensor *labels, int64_t n_classes, Tensor *out, Err *err)
{
    char text[SHAPE_TEXT];
    int64_t n = tensor_count(labels), least = n_classes;
    if (labels->dtype == DTYPE_FLOAT32)
        return err_set(err, ERR_ARG, "one_hot wants whole class numbers (int32), got float32 of shape %s", shape_text(&labels->shape, text));
    if (labels->shape.rank >= SHAPE_MOST)
        return err_set(err, ERR_SHAPE, "one_hot: labels of shape %s have too many axes", shape_text(&labels->shape, text));
    for (int64_t i = 0; i < n; i++) {
        int64_t label = (int64_t)tensor_get(labels, i);
        if (label < 0 || (n_classes > 0 && label >= n_classes))
            return err_set(err, ERR_DATA, "one_hot: label %lld at place %lld is not in 0 ... %lld", (long long)label, (long long)i + 1,
                           (long long)(n_classes > 0 ? n_classes - 1 : label));
        least = label >= least ? label + 1 : least;
    }
    if (least > DATA_CLASSES_MOST)
        return err_set(err, ERR_DATA, "one_hot: label %lld would make rows of %lld columns; up to %d classes are made", (long long)least - 1,
                       (long long)least, DATA_CLASSES_MOST);
    Shape shape = labels->shape;
    shape.d[shape.rank++] = least;
    if (!tensor_zero(out, DTYPE_FLOAT32, shape, err))
        return false;
    for (int64_t i = 0; i < n; i++)
        tensor_real(out)[i * least + (int64_t)tensor_get(labels, i)] = 1;
    return true;
}

void data_scale_fini(DataScale *scale)
{
    tensor_unref(&scale->offset);
    tensor_unref(&scale->size);
}

static void fit_column(const Tensor *x, int64_t column, int64_t F, ScaleKind kind, real *offset, real *size)
{
    int64_t n = tensor_count(x) / F;
    double sum = 0, squares = 0, low = HUGE_VAL, high = -HUGE_VAL;
    for (int64_t i = 0; i < n; i++) {
        double value = tensor_get(x, i * F + column);
        sum += value;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) {
        double d = tensor_get(x, i * F + column) - mean;
        squares += d * d;
    }
    double width = kind == SCALE_STANDARD ? sqrt(squares / (double)n) : high - low;
    *offset = (real)(kind == SCALE_STANDARD ? mean : low);
    *size = (real)(width > 0 ? width : 1);
}

bool data_scale_fit(const Tensor *x, ScaleKind kind, DataScale *out, Err *err)
{
    *out = (DataScale){ 0 };
    if (x->shape.rank < 1 || tensor_count(x) == 0)
        return err_set(err, ERR_DATA, "there are no rows to learn a scale from");
    int64_t F = x->shape.rank > 1 ? x->shape.d[x->shape.rank - 1] : 1;
    if (!tensor_new(&out->offset, DTYPE_FLOAT32, SHAPE(F), err) || !tensor_new(&out->size, DTYPE_FLOAT32, SHAPE(F), err)) {
        data_scale_fini(out);
        return false;
    }
    for (int64_t f = 0; f < F; f++)
        fit_column(x, f, F, kind, tensor_real(&out->offset) + f, tensor_real(&out->size) + f);
    return true;
}

bool data_scale_apply(const DataScale *scale, const Tensor *x, Tensor *out, Err *err)
{
    int64_t F = tensor_count(&scale->offset);
    char text[SHAPE_TEXT];
    if (x->shape.rank < 1 || (x->shape.rank > 1 ? x->shape.d[x->shape.rank - 1] : 1) != F)
        return err_set(err, ERR_SHAPE, "the scale was learnt from %lld columns, got shape %s", (long long)F, shape_text(&x->shape, text));
    if (!tensor_new(out, DTYPE_FLOAT32, x->shape, err))
        return false;
    for (int64_t i = 0; i < tensor_count(x); i++)
        tensor_real(out)[i] = (real)((tensor_get(x, i) - (double)tensor_real(&scale->offset)[i % F]) / (double)tensor_real(&scale->size)[i % F]);
    return true;
}
