// SPDX-License-Identifier: MIT
#include "check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "data/batcher.h"

/* Row i of x is i, 2i, 3i (as bytes), of y i. */
static Dataset *make(DType x_type, int64_t n)
{
    Err err = ERR_INIT;
    Tensor x, y;
    assert_ok(tensor_new(&x, x_type, SHAPE(n, 3), &err));
    assert_ok(tensor_new(&y, DTYPE_INT32, SHAPE(n), &err));
    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++)
            tensor_set(&x, 3 * i + k, (double)((k + 1) * i % 256));
        tensor_int(&y)[i] = (int32_t)i;
    }
    Dataset *set = dataset_new("made", &x, &y, &err);
    assert_non_null(set);
    return set;
}

typedef struct Room {
    real x[300];
    int32_t y[100];
    Tensor tx, ty;
} Room;

static Room *room(int64_t size)
{
    Room *r = calloc(1, sizeof *r);
    r->tx = tensor_borrow(DTYPE_FLOAT32, SHAPE(size, 3), r->x);
    r->ty = tensor_borrow(DTYPE_INT32, SHAPE(size), r->y);
    return r;
}

static void every_row_once_an_epoch(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    for (int shuffle = 0; shuffle < 2; shuffle++)
        for (int64_t size = 1; size <= 31; size += 5) {
            Dataset *set = make(DTYPE_UINT8, 27);
            Batcher *b = batcher_new(set, &(BatchOptions){ .batch_size = size, .shuffle = shuffle, .seed = 4 }, &err);
            dataset_unref(set); /* the batcher holds its own reference */
            assert_non_null(b);
            Room *r = room(size);
            assert_ok(batcher_check(b, &r->tx, &r->ty, &err));
            assert_int_equal(b->steps, (27 + size - 1) / size);
            for (int epoch = 1; epoch <= 3; epoch++) {
                int seen[27] = { 0 };
                int64_t n, total = 0, steps = 0;
                batcher_seek(b, epoch, 0);
                while ((n = batcher_next(b, &r->tx, &r->ty)) > 0) {
                    int64_t m;
                    const int64_t *rows = batcher_rows(b, &m);
                    assert_int_equal(m, n);
                    assert_int_equal(r->tx.shape.d[0], n);
                    for (int64_t i = 0; i < n; i++) {
                        int32_t row = r->y[i];
                        seen[row]++;
                        assert_int_equal(rows[i], row);
                        assert_true(r->x[3 * i] == row && r->x[3 * i + 2] == 3 * row);
                        if (!shuffle)
                            assert_int_equal(row, total + i);
                    }
                    total += n;
                    steps++;
                }
                assert_int_equal(steps, b->steps);
                assert_int_equal(total, 27);
                for (int i = 0; i < 27; i++)
                    assert_int_equal(seen[i], 1);
                assert_int_equal(batcher_next(b, &r->tx, &r->ty), 0);
            }
            free(r);
            batcher_free(b);
        }
    batcher_free(NULL);
}

/* Where a run stands is (seed, epoch, step): a fresh batcher set there gives the same rows, and nothing is allocated. */
static void resumes_exactly(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Dataset *set = make(DTYPE_FLOAT32, 50);
    BatchOptions options = { .batch_size = 8, .shuffle = true, .seed = 77 };
    Batcher *whole = batcher_new(set, &options, &err);
    assert_non_null(whole);
    Room *a = room(8), *b = room(8);
    int64_t orders[5][50];
    for (int epoch = 1; epoch <= 4; epoch++) {
        batcher_seek(whole, epoch, 0);
        memcpy(orders[epoch], whole->order, sizeof orders[epoch]);
        for (int64_t step = 0; step < whole->steps; step++) {
            assert_int_equal(whole->step, step);
            int64_t n = batcher_next(whole, &a->tx, &a->ty);
            Batcher *fresh = batcher_new(set, &options, &err);
            assert_non_null(fresh);
            uint64_t allocations = mem_count();
            batcher_seek(fresh, epoch, step);
            assert_int_equal(batcher_next(fresh, &b->tx, &b->ty), n);
            assert_int_equal(mem_count(), allocations);
            assert_memory_equal(a->y, b->y, (size_t)n * sizeof *a->y);
            assert_memory_equal(a->x, b->x, 3 * (size_t)n * sizeof *a->x);
            batcher_free(fresh);
        }
    }
    assert_memory_not_equal(orders[1], orders[2], sizeof orders[1]);
    batcher_seek(whole, 2, 3); /* back */
    assert_memory_equal(whole->order, orders[2], sizeof orders[2]);
    options.seed = 78;
    Batcher *other = batcher_new(set, &options, &err);
    assert_memory_not_equal(other->order, orders[1], sizeof orders[1]);
    batcher_free(other);
    batcher_free(whole);
    dataset_unref(set);
    free(a);
    free(b);
}

