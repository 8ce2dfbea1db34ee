// SPDX-License-Identifier: MIT
/* Pictures for watchers: the layers' statistics, and what one layer answers to one sample (answer.c). Made only while somebody looks, a
 * few times a second, at a boundary, by a forward pass over a fixed batch of rows on a tape of its own. Nothing that training
 * reads is written: the bits of a run do not depend on being watched.
 *
 * The nodes of a job's models are counted through, model by model; what goes in is what the step gave them last. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tensor/kern.h"
#include "train/answer.h"
#include "train/health.h"
#include "train/job.h"
#include "train/trainer.h"

#define LOOK_S 0.25
#define ROWS 64

struct Probe {
    Feed rows;        /* of the validation data, else of the training data; of a job: none */
    Batch given[JOB_MODELS]; /* of a job: rows that each model was given; tensors owned; n 0: none yet */
    double given_s[JOB_MODELS];
    int base[JOB_MODELS + 1]; /* of each model's nodes; the last: how many there are */
    int n_models;
    int *nodes;       /* owned: graph nodes, as counted through, that are shown; all but inputs */
    const Layer **seen; /* owned: the graph's layers as they were, to notice a changed model */
    int n, n_graph;
    Node **values;    /* owned [n_graph]: of the pass in progress */
    float *gradient, *update; /* owned [n] */
    real *before;     /* owned: trainable weights before an update; made at the first look */
    size_t n_before;
    unsigned char *flags; /* owned, as wide as the widest last axis */
    double last_s;
    int64_t step;     /* that the pictures show */
    int layer, sample; /* asked for; layer -1: the first choice */
    int first_choice; /* index of nodes */
    bool drawn[PICTURE_KINDS];
};

static int model_of(const Probe *probe, int place)
{
    int m = 0;
    while (m + 1 < probe->n_models && place >= probe->base[m + 1])
        m++;
    return m;
}

/* The graph's node at a place, counted through. */
static const GraphNode *node_at(const Run *run, int place)
{
    int n, m = model_of(run->probe, place);
    return &run_models(run, &n)[m]->nodes[place - run->probe->base[m]];
}

/* Does row k hold a kernel, and is its output [B, H, W, C]? */
static bool has_kernel(const Run *run, int k, bool image)
{
    const GraphNode *node = node_at(run, run->probe->nodes[k]);
    return node->layer->n_params > 0 && node->layer->params[0].value.shape.rank >= 2 && (!image || node->shape.rank == 4);
}

/* Is row k what a model of a job makes images of something else with? */
static bool makes_images(const Run *run, int k)
{
    const Probe *probe = run->probe;
    int n, m = model_of(probe, probe->nodes[k]);
    const Model *model = run_models(run, &n)[m];
    const Shape *out = &model->nodes[model->outputs[0]].shape, *in = &model->nodes[model->inputs[0]].shape;
    return run->job && probe->nodes[k] == probe->base[m] + model->outputs[0] && out->rank == 4 && (out->d[3] == 1 || out->d[3] == 3) && in->rank < 4;
}

static int choose_first(const Run *run)
{
    for (int k = 0; k < run->probe->n; k++)
        if (makes_images(run, k))
            return k;
    for (int image = 1; image >= 0; image--)
        for (int k = 0; k < run->probe->n; k++)
            if (has_kernel(run, k, image))
                return k;
    return 0;
}

static bool init_nodes(Run *run, Err *err)
{
    Probe *probe = run->probe;
    int64_t widest = 1;
    for (int i = 0; i < probe->n_graph; i++) {
        const GraphNode *node = node_at(run, i);
        probe->seen[i] = node->layer;
        if (node->shape.rank > 0 && node->shape.d[node->shape.rank - 1] > widest)
            widest = node->shape.d[node->shape.rank - 1];
        if (!node->layer->kind->is_input && !layer_is_pick(node->layer))
            probe->nodes[probe->n++] = i;
    }
    probe->first_choice = choose_first(run);
    return (probe->flags = mem_alloc((size_t)widest, 1, err)) != NULL;
}

static void count_nodes(Run *run)
{
    Probe *probe = run->probe;
    Model *const *models = run_models(run, &probe->n_models);
    for (int m = 0; m < probe->n_models; m++)
        probe->base[m + 1] = probe->base[m] + models[m]->n_nodes;
    probe->n_graph = probe->base[probe->n_models];
}

