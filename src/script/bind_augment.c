// SPDX-License-Identifier: MIT
/* nn.augment: what fit's argument of that name does to images, to look at. */
#include <string.h>

#include "base/pool.h"
#include "script/bind_net.h"

int augment_take(lua_State *L, int index, Layer *out[AUGMENT_MOST], const char *who)
{
    char what[64];
    if (lua_isnil(L, index))
        return 0;
    if (!lua_istable(L, index)) {
        out[0] = layer_check(L, index, who);
        return 1;
    }
    int n = (int)lua_rawlen(L, index);
    if (n > AUGMENT_MOST)
        bind_error(L, ERR_ARG, "%s: at most %d layers, got %d", who, AUGMENT_MOST, n);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, index, i + 1);
        if (!bind_test(L, -1, &kind_layer))
            bind_error(L, ERR_ARG, "%s wants layers such as nn.RandomFlip(), number %d is %s", who, i + 1, bind_what(L, -1, what));
        out[i] = layer_check(L, -1, who); /* kept alive by the table */
        lua_pop(L, 1);
    }
    return n;
}

typedef struct Work {
    Layer *layers[AUGMENT_MOST];
    int n_layers;
    const Tensor *x;
    Tensor *y, room;
    uint64_t seed, step;
} Work;

static void work_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Work *w = ctx;
    int64_t size = shape_count_from(&w->x->shape, 1), at = (int64_t)tile * size;
    Picture picture = { tensor_real(w->y) + at, tensor_real(&w->room) + at, w->x->shape.d[1], w->x->shape.d[2], w->x->shape.d[3] };
    for (int64_t i = 0; i < size; i++)
        picture.now[i] = (real)tensor_get(w->x, at + i);
    augment_image(w->layers, w->n_layers, w->seed, (uint64_t)tile, w->step, &picture);
    if (picture.now != tensor_real(w->y) + at)
        memcpy(tensor_real(w->y) + at, picture.now, (size_t)size * sizeof(real));
}

static const ArgSpec augment_args[] = {
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e15, .help = "of the choices; nil: the session's" },
    { .name = "step", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e15, .help = "another choice for every step (fit: the epoch, from 0)" },
};

static int augment(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "augment", bind_verb(L), &args);
    Work w = { .step = (uint64_t)args_int(&args, "step") };
    w.seed = args_given(&args, "seed") ? (uint64_t)args_int(&args, "seed") : script_of(L)->options.seed;
    w.x = &tensor_any(L, 1, "augment")->value;
    w.n_layers = augment_take(L, 2, w.layers, "augment");
    if (!augment_check(w.layers, w.n_layers, &w.x->shape, &err))
        return bind_raise(L, &err);
    if (augment_mixes(w.layers, w.n_layers))
        return bind_error(L, ERR_ARG, "augment: this shows what happens to one image; MixUp mixes those of a batch, within fit");
    TensorBox *y = tensor_box(L), *room = tensor_box(L);
    if (!tensor_new(&y->hold, DTYPE_FLOAT32, w.x->shape, &err) || !tensor_new(&room->hold, DTYPE_FLOAT32, w.x->shape, &err))
        return bind_raise(L, &err);
    w.y = &y->hold;
    w.room = room->hold;
    pool_run((size_t)w.x->shape.d[0], work_tile, &w);
    lua_pop(L, 1);
    tensor_done(L, y, false);
    return 1;
}

static const Verb verbs[] = {
    { "augment", augment, "x layers", augment_args, COUNT_OF(augment_args),
      "Images [n, height, width, channels] as these layers change them while training: to see what fit's augment = {...} does.",
      "local x = data.digits().x:slice(1, 4); local y = nn.augment(x, {nn.RandomTranslation(0.2, 0.2), nn.RandomRotation(0.05)}); assert(#y == 4)" },
};
const VerbGroup augment_group = { .prefix = "nn.", .verbs = verbs, .n_verbs = COUNT_OF(verbs) };

void augment_open(lua_State *L)
{
    lua_getglobal(L, "nn");
    bind_fill(L, &augment_group);
    lua_pop(L, 1);
}
