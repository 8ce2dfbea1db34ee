// SPDX-License-Identifier: MIT
/* Architecture as JSON, without nesting: a list of layers, then a list of models whose nodes name layers and earlier models by
 * number; the last model is the one that is meant.
 *
 *   {"format":1,
 *    "layers":[{"kind":"Input","name":"input_layer","args":{"shape":"784","dtype":"float32"}}, …],
 *    "models":[{"kind":"Sequential","name":"digits","nodes":[{"layer":0},{"layer":1,"in":[0]}, …],"inputs":[0],"outputs":[4]}]}
 *
 * Arguments are texts as args_write gives them. Files are not trusted: kinds come from the table of layers and nothing else,
 * numbers are checked before they are used, and no memory for weights is taken. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "nn/graph.h"
#include "nn/made.h"
#include "nn/traced.h"

#define FORMAT 1
#define MODELS_MOST 1024

/* ---- writing ---- */

typedef struct Writer {
    Layer *layers[MODEL_NODES_MOST];
    Model *models[MODELS_MOST];
    int n_layers, n_models;
    Buf text; /* owned; one argument */
} Writer;

static int find_layer(const Writer *w, const Layer *layer)
{
    for (int i = 0; i < w->n_layers; i++)
        if (w->layers[i] == layer)
            return i;
    return -1;
}

static int find_model(const Writer *w, const Model *model)
{
    for (int i = 0; i < w->n_models; i++)
        if (w->models[i] == model)
            return i;
    return -1;
}

/* What a wrapper was given before the wrapper. */
static bool gather_layer(Writer *w, Layer *layer, Err *err)
{
    if (find_layer(w, layer) >= 0)
        return true;
    for (int i = 0; i < LAYER_WRAPS; i++)
        if (layer->wrapped[i] && !gather_layer(w, layer->wrapped[i], err))
            return false;
    if (w->n_layers == MODEL_NODES_MOST)
        return err_set(err, ERR_ARG, "the model has more than %d layers", MODEL_NODES_MOST);
    w->layers[w->n_layers++] = layer;
    return true;
}

/* Inner models before those that hold them. */
static bool gather(Writer *w, Model *model, Err *err)
{
    if (find_model(w, model) >= 0)
        return true;
    for (int i = 0; i < model->n_nodes; i++) {
        Layer *layer = model->nodes[i].layer;
        if (layer_is_model(layer) ? !gather(w, layer->inner, err) : !gather_layer(w, layer, err))
            return false;
    }
    if (w->n_models == MODELS_MOST)
        return err_set(err, ERR_ARG, "%s holds more than %d models", model->name, MODELS_MOST);
    w->models[w->n_models++] = model;
    return true;
}

/* jansson takes over what is given and passes a NULL on as a failure; `ok` gathers them. */
static void set(json_t *object, const char *key, json_t *take, bool *ok)
{
    *ok = json_object_set_new(object, key, take) == 0 && *ok;
}

static void add(json_t *array, json_t *take, bool *ok)
{
    *ok = json_array_append_new(array, take) == 0 && *ok;
}

/* [layer number, …]; null where none was given */
static json_t *wraps_json(const Writer *w, const Layer *layer, bool *ok)
{
    json_t *out = json_array();
    for (int i = 0; i < LAYER_WRAPS; i++)
        add(out, layer->wrapped[i] ? json_integer(find_layer(w, layer->wrapped[i])) : json_null(), ok);
    return out;
}

static json_t *layer_json(Writer *w, const Layer *layer, bool *ok)
{
    json_t *out = json_object(), *args = json_object();
    set(out, "kind", json_string(layer->kind->name), ok);
    set(out, "name", json_string(layer->name), ok);
    if (layer->named)
        set(out, "named", json_true(), ok);
    if (!layer->trainable)
        set(out, "trainable", json_false(), ok);
    if (layer->rate != 1)
        set(out, "rate", json_real(layer->rate), ok);
    for (int i = 0; i < layer->args.n && !w->text.failed; i++) {
        if (i >= layer->kind->n_args && !layer->args.v[i].given)
            continue; /* a regulariser or constraint that nobody asked for */
        buf_reset(&w->text);
        args_write(&w->text, &layer->args, i);
        set(args, layer->args.specs[i].name, json_string(buf_text(&w->text)), ok);
    }
    set(out, "args", args, ok);
    if (layer->wrapped[0])
        set(out, "wraps", wraps_json(w, layer, ok), ok);
    if (layer->kind->made)
        set(out, "made", made_json(layer->kind), ok);
    if (layer->traced)
        set(out, "ops", traced_json(layer->traced), ok);
    return out;
}

static json_t *numbers_json(const int *numbers, int n, bool *ok)
{
    json_t *out = json_array();
    for (int i = 0; i < n; i++)
        add(out, json_integer(numbers[i]), ok);
    return out;
}

