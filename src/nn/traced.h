// SPDX-License-Identifier: MIT
/* Layers whose forward is a Program (program.h): nn.Lambda, and the layers that users write in Lua. Where the ops come from, a room
 * above says by a TraceSource; once traced, or read from a file, a layer needs it no more.
 *
 * Both are counted. A Traced never changes once it is complete. */
#ifndef NN_TRACED_H
#define NN_TRACED_H

#include "nn/layer.h"
#include "nn/program.h"

typedef struct TracedParam {
    char name[24];
    char init[ARG_TEXT_MOST];
    Shape shape;
    bool trainable;
} TracedParam;

typedef struct Traced {
    _Atomic int refs;
    int n_in;
    Shape in[OP_IN_MOST], out; /* batch -1; what it was traced for, and what it gives then */
    TracedParam params[LAYER_PARAMS];
    int n_params;
    Program *infer, *train; /* references; the same one where training makes no difference */
} Traced;

typedef struct TraceSource TraceSource;
struct TraceSource {
    _Atomic int refs;
    /* Trace for inputs of these shapes (batch -1) into *out, which is cleared: params, infer and train. Fails: what the function
     * says, ERR_STATE where it cannot be called from this thread. */
    bool (*trace)(TraceSource *source, Layer *layer, const Shape *in, int n_in, Traced *out, Err *err);
    void (*free)(TraceSource *source); /* the last reference went; any thread */
};

TraceSource *trace_source_ref(TraceSource *source);
void trace_source_unref(TraceSource *source);

Traced *traced_ref(Traced *traced);
void traced_unref(Traced *traced);

/* One more weight. Fails: ERR_ARG (too many, the name is taken or no name), ERR_SHAPE, what init_parse says. */
MUST_USE bool traced_add_param(Traced *traced, const char *name, Shape shape, const char *init, bool trainable, Err *err);

/* What the function gave for batches of these sizes, as one program; out [the shape for batch[0]]. Fails as program_settle does,
 * and ERR_SHAPE when the result has no row for each sample (rows: it must). */
#define TRACE_BATCHES 3
extern const int64_t trace_batches[TRACE_BATCHES];
MUST_USE Program *traced_program(Var *const out[TRACE_BATCHES], Var *const *const in[TRACE_BATCHES], int n_in, Var *const *params, int n_params,
                                 bool rows, Err *err);

/* LayerKind.build and .forward of such layers. */
bool traced_build(Layer *layer, const Shape *in, int n_in, Err *err);
Node *traced_forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err);

/* {"in":[[-1,4]],"out":[-1,4],"weights":[{"name":…,"shape":…,"init":…,"trainable":…}],"infer":{…},"train":{…}}; see program_json. */
json_t *traced_json(const Traced *traced);
MUST_USE Traced *traced_read(json_t *in, Err *err);

#endif
