// SPDX-License-Identifier: MIT
/* Every loss and its gradient against Keras (fixtures/train/make_losses.py), by argument and with sample weights; from a softmax's or
 * sigmoid's output the logits are used. */
#include "check.h"
#include "fixture.h"

#include "formats/safetensors.h"
#include "train/lossmath.h"

#define FIXTURE fixture_path("train/losses.safetensors")

static SafeTensors *file;

static int open_file(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    file = safetensors_open(FIXTURE, &err);
    return file ? 0 : -1;
}

static int close_file(void **state)
{
    (void)state;
    safetensors_free(file);
    return 0;
}

static bool take(const char *name, const char *part, DType dtype, Tensor *out)
{
    char key[300];
    snprintf(key, sizeof key, "%s/%s", name, part);
    return fixture_tensor(file, FIXTURE, key, dtype, out);
}

/* "binary_crossentropy from_logits=true weighted" */
static const Loss *parse(const char *name, Args *args)
{
    Err err = ERR_INIT;
    char text[200], *save = NULL;
    snprintf(text, sizeof text, "%s", name);
    const Loss *loss = loss_find(strtok_r(text, " ", &save), &err);
    assert_non_null(loss);
    args_init(args, loss->args, loss->n_args);
    for (char *word = strtok_r(NULL, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value = 0;
        assert_ok(args_parse(args, args_find(args, word), value + 1, name, &err));
    }
    return loss;
}

/* Where Keras computed in double, so does hebb in MODE=f64. */
static double limit_of(const char *name)
{
    char key[300];
    snprintf(key, sizeof key, "%s/loss", name);
    return sizeof(real) == 4 ? 1e-5 : strcmp(safetensors_find(file, key)->type_name, "F64") ? 2e-6 : 1e-10;
}

static void check_case(const char *name)
{
    double limit = limit_of(name);
    Err err = ERR_INIT;
    Args args;
    const Loss *loss = parse(name, &args);
    Tensor x, y, w, want, gradient;
    assert_true(take(name, "prediction", DTYPE_FLOAT32, &x));
    assert_true(take(name, "target", loss->target == TARGET_LABELS ? DTYPE_INT32 : DTYPE_FLOAT32, &y));
    assert_true(take(name, "loss", DTYPE_FLOAT32, &want) && take(name, "gradient", DTYPE_FLOAT32, &gradient));
    bool weighted = take(name, "weight", DTYPE_FLOAT32, &w);
    real dx[256];
    for (int mode = TAPE_FORWARD; mode <= TAPE_TRAIN; mode++) {
        Tape tape;
        tape_init(&tape);
        tape_begin(&tape, (TapeMode)mode, 1, 1);
        Node *prediction = tape_param(&tape, &x, dx, &err), *target = tape_input(&tape, &y, &err);
        Node *weight = weighted ? tape_input(&tape, &w, &err) : NULL;
        Node *value = loss->apply(&args, &tape, prediction, target, weight, &err);
        if (!value)
            fail_msg("%s: %s", name, err.text);
        assert_int_equal(shape_count(&value->value.shape), 1);
        if (!(fabs(tensor_get(&value->value, 0) - tensor_get(&want, 0)) <= limit * fmax(1, fabs(tensor_get(&want, 0)))))
            fail_msg("%s is %.12g, wanted %.12g", name, tensor_get(&value->value, 0), tensor_get(&want, 0));
        if (mode == TAPE_TRAIN) {
            assert_ok(tape_backward(&tape, value, &err));
            for (int64_t i = 0; i < tensor_count(&gradient); i++)
                if (!(fabs((double)dx[i] - tensor_get(&gradient, i)) <= limit * fmax(1, fabs(tensor_get(&gradient, i)))))
                    fail_msg("%s: gradient %d is %.12g, wanted %.12g", name, (int)i, (double)dx[i], tensor_get(&gradient, i));
        }
        tape_fini(&tape);
    }
    tensor_unref(&x);
    tensor_unref(&y);
    tensor_unref(&w);
    tensor_unref(&want);
    tensor_unref(&gradient);
}

static void test_against_keras(void **state)
{
    (void)state;
    int n = 0;
    unsigned seen = 0;
    for (int i = 0; i < safetensors_count(file); i++) {
        char name[200];
        snprintf(name, sizeof name, "%s", safetensors_at(file, i)->name);
        char *slash = strstr(name, "/loss");
        if (!slash)
            continue;
        *slash = 0;
        check_case(name);
        Args args;
        const Loss *loss = parse(name, &args);
        for (int k = 0; loss_at(k); k++)
            seen |= loss_at(k) == loss ? 1u << k : 0;
        n++;
    }
    assert_int_equal(n, 92);
    for (int k = 0; loss_at(k); k++)
        if (!(seen & 1u << k))
            fail_msg("%s has no case in make_losses.py", loss_at(k)->name);
}

static double loss_of(Tape *tape, const char *name, const Op *last, const real *x, const Tensor *y, int64_t C, real *dx)
{
    Err err = ERR_INIT;
    Args args;
    const Loss *loss = parse(name, &args);
    tape_begin(tape, TAPE_TRAIN, 1, 1);
    Tensor logits = tensor_borrow(DTYPE_FLOAT32, SHAPE(2, C), (void *)(uintptr_t)x);
    Node *node = tape_param(tape, &logits, dx, &err), *target = tape_input(tape, y, &err);
    Node *prediction = loss_unary(tape, last, node, &err);
    Node *value = loss->apply(&args, tape, prediction, target, NULL, &err);
    assert_non_null(value);
    assert_ok(tape_backward(tape, value, &err));
    return tensor_get(&value->value, 0);
}

/* Probabilities that underflow: from the logits the loss is still right, and there is a gradient to learn from. */
static void test_uses_logits(void **state)
{
    (void)state;
    Tape tape;
    tape_init(&tape);
    int32_t labels[2] = { 1, 0 };
    real x[4] = { 60, -60, 0, 0 }, dx[4], one_hot[4] = { 0, 1, 1, 0 }, truth[4] = { 0, 1, 1, 0 };
    Tensor y = tensor_borrow(DTYPE_INT32, SHAPE(2), labels), same = tensor_borrow(DTYPE_FLOAT32, SHAPE(2, 2), one_hot);
    assert_near(loss_of(&tape, "sparse_categorical_crossentropy", &op_softmax, x, &y, 2, dx), (120 + log(2)) / 2, 1e-6);
    assert_near(dx[0], 0.5, 1e-6);
    assert_near(dx[1], -0.5, 1e-6);
    assert_near(loss_of(&tape, "categorical_crossentropy", &op_softmax, x, &same, 2, dx), (120 + log(2)) / 2, 1e-6);
    assert_near(dx[0], 0.5, 1e-6);
    same = tensor_borrow(DTYPE_FLOAT32, SHAPE(2, 2), truth);
    assert_near(loss_of(&tape, "binary_crossentropy", &op_sigmoid, x, &same, 2, dx), (120 + 2 * log(2)) / 4, 1e-6);
    assert_near(dx[0], 0.25, 1e-6);
    assert_near(dx[1], -0.25, 1e-6);
    tape_fini(&tape);
}

/* A probability of exactly 0 for the true class: clipped at 1e-7, finite. */
static void test_clips(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Args args;
    const Loss *loss = parse("sparse_categorical_crossentropy", &args);
    Tape tape;
    tape_init(&tape);
    tape_begin(&tape, TAPE_FORWARD, 1, 1);
    real p[2] = { 1, 0 };
    int32_t label[1] = { 1 };
    Tensor x = tensor_borrow(DTYPE_FLOAT32, SHAPE(1, 2), p), y = tensor_borrow(DTYPE_INT32, SHAPE(1), label);
    Node *value = loss->apply(&args, &tape, tape_input(&tape, &x, &err), tape_input(&tape, &y, &err), NULL, &err);
    assert_non_null(value);
    assert_near(tensor_get(&value->value, 0), -log(1e-7), 1e-4);
    tape_fini(&tape);
}

static void test_names(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    assert_string_equal(loss_find("mse", &err)->name, "mean_squared_error");
    assert_err(loss_find("mean_squared_eror", &err) != NULL, ERR_NAME, "did you mean \"mean_squared_error\"");
    int n = 0;
    for (const Loss *loss; (loss = loss_at(n)) != NULL; n++) {
        assert_true(loss->doc && *loss->doc && loss->example && *loss->example && loss->apply);
        assert_ptr_equal(loss_find(loss->name, &err), loss);
    }
    assert_string_equal(loss_find("kld", &err)->class_name, "KLDivergence");
    assert_null(loss_at(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_against_keras, open_file, close_file),
        cmocka_unit_test(test_uses_logits),
        cmocka_unit_test(test_clips),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
