// SPDX-License-Identifier: MIT
/* One update around a kind's step, in Keras's order (keras/src/optimizers/base_optimizer.py): mean of the accumulated gradients,
 * clipping, weight decay, the step, the moving averages of the weights, constraints. Decay and step go over a piece of the block while it is
 * in the cache. Blocks are cut into fixed tiles, sums added in tile order: the number of threads changes no bit.
 *
 * compat = "torch": decay is added to the gradient (L2) unless the kind decouples it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "train/optimizer.h"

#define PIECE 2048 /* elements: w, g and slots of a piece fit the first caches */
#define TILES_MOST 64

/* ---- sums ---- */

typedef struct Squares {
    const real *x;
    size_t n, n_tiles;
    double part[TILES_MOST];
} Squares;

static void squares_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    Squares *s = ctx;
    size_t first = pool_first(s->n, s->n_tiles, tile);
    s->part[tile] = kern_sum_squares(s->x + first, (int64_t)(pool_first(s->n, s->n_tiles, tile + 1) - first));
}

static double sum_squares(const real *x, size_t n)
{
    Squares s = { .x = x, .n = n, .n_tiles = pool_tiles(n, 1) };
    double sum = 0;
    if (s.n_tiles > TILES_MOST)
        s.n_tiles = TILES_MOST;
    pool_run(s.n_tiles, squares_tile, &s);
    for (size_t i = 0; i < s.n_tiles; i++)
        sum += s.part[i];
    return sum;
}

/* ---- what is done to gradients before the step ---- */

static bool takes_part(const OptimizerBlock *block)
{
    return block->layer->trainable; /* one that was frozen since it was bound stays as it is */
}

typedef struct Pass { /* over one array: y = a y + b x, or y clipped to -a … a where x is NULL */
    real *y;
    const real *x;
    real a, b;
    size_t n, n_tiles;
} Pass;

KERN_CLONES static void mix(real *restrict y, const real *restrict x, real a, real b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a * y[i] + b * x[i];
}

KERN_CLONES static void clip(real *restrict y, real most, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        real v = y[i] < most ? y[i] : most;
        y[i] = v > -most ? v : -most;
    }
}

static void pass_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Pass *p = ctx;
    size_t first = pool_first(p->n, p->n_tiles, tile), n = pool_first(p->n, p->n_tiles, tile + 1) - first;
    if (p->x)
        mix(p->y + first, p->x + first, p->a, p->b, n);
    else
        clip(p->y + first, p->a, n);
}

static void pass(real *y, const real *x, double a, double b, size_t n)
{
    Pass p = { y, x, (real)a, (real)b, n, pool_tiles(n, 1) };
    pool_run(p.n_tiles, pass_tile, &p);
}

/* Each weight tensor by itself. */
static void clip_norms(OptimizerBlock *block, double most)
{
    for (int i = 0; i < block->layer->n_params; i++) {
        const Param *param = &block->layer->params[i];
        size_t n = (size_t)tensor_count(&param->value);
        if (param->offset + n > block->layer->n_trainable)
            continue;
        double norm = sqrt(sum_squares(block->grad + param->offset, n));
        if (norm > most)
            kern_scale(block->grad + param->offset, (real)(most / norm), (int64_t)n);
    }
}

static void clip_together(Optimizer *optimizer, double most)
{
    double sum = 0;
    for (int i = 0; i < optimizer->n_blocks; i++)
        if (takes_part(&optimizer->blocks[i]))
            sum += sum_squares(optimizer->blocks[i].grad, optimizer->blocks[i].layer->n_trainable);
    double norm = sqrt(sum);
    for (int i = 0; norm > most && i < optimizer->n_blocks; i++)
        if (takes_part(&optimizer->blocks[i]))
            kern_scale(optimizer->blocks[i].grad, (real)(most / norm), (int64_t)optimizer->blocks[i].layer->n_trainable);
}

