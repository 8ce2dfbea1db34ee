// SPDX-License-Identifier: MIT
/* The order is drawn anew for each epoch; rows in order are not copied but viewed. */
#include "train/feed.h"

#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "tensor/kern.h"

static bool make_room(Tensor *room, const Tensor *all, int64_t rows, Err *err)
{
    Shape shape = all->shape;
    shape.d[0] = rows;
    return tensor_new(room, all->dtype == DTYPE_UINT8 ? DTYPE_FLOAT32 : all->dtype, shape, err);
}

static bool make_rooms(Samples *room, const Samples *all, int64_t rows, Err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < all->n_x; i++, room->n_x = i)
        ok = make_room(&room->x[i], &all->x[i], rows, err);
    for (int i = 0; ok && i < all->n_y; i++, room->n_y = i)
        ok = !all->y[i].data || make_room(&room->y[i], &all->y[i], rows, err);
    for (int i = 0; ok && i < all->n_w; i++, room->n_w = i)
        ok = !all->w[i].data || make_room(&room->w[i], &all->w[i], rows, err);
    return ok;
}

bool feed_init(Feed *feed, const Samples *all, int64_t first, int64_t n, int64_t batch_size, bool shuffle, uint64_t seed, Err *err)
{
    *feed = (Feed){ .first = first, .n = n, .shuffle = shuffle, .seed = seed, .epoch = -1 };
    feed->batch_size = batch_size < n ? batch_size : n > 0 ? n : 1;
    samples_ref(&feed->all, all);
    bool ok = (feed->order = mem_alloc((size_t)n, sizeof *feed->order, err)) != NULL && make_rooms(&feed->room, all, feed->batch_size, err);
    if (!ok)
        feed_fini(feed);
    return ok;
}

static bool mix_room(Feed *feed, Err *err)
{
    const Samples *all = &feed->all;
    Samples part = { .x = { all->x[0] }, .n_x = 1, .n_y = all->n_y };
    if (!augment_mixes(feed->layers, feed->n_layers))
        return true;
    for (int i = 0; i < all->n_y; i++) {
        part.y[i] = all->y[i];
        if (all->y[i].data && all->y[i].dtype != DTYPE_FLOAT32)
            return err_set(err, ERR_ARG,
                           "augment: mixing wants targets that are numbers; data.one_hot(y) and the loss \"categorical_crossentropy\" serve for classes");
    }
    size_t n = (size_t)feed->batch_size;
    return make_rooms(&feed->mixed, &part, feed->batch_size, err) && (feed->partner = mem_alloc(n, sizeof *feed->partner, err)) &&
           (feed->share = mem_alloc(n, sizeof *feed->share, err));
}

bool feed_augment(Feed *feed, Layer *const *layers, int n, Err *err)
{
    const Tensor *x = &feed->all.x[0];
    if (n == 0)
        return true;
    if (!augment_check(layers, n, &x->shape, err))
        return false;
    if (x->dtype == DTYPE_INT32)
        return err_set(err, ERR_ARG, "augment: x holds whole numbers (int32); images are uint8 or float32");
    for (int i = 0; i < n; i++)
        feed->layers[feed->n_layers++] = layer_ref(layers[i]);
    return mix_room(feed, err) && (feed->ahead = ahead_new(x, layers, n, feed->batch_size, feed->seed, err)) != NULL;
}

void feed_fini(Feed *feed)
{
    ahead_free(feed->ahead);
    for (int i = 0; i < feed->n_layers; i++)
        layer_unref(feed->layers[i]);
    samples_unref(&feed->mixed);
    mem_free(feed->partner);
    mem_free(feed->share);
    samples_unref(&feed->all);
    samples_unref(&feed->room);
    mem_free(feed->order);
    *feed = (Feed){ 0 };
}

int64_t feed_batches(const Feed *feed)
{
    return feed->n > 0 ? (feed->n + feed->batch_size - 1) / feed->batch_size : 0;
}

static void draw_order(Feed *feed, int epoch)
{
    Rng rng;
    for (int64_t i = 0; i < feed->n; i++)
        feed->order[i] = feed->first + i;
    if (feed->shuffle) {
        rng_init(&rng, feed->seed, RNG_SHUFFLE, (uint64_t)epoch);
        rng_shuffle(&rng, feed->order, feed->n);
    }
    feed->epoch = epoch;
}

typedef struct Gather {
    const Tensor *from;
    Tensor *to;
    const int64_t *rows;
    size_t n, n_tiles, row_size;
    int64_t row_count;
} Gather;

