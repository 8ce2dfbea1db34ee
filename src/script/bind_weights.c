// SPDX-License-Identifier: MIT
/* Weights of a layer in Lua: read as copies, written with checks, on the thread that may touch them. */
#include <string.h>

#include "script/bind_net.h"
#include "script/scope.h"

typedef struct ParamJob {
    Layer *layer;
    int i;
    Tensor *out;        /* reading: a copy goes here */
    const Tensor *from; /* writing */
} ParamJob;

static bool read_param(void *ctx, Err *err)
{
    ParamJob *job = ctx;
    return tensor_copy(job->out, &job->layer->params[job->i].value, err);
}

static bool write_param(void *ctx, Err *err)
{
    ParamJob *job = ctx;
    Param *param = &job->layer->params[job->i];
    char want[SHAPE_TEXT], got[SHAPE_TEXT];
    if (!shape_same(&param->value.shape, &job->from->shape))
        return err_set(err, ERR_SHAPE, "%s.%s has shape %s, got %s", job->layer->name, param->name,
                       shape_text(&param->value.shape, want), shape_text(&job->from->shape, got));
    memcpy(param->value.data, job->from->data, tensor_size(&param->value));
    return true;
}

void weights_push(lua_State *L, Layer *layer, int i)
{
    Err err = ERR_INIT;
    TensorBox *box = tensor_box(L);
    ParamJob job = { .layer = layer, .i = i, .out = &box->hold };
    if (!layer_do(L, layer, read_param, &job, &err))
        bind_raise(L, &err);
    tensor_done(L, box, false);
}

void weights_put(lua_State *L, Layer *layer, int i, int index)
{
    Err err = ERR_INIT;
    const Var *var = tensor_want(L, index, DTYPE_FLOAT32, layer->params[i].name);
    if (var->value.dtype != DTYPE_FLOAT32)
        bind_error(L, ERR_ARG, "%s.%s wants float32, got %s", layer->name, layer->params[i].name, dtype_name(var->value.dtype));
    ParamJob job = { .layer = layer, .i = i, .from = &var->value };
    if (!layer_do(L, layer, write_param, &job, &err))
        bind_raise(L, &err);
    scope_changed(script_of(L), layer);
}

void weights_want(lua_State *L, const Layer *layer)
{
    if (!layer->built)
        bind_error(L, ERR_STATE,
                   "%s has no weights yet: they are made when the shape of its input is known (input_shape, or the first data)",
                   layer->name);
}

/* Its weights, then those of the layers that it is made of, behind the n that the list on top holds; how many it then holds. */
static int push_weights(lua_State *L, Layer *layer, int n)
{
    for (int i = 0; i < layer->n_params; i++) {
        weights_push(L, layer, i);
        lua_rawseti(L, -2, ++n);
    }
    for (int i = 0; layer->inner && i < layer->inner->n_leaves; i++)
        n = push_weights(L, layer->inner->leaves[i].layer, n);
    return n;
}

/* The same with those of the list at 2, which holds as many. */
static int take_weights(lua_State *L, Layer *layer, int n)
{
    for (int i = 0; i < layer->n_params; i++) {
        lua_rawgeti(L, 2, ++n);
        weights_put(L, layer, i, lua_gettop(L));
        lua_pop(L, 1);
    }
    for (int i = 0; layer->inner && i < layer->inner->n_leaves; i++)
        n = take_weights(L, layer->inner->leaves[i].layer, n);
    return n;
}

int weights_get(lua_State *L)
{
    Layer *layer = layer_check(L, 1, "weights");
    lua_newtable(L);
    push_weights(L, layer, 0);
    return 1;
}

int weights_set(lua_State *L)
{
    Layer *layer = layer_check(L, 1, "set_weights");
    weights_want(L, layer);
    lua_newtable(L);
    int n = push_weights(L, layer, 0);
    lua_pop(L, 1);
    if (!lua_istable(L, 2) || (int)lua_rawlen(L, 2) != n)
        return bind_error(L, ERR_ARG, "set_weights of %s wants a list of %d tensors, as layer:get_weights() gives", layer->name, n);
    take_weights(L, layer, 0);
    return 0;
}
