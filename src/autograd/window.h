// SPDX-License-Identifier: MIT
/* The window that convolution and pooling slide over images [B, H, W, C]: Keras's arguments and arithmetic. */
#ifndef AUTOGRAD_WINDOW_H
#define AUTOGRAD_WINDOW_H

#include "autograd/op.h"

typedef struct Window {
    int64_t size[2], stride[2], dilation[2]; /* height, width */
    int64_t in[2], out[2];                   /* of the images */
    int64_t pad[2];                          /* zeros above and on the left; those below and on the right follow */
} Window;

extern const char *const window_paddings[]; /* "valid", "same" */

/* From the arguments "strides", "padding" and "dilation_rate" (where the op has them). size: height and width of the window.
 *   valid: out = (in - reach) / stride + 1, reach = (size - 1) dilation + 1
 *   same:  out = in / stride, rounded up; zeros are split evenly, the odd one goes below and right (as TensorFlow does)
 * Fails: ERR_SHAPE when x is no batch of images, their size is not known, or the window does not fit. */
MUST_USE bool window_fit(const OpCall *call, int64_t height, int64_t width, Window *out, Err *err);

#endif
