// SPDX-License-Identifier: MIT
/* One layer: one const LayerKind in a file of nn/layers/ (see README.md there). From it come the constructor, argument checks,
 * help, completion, the shape rule, summary, saving and loading, and the layer's tests.
 *
 * A Layer is counted. It owns one block of parameters for life (trainable ones first), views into which are its Params. It
 * composes ops and contains no derivative code. A layer is built once, when its first input shapes are known; it may be used
 * at several places of a model (shared), and trains in one run at a time. One thread at a time: the run's trainer, or the
 * caller where there is no run. */
#ifndef NN_LAYER_H
#define NN_LAYER_H

#include "autograd/tape.h"
#include "base/arg.h"
#include "nn/rule.h"

#define LAYER_PARAMS 16
#define LAYER_OUTPUTS 8
#define LAYER_WRAPS 2
#define LAYER_NAME 48

typedef struct Layer Layer;
typedef struct Model Model;
struct Rng;
struct Picture;

typedef struct Param {
    char name[24];    /* "kernel", "bias", "gamma", "moving_mean": Keras's names, those in files */
    Tensor value;     /* borrowed view into the layer's block; DTYPE_FLOAT32 */
    size_t offset;    /* elements from the start of the block */
    bool trainable;   /* by its nature; a frozen layer's are not trained either */
    bool state;       /* kept from batch to batch by a stateful layer: layer_reset_states clears it */
    char init[ARG_TEXT_MOST]; /* the initialiser, see init_parse */
    Regularization regularizer; /* from the layer's argument kernel_regularizer and the like */
    Restriction constraint;
    Shape fans;       /* the matrix [in, out] that the initialiser takes it for; usually its shape */
    Node *node;       /* this step's leaf, so that a shared layer has one gradient; see layer_param */
    uint64_t node_generation;
    const Tape *node_tape;
} Param;

typedef struct LayerCase { /* for tests of every layer: build, forward, save, load, gradient through the tape */
    const char *args;      /* "units=4 activation=relu" */
    Shape in[4];           /* batch included */
    int n_in;
    const char *wraps;     /* what a wrapper is given: "Dense units=3", a second one behind ';' */
    const char *ops;       /* what a traced layer was traced to, as in files (traced_json) */
    int classes;           /* > 0: the first input holds whole numbers 0 … classes-1 (token ids), as float32 */
} LayerCase;

/* What becomes of its inputs' masks (Node.mask), as in Keras. */
typedef enum {
    LAYER_MASK_STOP, /* its output has none */
    LAYER_MASK_PASS, /* its output has that of its input; of several inputs: a time step counts if it counts in one, and all have masks */
    LAYER_MASK_OWN,  /* forward sees to it */
} LayerMask;

typedef struct LayerKind {
    const char *name;    /* "Conv2D": Keras's class name, Lua's nn.Conv2D, the name in files */
    const char *prefix;  /* "conv2d": for automatic names conv2d, conv2d_1, … as Keras counts */
    const char *doc, *example;
    const ArgSpec *args; /* own rows; name, trainable, input_shape are common to all and not listed; layer_args adds more */
    int n_args;
    int in_least, in_most; /* inputs */
    const LayerCase *cases;
    int n_cases;
    /* Declare parameters by layer_add_param, or make the layers within by compose_begin … compose_end (compose.h). Shapes hold the
     * batch as -1. Fails: ERR_SHAPE with a remedy. */
    bool (*build)(Layer *layer, const Shape *in, int n_in, Err *err);
    /* Compose ops on the tape (mode INFER, FORWARD or TRAIN). Further outputs are hung on the first one by layer_also. A composite
     * may give compose_forward. */
    Node *(*forward)(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err);
    void (*fill)(Layer *layer); /* NULL, or what initialisers cannot say: changes values that they have just drawn */
    int (*n_outputs)(const Layer *layer); /* 1 … LAYER_OUTPUTS with these arguments; NULL: one */
    LayerMask mask;
    /* Layers that it is given, Bidirectional(layer): their names as in Verb.values, "layer *backward_layer". NULL: none. They stand in
     * layer->wrapped; build uses them by compose_wrapped. */
    const char *wraps;
    bool composite; /* made of layers of its own: build sets layer->inner */
    bool is_input;  /* Input: no inputs, a place where data enters */
    const char *gives; /* a value that is neither argument nor layer: "function"; NULL: none */
    bool traced;    /* its forward is a list of ops, traced from a function that it is given (traced.h) */
    /* For layers that change images at random (augment.h): what happens to one image; or how much of its own an image keeps when it is
     * mixed with another of its batch. */
    void (*augment)(const Layer *layer, struct Rng *rng, struct Picture *picture);
    double (*mix)(const Layer *layer, struct Rng *rng);
    bool resizes;   /* its first two arguments are the size of the images that come out */
    bool made;      /* a class made at run time: counted (made.h) */
} LayerKind;

