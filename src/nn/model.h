// SPDX-License-Identifier: MIT
/* Models: a graph of layers, Sequential or functional. Counted. A Symbol is a value that does not exist yet: what layers are
 * called on to build a functional model.
 *
 * Threads: a model under training is touched only by its run's trainer thread; `owner` says how to get there. A model without
 * a run is worked on by the caller. Reading what never changes after building (names, shapes) is free. */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include "nn/layer.h"

#define MODEL_INPUTS 8
#define MODEL_OUTPUTS 8
#define LAYER_PATH 96

typedef struct Symbol {
    _Atomic int refs;
    Layer *layer;              /* reference; an Input layer for inputs */
    struct Symbol *in[OP_IN_MOST]; /* references */
    int n_in;
    Shape shape;               /* batch -1 */
    DType dtype;
    int64_t batch;             /* as Layer.batch */
    int id;                    /* order of making */
    struct Symbol *dead;       /* used while a chain of them is freed */
} Symbol;

/* An Input symbol: shape without the batch. Fails: ERR_SHAPE, ERR_MEM. */
MUST_USE Symbol *symbol_input(Shape shape, DType dtype, const char *name, Err *err);

/* Call a layer on symbols: builds it at its first use. The first output; or all of them, whose number is returned (0: failure). */
MUST_USE Symbol *symbol_call(Layer *layer, Symbol *const *in, int n_in, Err *err);
MUST_USE int symbol_call_all(Layer *layer, Symbol *const *in, int n_in, Symbol *out[LAYER_OUTPUTS], Err *err);

/* The same without memory for weights: within a composite, see compose.h. */
MUST_USE int symbol_plan(Layer *layer, Symbol *const *in, int n_in, Symbol *out[LAYER_OUTPUTS], Err *err);
Symbol *symbol_ref(Symbol *symbol);
void symbol_unref(Symbol *symbol);

typedef struct GraphNode {
    Layer *layer; /* reference */
    bool first;   /* the first place where this layer is used */
    int in[OP_IN_MOST], n_in; /* indices of earlier nodes */
    Shape shape;  /* of the output, batch -1; rank 0: not known yet (Sequential before its first data) */
    DType dtype;
    int64_t batch; /* as Layer.batch */
    double flops; /* multiply-adds of one sample's forward */
    size_t bytes; /* of all that one sample's forward makes, in float32; 0 where it only reshapes */
} GraphNode;

/* A layer that is no model, with its path from this model: "dense", "inner/dense". Input layers are left out. */
typedef struct ModelLeaf {
    Layer *layer; /* borrowed from its node */
    char path[LAYER_PATH];
} ModelLeaf;

/* A text that belongs to a model and stands in its file: its tokeniser, names of its classes. */
typedef struct ModelNote {
    char name[32];
    char *text; /* owned */
    struct ModelNote *next;
} ModelNote;

struct Model {
    _Atomic int refs;
    char name[LAYER_NAME];
    bool sequential;
    bool built;
    uint64_t seed;
    GraphNode *nodes; /* owned, in the order they run; a built Sequential begins with an Input */
    int n_nodes, room_nodes;
    ModelLeaf *leaves; /* owned; each layer once even when shared */
    int n_leaves, room_leaves;
    int depth;            /* models within models in it: 0 for none */
    int runs;             /* layers that one forward runs, those of inner models included */
    _Atomic int wrapped;  /* places in other models where it is a layer: it cannot grow then */
    int inputs[MODEL_INPUTS], n_inputs;   /* indices of nodes */
    int outputs[MODEL_OUTPUTS], n_outputs;
    ModelNote *notes; /* owned, sorted by name */
    Tape *spare;      /* owned: the memory of the last predict, for the next; NULL: none, or in use */
    /* What the rooms above hang on it; freed with it. */
    void *compiled; /* train/compile.h */
    void (*compiled_free)(void *);
    _Atomic(void *) owner; /* the run that trains it (train/run.h), not counted; NULL: none */
};

/* An empty Sequential; name NULL: automatic ("sequential", "sequential_1"). */
MUST_USE Model *model_sequential(const char *name, Err *err);

/* Append a layer (takes a reference of its own). A first layer with input_shape, or an Input, lets it be built as it grows.
 * Fails: ERR_SHAPE, ERR_STATE, ERR_ARG; the model is then as before. */
MUST_USE bool model_add(Model *model, Layer *layer, Err *err);
MUST_USE bool model_pop(Model *model, Err *err);

/* A functional model from its ends. Fails: ERR_ARG when an output does not depend on the inputs alone. */
MUST_USE Model *model_functional(Symbol *const *inputs, int n_inputs, Symbol *const *outputs, int n_outputs, const char *name, Err *err);

/* The same without memory for weights. */
MUST_USE Model *model_plan(Symbol *const *inputs, int n_inputs, Symbol *const *outputs, int n_outputs, const char *name, Err *err);

Model *model_ref(Model *model);
void model_unref(Model *model);

/* A layer that runs the model, so that models can be layers; a Sequential that is not built yet is built by its use. Several
 * calls make several places of one shared layer. Fails: ERR_MEM. */
MUST_USE Layer *model_as_layer(Model *model, Err *err);

/* As Keras names them: by their layers; the second of one name is "name_1". "" where the model has no such end yet. */
void model_input_name(const Model *model, int i, char out[LAYER_NAME]);
void model_output_name(const Model *model, int i, char out[LAYER_NAME]);

