// SPDX-License-Identifier: MIT
#include "nn/pooling.h"

#include <string.h>

static const char *const paddings[] = { "valid", "same", NULL };
const ArgSpec pooling_layer_args[POOLING_LAYER_ARGS] = {
    { .name = "pool_size", .type = ARG_INTS, .count = 2, .fallback = "2,2", .least = 1, .most = 65536, .help = "height and width of the window; one number: both" },
    { .name = "strides", .type = ARG_INTS, .count = 2, .fallback = "nil", .least = 1, .most = 65536, .help = "pixels from one window to the next; nil: pool_size" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = paddings, .help = "valid: only whole windows; same: also those that reach over the edge" },
};
const LayerCase pooling_layer_cases[POOLING_LAYER_CASES] = {
    { .in = { { 4, { 2, 4, 6, 3 } } }, .n_in = 1 },
    { .args = "pool_size=3,2 strides=1,2", .in = { { 4, { 1, 5, 5, 2 } } }, .n_in = 1 },
    { .args = "pool_size=3 strides=2 padding=same", .in = { { 4, { 2, 5, 4, 2 } } }, .n_in = 1 },
};

bool pooling_build(Layer *layer, const Op *op, const Shape *in, Err *err)
{
    ops_begin(layer, op);
    if (!ops_want_images(layer, in, err))
        return false;
    if (!strcmp(args_choice(&layer->args, "padding"), "valid") && !ops_want_room(layer, in, args_ints(&layer->args, "pool_size", NULL), err))
        return false;
    return ops_hand_down(layer, "pool_size", "pool_size", err) && ops_hand_down(layer, "strides", "strides", err) &&
           ops_hand_down(layer, "padding", "padding", err);
}
