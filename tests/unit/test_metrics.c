// SPDX-License-Identifier: MIT
/* Metrics against values worked out by hand with Keras's definitions, and how accuracy finds its kind; the confusion matrix. */
#include "check.h"

#include "train/compile.h"
#include "train/tally.h"

static double value_of(const char *name, const Tensor *prediction, const Tensor *target, const real *weight)
{
    Err err = ERR_INIT;
    Args args;
    double sums[4] = { 0 };
    const Metric *metric = metric_find(name, &err);
    assert_non_null(metric);
    args_init(&args, metric->args, metric->n_args);
    metric->add(&args, sums, prediction, target, weight);
    return metric->value(&args, sums);
}

static void test_values(void **state)
{
    (void)state;
    real p[12] = { 0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.3, 0.3, 0.4, 0.5, 0.5, 0 }, one_hot[12] = { 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0 };
    int32_t labels[4] = { 0, 2, 2, 0 };
    real weight[4] = { 1, 2, 1, 0 };
    Tensor x = tensor_borrow(DTYPE_FLOAT32, SHAPE(4, 3), p), y = tensor_borrow(DTYPE_FLOAT32, SHAPE(4, 3), one_hot);
    Tensor k = tensor_borrow(DTYPE_INT32, SHAPE(4), labels);
    assert_near(value_of("sparse_categorical_accuracy", &x, &k, NULL), 0.75, 0); /* of equal outputs the first counts */
    assert_near(value_of("categorical_accuracy", &x, &y, NULL), 0.75, 0);
    assert_near(value_of("accuracy", &x, &k, NULL), 0.75, 0);
    assert_near(value_of("acc", &x, &y, NULL), 0.75, 0);
    assert_near(value_of("accuracy", &x, &k, weight), 0.5, 0);
    real q[4] = { 0.2, 0.5, 0.6, 0.9 }, truth[4] = { 0, 1, 1, 0 };
    Tensor a = tensor_borrow(DTYPE_FLOAT32, SHAPE(4, 1), q), b = tensor_borrow(DTYPE_FLOAT32, SHAPE(4, 1), truth);
    assert_near(value_of("accuracy", &a, &b, NULL), 0.5, 0); /* 0.5 itself is below the threshold */
    assert_near(value_of("binary_accuracy", &a, &b, NULL), 0.5, 0);
    assert_near(value_of("mse", &a, &b, NULL), (0.04 + 0.25 + 0.16 + 0.81) / 4, 1e-6);
    assert_near(value_of("mean_absolute_error", &a, &b, NULL), (0.2 + 0.5 + 0.4 + 0.9) / 4, 1e-6);
    assert_near(value_of("mae", &a, &b, weight), (0.2 + 2 * 0.5 + 0.4) / 4, 1e-6);
}

static void test_confusion(void **state)
{
    (void)state;
    real p[8] = { 1, 0, 0, 1, 0, 1, 1, 0 };
    int32_t labels[4] = { 0, 0, 1, 1 };
    uint32_t counts[4] = { 0 };
    Tensor x = tensor_borrow(DTYPE_FLOAT32, SHAPE(4, 2), p), y = tensor_borrow(DTYPE_INT32, SHAPE(4), labels);
    confusion_add(counts, 2, &x, &y);
    confusion_add(counts, 2, &x, &y);
    uint32_t want[4] = { 2, 2, 2, 2 };
    assert_memory_equal(counts, want, sizeof want);
    uint32_t skewed[9] = { 8, 2, 0, 1, 4, 0, 0, 0, 0 };
    ConfusionRow rows[3];
    int64_t total;
    confusion_rows(rows, skewed, 3);
    assert_near(rows[0].precision, 8.0 / 9, 1e-12);
    assert_near(rows[0].recall, 0.8, 1e-12);
    assert_near(rows[0].f1, 2 * (8.0 / 9) * 0.8 / (8.0 / 9 + 0.8), 1e-12);
    assert_int_equal(rows[1].support, 5);
    assert_true(rows[2].precision == 0 && rows[2].recall == 0 && rows[2].f1 == 0); /* nothing of it: no division */
    assert_int_equal(confusion_right(skewed, 3, &total), 12);
    assert_int_equal(total, 15);
    labels[0] = -1; /* outside: left out */
    labels[1] = 7;
    memset(counts, 0, sizeof counts);
    confusion_add(counts, 2, &x, &y);
    assert_int_equal(counts[0] + counts[1] + counts[2] + counts[3], 2);
    Buf text = BUF_INIT;
    confusion_write(&text, skewed, 3, NULL);
    assert_non_null(strstr(buf_text(&text), "12 of 15 right (80.00 %)"));
    buf_fini(&text);
}

static void test_names(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    assert_err(metric_find("acuracy", &err) != NULL, ERR_NAME, "did you mean \"accuracy\"");
    for (int i = 0; metric_at(i); i++)
        assert_true(metric_at(i)->doc && metric_at(i)->example && metric_at(i)->add && metric_at(i)->value);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_values), cmocka_unit_test(test_confusion), cmocka_unit_test(test_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
