// SPDX-License-Identifier: MIT
#include "nn/model.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "nn/compose.h"
#include "nn/graph.h"

static _Atomic uint64_t default_seed;

void model_set_seed(uint64_t seed)
{
    atomic_store(&default_seed, seed);
}

uint64_t model_default_seed(void)
{
    return atomic_load(&default_seed);
}

/* ---- life ---- */

Model *model_new(const char *prefix, const char *name, Err *err)
{
    if (name && !name_check("model", name, err))
        return NULL;
    Model *model = mem_zero(1, sizeof *model, err);
    if (!model)
        return NULL;
    atomic_init(&model->refs, 1);
    model->seed = model_default_seed();
    if (name)
        snprintf(model->name, sizeof model->name, "%s", name);
    else
        name_next(prefix, model->name);
    return model;
}

Model *model_sequential(const char *name, Err *err)
{
    Model *model = model_new("sequential", name, err);
    if (model)
        model->sequential = true;
    return model;
}

Model *model_ref(Model *model)
{
    if (model)
        atomic_fetch_add_explicit(&model->refs, 1, memory_order_relaxed);
    return model;
}

void model_unref(Model *model)
{
    if (!model || atomic_fetch_sub_explicit(&model->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (model->compiled && model->compiled_free)
        model->compiled_free(model->compiled);
    graph_free(model);
    notes_free(model);
    if (model->spare)
        tape_fini(model->spare);
    mem_free(model->spare);
    mem_free(model);
}

/* ---- Sequential ---- */

static void set_ends(Model *model)
{
    model->inputs[0] = 0;
    model->outputs[0] = model->n_nodes - 1;
    model->n_inputs = model->n_outputs = 1;
    model->built = true;
}

static bool check_change(const Model *model, Err *err)
{
    if (!model->sequential)
        return err_set(err, ERR_STATE, "%s is functional: its layers are fixed when it is made", model->name);
    if (atomic_load(&model->owner))
        return err_set(err, ERR_STATE, "%s is being trained: stop its run before changing its layers", model->name);
    if (atomic_load(&model->wrapped))
        return err_set(err, ERR_STATE, "%s is a layer of another model: its layers cannot change any more", model->name);
    return true;
}

/* What the first layer says about the data, if it does. */
static bool known_input(const Layer *layer, Shape *shape, DType *dtype)
{
    const Model *inner = layer->inner;
    if (layer_is_model(layer) && inner->built && inner->n_inputs == 1) {
        *shape = inner->nodes[inner->inputs[0]].shape;
        *dtype = inner->nodes[inner->inputs[0]].dtype;
        return true;
    }
    *shape = layer->input_shape;
    *dtype = layer->input_dtype;
    return shape->rank > 1;
}

static bool append_last(Model *model, Layer *layer, Err *err)
{
    int last = model->n_nodes - 1;
    return graph_append(model, layer, &last, 1, err);
}

static bool add_known(Model *model, Layer *layer, Err *err)
{
    int n_before = model->n_nodes;
    Shape shape;
    DType dtype;
    bool done = true;
    if (n_before == 0 && known_input(layer, &shape, &dtype))
        done = graph_append_input(model, shape, dtype, NULL, err);
    done = done && append_last(model, layer, err);
    if (done && graph_allocate(model, true, err)) {
        set_ends(model);
        return true;
    }
    while (model->n_nodes > n_before)
        graph_pop(model);
    return false;
}

static bool add_input(Model *model, Layer *layer, Err *err)
{
    if (model->n_nodes > 0)
        return err_set(err, ERR_ARG, "%s: an Input can only come first", model->name);
    if (!graph_append(model, layer, NULL, 0, err))
        return false;
    layer_commit(layer);
    set_ends(model);
    return true;
}

bool model_add(Model *model, Layer *layer, Err *err)
{
    Shape shape;
    DType dtype;
    if (!check_change(model, err))
        return false;
    if (layer->inner == model)
        return err_set(err, ERR_ARG, "%s cannot be a layer of itself", model->name);
    if (layer_n_outputs(layer) > 1)
        return err_set(err, ERR_ARG, "%s gives %d outputs, a Sequential passes one on: build the model with nn.Input and nn.Model", layer->name,
                       layer_n_outputs(layer));
    if (layer->kind->is_input)
        return add_input(model, layer, err);
    if (model->built || (model->n_nodes == 0 && known_input(layer, &shape, &dtype)))
        return add_known(model, layer, err);
    return graph_append_pending(model, layer, err);
}

bool model_pop(Model *model, Err *err)
{
    if (!check_change(model, err))
        return false;
    if (model->n_nodes == 0 || (model->n_nodes == 1 && model->built))
        return err_set(err, ERR_STATE, "%s has no layer to remove", model->name);
    graph_pop(model);
    if (model->built)
        set_ends(model);
    return true;
}

/* A second graph with the same layers, so that a failure leaves the first one as it was. */
static bool build_trial(Model *trial, const Model *model, const Shape *in, Err *err)
{
    Shape shape = *in;
    if (shape.rank > 0)
        shape.d[0] = -1;
    if (!graph_append_input(trial, shape, DTYPE_FLOAT32, NULL, err))
        return false;
    for (int i = 0; i < model->n_nodes; i++)
        if (!append_last(trial, model->nodes[i].layer, err))
            return false;
    return graph_allocate(trial, true, err);
}

bool model_build(Model *model, const Shape *in, int n_in, Err *err)
{
    if (model->built && model->n_nodes > 1)
        return true;
    if (model->n_nodes == 0 || model->built)
        return err_set(err, ERR_STATE, "%s has no layers: add some, as in model:add(nn.Dense(10))", model->name);
    if (n_in != 1)
        return err_set(err, ERR_ARG, "%s has one input, got %d", model->name, n_in);
    Model trial = { .seed = model->seed };
    memcpy(trial.name, model->name, sizeof trial.name);
    if (!build_trial(&trial, model, in, err)) {
        graph_rollback(&trial);
        graph_free(&trial);
        return false;
    }
    graph_free(model);
    model->nodes = trial.nodes;
    model->n_nodes = trial.n_nodes;
    model->room_nodes = trial.room_nodes;
    model->leaves = trial.leaves;
    model->n_leaves = trial.n_leaves;
    model->room_leaves = trial.room_leaves;
    model->depth = trial.depth;
    model->runs = trial.runs;
    set_ends(model);
    return true;
}

/* ---- looking in ---- */

bool model_each_layer(Model *model, LayerVisit visit, void *ctx)
{
    for (int i = 0; i < model->n_leaves; i++)
        if (!visit(ctx, model->leaves[i].layer, model->leaves[i].path))
            return false;
    return true;
}

Layer *model_layer(Model *model, const char *name, Err *err)
{
    NameSearch search;
    char hint[96];
    name_search(&search, name);
    for (int i = 0; i < model->n_nodes; i++) {
        if (!strcmp(model->nodes[i].layer->name, name))
            return model->nodes[i].layer;
        name_offer(&search, model->nodes[i].layer->name);
    }
    for (int i = 0; i < model->n_leaves; i++) {
        if (!strcmp(model->leaves[i].path, name))
            return model->leaves[i].layer;
        name_offer(&search, model->leaves[i].path);
    }
    err_set(err, ERR_NAME, "%s has no layer \"%.60s\"%s", model->name, name, name_hint(&search, hint));
    return NULL;
}

/* Keras's model.layers: each once, and without a Sequential's Input. */
static bool counts(const Model *model, int i)
{
    const GraphNode *node = &model->nodes[i];
    return node->first && !layer_is_pick(node->layer) && !(model->sequential && node->layer->kind->is_input);
}

Layer *model_layer_at(Model *model, int i, Err *err)
{
    int n = 0;
    for (int k = 0; k < model->n_nodes; k++)
        n += counts(model, k);
    int want = i < 0 ? n + i + 1 : i;
    for (int k = 0; k < model->n_nodes; k++)
        if (counts(model, k) && --want == 0)
            return model->nodes[k].layer;
    if (n == 0)
        err_set(err, ERR_ARG, "%s has no layers yet", model->name);
    else
        err_set(err, ERR_ARG, "%s has layers 1 to %d (-1 is the last), got %d", model->name, n, i);
    return NULL;
}

int64_t model_count_params(const Model *model, bool trainable_only)
{
    int64_t n = 0;
    for (int i = 0; i < model->n_leaves; i++) {
        const Layer *layer = model->leaves[i].layer;
        n += !trainable_only ? (int64_t)layer->n_elements : layer->trainable ? (int64_t)layer->n_trainable : 0;
    }
    return n;
}

/* ---- models as layers ---- */

static bool build_inner(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Model *inner = layer->inner;
    if (!model_build(inner, in, n_in, err))
        return false;
    if (n_in != inner->n_inputs)
        return layer_refuse(layer, err, "wants %d inputs, got %d", inner->n_inputs, n_in);
    for (int i = 0; i < n_in; i++) {
        const Shape *want = &inner->nodes[inner->inputs[i]].shape;
        char wanted[SHAPE_TEXT], got[SHAPE_TEXT], remedy[LAYER_REMEDY];
        if (!shape_same(want, &in[i]))
            return layer_refuse(layer, err, "wants inputs of shape %s, got %s%s", layer_shape_text(want, wanted),
                                layer_shape_text(&in[i], got), layer_remedy(want, &in[i], remedy));
    }
    return true;
}

static int outputs_of_inner(const Layer *layer)
{
    return layer->inner->n_outputs;
}

const LayerKind layer_kind_sequential = {
    .name = "Sequential",
    .prefix = "sequential",
    .doc = "A Sequential model used as a layer.",
    .in_least = 1,
    .in_most = 1,
    .build = build_inner,
    .forward = compose_forward,
};

const LayerKind layer_kind_functional = {
    .name = "Functional",
    .prefix = "functional",
    .doc = "A functional model used as a layer.",
    .in_least = 1,
    .in_most = MODEL_INPUTS,
    .build = build_inner,
    .forward = compose_forward,
    .n_outputs = outputs_of_inner,
};

Layer *model_as_layer(Model *model, Err *err)
{
    Layer *layer = layer_new(model->sequential ? &layer_kind_sequential : &layer_kind_functional, NULL, model->name, err);
    if (!layer)
        return NULL;
    layer->named = false; /* this place's name, which may change where two are equal */
    layer->inner = model_ref(model);
    atomic_fetch_add_explicit(&model->wrapped, 1, memory_order_relaxed);
    return layer;
}
