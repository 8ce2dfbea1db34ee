// SPDX-License-Identifier: MIT
#include "autograd/window.h"

#include <inttypes.h>
#include <string.h>

const char *const window_paddings[] = { "valid", "same", NULL };

static void read_pair(const OpCall *call, const char *name, int64_t out[2])
{
    int n = 0;
    const int64_t *pair = args_given(call->args, name) ? args_ints(call->args, name, &n) : NULL;
    for (int i = 0; i < 2; i++)
        out[i] = n == 2 ? pair[i] : 0;
}

bool window_fit(const OpCall *call, int64_t height, int64_t width, Window *w, Err *err)
{
    const Shape *x = &call->in[0].shape;
    char text[SHAPE_TEXT];
    if (x->rank != 4)
        return op_refuse(call, err, "x must have shape (batch, height, width, channels), got %s", shape_text(x, text));
    if (x->d[1] < 1 || x->d[2] < 1 || x->d[3] < 1)
        return op_refuse(call, err, "height, width and channels of x must be known and at least 1, got %s", shape_text(x, text));
    bool same = !strcmp(args_choice(call->args, "padding"), "same");
    *w = (Window){ .size = { height, width }, .in = { x->d[1], x->d[2] } };
    read_pair(call, "strides", w->stride);
    read_pair(call, "dilation_rate", w->dilation);
    for (int i = 0; i < 2; i++) {
        w->stride[i] = w->stride[i] > 0 ? w->stride[i] : w->size[i]; /* pooling: strides = nil */
        w->dilation[i] = w->dilation[i] > 0 ? w->dilation[i] : 1;
        if (w->size[i] < 1 || w->size[i] > TENSOR_ELEMENTS_MOST / w->dilation[i])
            return op_refuse(call, err, "a window of %" PRId64 " x %" PRId64 " is out of range", height, width);
        int64_t reach = (w->size[i] - 1) * w->dilation[i] + 1;
        if (!same && reach > w->in[i])
            return op_refuse(call, err,
                             "a window of %" PRId64 " x %" PRId64 "%s does not fit into images of %" PRId64 " x %" PRId64
                             "; give padding = \"same\" or a smaller window",
                             height, width, reach > w->size[i] ? " with this dilation" : "", w->in[0], w->in[1]);
        w->out[i] = same ? (w->in[i] + w->stride[i] - 1) / w->stride[i] : (w->in[i] - reach) / w->stride[i] + 1;
        int64_t zeros = (w->out[i] - 1) * w->stride[i] + reach - w->in[i];
        w->pad[i] = same && zeros > 0 ? zeros / 2 : 0;
    }
    return true;
}
