// SPDX-License-Identifier: MIT
/* Optimizers: the table of kinds, and an optimizer's blocks: one gradient and its slots for each trainable layer, of the
 * layer's own layout, so that updating, checking and saving are loops over a list of flat arrays. */
#include "train/optimizer.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "base/pool.h"

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

/* ---- arguments ---- */

static const char *const compats[] = { "keras", "torch", NULL };

/* What every optimizer takes, as Keras names it. */
static const ArgSpec common[] = {
    { .name = "weight_decay", .type = ARG_FLOAT, .fallback = "nil", .most = 1e9, .help = "shrink the weights by this times the learning rate" },
    { .name = "exclude_from_weight_decay", .type = ARG_TEXT, .fallback = "nil", .count = ARG_TEXTS,
      .help = "parts of the names of weights that do not decay: {\"bias\", \"layer_norm\"}" },
    { .name = "clipnorm", .type = ARG_FLOAT, .fallback = "nil", .most = 1e30, .open_least = true,
      .help = "scale the gradient of each weight tensor down to this norm" },
    { .name = "clipvalue", .type = ARG_FLOAT, .fallback = "nil", .most = 1e30, .open_least = true,
      .help = "keep every number of the gradient within this distance of 0" },
    { .name = "global_clipnorm", .type = ARG_FLOAT, .fallback = "nil", .most = 1e30, .open_least = true,
      .help = "scale all gradients together down to this norm" },
    { .name = "use_ema", .type = ARG_BOOL, .fallback = "false", .help = "keep moving averages of the weights; they replace them when fit ends" },
    { .name = "ema_momentum", .type = ARG_FLOAT, .fallback = "0.99", .most = 1, .help = "how slowly these averages follow" },
    { .name = "ema_overwrite_frequency", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e15,
      .help = "also replace the weights every so many updates" },
    { .name = "gradient_accumulation_steps", .type = ARG_INT, .fallback = "nil", .least = 2, .most = 1e9,
      .help = "update once in so many batches, with the mean of their gradients" },
    { .name = "compat", .type = ARG_CHOICE, .fallback = "keras", .choices = compats,
      .help = "arithmetic where Keras and PyTorch differ: epsilon, momentum, weight decay; defaults stay Keras's" },
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

static ArgSpec rows[N_KINDS][ARG_MOST];
static int n_rows[N_KINDS];

static void join_rows(void)
{
    for (size_t k = 0; kinds[k]; k++) {
        int n = 0;
        for (int i = 0; i < kinds[k]->n_own_args; i++)
            rows[k][n++] = kinds[k]->own_args[i];
        for (size_t i = 0; i < sizeof common / sizeof *common && n < ARG_MOST; i++) {
            bool own = false;
            for (int j = 0; j < kinds[k]->n_own_args; j++)
                own = own || !strcmp(rows[k][j].name, common[i].name);
            if (!own)
                rows[k][n++] = common[i];
        }
        n_rows[k] = n;
    }
}

const ArgSpec *optimizer_args(const OptimizerKind *kind, int *n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, join_rows);
    size_t k = 0;
    while (kinds[k] && kinds[k] != kind)
        k++;
    *n = n_rows[k];
    return rows[k];
}

void optimizer_args_init(Args *args, const OptimizerKind *kind)
{
    int n;
    const ArgSpec *specs = optimizer_args(kind, &n);
    args_init(args, specs, n);
}

bool optimizer_check(const OptimizerKind *kind, const Args *args, Err *err)
{
    static const char *const clips[] = { "clipnorm", "clipvalue", "global_clipnorm" };
    const char *first = NULL;
    if (!args_complete(args, kind->class_name, err))
        return false;
    for (int i = 0; i < 3; i++) {
        if (!args_given(args, clips[i]))
            continue;
        if (first)
            return err_set(err, ERR_ARG, "%s: only one of clipnorm, clipvalue and global_clipnorm can be set, got %s and %s", kind->class_name, first,
                           clips[i]);
        first = clips[i];
    }
    if (args_given(args, "ema_overwrite_frequency") && !args_bool(args, "use_ema"))
        return err_set(err, ERR_ARG, "%s: ema_overwrite_frequency needs use_ema = true", kind->class_name);
    return true;
}

/* ---- life ---- */

