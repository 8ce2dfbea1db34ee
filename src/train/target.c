// SPDX-License-Identifier: MIT
/* What users give as inputs and targets, made into what model and loss want; mistakes are told in the words of the user's own
 * data, before anything runs. */
#include <math.h>
#include <string.h>

#include "train/custom.h"
#include "train/step.h"

static const GraphNode *output_of(const Model *model, int i)
{
    return &model->nodes[model->outputs[i]];
}

/* Targets of this output, in messages. */
static const char *loss_name(const Compiled *compiled, int i)
{
    return compiled->outputs[i].loss ? compiled->outputs[i].loss->name : "the metrics";
}

int target_classes(const Compiled *compiled, const Model *model, int *output)
{
    for (int i = 0; i < compiled->n_outputs; i++) {
        const Shape *out = &output_of(model, i)->shape;
        const Loss *loss = compiled->outputs[i].loss;
        int64_t width = out->rank > 1 ? out->d[out->rank - 1] : 1;
        if (out->rank != 2 || width > 1000 || !loss || !loss->classes)
            continue;
        *output = i;
        return width == 1 ? 2 : (int)width;
    }
    return 0;
}

bool class_weight_fits(const Compiled *compiled, const char *who, Err *err)
{
    return compiled->n_outputs == 1 ||
           err_set(err, ERR_ARG, "%s: class_weight is for models with one output, this one has %d; use sample_weight", who, compiled->n_outputs);
}

static bool as_type(Tensor *out, const Tensor *from, DType dtype, Err *err)
{
    if (from->dtype != dtype)
        return tensor_cast(out, from, dtype, err);
    *out = tensor_ref(from);
    return true;
}

/* ---- labels ---- */

static bool check_labels(const Tensor *y, int64_t classes, const char *loss, Err *err)
{
    const int32_t *label = tensor_int(y);
    for (int64_t i = 0, n = tensor_count(y); i < n; i++)
        if (label[i] < 0 || label[i] >= classes)
            return err_set(err, ERR_DATA, "%s: label %d of sample %lld is outside 0 … %lld: the model's output has %lld classes", loss,
                           (int)label[i], (long long)i + 1, (long long)classes - 1, (long long)classes);
    return true;
}

static bool check_whole(const Tensor *y, const char *loss, Err *err)
{
    for (int64_t i = 0, n = tensor_count(y); i < n; i++) {
        double value = tensor_get(y, i);
        if (!(fabs(value) < 1e9) || value != floor(value))
            return err_set(err, ERR_DATA, "%s wants class numbers (0, 1, 2 …); sample %lld has the target %g", loss, (long long)i + 1, value);
    }
    return true;
}

static bool fit_labels(const char *loss, const GraphNode *end, const Tensor *y, Tensor *out, Err *err)
{
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    Shape shape = end->shape;
    int64_t classes = shape.d[shape.rank - 1];
    shape.rank--;
    shape.d[0] = y->shape.rank > 0 ? y->shape.d[0] : 0;
    if (shape.rank < 1 || tensor_count(y) != shape_count(&shape)) {
        const char *advice = y->shape.rank == 2 && y->shape.d[1] == classes ? "; for one-hot targets use categorical_crossentropy" : "";
        shape.d[0] = -1;
        return err_set(err, ERR_SHAPE, "%s wants class numbers of shape %s, got targets of shape %s%s", loss, shape_text(&shape, want),
                       shape_text(&y->shape, have), advice);
    }
    if (y->dtype == DTYPE_FLOAT32 && !check_whole(y, loss, err))
        return false;
    Tensor cast;
    if (!as_type(&cast, y, DTYPE_INT32, err))
        return false;
    bool ok = check_labels(&cast, classes, loss, err) && tensor_reshape(out, &cast, shape, err);
    tensor_unref(&cast);
    return ok;
}

/* ---- sequences of labels ---- */

/* Steps that these labels take: one each, and a blank between two alike. */
static int64_t steps_of(const int32_t *labels, int64_t n)
{
    int64_t steps = 0;
    int32_t last = 0;
    for (int64_t i = 0; i < n; i++) {
        steps += labels[i] ? 1 + (labels[i] == last) : 0;
        last = labels[i] ? labels[i] : last;
    }
    return steps;
}

static bool fit_sequences(const char *loss, const GraphNode *end, const Tensor *y, Tensor *out, Err *err)
{
    char have[SHAPE_TEXT], given[SHAPE_TEXT];
    if (end->shape.rank != 3)
        return err_set(err, ERR_SHAPE, "%s wants a model that gives (time, classes), this one gives %s", loss, layer_shape_text(&end->shape, given));
    if (y->shape.rank != 2)
        return err_set(err, ERR_SHAPE, "%s wants class numbers of shape (samples, longest sequence), padded with 0, got targets of shape %s; "
                       "data.pad_sequences makes them of lists", loss, shape_text(&y->shape, have));
    if (y->dtype == DTYPE_FLOAT32 && !check_whole(y, loss, err))
        return false;
    Tensor cast;
    if (!as_type(&cast, y, DTYPE_INT32, err))
        return false;
    int64_t length = y->shape.d[1], time = end->shape.d[1];
    bool ok = check_labels(&cast, end->shape.d[2], loss, err);
    for (int64_t i = 0; ok && time > 0 && i < y->shape.d[0]; i++) {
        int64_t steps = steps_of(tensor_int(&cast) + i * length, length);
        if (steps > time)
            ok = err_set(err, ERR_DATA, "%s: the labels of sample %lld take %lld steps (one each, and a blank between two alike), but the model gives %lld",
                         loss, (long long)i + 1, (long long)steps, (long long)time);
    }
    if (ok)
        *out = tensor_ref(&cast);
    tensor_unref(&cast);
    return ok;
}