static json_t *node_json(const Writer *w, const GraphNode *node, bool *ok)
{
    json_t *out = json_object();
    if (layer_is_model(node->layer)) {
        set(out, "model", json_integer(find_model(w, node->layer->inner)), ok);
        set(out, "name", json_string(node->layer->name), ok);
    } else
        set(out, "layer", json_integer(find_layer(w, node->layer)), ok);
    if (node->n_in > 0)
        set(out, "in", numbers_json(node->in, node->n_in, ok), ok);
    return out;
}

static json_t *model_json(const Writer *w, const Model *model, bool *ok)
{
    json_t *out = json_object(), *nodes = json_array();
    set(out, "kind", json_string(model->sequential ? "Sequential" : "Functional"), ok);
    set(out, "name", json_string(model->name), ok);
    for (int i = 0; i < model->n_nodes; i++)
        add(nodes, node_json(w, &model->nodes[i], ok), ok);
    set(out, "nodes", nodes, ok);
    set(out, "inputs", numbers_json(model->inputs, model->n_inputs, ok), ok);
    set(out, "outputs", numbers_json(model->outputs, model->n_outputs, ok), ok);
    return out;
}

static int write_out(const char *bytes, size_t n, void *ctx)
{
    buf_write(ctx, bytes, n);
    return ((Buf *)ctx)->failed ? -1 : 0;
}

static bool write_json(Writer *w, Buf *out, Err *err)
{
    bool ok = true;
    json_t *top = json_object(), *layers = json_array(), *models = json_array();
    set(top, "format", json_integer(FORMAT), &ok);
    for (int i = 0; i < w->n_layers; i++)
        add(layers, layer_json(w, w->layers[i], &ok), &ok);
    for (int i = 0; i < w->n_models; i++)
        add(models, model_json(w, w->models[i], &ok), &ok);
    set(top, "layers", layers, &ok);
    set(top, "models", models, &ok);
    ok = ok && json_dump_callback(top, write_out, out, JSON_COMPACT) == 0;
    json_decref(top);
    return buf_ok(&w->text, err) && buf_ok(out, err) && (ok || err_set(err, ERR_ARG, "the architecture cannot be written: a name is not UTF-8, or memory ran out"));
}

bool model_to_json(Model *model, Buf *out, Err *err)
{
    if (!model->built)
        return err_set(err, ERR_STATE, "%s is not built yet: give its first layer an input_shape, or fit or predict once", model->name);
    Writer *w = mem_zero(1, sizeof *w, err);
    bool done = w && gather(w, model, err) && write_json(w, out, err);
    if (w)
        buf_fini(&w->text);
    mem_free(w);
    return done;
}

/* ---- reading ---- */

typedef struct Reader {
    Layer **layers; /* owned, references */
    Model **models; /* owned, references */
    int n_layers, n_models;
} Reader;

static bool bad(Err *err, const char *what, size_t i)
{
    return err_set(err, ERR_DATA, "the architecture is damaged: %s (entry %zu)", what, i);
}

static bool read_arg(Args *args, const LayerKind *kind, const char *key, json_t *value, Err *err)
{
    int row = args_find(args, key);
    NameSearch search;
    char hint[96];
    name_search(&search, key);
    for (int i = 0; i < args->n; i++)
        name_offer(&search, args->specs[i].name);
    if (row < 0)
        return err_set(err, ERR_DATA, "%s has no argument \"%.40s\"%s", kind->name, key, name_hint(&search, hint));
    if (!json_is_string(value))
        return err_set(err, ERR_DATA, "%s: %s must be given as a text", kind->name, key);
    return args_parse(args, row, json_string_value(value), kind->name, err);
}

/* A whole number from 0 to below; -1 for anything else. */
static int index_from(json_t *value, int below)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    return number >= 0 && number < below ? (int)number : -1;
}

static bool read_wraps(const Reader *r, Layer *layer, json_t *in, Err *err)
{
    if (!layer->kind->wraps)
        return !in || bad(err, "only wrappers wrap layers", (size_t)r->n_layers);
    for (size_t i = 0; i < LAYER_WRAPS; i++) {
        json_t *value = json_array_get(in, i);
        int at = index_from(value, r->n_layers);
        if (at < 0 && (i == 0 || (value && !json_is_null(value))))
            return bad(err, "a wrapper needs the layers that it wraps before it", (size_t)r->n_layers);
        if (at >= 0 && !layer_wrap(layer, (int)i, r->layers[at], err))
            return false;
    }
    return true;
}