bool probe_add(Run *run, Err *err)
{
    const Feed *from = run->check.n > 0 ? &run->check : &run->feed;
    Probe *probe = run->probe = mem_zero(1, sizeof *probe, err);
    if (!probe)
        return false;
    probe->step = -1;
    count_nodes(run);
    size_t n = (size_t)probe->n_graph;
    bool ok = (probe->nodes = mem_alloc(n, sizeof *probe->nodes, err)) && (probe->values = mem_alloc(n, sizeof *probe->values, err)) &&
              (probe->gradient = mem_alloc(n, sizeof(float), err)) && (probe->update = mem_alloc(n, sizeof(float), err)) &&
              (probe->seen = mem_alloc(n, sizeof *probe->seen, err)) && init_nodes(run, err) &&
              (run->job || feed_init(&probe->rows, &from->all, from->first, from->n < ROWS ? from->n : ROWS, ROWS, false, 0, err));
    for (size_t i = 0; ok && i < n; i++)
        probe->gradient[i] = probe->update[i] = -1;
    return ok;
}

void probe_free(Probe *probe)
{
    if (!probe)
        return;
    feed_fini(&probe->rows);
    for (int m = 0; m < probe->n_models; m++)
        for (int i = 0; i < probe->given[m].n_x; i++)
            tensor_unref(&probe->given[m].x[i]);
    mem_free(probe->nodes);
    mem_free(probe->values);
    mem_free(probe->gradient);
    mem_free(probe->update);
    mem_free(probe->before);
    mem_free(probe->seen);
    mem_free(probe->flags);
    mem_free(probe);
}

static bool watched(const Run *run)
{
    return telemetry_watched(run->tele, PICTURE_LAYERS) || telemetry_watched(run->tele, PICTURE_PROBE);
}

/* ---- how much an update changes ---- */

/* Block i of all the optimizers; NULL behind the last. */
static const OptimizerBlock *block_at(const Run *run, int i)
{
    Optimizer *const *all = run->job ? run->job->optimizers : &run->optimizer;
    for (int k = 0; k < (run->job ? run->job->n_optimizers : 1); i -= all[k++]->n_blocks)
        if (i < all[k]->n_blocks)
            return &all[k]->blocks[i];
    return NULL;
}

/* Room for all weights; a job's optimizers come one by one. */
static bool make_before(Run *run)
{
    Probe *probe = run->probe;
    size_t n = 0;
    const OptimizerBlock *block;
    for (int i = 0; (block = block_at(run, i)); i++)
        n += block->layer->n_trainable;
    if (probe->before && n == probe->n_before)
        return true;
    mem_free(probe->before);
    probe->n_before = n;
    return (probe->before = mem_alloc(n, sizeof(real), NULL)) != NULL;
}

bool probe_before_update(Run *run)
{
    Probe *probe = run->probe;
    const OptimizerBlock *block;
    if (!probe || run->last_s - probe->last_s < LOOK_S || !watched(run))
        return false;
    real *at = make_before(run) ? probe->before : NULL;
    for (int i = 0; at && (block = block_at(run, i)); i++) {
        kern_copy(at, block->layer->block, (int64_t)block->layer->n_trainable);
        at += block->layer->n_trainable;
    }
    return true;
}

/* Sizes of gradient and update of the layers that stand in the graph itself. */
static void measure_update(Run *run)
{
    Probe *probe = run->probe;
    const OptimizerBlock *block;
    real *at = probe->before, *end = at ? at + probe->n_before : NULL;
    for (int i = 0; at && (block = block_at(run, i)) && at + block->layer->n_trainable <= end; i++) {
        size_t n = block->layer->n_trainable;
        double weights = kern_sum_squares(at, (int64_t)n), change;
        for (size_t j = 0; j < n; j++)
            at[j] -= block->layer->block[j];
        change = kern_sum_squares(at, (int64_t)n);
        int64_t kernel = tensor_count(&block->layer->params[0].value);
        for (int k = 0; k < probe->n; k++)
            if (probe->seen[probe->nodes[k]] == block->layer) {
                probe->gradient[k] = (float)sqrt(kern_sum_squares(block->grad, kernel) / (double)kernel);
                probe->update[k] = weights > 0 ? (float)sqrt(change / weights) : -1;
            }
        at += n;
    }
}

/* ---- the layers ---- */

