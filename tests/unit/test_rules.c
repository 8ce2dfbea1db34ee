// SPDX-License-Identifier: MIT
/* Regularisers and constraints against Keras (fixtures/train/make_rules.py): losses, and weights after each update. */
#include "check.h"
#include "fixture.h"
#include "netkit.h"
#include "runkit.h"

#define FIXTURE fixture_path("train/rules.safetensors")
#define LIMIT 1e-5
#define KERNEL 12
#define BIAS 3

static Tensor get(const SafeTensors *file, const char *name, const char *part)
{
    char key[300];
    Tensor out;
    snprintf(key, sizeof key, "%s/%s", name, part);
    assert_true(fixture_tensor(file, FIXTURE, key, DTYPE_FLOAT32, &out));
    return out;
}

static void near(const char *name, const char *what, double got, double want)
{
    if (!(fabs(got - want) <= LIMIT * fmax(1, fabs(want))))
        fail_msg("%s: %s is %.9g, wanted %.9g", name, what, got, want);
}

static void check_case(const SafeTensors *file, const char *name)
{
    Err err = ERR_INIT;
    char text[300];
    double logs[2];
    snprintf(text, sizeof text, "Dense units=3 input_shape=4 %s", name);
    Model *model = net_model(text);
    kit_compile(model, "sgd learning_rate=0.1", "mse", NULL);
    static const char *const parts[] = { "x", "y", "kernel", "bias", "losses", "kernels", "biases" };
    Tensor t[COUNT_OF(parts)];
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        t[i] = get(file, name, parts[i]);
    Layer *layer = model_layer_at(model, 1, &err);
    for (int i = 0; i < KERNEL + BIAS; i++)
        layer->block[i] = (real)(i < KERNEL ? tensor_get(&t[2], i) : tensor_get(&t[3], i - KERNEL));
    for (int step = 0; step < 3; step++) {
        kit_train_batch(model, &t[0], &t[1], logs);
        near(name, "the loss", logs[0], tensor_get(&t[4], step));
        for (int i = 0; i < KERNEL; i++)
            near(name, "the kernel", (double)layer->block[i], tensor_get(&t[5], step * KERNEL + i));
        for (int i = 0; i < BIAS; i++)
            near(name, "the bias", (double)layer->block[KERNEL + i], tensor_get(&t[6], step * BIAS + i));
    }
    Samples given = kit_samples(&t[0], &t[1]);
    assert_ok(compile_evaluate(model, &given, 32, logs, NULL, 0, NULL, &err));
    near(name, "the loss at the end", logs[0], tensor_get(&t[4], 3));
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        tensor_unref(&t[i]);
    model_unref(model);
}

static void test_against_keras(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    int n = 0;
    SafeTensors *file = safetensors_open(FIXTURE, &err);
    assert_non_null(file);
    for (int i = 0; i < safetensors_count(file); i++) {
        char name[200];
        snprintf(name, sizeof name, "%s", safetensors_at(file, i)->name);
        char *slash = strstr(name, "/x");
        if (!slash)
            continue;
        *slash = 0;
        check_case(file, name);
        n++;
    }
    safetensors_free(file);
    assert_int_equal(n, 13);
}

/* They are saved with the model, and nothing stands in a file for those that were not asked for. */
static void test_saved(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Buf json = BUF_INIT, again = BUF_INIT;
    Model *model = net_model("Dense units=3 input_shape=4 kernel_regularizer=l2(0.1) bias_constraint=non_neg");
    assert_ok(model_to_json(model, &json, &err));
    assert_non_null(strstr(buf_text(&json), "\"kernel_regularizer\":\"l2(0.1)\""));
    assert_null(strstr(buf_text(&json), "activity_regularizer"));
    Model *copy = model_from_json(buf_text(&json), &err);
    assert_non_null(copy);
    assert_ok(model_to_json(copy, &again, &err));
    assert_string_equal(buf_text(&json), buf_text(&again));
    const Param *kernel = &model_layer_at(copy, 1, &err)->params[0];
    assert_true(kernel->regularizer.kind && kernel->regularizer.v[0] == 0.1 && !kernel->constraint.kind);
    buf_fini(&json);
    buf_fini(&again);
    model_unref(copy);
    model_unref(model);
}

/* Each line along the axes has length 1, whatever the axes, also where there are more lines than are taken together. */
static void test_norms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int axes;
    } rows[] = { { "unit_norm", 1 }, { "unit_norm(axis=1)", 2 }, { "unit_norm(axis=2)", 4 }, { "unit_norm(axis=0,1)", 3 }, { "unit_norm(axis=0,2)", 5 }, { "unit_norm(axis=0,1,2)", 7 } };
    static real w[3 * 5 * 150], before[3 * 5 * 150];
    const Shape shape = SHAPE(3, 5, 150);
    Err err = ERR_INIT;
    Restriction rule;
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        double squares[3 * 5 * 150] = { 0 };
        for (int i = 0; i < (int)COUNT_OF(w); i++)
            w[i] = before[i] = (real)(1 + i * 7 % 11);
        assert_ok(constraint_parse(rows[r].text, &rule, &err));
        rule.kind->apply(rule.v, w, &shape);
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < (int)COUNT_OF(w); i++) {
                int at[3] = { i / 750, i / 150 % 5, i % 150 };
                for (int axis = 0; axis < 3; axis++)
                    at[axis] = rows[r].axes >> axis & 1 ? 0 : at[axis];
                double *sum = &squares[at[0] * 750 + at[1] * 150 + at[2]];
                if (pass == 0)
                    *sum += (double)before[i] * (double)before[i];
                else
                    near(rows[r].text, "a weight", (double)w[i], (double)before[i] / sqrt(*sum));
            }
    }
}

static void test_refusals(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    assert_err(net_try_layer("Dense", "units=3 kernel_regularizer=l3", &err) != NULL, ERR_NAME, "no regularizer \"l3\"");
    assert_err(net_try_layer("Dense", "units=3 kernel_regularizer=l2(-1)", &err) != NULL, ERR_ARG, "l2");
    assert_err(net_try_layer("Dense", "units=3 kernel_regularizer=l2(0.1", &err) != NULL, ERR_ARG, "closing bracket");
    assert_err(net_try_layer("Dense", "units=3 kernel_regularizer=l2(0.1,0.2)", &err) != NULL, ERR_ARG, "takes 1 argument");
    assert_err(net_try_layer("Dense", "units=3 bias_constraint=maxnorm", &err) != NULL, ERR_NAME, "no constraint \"maxnorm\"");
    assert_err(net_try_layer("Dense", "units=3 bias_constraint=max_norm(axis=9)", &err) != NULL, ERR_ARG, "axis");
    for (int i = 0; regularizer_at(i); i++)
        assert_true(regularizer_at(i)->doc && regularizer_at(i)->n_args <= RULE_ARGS);
    for (int i = 0; constraint_at(i); i++)
        assert_true(constraint_at(i)->doc && constraint_at(i)->n_args <= RULE_ARGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_keras), cmocka_unit_test(test_saved), cmocka_unit_test(test_norms), cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
