// SPDX-License-Identifier: MIT
/* Layers that change images at random while training: RandomFlip, RandomRotation … Each says in its record what it does to one image
 * (LayerKind.augment) or how it mixes two (LayerKind.mix). They stand in a model, or in fit's list `augment`, where the feed applies
 * them to bytes on their way into a batch, on a thread of its own.
 *
 * What happens to an image depends on (seed, layer, number of the image, step) alone: not on threads, nor on who asks. */
#ifndef NN_AUGMENT_H
#define NN_AUGMENT_H

#include "base/rng.h"
#include "nn/layer.h"
#include "tensor/kern_warp.h"

#define AUGMENT_MOST 16

/* One image, [H, W, C], and room for another one of that size: a layer writes into `spare` and swaps, or changes `now` in place. */
typedef struct Picture {
    real *now, *spare;
    int64_t H, W, C;
} Picture;

void picture_swap(Picture *picture);
/* picture = picture seen through a warp. */
void picture_warp(Picture *picture, const Warp *warp);

/* ---- for the layers' files ---- */

/* Arguments that several have. */
#define AUGMENT_FACTOR(field, low, high, what) { .name = field, .type = ARG_FLOATS, .least = low, .most = high, .help = what }
#define AUGMENT_FILL(mode) \
    { .name = "fill_mode", .type = ARG_CHOICE, .fallback = mode, .choices = augment_fills, .help = "what comes in from outside" }, \
    { .name = "interpolation", .type = ARG_CHOICE, .fallback = "bilinear", .choices = augment_interpolations, .help = "between pixels" }, \
    { .name = "fill_value", .type = ARG_FLOAT, .fallback = "0", .help = "what \"constant\" fills with" }
#define AUGMENT_RANGE { .name = "value_range", .type = ARG_FLOATS, .fallback = "0,255", .help = "smallest and largest value of a pixel" }
#define AUGMENT_SEED \
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 9007199254740991.0, .help = "of its random choices; nil: from the run's seed" }
extern const char *const augment_fills[], *const augment_interpolations[];

/* A number between the two of a factor; f stands for {-f, f}. */
double augment_draw(const ArgValue *factor, Rng *rng);
/* fill_mode, interpolation, fill_value in three rows from `fill` on, and no movement. */
Warp augment_warp(const ArgValue *fill);

/* LayerKind.build and .forward of all of them: images of one size; while training changed ones, else as they are. */
MUST_USE bool augment_build(Layer *layer, const Shape *in, int n_in, Err *err);
MUST_USE Node *augment_forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err);

/* ---- for those who apply a list of them ---- */

/* Can these layers change images of this shape [N, H, W, C] and keep their size? Fails: ERR_ARG naming what is no such layer, wrong
 * arguments or a second one that mixes; ERR_SHAPE. */
MUST_USE bool augment_check(Layer *const *layers, int n, const Shape *x, Err *err);

/* All that changes one image, in order; the result is in picture->now. Allocates nothing. */
void augment_image(Layer *const *layers, int n, uint64_t seed, uint64_t image, uint64_t step, Picture *picture);

/* Does one of them mix images of a batch? */
bool augment_mixes(Layer *const *layers, int n);
/* With which other row, and how much of each row stays: partner, weight [n]. */
void augment_partners(const Layer *layer, uint64_t seed, uint64_t step, int64_t n, int64_t *partner, real *weight);
/* to[i] = weight[i] * from[i] + (1 - weight[i]) * from[partner[i]], rows of `width` numbers. */
void augment_mix(real *to, const real *from, int64_t n, int64_t width, const int64_t *partner, const real *weight);

#endif