/* The kind of a layer: hebb's own, or one made for this layer, then with a reference. */
static const LayerKind *read_kind(json_t *in, const char *name, Err *err)
{
    json_t *types = json_object_get(in, "made");
    if (!json_is_object(types))
        return layer_find(name, err);
    MadeKind *made = made_read(name, types, json_object_get(in, "args"), err);
    return made ? &made->kind : NULL;
}

static Layer *make_layer(const LayerKind *kind, json_t *given, const char *name, Err *err)
{
    const char *key;
    json_t *value;
    Args args;
    layer_args_init(&args, kind);
    json_object_foreach(given, key, value)
        if (!read_arg(&args, kind, key, value, err))
            return NULL;
    return layer_new(kind, &args, name, err);
}

static Layer *read_layer(const Reader *r, json_t *in, size_t number, Err *err)
{
    json_t *given = json_object_get(in, "args"), *trainable = json_object_get(in, "trainable");
    const char *kind_name = json_string_value(json_object_get(in, "kind")), *name = json_string_value(json_object_get(in, "name"));
    if (!kind_name || !name || !json_is_object(given)) {
        bad(err, "a layer needs its kind, its name and its arguments", number);
        return NULL;
    }
    const LayerKind *kind = read_kind(in, kind_name, err);
    Layer *layer = kind ? make_layer(kind, given, name, err) : NULL;
    if (kind)
        made_unref(kind); /* the layer has its own */
    if (!layer)
        return NULL;
    json_t *ops = json_object_get(in, "ops");
    if (kind->traced && !(layer->traced = traced_read(ops, err)))
        err_name(err, layer->name);
    if ((kind->traced && !layer->traced) || !read_wraps(r, layer, json_object_get(in, "wraps"), err)) {
        layer_unref(layer);
        return NULL;
    }
    layer->named = json_is_true(json_object_get(in, "named"));
    layer->trainable = !json_is_false(trainable);
    const json_t *rate = json_object_get(in, "rate");
    layer->rate = json_is_number(rate) && json_number_value(rate) >= 0 ? json_number_value(rate) : 1;
    if (!layer->named)
        name_claim(kind->prefix, name);
    return layer;
}

/* A list of 0 … most node numbers, each below `below`. */
static bool read_numbers(json_t *in, int *out, int *n, int most, int below)
{
    size_t size = json_array_size(in);
    if (in && (!json_is_array(in) || size > (size_t)most))
        return false;
    for (size_t i = 0; i < size; i++)
        if ((out[i] = index_from(json_array_get(in, i), below)) < 0)
            return false;
    *n = (int)size;
    return true;
}

/* One reference to the layer of a node: one of the list, or a model. */
static Layer *node_layer(const Reader *r, json_t *in, Err *err)
{
    int model = index_from(json_object_get(in, "model"), r->n_models), layer = index_from(json_object_get(in, "layer"), r->n_layers);
    if (layer >= 0)
        return layer_ref(r->layers[layer]);
    Layer *made = model >= 0 ? model_as_layer(r->models[model], err) : NULL;
    const char *name = json_string_value(json_object_get(in, "name"));
    if (made && name && name_check("model", name, err)) {
        snprintf(made->name, sizeof made->name, "%s", name);
        return made;
    }
    if (model < 0 || (made && !name))
        bad(err, "a node needs a layer, or a model and its name", 0);
    layer_unref(made);
    return NULL;
}

static bool read_nodes(const Reader *r, Model *model, json_t *nodes, Err *err)
{
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        json_t *in = json_array_get(nodes, i);
        int from[OP_IN_MOST], n_from = 0;
        if (!read_numbers(json_object_get(in, "in"), from, &n_from, OP_IN_MOST, model->n_nodes))
            return bad(err, "a node's inputs must be earlier nodes", i);
        if (model->sequential && (i == 0 ? n_from != 0 : n_from != 1 || from[0] != (int)i - 1))
            return bad(err, "a Sequential must be a chain", i);
        Layer *layer = node_layer(r, in, err);
        bool done = layer && graph_append(model, layer, from, n_from, err);
        if (done && (layer->kind->is_input || layer->inner))
            layer_commit(layer);
        layer_unref(layer);
        if (!done)
            return false;
    }
    return true;
}

/* Every Input is one of the model's inputs, and they are Inputs. */
static bool read_ends(Model *model, json_t *in, Err *err)
{
    int n_inputs = 0, n = model->n_nodes;
    if (!read_numbers(json_object_get(in, "inputs"), model->inputs, &model->n_inputs, MODEL_INPUTS, n) || model->n_inputs < 1 ||
        !read_numbers(json_object_get(in, "outputs"), model->outputs, &model->n_outputs, MODEL_INPUTS, n) || model->n_outputs < 1)
        return bad(err, "a model's inputs and outputs must be nodes", 0);
    for (int i = 0; i < n; i++)
        n_inputs += model->nodes[i].layer->kind->is_input;
    for (int i = 0; i < model->n_inputs; i++) {
        bool twice = false;
        for (int k = 0; k < i; k++)
            twice = twice || model->inputs[k] == model->inputs[i];
        if (twice || !model->nodes[model->inputs[i]].layer->kind->is_input)
            return bad(err, "a model's inputs must be different Input layers", (size_t)i);
    }
    if (n_inputs != model->n_inputs || (model->sequential && (n_inputs != 1 || model->n_outputs != 1 || model->outputs[0] != n - 1)))
        return bad(err, "an Input layer is not among the model's inputs", 0);
    model->built = true;
    return true;
}

