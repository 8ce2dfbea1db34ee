// SPDX-License-Identifier: MIT
/* Every metric over three batches, weighted and not, against Keras (fixtures/train/make_metrics.py); values worked out by hand, and how
 * accuracy finds its kind; the confusion matrix. */
#include "check.h"
#include "fixture.h"

#include <stdlib.h>

#include "train/compile.h"
#include "train/tally.h"

static double value_of(const char *name, const Tensor *prediction, const Tensor *target, const real *weight)
{
    Err err = ERR_INIT;
    Args args;
    double sums[64] = { 0 };
    const Metric *metric = metric_find(name, &err);
    assert_non_null(metric);
    args_init(&args, metric->args, metric->n_args);
    assert_true(!metric->state || metric->state(&args, tally_rows(prediction).width, 8) <= 64);
    metric->add(&args, sums, prediction, target, weight);
    return metric->value(&args, sums, tally_rows(prediction).width);
}

/* ---- against Keras ---- */

#define FIXTURE fixture_path("train/metrics.safetensors")
#define SAMPLES 24
#define BATCHES 3

static bool take(const SafeTensors *file, const char *name, const char *part, DType dtype, Tensor *out)
{
    char key[300];
    snprintf(key, sizeof key, "%s/%s", name, part);
    return fixture_tensor(file, FIXTURE, key, dtype, out);
}

/* "precision top_k=2 weighted" */
static const Metric *parse(const char *name, Args *args)
{
    Err err = ERR_INIT;
    char text[200], *save = NULL;
    snprintf(text, sizeof text, "%s", name);
    const Metric *metric = metric_find(strtok_r(text, " ", &save), &err);
    if (!metric)
        fail_msg("%s: %s", name, err.text);
    args_init(args, metric->args, metric->n_args);
    for (char *word = strtok_r(NULL, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value = 0;
        assert_ok(args_parse(args, args_find(args, word), value + 1, name, &err));
    }
    assert_ok(args_complete(args, name, &err));
    return metric;
}

static void check_case(const SafeTensors *file, const char *name)
{
    Args args;
    const Metric *metric = parse(name, &args);
    Tensor p, t, w, want;
    assert_true(take(file, name, "prediction", DTYPE_FLOAT32, &p) && take(file, name, "value", DTYPE_FLOAT32, &want));
    char key[300];
    snprintf(key, sizeof key, "%s/target", name);
    bool labels = !strcmp(safetensors_find(file, key)->type_name, "I32"), weighted = take(file, name, "weight", DTYPE_FLOAT32, &w);
    assert_true(take(file, name, "target", labels ? DTYPE_INT32 : DTYPE_FLOAT32, &t));
    int64_t width = tally_rows(&p).width;
    size_t n = metric->state ? metric->state(&args, width, SAMPLES) : 2;
    double *state = calloc(n + 1, sizeof *state), got = 0;
    state[n] = 12345; /* nothing writes behind its end */
    for (int64_t b = 0; b < BATCHES; b++) {
        Tensor pb = p, tb = t;
        int64_t first = b * SAMPLES / BATCHES;
        pb.shape.d[0] = tb.shape.d[0] = SAMPLES / BATCHES;
        pb.data = tensor_real(&p) + first * width;
        tb.data = labels ? (void *)(tensor_int(&t) + first) : (void *)(tensor_real(&t) + first * width);
        metric->add(&args, state, &pb, &tb, weighted ? tensor_real(&w) + first : NULL);
        got = metric->value(&args, state, width); /* asking in between changes nothing */
    }
    assert_true(state[n] == 12345);
    if (!(fabs(got - tensor_get(&want, 0)) <= 1e-5 * fmax(1, fabs(tensor_get(&want, 0)))))
        fail_msg("%s is %.9g, wanted %.9g", name, got, tensor_get(&want, 0));
    free(state);
    tensor_unref(&p);
    tensor_unref(&t);
    tensor_unref(&w);
    tensor_unref(&want);
}

static void test_against_keras(void **unused)
{
    (void)unused;
    Err err = ERR_INIT;
    uint64_t seen = 0;
    int n = 0;
    SafeTensors *file = safetensors_open(FIXTURE, &err);
    assert_non_null(file);
    for (int i = 0; i < safetensors_count(file); i++) {
        char name[200];
        Args args;
        snprintf(name, sizeof name, "%s", safetensors_at(file, i)->name);
        char *slash = strstr(name, "/value");
        if (!slash)
            continue;
        *slash = 0;
        check_case(file, name);
        const Metric *metric = parse(name, &args);
        for (int k = 0; metric_at(k); k++)
            seen |= metric_at(k) == metric ? 1ull << k : 0;
        n++;
    }
    safetensors_free(file);
    assert_int_equal(n, 103);
    for (int k = 0; metric_at(k); k++)
        if (!(seen & 1ull << k))
            fail_msg("%s has no case in make_metrics.py", metric_at(k)->name);
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
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_keras), cmocka_unit_test(test_values), cmocka_unit_test(test_confusion), cmocka_unit_test(test_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
