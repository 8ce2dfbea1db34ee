// SPDX-License-Identifier: MIT
#include "nn/augment.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "nn/ops.h"

const char *const augment_fills[] = { "constant", "nearest", "reflect", "wrap", NULL }; /* as WarpFill */
const char *const augment_interpolations[] = { "nearest", "bilinear", NULL };

void picture_swap(Picture *picture)
{
    real *now = picture->now;
    picture->now = picture->spare;
    picture->spare = now;
}

void picture_warp(Picture *picture, const Warp *warp)
{
    kern_warp(picture->spare, picture->now, picture->H, picture->W, picture->C, warp);
    picture_swap(picture);
}

double augment_draw(const ArgValue *factor, Rng *rng)
{
    const double *v = factor->u.floats.v;
    double low = factor->u.floats.n == 1 ? -v[0] : v[0], high = v[factor->u.floats.n - 1];
    return low + (high - low) * rng_uniform(rng);
}

Warp augment_warp(const ArgValue *fill)
{
    return (Warp){ .a = { 1, 0, 0, 0, 1, 0 }, .fill = (WarpFill)fill[0].u.i, .bilinear = fill[1].u.i == 1, .value = (real)fill[2].u.f };
}

/* ---- arguments ---- */

/* Every list of numbers is one number or a pair in order; value_range a pair. */
static bool check_pairs(const Layer *layer, Err *err)
{
    for (int i = 0; i < layer->args.n; i++) {
        const ArgSpec *spec = &layer->args.specs[i];
        const ArgValue *value = &layer->args.v[i];
        if (spec->type != ARG_FLOATS || !value->given)
            continue;
        bool range = !strcmp(spec->name, "value_range");
        int n = value->u.floats.n;
        const double *v = value->u.floats.v;
        if (n > 2 || (range && n < 2) || (n == 2 && (range ? v[0] >= v[1] : v[0] > v[1])))
            return err_set(err, ERR_ARG, "%s: %s is %sa pair {lower, upper}, the lower one first", layer->name, spec->name, range ? "" : "one number or ");
    }
    return true;
}

bool augment_build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)n_in;
    return ops_want_images(layer, in, err) && check_pairs(layer, err);
}

bool augment_check(Layer *const *layers, int n, const Shape *x, Err *err)
{
    int mixing = 0;
    for (int i = 0; i < n; i++) {
        if (!layers[i]->kind->augment && !layers[i]->kind->mix)
            return err_set(err, ERR_ARG, "augment: %s (%s) changes no images at random; nn.RandomFlip, nn.RandomRotation and their like do", layers[i]->name,
                           layers[i]->kind->name);
        if (!ops_want_images(layers[i], x, err) || !check_pairs(layers[i], err))
            return false;
        if (layers[i]->kind->resizes)
            return err_set(err, ERR_ARG, "augment: %s changes the size of images; put it in front of the model: model:add(nn.%s(...))", layers[i]->name,
                           layers[i]->kind->name);
        if ((mixing += layers[i]->kind->mix != NULL) > 1)
            return err_set(err, ERR_ARG, "augment: images are mixed once; leave %s out", layers[i]->name);
    }
    return true;
}

/* ---- one image ---- */

static uint64_t stream(const Layer *layer, uint64_t seed, uint64_t place)
{
    int own = args_find(&layer->args, "seed");
    if (own >= 0 && layer->args.v[own].given)
        seed = (uint64_t)layer->args.v[own].u.i;
    return rng_mix(seed, place);
}

void augment_image(Layer *const *layers, int n, uint64_t seed, uint64_t image, uint64_t step, Picture *picture)
{
    for (int i = 0; i < n; i++) {
        if (!layers[i]->kind->augment)
            continue;
        Rng rng;
        rng_init(&rng, rng_mix(stream(layers[i], seed, (uint64_t)i + 1), image), RNG_AUGMENT, step);
        layers[i]->kind->augment(layers[i], &rng, picture);
    }
}

