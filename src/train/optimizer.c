// SPDX-License-Identifier: MIT
/* Optimizers: the table of kinds, and an optimizer's blocks: one gradient and its slots for each trainable layer, of the
 * layer's own layout, so that updating, checking and saving are loops over a list of flat arrays. */
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "base/pool.h"
#include "tensor/kern.h"
#include "train/compile.h"

#define ROW(name) extern const OptimizerKind optimizer_##name;
#include "gen/optimizers.h"
#undef ROW

static const OptimizerKind *const kinds[] = {
#define ROW(name) &optimizer_##name,
#include "gen/optimizers.h"
#undef ROW
    NULL,
};

const OptimizerKind *optimizer_at(int i)
{
    int n = (int)(sizeof kinds / sizeof kinds[0]) - 1;
    return i >= 0 && i < n ? kinds[i] : NULL;
}

const OptimizerKind *optimizer_find(const char *name, Err *err)
{
    NameSearch search;
    name_search(&search, name);
    for (int i = 0; kinds[i]; i++) {
        if (!strcmp(kinds[i]->name, name) || !strcmp(kinds[i]->class_name, name))
            return kinds[i];
        name_offer(&search, kinds[i]->name);
    }
    char hint[96];
    err_set(err, ERR_NAME, "there is no optimizer \"%s\"%s", name, name_hint(&search, hint));
    return NULL;
}

Optimizer *optimizer_new(const OptimizerKind *kind, const Args *args, Err *err)
{
    if (!args_complete(args, kind->class_name, err))
        return NULL;
    Optimizer *optimizer = mem_zero(1, sizeof *optimizer, err);
    if (!optimizer)
        return NULL;
    atomic_init(&optimizer->refs, 1);
    optimizer->kind = kind;
    optimizer->args = *args;
    optimizer->learning_rate = args_float(args, "learning_rate");
    return optimizer;
}

Optimizer *optimizer_ref(Optimizer *optimizer)
{
    if (optimizer)
        atomic_fetch_add(&optimizer->refs, 1);
    return optimizer;
}

static void block_fini(OptimizerBlock *block)
{
    mem_free(block->grad);
    for (int s = 0; s < 3; s++)
        mem_free(block->slots[s]);
    layer_unref(block->layer);
}

static void blocks_free(OptimizerBlock *blocks, int n)
{
    for (int i = 0; i < n; i++)
        block_fini(&blocks[i]);
    mem_free(blocks);
}

void optimizer_unref(Optimizer *optimizer)
{
    if (!optimizer || atomic_fetch_sub(&optimizer->refs, 1) > 1)
        return;
    blocks_free(optimizer->blocks, optimizer->n_blocks);
    mem_free(optimizer);
}

/* ---- binding ---- */

typedef struct Binding {
    Optimizer *optimizer;
    OptimizerBlock *blocks;
    int n, room, n_known; /* n_known: layers that the optimizer held before */
    Err *err;
    bool failed;
} Binding;

static bool trains(const Layer *layer)
{
    return layer->trainable && layer->n_trainable > 0;
}

static bool block_init(OptimizerBlock *block, const Optimizer *optimizer, Layer *layer, const char *path, Err *err)
{
    int n_slots = optimizer_slots(optimizer);
    *block = (OptimizerBlock){ .layer = layer_ref(layer) };
    strncpy(block->path, path, sizeof block->path - 1);
    block->grad = mem_zero(layer->n_trainable, sizeof(real), err);
    bool ok = block->grad != NULL;
    for (int s = 0; s < n_slots && ok; s++)
        ok = (block->slots[s] = mem_zero(layer->n_trainable, sizeof(real), err)) != NULL;
    if (!ok)
        block_fini(block);
    return ok;
}

/* What the optimizer remembers of a layer goes on: a second fit continues where the first ended. */
static void block_inherit(OptimizerBlock *block, Binding *binding)
{
    Optimizer *optimizer = binding->optimizer;
    for (int i = 0; i < optimizer->n_blocks; i++) {
        if (optimizer->blocks[i].layer != block->layer)
            continue;
        binding->n_known++;
        for (int s = 0; s < 3; s++)
            if (block->slots[s])
                kern_copy(block->slots[s], optimizer->blocks[i].slots[s], (int64_t)block->layer->n_trainable);
    }
}