static void types_and_room(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Dataset *set = make(DTYPE_INT32, 10);
    Batcher *b = batcher_new(set, &(BatchOptions){ .batch_size = 4, .drop_last = true }, &err);
    assert_non_null(b);
    assert_int_equal(b->steps, 2);
    Shape x, y;
    DType x_type, y_type;
    batcher_shapes(b, &x, &x_type, &y, &y_type);
    assert_int_equal(x_type, DTYPE_INT32);
    assert_int_equal(x.d[0], 4);
    assert_int_equal(y.rank, 1);
    Room *r = room(4);
    assert_ok(batcher_check(b, &r->tx, NULL, &err));
    assert_int_equal(batcher_next(b, &r->tx, NULL), 4); /* int32 as float32 */
    assert_true(r->x[11] == 9);
    r->tx.shape = SHAPE(3, 3);
    assert_err(batcher_check(b, &r->tx, NULL, &err), ERR_SHAPE, "(4, 3), got (3, 3)");
    r->tx.shape = SHAPE(4, 2);
    assert_err(batcher_check(b, &r->tx, NULL, &err), ERR_SHAPE, "wants room");
    Tensor none = { 0 };
    assert_err(batcher_check(b, &none, NULL, &err), ERR_SHAPE, "wants room");
    uint8_t bytes[12];
    Tensor small = tensor_borrow(DTYPE_UINT8, SHAPE(4, 3), bytes);
    assert_err(batcher_check(b, &small, NULL, &err), ERR_ARG, "from int32 into uint8");
    batcher_free(b);
    assert_null(batcher_new(set, &(BatchOptions){ .batch_size = 0 }, &err));
    assert_null(batcher_new(set, &(BatchOptions){ .batch_size = 11, .drop_last = true }, &err));
    assert_int_equal(err.code, ERR_ARG);
    b = batcher_new(set, &(BatchOptions){ .batch_size = 1000000000 }, &err); /* room for no more than there is */
    batcher_shapes(b, &x, &x_type, &y, &y_type);
    assert_int_equal(x.d[0], 10);
    batcher_free(b);
    dataset_unref(set);

    set = make(DTYPE_FLOAT32, 0);
    assert_null(batcher_new(set, &(BatchOptions){ .batch_size = 4 }, &err));
    assert_int_equal(err.code, ERR_DATA);
    dataset_unref(set);

    Tensor alone;
    assert_ok(tensor_zero(&alone, DTYPE_FLOAT32, SHAPE(4, 3), &err));
    set = dataset_new("alone", &alone, NULL, &err);
    b = batcher_new(set, &(BatchOptions){ .batch_size = 4 }, &err);
    r->tx.shape = SHAPE(4, 3);
    assert_ok(batcher_check(b, &r->tx, NULL, &err));
    assert_err(batcher_check(b, &r->tx, &r->ty, &err), ERR_ARG, "no y");
    batcher_shapes(b, &x, &x_type, &y, &y_type);
    assert_int_equal(y.rank, 0);
    batcher_free(b);
    dataset_unref(set);
    free(r);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Dataset *set = make(DTYPE_UINT8, 10);
    size_t held = mem_bytes();
    for (long n = 0;; n++) {
        mem_fail_after(n);
        Batcher *b = batcher_new(set, &(BatchOptions){ .batch_size = 4 }, &err);
        mem_fail_after(-1);
        bool ok = b != NULL;
        batcher_free(b);
        assert_int_equal(mem_bytes(), held);
        if (ok)
            break;
        assert_int_equal(err.code, ERR_MEM);
    }
    dataset_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_once_an_epoch),
        cmocka_unit_test(resumes_exactly),
        cmocka_unit_test(types_and_room),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
