// SPDX-License-Identifier: MIT
#include "nn/graph.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

bool graph_same_layer(const Layer *a, const Layer *b)
{
    return a == b || (a->inner && a->inner == b->inner); /* a composite's inner model is its own */
}

/* ---- what a layer makes of its inputs ---- */

static size_t bytes_made(const Tape *tape)
{
    size_t bytes = 0;
    for (const Node *node = tape->last; node; node = node->before)
        if (node->call && !node->call->alias)
            bytes += (size_t)shape_count(&node->value.shape) * (node->value.dtype == DTYPE_UINT8 ? 1 : 4);
    return bytes;
}

static bool keep_shape(const Layer *layer, const Node *node, GraphNode *out, Err *err)
{
    char text[SHAPE_TEXT];
    out->shape = node->value.shape;
    out->dtype = node->value.dtype;
    if (out->shape.rank < 1 || out->shape.d[0] != 1)
        return layer_refuse(layer, err, "must keep the batch as its first axis; one sample gives shape %s", shape_text(&out->shape, text));
    out->shape.d[0] = -1;
    return true;
}

static bool infer_on(Tape *tape, Layer *layer, const Shape *in, const DType *in_dtype, int n_in, GraphNode *out, Err *err)
{
    Node *nodes[OP_IN_MOST];
    for (int i = 0; i < n_in; i++) {
        Tensor value = tensor_borrow(in_dtype[i], in[i], NULL);
        value.shape.d[0] = 1;
        if (!(nodes[i] = tape_input(tape, &value, err)))
            return false;
    }
    Node *result = layer_forward(layer, tape, nodes, n_in, err);
    if (!result)
        return false;
    if (result->n_also != layer_n_outputs(layer) - 1)
        return err_set(err, ERR_BUG, "%s gives %d outputs, not %d", layer->name, result->n_also + 1, layer_n_outputs(layer));
    for (int i = 0; i <= result->n_also; i++)
        if (!keep_shape(layer, i ? result->also[i - 1] : result, &out[i], err))
            return false;
    out->flops = tape->flops;
    out->bytes = bytes_made(tape);
    return true;
}

bool graph_infer(Layer *layer, const Shape *in, const DType *in_dtype, int n_in, GraphNode *out, Err *err)
{
    if (layer->kind->is_input) {
        out->shape = layer->input_shape;
        out->dtype = layer->input_dtype;
        return true;
    }
    Tape tape;
    tape_init(&tape);
    tape_begin(&tape, TAPE_INFER, 0, 0);
    bool done = infer_on(&tape, layer, in, in_dtype, n_in, out, err);
    tape_fini(&tape);
    return done;
}

/* ---- names ---- */

static const Layer *find_name(const Model *model, const Layer *layer, const char *name)
{
    for (int i = 0; i < model->n_nodes; i++)
        if (!graph_same_layer(model->nodes[i].layer, layer) && !strcmp(model->nodes[i].layer->name, name))
            return model->nodes[i].layer;
    return NULL;
}

/* A model used as a layer may be renamed here: the layer is this place's own. */
static bool settle_name(const Model *model, Layer *layer, Err *err)
{
    if (!find_name(model, layer, layer->name))
        return true;
    if (layer->named || layer->built)
        return err_set(err, ERR_ARG, "two layers of %s are called \"%s\"; give one another name: nn.%s{…, name = \"%.20s_b\"}",
                       model->name, layer->name, layer->kind->name, layer->name);
    char base[LAYER_NAME];
    snprintf(base, sizeof base, "%s", layer_is_model(layer) ? layer->inner->name : layer->kind->prefix);
    for (int n = 0; n <= MODEL_NODES_MOST; n++) {
        char name[LAYER_NAME];
        if (n == 0)
            snprintf(name, sizeof name, "%s", base);
        else
            snprintf(name, sizeof name, "%.*s_%d", LAYER_NAME - 13, base, n);
        if (!find_name(model, layer, name)) {
            memcpy(layer->name, name, sizeof name);
            return true;
        }
    }
    return err_set(err, ERR_ARG, "no name is left for %s", layer->name);
}

/* ---- leaves ---- */