struct Layer {
    _Atomic int refs;
    const LayerKind *kind;
    char name[LAYER_NAME];
    bool named;          /* by the user: never renamed */
    Args args;
    bool built, trainable;
    double rate;         /* it learns at the optimizer's rate times this: 1 */
    bool tentative;      /* built by a change that is not complete: taken back when it fails */
    Shape built_for;     /* the first input's shape that it was built for (batch -1) */
    Args op_args;        /* resolved once by build, so that a step looks nothing up: arguments of the op that does the work */
    Regularization activity; /* of what comes out: activity_regularizer */
    const Op *activation; /* also by build: applied to the result; NULL: linear */
    Param params[LAYER_PARAMS];
    int n_params;
    real *block;         /* owned; n_elements, the trainable ones first */
    size_t n_elements, n_trainable; /* of the block */
    real *grad;          /* [n_trainable] borrowed from the optimizer while a run trains it, else NULL */
    int run_id;          /* the run that trains it; 0: none */
    uint64_t seed;       /* of its initial weights and its dropout */
    int64_t batch;       /* samples in every batch, where nn.Input says so (stateful layers want to know); 0: any number */
    Shape input_shape;   /* asked for by the first layer's input_shape (batch -1); rank 0: not given */
    DType input_dtype;
    Model *inner;        /* a model used as a layer, or what a composite is made of: one reference; its layers hold the parameters */
    struct TraceSource *source; /* where `traced` comes from: a reference; NULL: from a file */
    struct Traced *traced; /* a reference; NULL: not traced yet */
    Layer *wrapped[LAYER_WRAPS]; /* what a wrapper was given, references; patterns for its own layers, never built themselves */
};

/* A layer of this kind; args complete and copied. name NULL: an automatic one. One reference. Fails: ERR_MEM, ERR_ARG. */
MUST_USE Layer *layer_new(const LayerKind *kind, const Args *args, const char *name, Err *err);
Layer *layer_ref(Layer *layer);
void layer_unref(Layer *layer);

/* Give a wrapper its i-th layer, before it is built (takes a reference). Fails: ERR_ARG when that is a model, an Input or built. */
MUST_USE bool layer_wrap(Layer *layer, int i, Layer *wrapped, Err *err);

/* A new layer of the same kind and arguments, not built. name NULL: an automatic one. */
MUST_USE Layer *layer_like(const Layer *layer, const char *name, Err *err);

bool layer_is_model(const Layer *layer); /* it stands for a model that has a life of its own */
int layer_n_outputs(const Layer *layer); /* 1 … LAYER_OUTPUTS */

/* Behind a layer with several outputs stand nodes of a graph that pick the others; they are nothing that users made. */
bool layer_is_pick(const Layer *layer);
int layer_picks(const Layer *layer); /* which: 1 is the one behind the first */

/* Kinds: by name (nearest name in err), by index (NULL behind the last). */
const LayerKind *layer_find(const char *name, Err *err);
const LayerKind *layer_at(int i);

