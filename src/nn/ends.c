// SPDX-License-Identifier: MIT
/* Names of a model's inputs and outputs: those of the layers that stand there. */
#include <stdio.h>
#include <string.h>

#include "nn/model.h"

/* The layer that made the value of a node; a pick stands for the layer before it. */
static const char *maker(const Model *model, int node)
{
    while (layer_is_pick(model->nodes[node].layer))
        node = model->nodes[node].in[0];
    return model->nodes[node].layer->name;
}

/* Name of end i of a list; the second of one name has _1 behind it, so that each can be told. */
static void name_end(const Model *model, const int *ends, int i, char out[LAYER_NAME])
{
    const char *name = maker(model, ends[i]);
    int before = 0;
    for (int k = 0; k < i; k++)
        before += !strcmp(maker(model, ends[k]), name);
    if (before)
        snprintf(out, LAYER_NAME, "%.*s_%d", LAYER_NAME - 6, name, before % 1000);
    else
        snprintf(out, LAYER_NAME, "%s", name);
}

void model_input_name(const Model *model, int i, char out[LAYER_NAME])
{
    *out = 0;
    if (i < model->n_inputs && model->n_nodes > 0)
        name_end(model, model->inputs, i, out);
}

void model_output_name(const Model *model, int i, char out[LAYER_NAME])
{
    *out = 0;
    if (i < model->n_outputs && model->n_nodes > 0)
        name_end(model, model->outputs, i, out);
}