static void gather_tile(void *ctx, size_t tile, int worker)
{
    (void)worker;
    const Gather *g = ctx;
    size_t end = pool_first(g->n, g->n_tiles, tile + 1);
    for (size_t i = pool_first(g->n, g->n_tiles, tile); i < end; i++) {
        const char *from = (const char *)g->from->data + (size_t)g->rows[i] * g->row_size;
        if (g->from->dtype == DTYPE_UINT8)
            kern_from_bytes(tensor_real(g->to) + (int64_t)i * g->row_count, (const uint8_t *)from, g->row_count);
        else
            memcpy((char *)g->to->data + i * g->row_size, from, g->row_size);
    }
}

static Tensor gather(const Tensor *all, Tensor *room, const int64_t *rows, int64_t n, bool in_order)
{
    int64_t count = shape_count_from(&all->shape, 1);
    size_t row_size = (size_t)count * dtype_size(all->dtype);
    Tensor out = *room;
    out.storage = NULL;
    out.shape.d[0] = n;
    if (in_order && all->dtype != DTYPE_UINT8) {
        out.data = (char *)all->data + (size_t)rows[0] * row_size;
        return out;
    }
    Gather g = { all, room, rows, (size_t)n, pool_tiles((size_t)n, (double)count), row_size, count };
    pool_run(g.n_tiles, gather_tile, &g);
    return out;
}

static void mix_tensor(const Feed *feed, Tensor *part, const Tensor *room)
{
    augment_mix(tensor_real(room), tensor_real(part), part->shape.d[0], shape_count_from(&part->shape, 1), feed->partner, feed->share);
    part->data = room->data;
}

/* Images and targets of the batch mixed with others of it. */
static void mix(Feed *feed, int epoch, int64_t index, Batch *out)
{
    uint64_t step = (uint64_t)epoch * (uint64_t)feed_batches(feed) + (uint64_t)index;
    for (int i = 0; i < feed->n_layers; i++)
        if (feed->layers[i]->kind->mix)
            augment_partners(feed->layers[i], feed->seed, step, out->n, feed->partner, feed->share);
    mix_tensor(feed, &out->x[0], &feed->mixed.x[0]);
    for (int i = 0; i < feed->all.n_y; i++)
        if (feed->all.y[i].data)
            mix_tensor(feed, &out->y[i], &feed->mixed.y[i]);
}

static int64_t batch_rows(const Feed *feed, int64_t index)
{
    int64_t left = feed->n - index * feed->batch_size;
    return left < feed->batch_size ? left : feed->batch_size;
}

static Tensor augmented(Feed *feed, int epoch, int64_t index)
{
    Tensor out = feed->room.x[0];
    out.storage = NULL;
    out.shape.d[0] = batch_rows(feed, index);
    out.data = ahead_take(feed->ahead, epoch, index, feed->order + index * feed->batch_size, out.shape.d[0]);
    return out;
}

/* Have the images of the batch behind this one made meanwhile. */
static void look_ahead(Feed *feed, int epoch, int64_t index)
{
    if (++index == feed_batches(feed)) {
        index = 0;
        epoch++;
        if (feed->shuffle)
            draw_order(feed, epoch);
    }
    ahead_begin(feed->ahead, epoch, index, feed->order + index * feed->batch_size, batch_rows(feed, index));
}

void feed_take(Feed *feed, int epoch, int64_t index, Batch *out)
{
    if (feed->epoch != epoch && (feed->shuffle || feed->epoch < 0))
        draw_order(feed, epoch);
    const Samples *all = &feed->all;
    int64_t first = index * feed->batch_size, n = batch_rows(feed, index);
    const int64_t *rows = feed->order + first;
    out->n_x = all->n_x;
    out->n = n;
    for (int i = 0; i < all->n_x; i++)
        out->x[i] = i == 0 && feed->ahead ? augmented(feed, epoch, index) : gather(&all->x[i], &feed->room.x[i], rows, n, !feed->shuffle);
    for (int i = 0; i < all->n_y; i++) {
        out->weight[i] = all->n_w == 1 && i > 0 ? out->weight[0] : NULL;
        out->y[i].data = NULL;
        if (all->y[i].data)
            out->y[i] = gather(&all->y[i], &feed->room.y[i], rows, n, !feed->shuffle);
        if (i < all->n_w && all->w[i].data) {
            Tensor w = gather(&all->w[i], &feed->room.w[i], rows, n, !feed->shuffle);
            out->weight[i] = tensor_real(&w);
        }
    }
    if (feed->mixed.n_x)
        mix(feed, epoch, index, out);
    if (feed->ahead)
        look_ahead(feed, epoch, index);
}
