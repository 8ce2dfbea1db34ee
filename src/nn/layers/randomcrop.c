// SPDX-License-Identifier: MIT
/* Unlike Keras's, every image of a batch has a place of its own, and smaller images are refused instead of enlarged. */
#include <inttypes.h>
#include <string.h>

#include "nn/augment.h"
#include "nn/ops.h"

enum { HEIGHT, WIDTH };

static const ArgSpec args[] = {
    { .name = "height", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "of the images that come out" },
    { .name = "width", .type = ARG_INT, .least = 1, .most = 1 << 20, .help = "of the images that come out" },
    AUGMENT_SEED,
};
static const LayerCase cases[] = {
    { .args = "height=3 width=2", .in = { { 4, { 2, 4, 5, 2 } } }, .n_in = 1 },
    { .args = "height=4 width=5", .in = { { 4, { 2, 4, 5, 1 } } }, .n_in = 1 },
};

/* The part in the middle is what the op cuts out when nothing is trained. */
static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    double begin[3] = { 0 }, end[3] = { (double)TENSOR_ELEMENTS_MOST };
    (void)n_in;
    if (!ops_want_images(layer, &in[0], err))
        return false;
    for (int i = 0; i < 2; i++) {
        int64_t size = layer->args.v[i].u.i, have = in[0].d[i + 1];
        if (size > have)
            return layer_refuse(layer, err, "cuts %s %" PRId64 " out of images of shape %s: they are too small", i ? "width" : "height", size,
                                layer_shape_text(&in[0], (char[SHAPE_TEXT]){ 0 }));
        begin[i + 1] = (double)((have - size) / 2);
        end[i + 1] = begin[i + 1] + (double)size;
    }
    ops_begin(layer, &op_slice);
    return args_set_numbers(&layer->op_args, args_find(&layer->op_args, "begin"), begin, 3, layer->name, err) &&
           args_set_numbers(&layer->op_args, args_find(&layer->op_args, "end"), end, 3, layer->name, err);
}

/* A part of the picture, moved to its beginning: rows only ever move towards the front. */
static void augment(const Layer *layer, Rng *rng, Picture *picture)
{
    int64_t h = layer->args.v[HEIGHT].u.i, w = layer->args.v[WIDTH].u.i, C = picture->C;
    int64_t top = (int64_t)rng_below(rng, (uint64_t)(picture->H - h + 1)), left = (int64_t)rng_below(rng, (uint64_t)(picture->W - w + 1));
    for (int64_t i = 0; i < h; i++)
        memmove(picture->now + i * w * C, picture->now + ((top + i) * picture->W + left) * C, (size_t)(w * C) * sizeof *picture->now);
    picture->H = h;
    picture->W = w;
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *changed = tape->mode == TAPE_TRAIN ? augment_forward(layer, tape, in, n_in, err) : NULL;
    return tape->mode == TAPE_TRAIN ? changed : tape_op(tape, &op_slice, in, n_in, &layer->op_args, err);
}

const LayerKind layer_randomcrop = {
    .name = "RandomCrop",
    .prefix = "random_crop",
    .doc = "While training, cuts a part of this size out of each image at a random place; else out of the middle. Stands in the model.\n"
           "Shapes: x [B, H, W, C] -> y [B, height, width, C].",
    .example = "local m = nn.Sequential{nn.RandomCrop(4, 5, {input_shape = {8, 8, 1}})}; assert(m.output_shape[1] == 4 and m.output_shape[2] == 5)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = build,
    .forward = forward,
    .augment = augment,
    .resizes = true,
};
