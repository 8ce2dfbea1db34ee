// SPDX-License-Identifier: MIT
#include "train/answer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/heads.h"

#define MAPS_MOST 256
#define NUMBERS_MOST 64
#define TOKENS_MOST 1024
#define PICTURE_MOST ((int64_t)1 << 20) /* values of one picture of feature maps */

/* Scale n values, `stride` apart, to 0 … 1. */
static void scale_to(float *out, const real *x, int64_t n, int64_t stride, float *low, float *high)
{
    double least = HUGE_VAL, most = -HUGE_VAL;
    for (int64_t i = 0; i < n; i++) {
        double v = (double)x[i * stride];
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    double scale = most > least ? 1 / (most - least) : 0;
    for (int64_t i = 0; i < n; i++) {
        double v = ((double)x[i * stride] - least) * scale;
        out[i] = isfinite(v) ? (float)v : 0;
    }
    if (low)
        *low = (float)least;
    if (high)
        *high = (float)most;
}

typedef struct Frame {
    int64_t maps, h, w, stride, apart; /* of one sample's values: value (m, i) at i * stride + m * apart */
} Frame;

static Frame frame_of(const Shape *shape)
{
    if (shape->rank == 4 && shape->d[1] * shape->d[2] * shape->d[3] <= PICTURE_MOST)
        return (Frame){ shape->d[3] < MAPS_MOST ? shape->d[3] : MAPS_MOST, shape->d[1], shape->d[2], shape->d[3], 1 };
    if (shape->rank == 3 && shape->d[1] * shape->d[2] <= PICTURE_MOST)
        return (Frame){ 1, shape->d[1], shape->d[2], 1, 1 };
    int64_t n = shape_count_from(shape, 1);
    return (Frame){ 1, 1, n < PICTURE_MOST ? n : PICTURE_MOST, 1, 1 };
}

/* [1, H, T, S]: a map for each head; false when they are too large to be drawn. */
static bool frame_heads(const Shape *shape, Frame *frame)
{
    if (shape->d[2] * shape->d[3] > PICTURE_MOST)
        return false;
    *frame = (Frame){ shape->d[1] < MAPS_MOST ? shape->d[1] : MAPS_MOST, shape->d[2], shape->d[3], 1, shape->d[2] * shape->d[3] };
    return true;
}

/* The model's answer as chances: as it is, or softmax or sigmoid of logits; one output stands for two classes. */
static void write_chances(const Run *run, float *out, const real *y)
{
    const Args *args = &run->compiled.outputs[run->class_output].args;
    int n = run->n_classes, i = args_find(args, "from_logits");
    const Shape *shape = &run->model->nodes[run->model->outputs[run->class_output]].shape;
    bool logits = i >= 0 && args->v[i].u.b, one = shape->d[shape->rank - 1] == 1;
    if (one) {
        out[1] = (float)(logits ? 1 / (1 + exp(-(double)y[0])) : (double)y[0]);
        out[0] = 1 - out[1];
        return;
    }
    double most = -HUGE_VAL, sum = 0;
    for (int k = 0; k < n; k++)
        most = (double)y[k] > most ? (double)y[k] : most;
    for (int k = 0; k < n; k++)
        sum += exp((double)y[k] - most);
    for (int k = 0; k < n; k++)
        out[k] = (float)(logits ? exp((double)y[k] - most) / sum : (double)y[k]);
}

static int label_of(const Run *run, const Tensor *y, int sample)
{
    int64_t width = shape_count_from(&y->shape, 1), best = 0;
    if (!run->confusion)
        return -1;
    if (y->dtype == DTYPE_INT32)
        return (int)tensor_int(y)[sample * width];
    if (width == 1)
        return tensor_get(y, sample) > 0.5;
    for (int64_t k = 1; k < width; k++)
        best = tensor_get(y, sample * width + k) > tensor_get(y, sample * width + best) ? k : best;
    return (int)best;
}

/* The input as an image: [H, W, C] with 1 or 3 channels, or [H, W]. */
static void image_size(const Shape *shape, TeleProbe *p)
{
    bool color = shape->rank == 4 && (shape->d[3] == 1 || shape->d[3] == 3), flat = shape->rank == 3 && shape->d[1] > 1 && shape->d[2] > 1;
    if ((!color && !flat) || shape_count_from(shape, 1) > PICTURE_MOST)
        return;
    p->in_h = (int)shape->d[1];
    p->in_w = (int)shape->d[2];
    p->in_c = color ? (int)shape->d[3] : 1;
}

/* A row of a table, or a text's tokens: numbers that can be read one by one. Many that are not whole are more likely pixels. */
static int count_numbers(const Tensor *x, int64_t sample)
{
    int64_t n = x->shape.rank == 2 ? x->shape.d[1] : 0;
    bool whole = true;
    for (int64_t i = 0; i < n && n > NUMBERS_MOST; i++) {
        double v = tensor_get(x, sample * n + i);
        whole = whole && v >= 0 && v == floor(v);
    }
    return n <= NUMBERS_MOST ? (int)n : whole ? TOKENS_MOST < n ? TOKENS_MOST : (int)n : 0;
}

/* A picture with room for what `head` tells, its pointers set; NULL when memory ran out. */
static TeleProbe *new_picture(Run *run, const TeleProbe *head)
{
    size_t n = (size_t)head->n_classes, pixels = (size_t)head->in_h * (size_t)head->in_w * (size_t)head->in_c;
    size_t maps = (size_t)head->n_maps, area = (size_t)head->h * (size_t)head->w;
    size_t floats = n + pixels + (size_t)head->n_numbers + maps * (area + 2);
    TeleProbe *p = telemetry_picture_new(run->tele, PICTURE_PROBE, sizeof *p + floats * sizeof(float) + n * TELE_NAME);
    if (!p)
        return NULL;
    *p = *head;
    p->maps = (float *)(void *)(p + 1);
    p->low = p->maps + maps * area;
    p->high = p->low + maps;
    p->input = p->high + maps;
    p->chances = n > 0 ? p->input + pixels : NULL;
    p->numbers = p->input + pixels + n;
    p->labels = (char(*)[TELE_NAME])(p->numbers + head->n_numbers);
    return p;
}

/* The sample itself, its class, and what the model says to it. */
static void fill_sample(const Run *run, const Answer *answer, TeleProbe *p)
{
    const Tensor *y = &answer->end->value, *x = &answer->batch->x[0];
    int sample = answer->sample;
    size_t pixels = (size_t)p->in_h * (size_t)p->in_w * (size_t)p->in_c;
    if (pixels)
        scale_to(p->input, tensor_real(x) + (size_t)sample * pixels, (int64_t)pixels, 1, NULL, NULL);
    for (int i = 0; i < p->n_numbers; i++)
        p->numbers[i] = (float)tensor_get(x, sample * x->shape.d[1] + i);
    p->label = label_of(run, &answer->batch->y[run->class_output], sample);
    if (p->n_classes > 0) {
        write_chances(run, p->chances, tensor_real(y) + sample * shape_count_from(&y->shape, 1));
        memcpy(p->labels, run->class_names, (size_t)p->n_classes * TELE_NAME);
    }
}

bool answer_draw(Run *run, const Answer *answer)
{
    const Tensor *value = &answer->value->value, *x = &answer->batch->x[0];
    int sample = answer->sample;
    if (value->dtype != DTYPE_FLOAT32)
        return false;
    Frame frame = frame_of(&value->shape);
    Tensor weights;
    bool heads = heads_of(&run->look, answer->value, answer->values, answer->n_values, sample, &weights) && frame_heads(&weights.shape, &frame);
    TeleProbe head = { .step = run->at.step, .layer = answer->layer, .n_layers = answer->n_layers, .sample = sample,
                       .n_samples = (int)answer->batch->n, .n_classes = run->confusion ? run->n_classes : 0, .n_numbers = count_numbers(x, sample),
                       .n_maps = (int)frame.maps, .h = (int)frame.h, .w = (int)frame.w, .heads = heads };
    if (x->dtype == DTYPE_FLOAT32)
        image_size(&x->shape, &head);
    TeleProbe *p = new_picture(run, &head);
    if (!p)
        return false;
    snprintf(p->layer_name, sizeof p->layer_name, "%s", answer->name);
    const real *v = heads ? tensor_real(&weights) : tensor_real(value) + sample * shape_count_from(&value->shape, 1);
    for (size_t m = 0, area = (size_t)(frame.h * frame.w); m < (size_t)frame.maps; m++)
        scale_to(p->maps + m * area, v + (int64_t)m * frame.apart, (int64_t)area, frame.stride, &p->low[m], &p->high[m]);
    fill_sample(run, answer, p);
    telemetry_set_picture(run->tele, PICTURE_PROBE, p);
    return true;
}
