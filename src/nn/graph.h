// SPDX-License-Identifier: MIT
/* What the files of nn share about the making of layers and graphs; not for the rooms above.
 *
 * Making has two halves, so that all that can be refused is refused before memory is taken or anything changes: planning
 * (shapes and names of parameters, shapes of nodes) and allocating (memory, initial values). A planned layer is `built` and
 * has no block yet; it is tentative until the change that it belongs to is complete. */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include "nn/model.h"

#define MODEL_NODES_MOST 4096  /* nodes of a graph, leaves of a model */
#define MODEL_RUNS_MOST 100000 /* layers that one forward runs, those of models within it counted each time */
#define MODEL_DEPTH_MOST 16    /* models within models */

/* ---- names.c ---- */

/* The next automatic name of this prefix: "dense", "dense_1", … */
void name_next(const char *prefix, char out[LAYER_NAME]);

/* Automatic names to come skip this one, which a file brought. */
void name_claim(const char *prefix, const char *name);

/* A name that the user gave: not empty, fits, no '/' and no control characters. `what` is "layer" or "model". Fails: ERR_ARG. */
MUST_USE bool name_check(const char *what, const char *name, Err *err);

/* ---- layer.c ---- */

/* Plan it for these inputs; when it is built, see whether it fits them. Fails as layer_build does. */
MUST_USE bool layer_plan(Layer *layer, const Shape *in, int n_in, Err *err);
void layer_commit(Layer *layer);   /* keep what was planned and allocated */
void layer_rollback(Layer *layer); /* take it back; nothing when it was built before */

/* Memory for its parameters, with initial values unless they are about to be read (then zeros). */
MUST_USE bool layer_allocate(Layer *layer, uint64_t seed, bool fill, Err *err);
bool layer_allocated(const Layer *layer);

/* The seed for a layer at this path below what has `seed`: the names of the models and composites around it count. */
uint64_t leaf_seed(uint64_t seed, const char *path);

/* As many inputs as its kind takes. Fails: ERR_ARG. */
MUST_USE bool layer_check_count(const Layer *layer, int n_in, Err *err);

/* Kinds of models used as layers: "Sequential", "Functional". */
extern const LayerKind layer_kind_sequential, layer_kind_functional;

/* Stands behind a layer with several outputs and gives the second, third … of them, so that each node of a graph has one value. */
extern const LayerKind layer_kind_pick;
MUST_USE Layer *pick_new(int which, const GraphNode *of, const char *name, Err *err); /* name NULL: automatic */

/* ---- graph.c ---- */

/* The same layer, or two places where the same model is used. */
bool graph_same_layer(const Layer *a, const Layer *b);

/* Shape, type, multiply-adds and memory of one sample's forward of a planned layer, by an INFER tape at batch 1. out[] has place
 * for all its outputs; the others' shape and type only. */
MUST_USE bool graph_infer(Layer *layer, const Shape *in, const DType *in_dtype, int n_in, GraphNode *out, Err *err);

/* Plan the layer for the nodes in[] and append it; takes a reference. Automatic names that are taken are changed. Fails: what
 * the layer says, ERR_ARG (name taken, too many nodes), ERR_MEM; the model and the layer are then as before. On success the
 * layer may be tentative. */
MUST_USE bool graph_append(Model *model, Layer *layer, const int *in, int n_in, Err *err);

/* Remove the last node. */
void graph_pop(Model *model);

/* An Input node for data of this shape (batch -1). name NULL: automatic. */
MUST_USE bool graph_append_input(Model *model, Shape shape, DType dtype, const char *name, Err *err);

/* A node of a Sequential whose shapes are not known yet. */
MUST_USE bool graph_append_pending(Model *model, Layer *layer, Err *err);

/* Memory for all layers that are planned, then commit them. Fails: ERR_MEM; all that is tentative is then rolled back. */
MUST_USE bool graph_allocate(Model *model, bool fill, Err *err);

void graph_rollback(Model *model); /* all that is tentative */
void graph_free(Model *model);     /* nodes and leaves */
void notes_free(Model *model);

/* ---- model.c ---- */
MUST_USE Model *model_new(const char *prefix, const char *name, Err *err);

/* ---- forward.c ---- */

/* Whether data of this shape, batch included, may enter at an input. Fails: ERR_SHAPE with a remedy. */
MUST_USE bool forward_check(const Model *model, int input, const Shape *shape, Err *err);

/* ---- json.c ---- */

#define JSON_SIZE_MOST (4 << 20)

/* As model_from_json, planned only: no memory for weights. */
MUST_USE Model *json_plan(const char *json, size_t size, Err *err);

#endif
