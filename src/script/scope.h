// SPDX-License-Identifier: MIT
/* Where ops run inside the step of a job and inside tape(function … end): on tapes whose memory is used again by the next step
 * (autograd/tape.h). A tensor of such a step borrows its values from there: it is known by the step's life, raises when that is over, and
 * gets storage of its own as soon as anybody but an op looks at it (tensor_check).
 *
 * A scope has one tape for what runs outside of tape() (inference, nothing is kept for gradients) and one for each tape() of the step. The
 * lua thread only. */
#ifndef SCRIPT_SCOPE_H
#define SCRIPT_SCOPE_H

#include "script/bind_net.h"

typedef struct Scope Scope;
struct Scope {
    Scope *outer;  /* the one that is interrupted by this one */
    uint64_t life; /* new with every step, of all scopes; 0: none yet */
    Tape **tapes;  /* owned */
    int n_tapes, room, used;
    Tape *now;     /* where ops go */
    Var **pins;    /* references: tensors from outside whose values the tapes borrow */
    int n_pins, pins_room;
    Model **models; /* references: those that were called */
    int n_models, models_room;
    Layer **layers;
    int n_layers, layers_room;
    uint64_t seed, step, draws;
    Run *run;      /* borrowed: the job; NULL: the prompt */
};

MUST_USE Scope *scope_new(Err *err);
void scope_free(Scope *scope);

/* Begin a step: random numbers come from seed and step. Until scope_end ops go to its tapes. Fails: ERR_MEM. */
MUST_USE bool scope_begin(Script *script, Scope *scope, uint64_t seed, uint64_t step, Run *run, Err *err);
/* What stands on the tapes stays until the next scope_begin, but no Lua value reaches it. keep: moving averages are taken over. */
void scope_end(Script *script, Scope *scope, bool keep);

/* The scope whose tapes ops go to now; NULL: none. */
Scope *scope_now(const Script *script);

/* Raise when this box borrows from a step that is over. */
void scope_check(lua_State *L, const TensorBox *box);

/* The tensor at stack index on the current tape: its node there, or a leaf that holds its values. Raises. */
Node *scope_node(lua_State *L, int index, const char *who);

/* Push a tensor for a node of the current tape. */
void scope_push(lua_State *L, Node *node);

/* Push a tensor that borrows these values until the step is over. */
void scope_push_value(lua_State *L, const Tensor *value);

/* An op on tensors at stack indices (0: absent); pushes the result. Raises. */
void scope_op(lua_State *L, const Op *op, const int *at, int n_in, const Args *args, bool training);

/* A model or a layer on n tensors from stack index `first` on; pushes its outputs and returns how many. training: 1, 0, or -1: as the
 * tape is. Raises. */
int scope_model(lua_State *L, Model *model, int first, int n, int training);
int scope_layer(lua_State *L, Layer *layer, int first, int n, int training);

/* The layer's weights were set from outside of tapes: losses of this step that went through them are too old for apply. */
void scope_changed(const Script *script, const Layer *layer);

/* {training = …} on top of the stack is popped: 1 or 0; -1 where there is none. Raises for what is neither. */
int scope_training(lua_State *L, const char *who);

/* optimizer:apply(loss, model): a method of optimizers (recipe.c). */
int scope_apply(lua_State *L);

void scope_open(lua_State *L); /* the global function tape */
extern const VerbGroup scope_group;
void scope_close(Script *script);

#endif