/* ---- mixing ---- */

bool augment_mixes(Layer *const *layers, int n)
{
    for (int i = 0; i < n; i++)
        if (layers[i]->kind->mix)
            return true;
    return false;
}

void augment_partners(const Layer *layer, uint64_t seed, uint64_t step, int64_t n, int64_t *partner, real *weight)
{
    Rng rng;
    rng_init(&rng, stream(layer, seed, 0), RNG_AUGMENT, step);
    for (int64_t i = 0; i < n; i++)
        partner[i] = i;
    rng_shuffle(&rng, partner, n);
    for (int64_t i = 0; i < n; i++)
        weight[i] = (real)layer->kind->mix(layer, &rng);
}

void augment_mix(real *to, const real *from, int64_t n, int64_t width, const int64_t *partner, const real *weight)
{
    for (int64_t i = 0; i < n; i++, to += width) {
        const real *own = from + i * width, *other = from + partner[i] * width;
        for (int64_t k = 0; k < width; k++)
            to[k] = weight[i] * own[k] + (1 - weight[i]) * other[k];
    }
}

/* ---- within a model ---- */

typedef struct Work {
    Layer *layer;
    const real *x;
    real *first, *second; /* [B, size], room */
    real *y;      /* [B, out] */
    int64_t H, W, C, size, out; /* sizes of an image that comes in, that goes out */
    uint64_t seed, step;
} Work;

static void work_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Work *w = ctx;
    int64_t at = (int64_t)tile * w->size;
    Picture picture = { w->first + at, w->second + at, w->H, w->W, w->C };
    memcpy(picture.now, w->x + at, (size_t)w->size * sizeof *picture.now);
    augment_image(&w->layer, 1, w->seed, (uint64_t)tile, w->step, &picture);
    memcpy(w->y + (int64_t)tile * w->out, picture.now, (size_t)w->out * sizeof *picture.now);
}

static bool mix_batch(Layer *layer, Tape *tape, Work *w, int64_t n, Err *err)
{
    int64_t *partner = arena_alloc(&tape->arena, (size_t)n * sizeof *partner, err);
    real *weight = partner ? arena_alloc(&tape->arena, (size_t)n * sizeof *weight, err) : NULL;
    if (!weight)
        return false;
    augment_partners(layer, w->seed, w->step, n, partner, weight);
    augment_mix(w->y, w->x, n, w->size, partner, weight);
    return true;
}

Node *augment_forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    const Tensor *x = &in[0]->value;
    if (tape->mode != TAPE_TRAIN)
        return in[0];
    if (in[0]->wants_grad) {
        layer_refuse(layer, err, "lets no gradient pass, so it stands before every layer that learns; put it first in the model");
        return NULL;
    }
    Shape shape = x->shape;
    if (layer->kind->resizes)
        for (int i = 0; i < 2; i++)
            shape.d[i + 1] = layer->args.v[i].u.i;
    Work w = { .layer = layer, .x = tensor_real(x), .H = x->shape.d[1], .W = x->shape.d[2], .C = x->shape.d[3], .size = shape_count_from(&x->shape, 1),
               .out = shape_count_from(&shape, 1), .seed = rng_mix_text(tape->seed, layer->name), .step = tape->step };
    size_t bytes = (size_t)tensor_count(x) * sizeof(real);
    if (!(w.first = arena_alloc(&tape->arena, bytes, err)) || !(w.second = arena_alloc(&tape->arena, bytes, err)) ||
        !(w.y = arena_alloc(&tape->arena, (size_t)shape_count(&shape) * sizeof(real), err)))
        return NULL;
    if (!layer->kind->mix)
        pool_run((size_t)shape.d[0], work_tile, &w);
    else if (!mix_batch(layer, tape, &w, shape.d[0], err))
        return NULL;
    Tensor y = tensor_borrow(DTYPE_FLOAT32, shape, w.y);
    return tape_input(tape, &y, err);
}