static void keep_value(void *ctx, int graph_node, Node *value)
{
    ((Node **)ctx)[graph_node] = value; /* of its model's part of the list */
}

/* "dense"; of a job "G/dense". */
static void name_row(const Run *run, int k, char out[TELE_NAME])
{
    int place = run->probe->nodes[k];
    const char *name = node_at(run, place)->layer->name;
    if (run->job && run->job->n_models > 1)
        snprintf(out, TELE_NAME, "%.10s/%.20s", run->job->names[model_of(run->probe, place)], name);
    else
        snprintf(out, TELE_NAME, "%.31s", name);
}

static bool ends_in_relu(const Layer *layer)
{
    int i = args_find(&layer->args, "activation");
    if (i >= 0 && layer->args.specs[i].type == ARG_CHOICE)
        return !strcmp(args_choice(&layer->args, "activation"), "relu");
    return i >= 0 && layer->args.specs[i].type == ARG_TEXT && !strcmp(args_text(&layer->args, "activation"), "relu");
}

static void count_params(const Layer *layer, TeleLayer *row)
{
    row->n_params = layer->inner ? model_count_params(layer->inner, false) : (int64_t)layer->n_elements;
    row->n_trainable = layer->inner ? model_count_params(layer->inner, true) : layer->trainable ? (int64_t)layer->n_trainable : 0;
}

static void write_shape(const Shape *shape, char out[TELE_NAME])
{
    size_t at = 0;
    out[0] = 0;
    for (int i = 1; i < shape->rank && at < TELE_NAME; i++)
        at += (size_t)snprintf(out + at, TELE_NAME - at, "%s%lld", i > 1 ? "x" : "", (long long)shape->d[i]);
}

static void draw_layers(Run *run)
{
    Probe *probe = run->probe;
    TeleLayers *layers = telemetry_picture_new(run->tele, PICTURE_LAYERS, sizeof *layers + (size_t)probe->n * sizeof(TeleLayer));
    if (!layers)
        return;
    layers->step = run->at.step;
    layers->n = probe->n;
    for (int k = 0; k < probe->n; k++) {
        const GraphNode *node = node_at(run, probe->nodes[k]);
        TeleLayer *row = &layers->rows[k];
        memset(row, 0, sizeof *row);
        name_row(run, k, row->name);
        snprintf(row->kind, TELE_NAME, "%.31s", node->layer->kind->name);
        write_shape(&node->shape, row->shape);
        count_params(node->layer, row);
        row->gradient = probe->gradient[k];
        row->update = probe->update[k];
        const Node *value = probe->values[probe->nodes[k]];
        if (value->value.dtype == DTYPE_FLOAT32)
            health_measure(row, &value->value, ends_in_relu(node->layer), probe->flags);
        else
            row->dead = -1;
    }
    health_judge(layers);
    telemetry_set_picture(run->tele, PICTURE_LAYERS, layers);
    probe->drawn[PICTURE_LAYERS] = true;
}

/* ---- one layer, one sample ---- */

static void draw_probe(Run *run, const Batch *batches)
{
    Probe *probe = run->probe;
    char name[TELE_NAME];
    int layer = atomic_load(&run->want_layer), sample = atomic_load(&run->want_sample);
    layer = layer < 0 ? probe->first_choice : layer < probe->n ? layer : probe->n - 1;
    const Batch *batch = &batches[model_of(probe, probe->nodes[layer])];
    name_row(run, layer, name);
    Answer answer = { .layer = layer, .n_layers = probe->n, .sample = sample < batch->n ? sample : (int)batch->n - 1, .name = name, .batch = batch,
                      .value = probe->values[probe->nodes[layer]], .values = probe->values, .n_values = probe->n_graph,
                      .end = probe->values[run->model->outputs[run->class_output]] };
    probe->drawn[PICTURE_PROBE] = answer_draw(run, &answer);
}

/* ---- what a job's models are given ---- */