/* Own rows; behind them, for each "kernel_initializer" and its like, "kernel_regularizer" and "kernel_constraint" of the weight of that
 * name, and last "activity_regularizer" for what comes out, but for composites, which hand the others to their layers. Program lifetime. */
const ArgSpec *layer_args(const LayerKind *kind, int *n);
void layer_args_init(Args *args, const LayerKind *kind);

/* Build for these input shapes (batch -1) if not built; initial weights come from seed and the layer's name. Fails: what the
 * kind says, wrapped with the layer's name; ERR_SHAPE when it was built for other shapes. */
MUST_USE bool layer_build(Layer *layer, const Shape *in, int n_in, uint64_t seed, Err *err);

/* Run on a tape; wraps errors with the layer's name and marks the nodes with it; sees to masks. The first output; the others
 * are its `also`. */
MUST_USE Node *layer_forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err);

/* What LAYER_MASK_PASS does, for a forward that sees to masks itself. False with ERR_MEM. */
MUST_USE bool layer_join_masks(Tape *tape, Node *out, Node *const *in, int n_in, Err *err);

/* Inside forward: hang further outputs on the first. False with ERR_MEM. */
MUST_USE bool layer_also(Tape *tape, Node *first, Node *const *further, int n, Err *err);

/* Inside build: a refusal in one line, "dense_1 wants …"; returns false with ERR_SHAPE. */
bool layer_refuse(const Layer *layer, Err *err, const char *format, ...) PRINTF_LIKE(3, 4);

/* Inside build: one more parameter of this shape. */
MUST_USE bool layer_add_param(Layer *layer, const char *name, Shape shape, const char *init, bool trainable, Err *err);

/* The same for a kernel of n_in axes that come in and others that go out: [model, heads, size] with n_in 1 counts as
 * [model, heads * size], as Keras's EinsumDense does. */
MUST_USE bool layer_add_kernel(Layer *layer, const char *name, Shape shape, int n_in, const char *init, Err *err);

/* Inside forward: the leaf of parameter i, the same node for every use in one step; has a gradient when the layer trains. */
MUST_USE Node *layer_param(Layer *layer, Tape *tape, int i, Err *err);
int layer_find_param(const Layer *layer, const char *name); /* -1: none */

/* States that are kept between batches begin anew, those of layers within too. The caller sees to it that no run trains it. */
void layer_reset_states(Layer *layer);

/* Train it or not; a model used as a layer hands it down to its layers. The caller sees to it that no run trains it. */
void layer_set_trainable(Layer *layer, bool trainable);
void layer_set_rate(Layer *layer, double rate); /* the same with the factor of its learning rate */

/* "(28, 28, 1)": a shape as users write it, without the batch. Buffer of SHAPE_TEXT bytes; returns out. */
const char *layer_shape_text(const Shape *shape, char out[SHAPE_TEXT]);

/* What would make inputs of shape got into want, where another arrangement of the same elements does: "; add nn.Flatten()
 * before it", "; add nn.Reshape({28, 28, 1}) before it", else "". Buffer of LAYER_REMEDY bytes; returns out. */
#define LAYER_REMEDY 200
const char *layer_remedy(const Shape *want, const Shape *got, char out[LAYER_REMEDY]);

/* Automatic names start again at "dense" (a new session, tests). */
void layer_reset_names(void);

/* ---- activations, by Keras's names: nn/activation.c ---- */
const char *const *activation_names(void);  /* ended by NULL */
extern const char *const activation_list[];  /* the same, for ArgSpec.choices */
const Op *activation_op(const char *name);   /* NULL for "linear", "nil" */
MUST_USE Node *activation_apply(const char *name, Tape *tape, Node *x, Err *err); /* "linear" or "nil": x itself */

/* For layers with an argument `activation`. In build, when op_args is set: leave it to the op where that can do it as well, else
 * set layer->activation. In forward: apply what is left to do; x NULL: NULL. */
MUST_USE bool activation_settle(Layer *layer, Err *err);
MUST_USE Node *activation_finish(const Layer *layer, Tape *tape, Node *x, Err *err);

#endif