static Model *read_model(const Reader *r, json_t *in, size_t number, Err *err)
{
    const char *kind = json_string_value(json_object_get(in, "kind")), *name = json_string_value(json_object_get(in, "name"));
    json_t *nodes = json_object_get(in, "nodes");
    bool sequential = kind && !strcmp(kind, "Sequential");
    if (!kind || !name || (!sequential && strcmp(kind, "Functional")) || !json_array_size(nodes)) {
        bad(err, "a model needs its kind (Sequential or Functional), its name and its nodes", number);
        return NULL;
    }
    Model *model = model_new(NULL, name, err);
    if (!model)
        return NULL;
    model->sequential = sequential;
    name_claim(sequential ? "sequential" : "functional", name);
    if (read_nodes(r, model, nodes, err) && read_ends(model, in, err))
        return model;
    model_unref(model);
    return NULL;
}

static bool read_all(Reader *r, json_t *layers, json_t *models, Err *err)
{
    r->layers = mem_zero(json_array_size(layers) + 1, sizeof *r->layers, err);
    r->models = mem_zero(json_array_size(models) + 1, sizeof *r->models, err);
    if (!r->layers || !r->models)
        return false;
    for (size_t i = 0; i < json_array_size(layers); i++, r->n_layers++)
        if (!(r->layers[i] = read_layer(r, json_array_get(layers, i), i, err)))
            return false;
    for (size_t i = 0; i < json_array_size(models); i++, r->n_models++)
        if (!(r->models[i] = read_model(r, json_array_get(models, i), i, err)))
            return false;
    return true;
}

static bool read_top(Reader *r, json_t *top, Err *err)
{
    json_t *layers = json_object_get(top, "layers"), *models = json_object_get(top, "models"), *format = json_object_get(top, "format");
    if (json_is_integer(format) && json_integer_value(format) > FORMAT)
        return err_set(err, ERR_DATA, "the architecture has format %lld, this hebb reads up to %d: use a newer one",
                       (long long)json_integer_value(format), FORMAT);
    if (!json_is_integer(format) || json_integer_value(format) != FORMAT || !json_is_array(layers) || !json_is_array(models))
        return err_set(err, ERR_DATA, "the text is no architecture of a model: it needs format %d, layers and models", FORMAT);
    if (json_array_size(layers) > MODEL_NODES_MOST || json_array_size(models) > MODELS_MOST || json_array_size(models) == 0)
        return err_set(err, ERR_DATA, "the architecture lists %zu layers and %zu models; at most %d and 1 to %d are read",
                       json_array_size(layers), json_array_size(models), MODEL_NODES_MOST, MODELS_MOST);
    return read_all(r, layers, models, err);
}

static void reader_fini(Reader *r)
{
    for (int i = 0; i < r->n_layers; i++)
        layer_unref(r->layers[i]);
    for (int i = 0; i < r->n_models; i++)
        model_unref(r->models[i]);
    mem_free(r->layers);
    mem_free(r->models);
}

Model *json_plan(const char *json, size_t size, Err *err)
{
    Err own = ERR_INIT;
    err = err ? err : &own;
    json_error_t where;
    if (size > JSON_SIZE_MOST) {
        err_set(err, ERR_DATA, "the architecture has %zu bytes; at most %d are read", size, JSON_SIZE_MOST);
        return NULL;
    }
    json_t *top = json_loadb(json, size, JSON_REJECT_DUPLICATES, &where);
    if (!top) {
        err_set(err, ERR_DATA, "the architecture is no JSON: line %d: %.120s", where.line, where.text);
        return NULL;
    }
    Reader r = { 0 };
    Model *model = read_top(&r, top, err) ? model_ref(r.models[r.n_models - 1]) : NULL;
    reader_fini(&r);
    json_decref(top);
    if (!model && (err->code == ERR_ARG || err->code == ERR_SHAPE || err->code == ERR_NAME))
        err->code = ERR_DATA;
    return model;
}

Model *model_from_json(const char *json, Err *err)
{
    Model *model = json_plan(json, strlen(json), err);
    if (model && graph_allocate(model, true, err))
        return model;
    model_unref(model);
    return NULL;
}