Optimizer *optimizer_new(const OptimizerKind *kind, const Args *args, Err *err)
{
    if (!optimizer_check(kind, args, err))
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
    for (int s = 0; s < OPTIMIZER_SLOTS; s++)
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
    rate_unref(optimizer->rate);
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

static bool slot_init(OptimizerBlock *block, const Optimizer *optimizer, int slot, Err *err)
{
    const OptimizerKind *kind = optimizer->kind;
    real *data = block->slots[slot] = mem_zero(block->layer->n_trainable, sizeof(real), err);
    double start = slot < OPTIMIZER_OWN && kind->slot_start ? kind->slot_start(&optimizer->args, slot) : 0;
    if (data && start != 0)
        kern_fill(data, (real)start, (int64_t)block->layer->n_trainable);
    return data != NULL;
}

static bool block_init(OptimizerBlock *block, const Optimizer *optimizer, Layer *layer, const char *path, Err *err)
{
    unsigned used = optimizer_slots(optimizer);
    *block = (OptimizerBlock){ .layer = layer_ref(layer) };
    strncpy(block->path, path, sizeof block->path - 1);
    block->grad = mem_zero(layer->n_trainable, sizeof(real), err);
    bool ok = block->grad != NULL;
    for (int s = 0; s < OPTIMIZER_SLOTS && ok; s++)
        ok = !(used & 1u << s) || slot_init(block, optimizer, s, err);
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
        for (int s = 0; s < OPTIMIZER_SLOTS; s++)
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

bool optimizer_bind_all(Optimizer *optimizer, Model *const *models, int n, Err *err)
{
    Compare compare = { .optimizer = optimizer, .same = true };
    for (int i = 0; i < n && compare.same; i++)
        model_each_layer(models[i], compare_layer, &compare);
    if (compare.same && compare.n == optimizer->n_blocks && compare.n > 0)
        return true;
    Binding binding = { .optimizer = optimizer, .err = err };
    for (int i = 0; i < n && !binding.failed; i++)
        model_each_layer(models[i], bind_layer, &binding);
    if (!binding.failed && binding.n == 0)
        binding.failed = !err_set(err, ERR_STATE, "%s has nothing to train: no layer has trainable weights", models[0]->name);
    if (!binding.failed && optimizer->n_blocks > 0 && binding.n_known == 0)
        binding.failed = !err_set(err, ERR_STATE, "this optimizer belongs to another model; give %s one of its own", models[0]->name);
    if (binding.failed) {
        blocks_free(binding.blocks, binding.n);
        return false;
    }
    blocks_free(optimizer->blocks, optimizer->n_blocks);
    optimizer->blocks = binding.blocks;
    optimizer->n_blocks = binding.n;
    return true;
}

bool optimizer_bind(Optimizer *optimizer, Model *model, Err *err)
{
    return optimizer_bind_all(optimizer, &model, 1, err);
}

unsigned optimizer_slots(const Optimizer *optimizer)
{
    const OptimizerKind *kind = optimizer->kind;
    unsigned used = 0;
    for (int s = 0; s < OPTIMIZER_OWN; s++)
        used |= kind->slot_names[s] ? 1u << s : 0;
    if (kind->slots_used)
        used &= kind->slots_used(&optimizer->args);
    used |= args_given(&optimizer->args, "gradient_accumulation_steps") ? 1u << SLOT_SUM : 0;
    return used | (args_bool(&optimizer->args, "use_ema") ? 1u << SLOT_AVERAGE : 0);
}

const char *optimizer_slot_name(const OptimizerKind *kind, int slot)
{
    return slot == SLOT_SUM ? "gradient_accumulator" : slot == SLOT_AVERAGE ? "average" : kind->slot_names[slot];
}

/* An optimizer that was made without momentum has no slot for one: its momentum stays 0. */
void optimizer_follow(Optimizer *optimizer, const Rate *rate)
{
    static const char *const names[] = { "momentum", "beta_1" };
    double momentum = rate_momentum_at(rate, optimizer->t);
    optimizer->learning_rate = rate_at(rate, optimizer->t);
    for (int i = 0; i < 2 && !isnan(momentum); i++) {
        int row = args_find(&optimizer->args, names[i]);
        if (row >= 0 && (i > 0 || optimizer->args.v[row].u.f > 0))
            optimizer->args.v[row].u.f = momentum;
    }
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