static bool bind_layer(void *ctx, Layer *layer, const char *path)
{
    Binding *binding = ctx;
    if (!trains(layer))
        return true;
    if (binding->n == binding->room) {
        int room = binding->room ? 2 * binding->room : 16;
        OptimizerBlock *more = mem_grow(binding->blocks, (size_t)room, sizeof *more, binding->err);
        if (!more)
            return !(binding->failed = true);
        binding->blocks = more;
        binding->room = room;
    }
    if (!block_init(&binding->blocks[binding->n], binding->optimizer, layer, path, binding->err))
        return !(binding->failed = true);
    block_inherit(&binding->blocks[binding->n++], binding);
    return true;
}

typedef struct Compare {
    const Optimizer *optimizer;
    int n;
    bool same;
} Compare;

static bool compare_layer(void *ctx, Layer *layer, const char *path)
{
    Compare *compare = ctx;
    (void)path;
    if (!trains(layer))
        return true;
    compare->same = compare->n < compare->optimizer->n_blocks && compare->optimizer->blocks[compare->n].layer == layer;
    compare->n++;
    return compare->same;
}

bool optimizer_bind(Optimizer *optimizer, Model *model, Err *err)
{
    Compare compare = { .optimizer = optimizer, .same = true };
    model_each_layer(model, compare_layer, &compare);
    if (compare.same && compare.n == optimizer->n_blocks && compare.n > 0)
        return true;
    Binding binding = { .optimizer = optimizer, .err = err };
    model_each_layer(model, bind_layer, &binding);
    if (!binding.failed && binding.n == 0)
        binding.failed = !err_set(err, ERR_STATE, "%s has nothing to train: no layer has trainable weights", model->name);
    if (!binding.failed && optimizer->n_blocks > 0 && binding.n_known == 0)
        binding.failed = !err_set(err, ERR_STATE, "this optimizer belongs to another model; give %s one of its own", model->name);
    if (binding.failed) {
        blocks_free(binding.blocks, binding.n);
        return false;
    }
    blocks_free(optimizer->blocks, optimizer->n_blocks);
    optimizer->blocks = binding.blocks;
    optimizer->n_blocks = binding.n;
    return true;
}

int optimizer_slots(const Optimizer *optimizer)
{
    return optimizer->kind->slots_used ? optimizer->kind->slots_used(&optimizer->args) : optimizer->kind->n_slots;
}

void optimizer_attach(Optimizer *optimizer, int run_id)
{
    for (int i = 0; i < optimizer->n_blocks; i++) {
        optimizer->blocks[i].layer->grad = optimizer->blocks[i].grad;
        optimizer->blocks[i].layer->run_id = run_id;
    }
}

void optimizer_detach(Optimizer *optimizer)
{
    for (int i = 0; i < optimizer->n_blocks; i++) {
        optimizer->blocks[i].layer->grad = NULL;
        optimizer->blocks[i].layer->run_id = 0;
    }
}

/* ---- a step ---- */

typedef struct Finite {
    const real *x;
    size_t n, n_tiles;
    _Atomic bool bad;
} Finite;

static void finite_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    Finite *f = ctx;
    size_t first = pool_first(f->n, f->n_tiles, tile);
    if (!kern_finite(f->x + first, (int64_t)(pool_first(f->n, f->n_tiles, tile + 1) - first)))
        atomic_store_explicit(&f->bad, true, memory_order_relaxed);
}

bool optimizer_finite(const Optimizer *optimizer, const char **where)
{
    for (int i = 0; i < optimizer->n_blocks; i++) {
        const OptimizerBlock *block = &optimizer->blocks[i];
        Finite f = { .x = block->grad, .n = block->layer->n_trainable };
        f.n_tiles = pool_tiles(f.n, 0.5);
        pool_run(f.n_tiles, finite_tile, &f);
        if (!atomic_load(&f.bad))
            continue;
        *where = block->path;
        return false;
    }
    return true;
}

void optimizer_apply(Optimizer *optimizer)
{
    optimizer->t++;
    for (int i = 0; i < optimizer->n_blocks; i++) {
        OptimizerBlock *block = &optimizer->blocks[i];
        if (block->layer->trainable) /* frozen since: stays as it is */
            optimizer->kind->update(&optimizer->args, optimizer->learning_rate, optimizer->t, block->layer->block, block->grad,
                                    block->slots, block->layer->n_trainable);
    }
}