/* Build for these input shapes (batch -1) if it is not built: Sequential without an input_shape, at the first data. Fails: what
 * a layer says, ERR_STATE when it has no layers; the model is then as before. */
MUST_USE bool model_build(Model *model, const Shape *in, int n_in, Err *err);

/* Seed of initial weights for what is built from now on (the process's seed at start). */
void model_set_seed(uint64_t seed);
uint64_t model_default_seed(void);

/* Run: in[n_inputs] to out[n_outputs] on the tape. A missing or surplus last axis of size 1 is put right, as Keras does; other
 * types are cast. Fails: ERR_SHAPE with a remedy. hook, when set, sees each graph node's value (for probes). */
typedef void (*ModelHook)(void *ctx, int graph_node, Node *value);
MUST_USE bool model_forward(Model *model, Tape *tape, Node *const *in, Node **out, ModelHook hook, void *ctx, Err *err);

/* Leaf layers that hold parameters or not, in order (the model's leaves). visit returns false to stop; the result is then false. */
typedef bool (*LayerVisit)(void *ctx, Layer *layer, const char *path);
bool model_each_layer(Model *model, LayerVisit visit, void *ctx);
Layer *model_layer(Model *model, const char *name, Err *err); /* borrowed; a name or a path; nearest name in err */
Layer *model_layer_at(Model *model, int i, Err *err);         /* borrowed; from 1, as users count; negative from the end */

int64_t model_count_params(const Model *model, bool trainable_only);

/* predict: rows of x (any type; converted) in batches through a FORWARD tape; *out gets [N, …] float32, own storage, to be ended
 * by tensor_unref; data NULL on failure. One input, one output; the general form takes lists: x[n_in], out[n_outputs]. Polls *stop (may be NULL) between batches: ERR_INTERRUPT. */
MUST_USE bool model_predict(Model *model, const Tensor *x, int batch_size, Tensor *out, const _Atomic bool *stop, Err *err);
MUST_USE bool model_predict_many(Model *model, const Tensor *const *x, int n_in, int batch_size, Tensor *out, const _Atomic bool *stop,
                                 Err *err);

/* Who is told of each batch, from 1: before it, and behind it with its rows first … first+n-1 (from 0). False ends the work. */
typedef struct BatchHook {
    void *ctx;
    bool (*begin)(void *ctx, int64_t batch, Err *err);
    bool (*end)(void *ctx, int64_t batch, int64_t first, int64_t n, Err *err);
} BatchHook;
MUST_USE bool model_predict_watched(Model *model, const Tensor *const *x, int n_in, int batch_size, Tensor *out, const _Atomic bool *stop,
                                    const BatchHook *hook, Err *err);

/* summary() as Keras prints it, with parameters, memory and multiply-adds. ascii: no box drawing. */
MUST_USE bool model_summary(Model *model, Buf *out, int width, bool ascii, Err *err);

/* ---- on disk: nn/save.c ----
 * One safetensors file: weights under "layer/kernel" in Keras's shapes, architecture as JSON text in the metadata key
 * "hebb.model" with a format version. Rooms above add tensors ("optimizer/…") and keys of their own through extra. Same model,
 * same bytes. */
typedef struct ModelExtra {
    int n_tensors;
    const char *const *names;
    const Tensor *tensors;
    int n_keys;
    const char *const *keys, *const *values;
} ModelExtra;
MUST_USE bool model_save(Model *model, const char *path, const ModelExtra *extra, Err *err);

/* The architecture and its weights. Fails: ERR_IO, ERR_DATA with file and reason (missing, surplus, wrongly shaped weights by
 * name). The second opens only the metadata value of a key into out (false without error when absent: err stays clear). */
MUST_USE Model *model_load(const char *path, Err *err);
bool model_load_key(const char *path, const char *key, Buf *out, Err *err);

/* Give the model a text of this name, saved under the metadata key "hebb.note.NAME" and there again after model_load; NULL takes it
 * away. At a boundary, as all that changes a model. Fails: ERR_ARG for a name of more than 31 bytes, ERR_MEM. */
MUST_USE bool model_set_note(Model *model, const char *name, const char *text, Err *err);
const char *model_note(const Model *model, const char *name); /* borrowed; NULL: it has none */
MUST_USE bool model_copy_notes(Model *to, const Model *from, Err *err);

/* Weights into an existing model. By names where they match, else in the order of the layers if the file's own model is built alike;
 * whatever does not fit is refused, before anything changes: ERR_DATA. by_name: by names alone, weights that one side lacks are left
 * out; skip_mismatch: so are those of other shapes (and, without by_name, what one side lacks). NULL: neither. */
typedef enum { LOAD_MATCHED, LOAD_MISSING, LOAD_SURPLUS, LOAD_MISFIT, LOAD_ORDER } LoadKind; /* LOAD_ORDER: once, names did not count */
typedef struct LoadOptions {
    bool by_name, skip_mismatch;
    void (*tell)(void *ctx, LoadKind kind, const char *name, const char *reason); /* each weight; NULL: nobody listens */
    void *ctx;
} LoadOptions;
MUST_USE bool model_load_weights(Model *model, const char *path, const LoadOptions *options, int *n_loaded, Err *err);

/* Architecture as JSON text and back. */
MUST_USE bool model_to_json(Model *model, Buf *out, Err *err);
MUST_USE Model *model_from_json(const char *json, Err *err);

#endif