/* The first rows of a batch, as tensors of their own; those that are there are used again. */
static bool keep_rows(Batch *kept, const Tensor *x, int n_x)
{
    kept->n = 0;
    for (int i = 0; i < n_x; i++) {
        Shape shape = x[i].shape;
        if (shape.rank < 1 || shape.d[0] < 1)
            return false;
        shape.d[0] = shape.d[0] < ROWS ? shape.d[0] : ROWS;
        if (i == kept->n_x)
            kept->x[kept->n_x++] = (Tensor){ 0 };
        if (kept->x[i].dtype != x[i].dtype || !shape_same(&kept->x[i].shape, &shape)) {
            tensor_unref(&kept->x[i]);
            if (!tensor_new(&kept->x[i], x[i].dtype, shape, NULL))
                return false;
        }
        memcpy(kept->x[i].data, x[i].data, tensor_size(&kept->x[i]));
    }
    kept->n = kept->x[0].shape.d[0];
    return true;
}

void probe_given(Run *run, const Model *model, const Tensor *x, int n_x)
{
    Probe *probe = run->probe;
    int n;
    Model *const *models = run_models(run, &n);
    double now = clock_now();
    for (int m = 0; probe && m < n; m++)
        if (models[m] == model && n_x == model->n_inputs && (probe->given[m].n == 0 || (now - probe->given_s[m] > LOOK_S && watched(run)))) {
            probe->given_s[m] = now;
            if (!keep_rows(&probe->given[m], x, n_x))
                probe->given[m].n = 0; /* no memory now: at the next call */
        }
}

/* ---- when ---- */

/* The batches, one for each model, in out. False: a job has not called all of them yet. */
static bool take_rows(Run *run, Batch out[JOB_MODELS])
{
    Probe *probe = run->probe;
    if (!run->job)
        feed_take(&probe->rows, 0, 0, &out[0]);
    for (int m = 0; run->job && m < probe->n_models; m++) {
        out[m] = probe->given[m];
        if (out[m].n == 0)
            return false;
    }
    return true;
}

static bool run_model_rows(Run *run, int m, const Batch *batch)
{
    Probe *probe = run->probe;
    Node *in[MODEL_INPUTS], *out[MODEL_OUTPUTS];
    Err err;
    int n;
    for (int i = 0; i < batch->n_x; i++)
        if (!(in[i] = tape_input(&run->look, &batch->x[i], &err)))
            return false;
    return model_forward(run_models(run, &n)[m], &run->look, in, out, keep_value, probe->values + probe->base[m], &err);
}

static void draw(Run *run)
{
    Probe *probe = run->probe;
    Batch batches[JOB_MODELS];
    probe->last_s = clock_now();
    probe->step = run->at.step;
    probe->layer = atomic_load(&run->want_layer);
    probe->sample = atomic_load(&run->want_sample);
    probe->drawn[PICTURE_LAYERS] = probe->drawn[PICTURE_PROBE] = false;
    if (!take_rows(run, batches))
        return;
    tape_begin(&run->look, TAPE_FORWARD, run->seed, 0);
    for (int m = 0; m < probe->n_models; m++)
        if (!run_model_rows(run, m, &batches[m]))
            return; /* no memory now: no picture */
    if (telemetry_watched(run->tele, PICTURE_LAYERS))
        draw_layers(run);
    if (telemetry_watched(run->tele, PICTURE_PROBE))
        draw_probe(run, batches);
}

void probe_after_update(Run *run)
{
    measure_update(run);
    draw(run);
}

/* Does the model still have the layers that it had when the run began? */
static bool unchanged(const Run *run)
{
    const Probe *probe = run->probe;
    int n;
    Model *const *models = run_models(run, &n);
    for (int m = 0; m < n; m++)
        if (models[m]->n_nodes != probe->base[m + 1] - probe->base[m])
            return false;
    for (int i = 0; i < probe->n_graph; i++)
        if (node_at(run, i)->layer != probe->seen[i])
            return false;
    return true;
}

void probe_idle(Run *run)
{
    const Probe *probe = run->probe;
    if (!probe)
        return;
    bool moved = probe->step != run->at.step || probe->layer != atomic_load(&run->want_layer) || probe->sample != atomic_load(&run->want_sample);
    bool missing = false;
    for (int kind = 0; kind < PICTURE_KINDS; kind++)
        missing |= kind != PICTURE_CONFUSION && telemetry_watched(run->tele, (PictureKind)kind) && (moved || !probe->drawn[kind]);
    if (!missing)
        return;
    if (!run->ended) {
        draw(run);
    } else if (!pthread_mutex_trylock(&run->model_lock)) {
        if (!atomic_load(&run->retired) && unchanged(run))
            draw(run);
        pthread_mutex_unlock(&run->model_lock);
    }
}