static void clip_all(Optimizer *optimizer)
{
    const Args *args = &optimizer->args;
    if (args_given(args, "global_clipnorm"))
        clip_together(optimizer, args_float(args, "global_clipnorm"));
    for (int i = 0; i < optimizer->n_blocks; i++) {
        OptimizerBlock *block = &optimizer->blocks[i];
        if (!takes_part(block))
            continue;
        if (args_given(args, "clipnorm"))
            clip_norms(block, args_float(args, "clipnorm"));
        if (args_given(args, "clipvalue"))
            pass(block->grad, NULL, args_float(args, "clipvalue"), 0, block->layer->n_trainable);
    }
}

/* True when an update is due; the gradients are then the means, the sums are empty. */
static bool accumulate(Optimizer *optimizer, int64_t steps)
{
    bool due = (optimizer->t + 1) % steps == 0;
    for (int i = 0; i < optimizer->n_blocks; i++) {
        OptimizerBlock *block = &optimizer->blocks[i];
        size_t n = block->layer->n_trainable;
        if (!takes_part(block))
            continue;
        if (due) {
            pass(block->grad, block->slots[SLOT_SUM], 1, 1, n);
            kern_scale(block->grad, (real)(1.0 / (double)steps), (int64_t)n);
            kern_fill(block->slots[SLOT_SUM], 0, (int64_t)n);
        } else {
            pass(block->slots[SLOT_SUM], block->grad, 1, 1, n);
        }
    }
    return due;
}

/* ---- decay and step ---- */

typedef struct Work {
    const OptimizerKind *kind;
    const Update *update;
    OptimizerBlock *block;
    real keep, l2; /* w *= keep, or g += l2 w */
    size_t first, n, n_tiles; /* elements first … first + n - 1 of the block */
} Work;

static void work_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Work *work = ctx;
    size_t end = work->first + pool_first(work->n, work->n_tiles, tile + 1);
    for (size_t first = work->first + pool_first(work->n, work->n_tiles, tile); first < end; first += PIECE) {
        size_t n = end - first < PIECE ? end - first : PIECE;
        real *w = work->block->layer->block + first, *g = work->block->grad + first, *slots[OPTIMIZER_OWN];
        for (int s = 0; s < OPTIMIZER_OWN; s++)
            slots[s] = work->block->slots[s] ? work->block->slots[s] + first : NULL;
        if (work->keep != 1)
            kern_scale(w, work->keep, (int64_t)n);
        if (work->l2 != 0)
            kern_axpy(g, work->l2, w, (int64_t)n);
        work->kind->step(work->update, w, g, slots, n);
    }
}

/* Weights of the block that decay and such that do not (exclude_from_weight_decay) are worked on apart. */
static bool decays(const Optimizer *optimizer, const OptimizerBlock *block, int param)
{
    char path[sizeof block->path + 32], name[ARG_TEXT_MOST];
    const char *rest = args_text(&optimizer->args, "exclude_from_weight_decay");
    snprintf(path, sizeof path, "%s/%s", block->path, block->layer->params[param].name);
    for (; *rest; rest += strspn(rest, ",")) {
        size_t n = strcspn(rest, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, rest);
        if (n > 0 && strstr(path, name))
            return false;
        rest += n;
    }
    return true;
}

/* The end of the run of trained weights from parameter *i on that decay alike; *i becomes the next one. */
static size_t alike(const Optimizer *optimizer, const OptimizerBlock *block, int *i, bool *decay)
{
    const Layer *layer = block->layer;
    size_t end = 0;
    *decay = decays(optimizer, block, *i);
    for (; *i < layer->n_params && (!layer->params[*i].trainable || decays(optimizer, block, *i) == *decay); ++*i)
        if (layer->params[*i].trainable)
            end = layer->params[*i].offset + (size_t)tensor_count(&layer->params[*i].value);
    return end;
}