static bool add_leaf(Model *model, Layer *layer, const char *before, const char *path, Err *err)
{
    if (layer->kind->is_input || layer_is_pick(layer))
        return true;
    for (int i = 0; i < model->n_leaves; i++)
        if (model->leaves[i].layer == layer)
            return true;
    if (model->n_leaves == MODEL_NODES_MOST)
        return err_set(err, ERR_ARG, "%s: a model has at most %d layers", model->name, MODEL_NODES_MOST);
    if (model->n_leaves == model->room_leaves) {
        int room = model->room_leaves ? 2 * model->room_leaves : 16;
        ModelLeaf *grown = mem_grow(model->leaves, (size_t)room, sizeof *grown, err);
        if (!grown)
            return false;
        model->leaves = grown;
        model->room_leaves = room;
    }
    ModelLeaf *leaf = &model->leaves[model->n_leaves];
    leaf->layer = layer;
    int n = snprintf(leaf->path, sizeof leaf->path, "%s%s%s", before, *before ? "/" : "", path);
    if (n >= (int)sizeof leaf->path)
        return err_set(err, ERR_ARG, "the path of layer %s through its models is longer than %d bytes; use shorter names", layer->name,
                       LAYER_PATH - 1);
    model->n_leaves++;
    return true;
}

static bool add_leaves(Model *model, Layer *layer, Err *err)
{
    if (!layer->inner)
        return add_leaf(model, layer, "", layer->name, err);
    for (int i = 0; i < layer->inner->n_leaves; i++)
        if (!add_leaf(model, layer->inner->leaves[i].layer, layer->name, layer->inner->leaves[i].path, err))
            return false;
    return true;
}

/* ---- nodes ---- */

static GraphNode *reserve_node(Model *model, Err *err)
{
    if (model->n_nodes == MODEL_NODES_MOST) {
        err_set(err, ERR_ARG, "%s: a model has at most %d layers", model->name, MODEL_NODES_MOST);
        return NULL;
    }
    if (model->n_nodes == model->room_nodes) {
        int room = model->room_nodes ? 2 * model->room_nodes : 8;
        GraphNode *grown = mem_grow(model->nodes, (size_t)room, sizeof *grown, err);
        if (!grown)
            return NULL;
        model->nodes = grown;
        model->room_nodes = room;
    }
    GraphNode *node = &model->nodes[model->n_nodes];
    *node = (GraphNode){ .first = true };
    return node;
}

/* One reference to the layer that stands for this one here: the place where the same model stands already has the layer that
 * all of them share; a model whose name is taken gets a layer of its own, which can be renamed. */
static Layer *layer_here(const Model *model, Layer *layer, Err *err)
{
    for (int i = 0; i < model->n_nodes; i++)
        if (graph_same_layer(model->nodes[i].layer, layer))
            return layer_ref(model->nodes[i].layer);
    return layer_is_model(layer) && find_name(model, layer, layer->name) ? model_as_layer(layer->inner, err) : layer_ref(layer);
}

static bool is_used(const Model *model, const Layer *layer)
{
    for (int i = 0; i < model->n_nodes; i++)
        if (model->nodes[i].layer == layer)
            return true;
    return false;
}

/* Small files can describe models that run for ever: ten uses of ten uses of … */
static bool add_size(Model *model, const Layer *layer, Err *err)
{
    int depth = layer->inner ? layer->inner->depth + 1 : 0, runs = layer->inner ? layer->inner->runs : 1;
    if (depth > MODEL_DEPTH_MOST)
        return err_set(err, ERR_ARG, "%s: models can stand within models %d deep, not deeper", model->name, MODEL_DEPTH_MOST);
    if (model->runs + runs > MODEL_RUNS_MOST)
        return err_set(err, ERR_ARG, "%s: one pass would run more than %d layers", model->name, MODEL_RUNS_MOST);
    if (depth > model->depth)
        model->depth = depth;
    model->runs += runs;
    return true;
}

static bool plan_node(const Model *model, GraphNode *node, Err *err)
{
    Shape shapes[OP_IN_MOST];
    DType dtypes[OP_IN_MOST];
    for (int i = 0; i < node->n_in; i++) {
        shapes[i] = model->nodes[node->in[i]].shape;
        dtypes[i] = model->nodes[node->in[i]].dtype;
        node->batch = model->nodes[node->in[i]].batch ? model->nodes[node->in[i]].batch : node->batch;
    }
    if (!node->layer->built)
        node->layer->batch = node->batch;
    GraphNode outputs[LAYER_OUTPUTS] = { { 0 } };
    if (!layer_plan(node->layer, shapes, node->n_in, err) || !graph_infer(node->layer, shapes, dtypes, node->n_in, outputs, err))
        return false;
    if (node->layer->kind->is_input)
        node->batch = node->layer->batch;
    node->shape = outputs[0].shape;
    node->dtype = outputs[0].dtype;
    node->flops = outputs[0].flops;
    node->bytes = outputs[0].bytes;
    return true;
}

