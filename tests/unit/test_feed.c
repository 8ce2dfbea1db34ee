// SPDX-License-Identifier: MIT
#include "check.h"

#include <string.h>

#include "base/mem.h"
#include "train/feed.h"

#define ROWS 27

/* Row i: x[0] holds i, 2i, 3i as bytes, x[1] is i as int32, y[1] -i, w[1] i + 0.5; y[0] and w[0] are left out. */
static Samples make(void)
{
    Err err = ERR_INIT;
    Samples s = { .n_x = 2, .n_y = 2, .n_w = 2 };
    assert_ok(tensor_new(&s.x[0], DTYPE_UINT8, SHAPE(ROWS, 3), &err));
    assert_ok(tensor_new(&s.x[1], DTYPE_INT32, SHAPE(ROWS, 1), &err));
    assert_ok(tensor_new(&s.y[1], DTYPE_FLOAT32, SHAPE(ROWS), &err));
    assert_ok(tensor_new(&s.w[1], DTYPE_FLOAT32, SHAPE(ROWS), &err));
    for (int64_t i = 0; i < ROWS; i++) {
        for (int64_t k = 0; k < 3; k++)
            tensor_set(&s.x[0], 3 * i + k, (double)((k + 1) * i));
        tensor_int(&s.x[1])[i] = (int32_t)i;
        tensor_real(&s.y[1])[i] = (real)-i;
        tensor_real(&s.w[1])[i] = (real)i + (real)0.5;
    }
    return s;
}

/* Everything of a batch belongs to the rows that its x[1] names. */
static void check_batch(const Batch *batch, int seen[ROWS])
{
    assert_int_equal(batch->n_x, 2);
    assert_true(batch->x[0].dtype == DTYPE_FLOAT32 && batch->x[0].shape.d[0] == batch->n);
    assert_null(batch->y[0].data);
    assert_null(batch->weight[0]);
    for (int64_t i = 0; i < batch->n; i++) {
        int32_t row = tensor_int(&batch->x[1])[i];
        const real *x = tensor_real(&batch->x[0]) + 3 * i;
        seen[row]++;
        assert_true(x[0] == row && x[1] == 2 * row && x[2] == 3 * row);
        assert_true(tensor_real(&batch->y[1])[i] == -row);
        assert_true(batch->weight[1][i] == (real)row + (real)0.5);
    }
}

static void every_row_once_an_epoch(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Samples all = make();
    for (int shuffle = 0; shuffle < 2; shuffle++)
        for (int64_t size = 1; size <= 31; size += 5) {
            Feed feed;
            assert_ok(feed_init(&feed, &all, 2, ROWS - 2, size, shuffle, 4, &err));
            assert_int_equal(feed_batches(&feed), (ROWS - 2 + size - 1) / size);
            for (int epoch = 0; epoch < 3; epoch++) {
                int seen[ROWS] = { 0 };
                Batch batch;
                for (int64_t i = 0; i < feed_batches(&feed); i++) {
                    feed_take(&feed, epoch, i, &batch);
                    check_batch(&batch, seen);
                    if (!shuffle)
                        assert_int_equal(tensor_int(&batch.x[1])[0], 2 + i * size);
                }
                for (int i = 0; i < ROWS; i++)
                    assert_int_equal(seen[i], i >= 2);
            }
            feed_fini(&feed);
        }
    samples_unref(&all);
}

/* Where a run stands is (seed, epoch, batch): a fresh feed gives the same rows there; nothing is allocated. */
static void position_is_two_numbers(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Samples all = make();
    Feed whole, fresh, other;
    assert_ok(feed_init(&whole, &all, 0, ROWS, 8, true, 77, &err));
    int32_t orders[4][ROWS];
    for (int epoch = 0; epoch < 4; epoch++)
        for (int64_t i = 0; i < feed_batches(&whole); i++) {
            Batch a, b;
            assert_ok(feed_init(&fresh, &all, 0, ROWS, 8, true, 77, &err));
            uint64_t allocations = mem_count();
            feed_take(&whole, epoch, i, &a);
            feed_take(&fresh, epoch, i, &b);
            assert_int_equal(mem_count(), allocations);
            assert_int_equal(a.n, b.n);
            assert_memory_equal(tensor_int(&a.x[1]), tensor_int(&b.x[1]), (size_t)a.n * sizeof(int32_t));
            memcpy(orders[epoch] + i * 8, tensor_int(&a.x[1]), (size_t)a.n * sizeof(int32_t));
            feed_fini(&fresh);
        }
    assert_memory_not_equal(orders[0], orders[1], sizeof orders[1]);
    Batch back;
    feed_take(&whole, 1, 2, &back);
    assert_memory_equal(tensor_int(&back.x[1]), orders[1] + 16, 8 * sizeof(int32_t));
    assert_ok(feed_init(&other, &all, 0, ROWS, 32, true, 78, &err));
    feed_take(&other, 0, 0, &back);
    assert_memory_not_equal(tensor_int(&back.x[1]), orders[0], sizeof orders[0]);
    feed_fini(&other);
    feed_fini(&whole);
    samples_unref(&all);
}

static void one_weight_for_all_outputs(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Samples all = make();
    Feed feed;
    Batch batch;
    tensor_unref(&all.w[0]);
    all.w[0] = all.w[1];
    all.n_w = 1;
    assert_ok(feed_init(&feed, &all, 0, ROWS, 5, true, 1, &err));
    feed_take(&feed, 0, 1, &batch);
    assert_non_null(batch.weight[0]);
    assert_ptr_equal(batch.weight[0], batch.weight[1]);
    feed_fini(&feed);
    samples_unref(&all);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Samples all = make();
    size_t held = mem_bytes();
    bool ok = false;
    for (long n = 0; !ok; n++) {
        Feed feed;
        err_clear(&err);
        mem_fail_after(n);
        ok = feed_init(&feed, &all, 0, ROWS, 4, true, 1, &err);
        mem_fail_after(-1);
        if (ok)
            feed_fini(&feed);
        else
            assert_int_equal(err.code, ERR_MEM);
        assert_int_equal(mem_bytes(), held);
    }
    samples_unref(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_once_an_epoch),
        cmocka_unit_test(position_is_two_numbers),
        cmocka_unit_test(one_weight_for_all_outputs),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
