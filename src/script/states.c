// SPDX-License-Identifier: MIT
/* reset_states of layers and models: where they train, at their run's boundary. */
#include "script/bind_net.h"
#include "script/state.h"

static bool reset_layer(void *ctx, Err *err)
{
    (void)err;
    layer_reset_states(ctx);
    return true;
}

static bool has_states(const Layer *layer)
{
    bool found = false;
    for (int i = 0; i < layer->n_params; i++)
        found = found || layer->params[i].state;
    for (int i = 0; layer->inner && i < layer->inner->n_leaves; i++)
        found = found || has_states(layer->inner->leaves[i].layer);
    return found;
}

int layer_reset(lua_State *L)
{
    Layer *layer = layer_check(L, 1, "reset_states");
    Err err = ERR_INIT;
    if (!has_states(layer))
        return bind_error(L, ERR_STATE, "%s keeps no states: only recurrent layers with stateful = true do, once they are built", layer->name);
    return layer_do(L, layer, reset_layer, layer, &err) ? 0 : bind_raise(L, &err);
}

static bool reset_model(void *ctx, Err *err)
{
    Model *model = ctx;
    (void)err;
    for (int i = 0; i < model->n_leaves; i++)
        layer_reset_states(model->leaves[i].layer);
    return true;
}

int model_reset(lua_State *L)
{
    Model *model = model_check(L, 1, "reset_states");
    Err err = ERR_INIT;
    return model_do(model, reset_model, model, &script_of(L)->stop, &err) ? 0 : bind_raise(L, &err);
}
