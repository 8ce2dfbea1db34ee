// SPDX-License-Identifier: MIT
#include "nn/merging.h"

bool merging_build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Shape all = in[0];
    all.d[0] = 1;
    for (int i = 1; i < n_in; i++) {
        Shape next = in[i];
        next.d[0] = 1;
        char a[SHAPE_TEXT], b[SHAPE_TEXT];
        if (next.rank != all.rank || !shape_broadcast(&all, &next, &all, layer->name, NULL))
            return layer_refuse(layer, err, "wants inputs of the same shape, got %s and %s", layer_shape_text(&in[0], a),
                                layer_shape_text(&in[i], b));
    }
    return true;
}

Node *merging_fold(Tape *tape, const Op *op, Node *const *in, int n_in, Err *err)
{
    Node *all = in[0];
    for (int i = 1; i < n_in && all; i++)
        all = tape_op(tape, op, (Node *[]){ all, in[i] }, 2, NULL, err);
    return all;
}
