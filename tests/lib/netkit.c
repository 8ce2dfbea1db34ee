// SPDX-License-Identifier: MIT
#include "netkit.h"

#include "nn/traced.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#include "check.h"

static void read_shape(const char *text, Shape *out)
{
    out->rank = 1;
    out->d[0] = -1;
    for (char *end; *text; text = *end ? end + 1 : end)
        out->d[out->rank++] = strtoll(text, &end, 10);
}

typedef struct Common {
    char name[LAYER_NAME];
    Shape input_shape;
    bool trainable;
} Common;

static bool read_args(const LayerKind *kind, const char *text, Args *args, Common *common, Err *err)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", text ? text : "");
    layer_args_init(args, kind);
    *common = (Common){ .trainable = true };
    for (char *save, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        if (!value)
            return err_set(err, ERR_BUG, "%s: \"%s\" lacks a value", kind->name, word);
        *value++ = '\0';
        int row = args_find(args, word);
        if (!strcmp(word, "name"))
            snprintf(common->name, sizeof common->name, "%s", value);
        else if (!strcmp(word, "input_shape"))
            read_shape(value, &common->input_shape);
        else if (!strcmp(word, "trainable"))
            common->trainable = !strcmp(value, "true");
        else if (row < 0)
            return err_set(err, ERR_BUG, "%s has no argument %s", kind->name, word);
        else if (!args_parse(args, row, value, kind->name, err))
            return false;
    }
    return true;
}

Layer *net_try_layer(const char *kind_name, const char *text, Err *err)
{
    const LayerKind *kind = layer_find(kind_name, err);
    Args args;
    Common common;
    if (!kind || !read_args(kind, text, &args, &common, err))
        return NULL;
    Layer *layer = layer_new(kind, &args, common.name[0] ? common.name : NULL, err);
    if (layer && common.input_shape.rank)
        layer->input_shape = common.input_shape;
    if (layer)
        layer->trainable = common.trainable;
    return layer;
}

Layer *net_layer(const char *kind, const char *args)
{
    Err err;
    Layer *layer = net_try_layer(kind, args, &err);
    if (!layer)
        fail_msg("%s %s: %s", kind, args ? args : "", err.text);
    return layer;
}

Layer *net_case(const LayerKind *kind, const LayerCase *c, Err *err)
{
    char copy[256], *save;
    Layer *layer = net_try_layer(kind->name, c->args, err);
    json_t *ops = layer && c->ops ? json_loads(c->ops, 0, NULL) : NULL;
    if (layer && c->ops && !(layer->traced = traced_read(ops, err))) {
        layer_unref(layer);
        layer = NULL;
    }
    json_decref(ops);
    snprintf(copy, sizeof copy, "%s", c->wraps ? c->wraps : "");
    int i = 0;
    for (char *line = strtok_r(copy, ";", &save); layer && line; line = strtok_r(NULL, ";", &save)) {
        char name[64];
        line += strspn(line, " ");
        size_t n = strcspn(line, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, line);
        Layer *wrapped = net_try_layer(name, line + n, err);
        bool done = wrapped && layer_wrap(layer, i++, wrapped, err);
        layer_unref(wrapped);
        if (!done) {
            layer_unref(layer);
            return NULL;
        }
    }
    return layer;
}

/* "Dense units=4" */
static Layer *from_line(const char *line)
{
    char kind[64];
    size_t n = strcspn(line, " ");
    snprintf(kind, sizeof kind, "%.*s", (int)n, line);
    return net_layer(kind, line + n);
}

void net_add(Model *model, const char *line)
{
    Err err;
    Layer *layer = from_line(line);
    bool done = model_add(model, layer, &err);
    layer_unref(layer);
    if (!done)
        fail_msg("%s: %s", line, err.text);
}

Model *net_model(const char *layers)
{
    Err err;
    char copy[2000];
    assert_true(strlen(layers) < sizeof copy);
    snprintf(copy, sizeof copy, "%s", layers);
    Model *model = model_sequential(NULL, &err);
    assert_non_null(model);
    for (char *save, *line = strtok_r(copy, ";", &save); line; line = strtok_r(NULL, ";", &save)) {
        line += strspn(line, " ");
        if (*line)
            net_add(model, line);
    }
    return model;
}

Symbol *net_call(const char *line, Symbol *const *in, int n_in)
{
    Err err;
    Layer *layer = from_line(line);
    Symbol *symbol = symbol_call(layer, in, n_in, &err);
    layer_unref(layer);
    if (!symbol)
        fail_msg("%s: %s", line, err.text);
    return symbol;
}

Symbol *net_input(Shape sample, const char *name)
{
    Err err;
    Symbol *symbol = symbol_input(sample, DTYPE_FLOAT32, name, &err);
    if (!symbol)
        fail_msg("Input: %s", err.text);
    return symbol;
}

Tensor net_values(Shape shape, uint64_t seed)
{
    Err err;
    Tensor out;
    assert_true(tensor_new(&out, DTYPE_FLOAT32, shape, &err));
    Rng rng;
    rng_init(&rng, seed, RNG_TEST, 0);
    for (int64_t i = 0; i < tensor_count(&out); i++)
        tensor_set(&out, i, (double)(float)(2 * rng_uniform(&rng) - 1));
    return out;
}

Tensor net_predict(Model *model, const Tensor *x)
{
    Err err;
    Tensor out;
    if (!model_predict(model, x, 32, &out, NULL, &err))
        fail_msg("predict: %s", err.text);
    return out;
}