static void step_block(const Optimizer *optimizer, const Update *update, OptimizerBlock *block)
{
    bool l2 = update->torch && !optimizer->kind->decoupled, excludes = args_given(&optimizer->args, "exclude_from_weight_decay");
    double decay = args_float(&optimizer->args, "weight_decay"); /* 0 when not given */
    Work work = { optimizer->kind, update, block, (real)(l2 ? 1 : 1 - decay * update->learning_rate), (real)(l2 ? decay : 0), 0,
                  block->layer->n_trainable, 0 };
    const Work all = work;
    int param = 0;
    for (size_t end = 0; end < block->layer->n_trainable;) {
        bool wanted = true;
        work.first = end;
        end = excludes && decay != 0 ? alike(optimizer, block, &param, &wanted) : block->layer->n_trainable;
        work.n = end - work.first;
        work.keep = wanted ? all.keep : 1;
        work.l2 = wanted ? all.l2 : 0;
        work.n_tiles = pool_tiles(work.n, 4);
        pool_run(work.n_tiles, work_tile, &work);
    }
}

static void step_all(Optimizer *optimizer, int64_t t)
{
    Update update = { .args = &optimizer->args, .t = t, .torch = !strcmp(args_choice(&optimizer->args, "compat"), "torch") };
    for (int i = 0; i < optimizer->n_blocks; i++) {
        OptimizerBlock *block = &optimizer->blocks[i];
        if (!takes_part(block))
            continue;
        update.learning_rate = optimizer->learning_rate * block->layer->rate;
        if (optimizer->kind->begin)
            optimizer->kind->begin(&update);
        step_block(optimizer, &update, block);
    }
}

/* ---- moving averages of the weights ---- */

static void average(Optimizer *optimizer, int64_t updates)
{
    double momentum = updates > 0 ? args_float(&optimizer->args, "ema_momentum") : 0;
    for (int i = 0; i < optimizer->n_blocks; i++) {
        OptimizerBlock *block = &optimizer->blocks[i];
        if (takes_part(block))
            pass(block->slots[SLOT_AVERAGE], block->layer->block, momentum, 1 - momentum, block->layer->n_trainable);
    }
    if (args_given(&optimizer->args, "ema_overwrite_frequency") && (updates + 1) % args_int(&optimizer->args, "ema_overwrite_frequency") == 0)
        optimizer_finish(optimizer);
}

bool optimizer_finish(Optimizer *optimizer)
{
    if (!args_bool(&optimizer->args, "use_ema") || optimizer->n_blocks == 0 || optimizer->t == 0)
        return false;
    for (int i = 0; i < optimizer->n_blocks; i++) {
        OptimizerBlock *block = &optimizer->blocks[i];
        if (takes_part(block))
            kern_copy(block->layer->block, block->slots[SLOT_AVERAGE], (int64_t)block->layer->n_trainable);
    }
    return true;
}

static void constrain(const Optimizer *optimizer)
{
    for (int i = 0; i < optimizer->n_blocks; i++) {
        const Layer *layer = optimizer->blocks[i].layer;
        for (int p = 0; p < layer->n_params; p++) {
            const Param *param = &layer->params[p];
            if (param->constraint.kind && layer->trainable)
                param->constraint.kind->apply(param->constraint.v, tensor_real(&param->value), &param->value.shape);
        }
    }
}

void optimizer_apply(Optimizer *optimizer)
{
    int64_t steps = args_given(&optimizer->args, "gradient_accumulation_steps") ? args_int(&optimizer->args, "gradient_accumulation_steps") : 1;
    int64_t updates = optimizer->t / steps; /* before this one: Keras's iterations */
    if (steps == 1 || accumulate(optimizer, steps)) {
        clip_all(optimizer);
        step_all(optimizer, updates + 1);
    }
    if (args_bool(&optimizer->args, "use_ema"))
        average(optimizer, updates);
    constrain(optimizer);
    optimizer->t++;
}