/* ---- values ---- */

static bool fit_values(const char *loss, bool classes, const GraphNode *end, const Tensor *y, Tensor *out, Err *err)
{
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    Shape shape = end->shape;
    shape.d[0] = y->shape.rank > 0 ? y->shape.d[0] : 0;
    bool same = shape_same(&shape, &y->shape);
    bool trailing = shape.rank == y->shape.rank + 1 && shape.d[shape.rank - 1] == 1 && tensor_count(y) == shape_count(&shape);
    if (!same && !trailing) {
        bool labels = classes && y->shape.rank < shape.rank;
        return err_set(err, ERR_SHAPE, "%s: the model gives %s, the targets have shape %s%s", loss,
                       shape_text(&end->shape, want), shape_text(&y->shape, have),
                       labels ? "; for class numbers use sparse_categorical_crossentropy"
                              : "; the last layer's units must fit the targets");
    }
    Tensor cast;
    if (!as_type(&cast, y, DTYPE_FLOAT32, err))
        return false;
    bool ok = tensor_reshape(out, &cast, shape, err);
    tensor_unref(&cast);
    return ok;
}

/* An output that only metrics look at takes what the targets are, as Keras resolves accuracy: fewer axes, or one number in place
 * of several, are class numbers. */
static bool are_labels(const Loss *loss, const GraphNode *end, const Tensor *y)
{
    const Shape *out = &end->shape, *in = &y->shape;
    if (loss)
        return loss->target == TARGET_LABELS;
    int64_t width = out->d[out->rank - 1];
    return width > 1 && (in->rank < out->rank || in->d[in->rank - 1] == 1);
}

static bool fit_one(const Compiled *compiled, int i, const GraphNode *end, const Tensor *y, Tensor *out, Err *err)
{
    const Loss *loss = compiled->outputs[i].loss;
    const char *name = loss_name(compiled, i);
    if (loss && loss->sequences)
        return fit_sequences(name, end, y, out, err);
    TargetKind kind = are_labels(loss, end, y) ? TARGET_LABELS : TARGET_SAME;
    if (!custom_target(compiled, i, &end->shape, y, &kind, err))
        return false;
    return kind == TARGET_LABELS ? fit_labels(name, end, y, out, err) : fit_values(name, loss && loss->classes, end, y, out, err);
}

bool target_fit(const Compiled *compiled, const Model *model, int i, const Tensor *y, Tensor *out, Err *err)
{
    *out = (Tensor){ 0 };
    bool ok = fit_one(compiled, i, output_of(model, i), y, out, err);
    if (!ok && compiled->n_outputs > 1)
        err_wrap(err, "output %s", compiled->output_names[i]);
    return ok;
}

/* ---- inputs ---- */

bool input_fit(const Model *model, int i, const Tensor *x, bool lazy, Tensor *out, Err *err)
{
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    const GraphNode *node = &model->nodes[model->inputs[i]];
    Shape shape = node->shape;
    *out = (Tensor){ 0 };
    shape.d[0] = x->shape.rank > 0 ? x->shape.d[0] : 0;
    bool same = shape_same(&shape, &x->shape);
    bool trailing = shape.rank == x->shape.rank + 1 && shape.d[shape.rank - 1] == 1 && tensor_count(x) == shape_count(&shape);
    if (!same && !trailing)
        return err_set(err, ERR_SHAPE, "%s wants inputs of shape %s, got %s", model->name, shape_text(&node->shape, want),
                       shape_text(&x->shape, have));
    Tensor fit;
    bool wait = lazy && x->dtype == DTYPE_UINT8 && node->dtype == DTYPE_FLOAT32;
    if (!as_type(&fit, x, wait ? DTYPE_UINT8 : node->dtype, err))
        return false;
    bool ok = tensor_reshape(out, &fit, shape, err);
    tensor_unref(&fit);
    return ok;
}

bool weights_fit(const Tensor *weights, int64_t rows, Tensor *out, Err *err)
{
    char have[SHAPE_TEXT];
    Tensor cast;
    *out = (Tensor){ 0 };
    if (weights->shape.rank < 1 || weights->shape.d[0] != rows || tensor_count(weights) != rows)
        return err_set(err, ERR_SHAPE, "sample_weight wants one number for each of %lld samples, got shape %s", (long long)rows,
                       shape_text(&weights->shape, have));
    for (int64_t i = 0; i < rows; i++)
        if (!(tensor_get(weights, i) >= 0 && isfinite(tensor_get(weights, i))))
            return err_set(err, ERR_DATA, "sample_weight: the weight of sample %lld is %g; it must be a number of at least 0", (long long)i + 1,
                           tensor_get(weights, i));
    if (!as_type(&cast, weights, DTYPE_FLOAT32, err))
        return false;
    bool ok = tensor_reshape(out, &cast, SHAPE(rows), err);
    tensor_unref(&cast);
    return ok;
}

void target_weights(real *out, const Tensor *y, const real *class_weight, int n_classes, const real *weight)
{
    int64_t n = y->shape.d[0], width = shape_count_from(&y->shape, 1);
    for (int64_t i = 0; i < n; i++) {
        int64_t k = 0;
        if (y->dtype == DTYPE_INT32)
            k = tensor_int(y)[i * width];
        else if (width == 1)
            k = (int64_t)tensor_real(y)[i];
        else
            for (int64_t j = 1; j < width; j++)
                k = tensor_real(y)[i * width + j] > tensor_real(y)[i * width + k] ? j : k;
        out[i] = (k >= 0 && k < n_classes ? class_weight[k] : 1) * (weight ? weight[i] : 1);
    }
}
