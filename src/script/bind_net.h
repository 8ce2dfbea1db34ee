// SPDX-License-Identifier: MIT
/* Layers, symbols, models, runs and recipes (nn.Adam{…}) in Lua: each userdata owns one reference. */
#ifndef SCRIPT_BIND_NET_H
#define SCRIPT_BIND_NET_H

#include "script/bind_tensor.h"
#include "train/callback.h"
#include "train/run.h"
#include "train/schedule.h"

typedef struct LayerBox {
    Layer *layer;
} LayerBox;
typedef struct SymbolBox {
    Symbol *symbol;
} SymbolBox;
typedef struct ModelBox {
    Model *model;
} ModelBox;
typedef struct RunBox {
    Run *run;
} RunBox;

/* A loss, metric, optimizer, schedule or built-in callback with its arguments, before it is put to use. */
typedef enum { RECIPE_OPTIMIZER, RECIPE_LOSS, RECIPE_METRIC, RECIPE_SCHEDULE, RECIPE_CALLBACK } RecipeType;
typedef struct Recipe {
    RecipeType type;
    union {
        const OptimizerKind *optimizer;
        const Loss *loss;
        const Metric *metric;
        const Schedule *schedule;
        const CallbackKind *callback;
    } of;
    Args args;
    char *file; /* owned: of a callback that writes one; NULL: its default */
    Optimizer *live; /* reference: an optimizer that apply has put to use, with its state; or NULL */
    Rate *rate; /* reference: of a schedule, it with its arguments; of an optimizer, its learning_rate where that is a schedule; or NULL */
} Recipe;

extern const Kind kind_layer, kind_symbol, kind_model, kind_run, kind_recipe;

Layer *layer_check(lua_State *L, int index, const char *who); /* borrowed */

/* ---- bind_weights.c: a layer's weights ---- */
void weights_push(lua_State *L, Layer *layer, int i);           /* a copy of parameter i */
void weights_put(lua_State *L, Layer *layer, int i, int index); /* the value at stack index becomes parameter i */
void weights_want(lua_State *L, const Layer *layer);            /* raises unless it is built */
int weights_get(lua_State *L); /* layer:get_weights(), with those of the layers that it is made of */
int weights_set(lua_State *L); /* layer:set_weights(list) */
Model *model_check(lua_State *L, int index, const char *who);
Run *run_check(lua_State *L, int index, const char *who);

/* Push an object with a reference of its own. Raise when memory runs out. */
void layer_push(lua_State *L, Layer *layer);
void symbol_push(lua_State *L, Symbol *take); /* takes over */
void model_push(lua_State *L, Model *take);
/* script_push_run is in state.h */

/* Make a layer of this kind of the arguments from stack index 1 on; pushed, and borrowed as the result (an Input pushes its symbol
 * and gives NULL). Raises. */
Layer *layer_construct(lua_State *L, const LayerKind *kind);

/* The layer, or the layers of the list, at index (nil: none); borrowed from the stack. Gives how many. Raises. */
int augment_take(lua_State *L, int index, Layer *out[AUGMENT_MOST], const char *who);

/* nn.layer{…} (bind_class.c). */
int class_new(lua_State *L);

/* The run that trains this layer, with a reference, or NULL. */
Run *layer_run(const Layer *layer);

/* The run that trains this model or trained it last, with a reference, or NULL. */
Run *model_run(const Model *model);

/* Do fn where this layer may be touched: at its run's boundary, or here. Returns; does not raise. */
MUST_USE bool layer_do(lua_State *L, Layer *layer, RunFn fn, void *ctx, Err *err);

/* Call a layer on what stands from stack index `first` on: symbols or tensors, one by one or in a list. Pushes the result. */
int layer_apply(lua_State *L, Layer *layer, int first);

/* From the value at index (a name, a recipe, a table {name, argument = …}) to a recipe that is pushed. Raises. */
Recipe *recipe_take(lua_State *L, int index, RecipeType type, const char *who);

/* A loss on tensors: y_true, y_pred and sample_weight? at 2, 3, 4; pushes a scalar with its graph (loss_call.c). Raises. */
int loss_call(lua_State *L, const Loss *loss, const Args *args);

/* Functions of nn that make recipes, by themselves and in nn.optimizers, nn.losses, nn.metrics, nn.schedules, nn.callbacks; into the table on top. */
void recipe_fill(lua_State *L);

/* Metric values by name, which print as one line: {loss = 0.1, accuracy = 0.9}. Pushed. */
void logs_push(lua_State *L, const char *const *names, const double *values, int n);
void logs_push_of(lua_State *L, Model *model, const double *logs); /* of a compiled model; model_work.c */
void logs_open(lua_State *L);
/* A history: columns by metric, which print as one aligned table. Makes a history of the table on top. */
void logs_set_history(lua_State *L);

/* reset_states, bound as a method of layers and of models (states.c). */
int layer_reset(lua_State *L);
int model_reset(lua_State *L);

/* fit, bound as a method of models (fit.c). */
int model_fit(lua_State *L);
/* What fit and nn.job share: flags, and waiting for a run whose failure is raised. */
bool fit_flag(lua_State *L, int index, const char *name, bool otherwise);
int fit_verbose(lua_State *L, int index); /* 0 silent, 1 with a progress bar, 2 a line an epoch */
void fit_wait(lua_State *L, Run *run);

/* run:log, inside the step of a job (jobs.c). */
int run_log(lua_State *L);
extern const VerbGroup job_group;
#define N_FIT_ARGS 12
extern const ArgSpec fit_args[N_FIT_ARGS];
#define FIT_VALUES "~x ~y? *validation_data *class_weight *callbacks *class_names *verbose *wait *resume *schedule *sample_weight *validation_freq *augment"

/* Data of a model (samples.c), borrowed from the stack. x and y: a tensor, tables of numbers, or where the model has several inputs
 * or outputs a list, or a table by their names. Raise; `who` is named in messages. */
int samples_inputs(lua_State *L, int index, const Model *model, Tensor out[MODEL_INPUTS], const char *who); /* how many */
void samples_pair(lua_State *L, int x, int y, const Model *model, Samples *out, const char *who); /* at x also a dataset, which has both */
void samples_weights(lua_State *L, int index, const Model *model, Samples *out, const char *who); /* nil: none; one, or one for each output */
/* {x, y}, {x, y, weights}, {x = …, y = …} or a dataset; nil: false. */
bool samples_validation(lua_State *L, int index, const Model *model, Samples *out, const char *who);

/* Which input or output has this name; ends_refuse raises that there is none, with the nearest. */
int ends_find(lua_State *L, const Model *model, bool outputs, const char *key, const char *who);
void ends_refuse(lua_State *L, const Model *model, bool outputs, const char *key, const char *who);

/* {[0] = 1.0, [1] = 2.5} -> weights by class number, in memory of the collector that is pushed; nil gives NULL. Raises. */
real *fit_class_weight(lua_State *L, int index, int *n);

/* bind_config.c: the method model:config, and what lets the library in Lua add methods. */
int model_config(lua_State *L);
int lib_add_method(lua_State *L);

extern const VerbGroup nn_group;

#endif
