// SPDX-License-Identifier: MIT
/* Tensors in Lua: a userdata that owns one reference to a Var. The box is made first, empty; the engine fills `hold`;
 * tensor_done makes a Var of it. So a failure at any point leaves an owner that the collector knows. */
#ifndef SCRIPT_BIND_TENSOR_H
#define SCRIPT_BIND_TENSOR_H

#include "autograd/tape.h"
#include "autograd/var.h"
#include "script/bind.h"

typedef struct TensorBox {
    Tensor hold;  /* on its way in */
    Var *var;     /* one reference */
    size_t bytes; /* announced to the collector */
    /* Of a step (scope.h): where it stands on a tape, while both numbers are those of now. */
    Tape *tape;
    Node *node;
    uint64_t generation, life;
    bool borrowed; /* its values are the step's */
} TensorBox;

extern const Kind kind_tensor;

/* Push an empty box. */
TensorBox *tensor_box(lua_State *L);

/* hold becomes the value, or a finished Var (taken over) does. Raises. */
void tensor_done(lua_State *L, TensorBox *box, bool requires_grad);
void tensor_done_var(lua_State *L, TensorBox *box, Var *take);

/* The Var at index, borrowed from its box. Raises, also for the stand-ins of a traced function, whose values nobody may look at:
 * tensor_any takes these too, for ops and for what looks at shapes alone. */
Var *tensor_check(lua_State *L, int index, const char *who);
Var *tensor_any(lua_State *L, int index, const char *who);
Var *tensor_test(lua_State *L, int index); /* NULL: something else */

/* Is the tensor at index one of a step, that only borrows its values? Views of it are made by ops. */
bool tensor_borrows(lua_State *L, int index);

/* A tensor at index, or what can become one (a number, nested tables, a list of tensors), which is replaced by a tensor of
 * this type on the stack. Tensors that are there already keep their type. Raises. */
Var *tensor_want(lua_State *L, int index, DType dtype, const char *who);

/* Push a new tensor made of nested tables or a number at index. Raises. */
TensorBox *tensor_from(lua_State *L, int index, DType dtype, const char *who);

/* Push a tensor that shares the storage of this one (a copy where it has none of its own). Raises. */
TensorBox *tensor_push(lua_State *L, const Tensor *value);

/* A shape from the integers from `first` on, or from one table of integers there; *next is the first index behind. Raises. */
Shape tensor_shape(lua_State *L, int first, int *next, const char *who);

/* {2, 3}, which prints as (2, 3). */
void tensor_push_shape(lua_State *L, const Shape *shape);

/* Keys that are numbers (tensor_index.c). */
int tensor_index(lua_State *L);
bool tensor_set_index(lua_State *L);
int tensor_slice(lua_State *L);
int tensor_assign(lua_State *L);
extern const ArgSpec tensor_slice_args[3];

/* t:save and tensor.load (tensor_file.c). */
int tensor_save(lua_State *L);
int tensor_load(lua_State *L);

/* Store a number; false when the type cannot hold it. */
MUST_USE bool tensor_store(Tensor *tensor, int64_t i, double value, const char *who, Err *err);

/* Run an op on the vars at stack indices (0: absent) and push the result (bind_op.c). Raises. */
void op_push(lua_State *L, const Op *op, const int *at, int n_in, const Args *args, bool training);
/* The same by name with default arguments. */
void op_push_name(lua_State *L, const char *name, const int *at, int n_in);

extern const VerbGroup tensor_group, tensor_file_group; /* tensor.zeros …, tensor.load */
extern const luaL_Reg op_operators[];

#endif