/* Everything of an append that can fail; the node stands behind the last one, not yet counted. */
static bool prepare(Model *model, GraphNode *node, bool pending, Err *err)
{
    int n_leaves = model->n_leaves, depth = model->depth, runs = model->runs;
    node->first = !is_used(model, node->layer);
    if (add_size(model, node->layer, err) && settle_name(model, node->layer, err) && (pending || plan_node(model, node, err)) &&
        add_leaves(model, node->layer, err))
        return true;
    model->n_leaves = n_leaves;
    model->depth = depth;
    model->runs = runs;
    return false;
}

static bool append(Model *model, Layer *layer, const int *in, int n_in, bool pending, Err *err)
{
    GraphNode *node = n_in <= OP_IN_MOST ? reserve_node(model, err) : NULL;
    if (!node)
        return n_in <= OP_IN_MOST ? false : err_set(err, ERR_ARG, "%s: a layer takes at most %d inputs", layer->name, OP_IN_MOST);
    if (!(node->layer = layer_here(model, layer, err)))
        return false;
    node->n_in = n_in;
    for (int i = 0; i < n_in; i++)
        node->in[i] = in[i];
    char name[LAYER_NAME];
    memcpy(name, node->layer->name, sizeof name);
    if (!prepare(model, node, pending, err)) {
        if (strcmp(node->layer->name, name))
            memcpy(node->layer->name, name, sizeof name);
        if (node->first)
            layer_rollback(node->layer);
        layer_unref(node->layer);
        return false;
    }
    model->n_nodes++;
    return true;
}

bool graph_append(Model *model, Layer *layer, const int *in, int n_in, Err *err)
{
    return append(model, layer, in, n_in, false, err);
}

bool graph_append_pending(Model *model, Layer *layer, Err *err)
{
    return append(model, layer, NULL, 0, true, err);
}

bool graph_append_input(Model *model, Shape shape, DType dtype, const char *name, Err *err)
{
    Shape sample = { .rank = shape.rank - 1 };
    for (int i = 0; i < sample.rank; i++)
        sample.d[i] = shape.d[i + 1];
    Symbol *symbol = symbol_input(sample, dtype, name, err);
    bool done = symbol && graph_append(model, symbol->layer, NULL, 0, err);
    symbol_unref(symbol);
    return done;
}

void graph_pop(Model *model)
{
    GraphNode *node = &model->nodes[--model->n_nodes];
    layer_unref(node->layer);
    model->n_leaves = model->depth = model->runs = 0;
    for (int i = 0; i < model->n_nodes; i++) {
        bool fits = add_size(model, model->nodes[i].layer, NULL) && add_leaves(model, model->nodes[i].layer, NULL);
        (void)fits; /* it fitted before, and memory for it is there */
    }
}

bool graph_allocate(Model *model, bool fill, Err *err)
{
    for (int i = 0; i < model->n_leaves; i++)
        if (!layer_allocate(model->leaves[i].layer, leaf_seed(model->seed, model->leaves[i].path), fill, err)) {
            graph_rollback(model);
            return false;
        }
    for (int i = 0; i < model->n_leaves; i++)
        layer_commit(model->leaves[i].layer);
    for (int i = 0; i < model->n_nodes; i++)
        layer_commit(model->nodes[i].layer);
    return true;
}

void graph_rollback(Model *model)
{
    for (int i = 0; i < model->n_leaves; i++)
        layer_rollback(model->leaves[i].layer);
    for (int i = 0; i < model->n_nodes; i++)
        layer_rollback(model->nodes[i].layer);
}

void graph_free(Model *model)
{
    for (int i = 0; i < model->n_nodes; i++)
        layer_unref(model->nodes[i].layer);
    mem_free(model->nodes);
    mem_free(model->leaves);
    model->nodes = NULL;
    model->leaves = NULL;
    model->n_nodes = model->room_nodes = model->n_leaves = model->room_leaves = model->depth = model->runs = 0;
}
