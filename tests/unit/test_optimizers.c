// SPDX-License-Identifier: MIT
/* Five updates of every option of every optimizer against Keras (fixtures/train/make.py), the learning rate halved by hand before
 * the fourth; long arrays give the same bits with any number of threads. */
#include "check.h"
#include "fixture.h"

#include <stdlib.h>

#include "base/pool.h"
#include "base/rng.h"
#include "formats/safetensors.h"
#include "train/compile.h"

#define LIMIT 1e-5
#define LONG 300001

static const OptimizerKind *parse(const char *name, Args *args)
{
    Err err = ERR_INIT;
    char text[200], *save = NULL;
    snprintf(text, sizeof text, "%s", name);
    const OptimizerKind *kind = optimizer_find(strtok_r(text, " ", &save), &err);
    assert_non_null(kind);
    args_init(args, kind->args, kind->n_args);
    for (char *word = strtok_r(NULL, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value = 0;
        assert_ok(args_parse(args, args_find(args, word), value + 1, name, &err));
    }
    return kind;
}

static Tensor get(const SafeTensors *file, const char *name, const char *part)
{
    Err err = ERR_INIT;
    char key[200];
    Tensor out;
    snprintf(key, sizeof key, "%s/%s", name, part);
    assert_ok(safetensors_get(file, key, DTYPE_FLOAT32, &out, &err));
    return out;
}

static void check_case(const SafeTensors *file, const char *name)
{
    Args args;
    const OptimizerKind *kind = parse(name, &args);
    Tensor w = get(file, name, "start"), g = get(file, name, "gradients"), after = get(file, name, "after");
    size_t n = (size_t)tensor_count(&w);
    real memory[3][64] = { 0 }, *slots[3] = { NULL };
    int n_slots = kind->slots_used ? kind->slots_used(&args) : kind->n_slots;
    for (int s = 0; s < n_slots; s++)
        slots[s] = memory[s];
    double rate = args_float(&args, "learning_rate");
    for (int t = 1; t <= 5; t++) {
        rate /= t == 4 ? 2 : 1;
        kind->update(&args, rate, t, tensor_real(&w), tensor_real(&g) + (size_t)(t - 1) * n, slots, n);
        for (size_t i = 0; i < n; i++)
            assert_near(tensor_get(&w, (int64_t)i), tensor_get(&after, (int64_t)((size_t)(t - 1) * n + i)), LIMIT);
    }
    tensor_unref(&w);
    tensor_unref(&g);
    tensor_unref(&after);
}

static void test_against_keras(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    int n = 0;
    SafeTensors *file = safetensors_open(fixture_path("train/optimizers.safetensors"), &err);
    assert_non_null(file);
    for (int i = 0; i < safetensors_count(file); i++) {
        char name[200];
        snprintf(name, sizeof name, "%s", safetensors_at(file, i)->name);
        char *slash = strstr(name, "/start");
        if (!slash)
            continue;
        *slash = 0;
        check_case(file, name);
        n++;
    }
    safetensors_free(file);
    assert_int_equal(n, 9);
}

static void fill(real *x, uint64_t seed)
{
    Rng rng;
    rng_init(&rng, seed, RNG_TEST, 0);
    for (int i = 0; i < LONG; i++)
        x[i] = (real)rng_normal(&rng);
}

static void test_threads(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    real *w[2], *g = malloc(LONG * sizeof *g), *slots[3];
    fill(g, 1);
    for (int s = 0; s < 3; s++)
        slots[s] = malloc(LONG * sizeof(real));
    for (int k = 0; optimizer_at(k); k++) {
        const OptimizerKind *kind = optimizer_at(k);
        Args args;
        args_init(&args, kind->args, kind->n_args);
        for (int run = 0; run < 2; run++) {
            assert_ok(pool_start(run ? 3 : 1, &err));
            w[run] = malloc(LONG * sizeof(real));
            fill(w[run], 2);
            for (int s = 0; s < 3; s++)
                memset(slots[s], 0, LONG * sizeof(real));
            for (int t = 1; t <= 3; t++)
                kind->update(&args, 0.1, t, w[run], g, slots, LONG);
            pool_stop();
        }
        assert_memory_equal(w[0], w[1], LONG * sizeof(real));
        free(w[0]);
        free(w[1]);
    }
    free(g);
    for (int s = 0; s < 3; s++)
        free(slots[s]);
}

static void test_names(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    assert_string_equal(optimizer_find("Adam", &err)->name, "adam");
    assert_err(optimizer_find("adan", &err) != NULL, ERR_NAME, "did you mean \"adam\"");
    for (int i = 0; optimizer_at(i); i++) {
        const OptimizerKind *kind = optimizer_at(i);
        Args args;
        args_init(&args, kind->args, kind->n_args);
        assert_int_equal(args_find(&args, "learning_rate"), 0);
        assert_true(kind->doc && kind->example && kind->class_name && kind->n_slots <= 3);
        Optimizer *optimizer = optimizer_new(kind, &args, &err);
        assert_non_null(optimizer);
        assert_near(optimizer->learning_rate, args_float(&args, "learning_rate"), 0);
        optimizer_unref(optimizer);
    }
    Args args;
    parse("sgd", &args);
    assert_err(args_set_number(&args, 1, 1.5, "SGD", &err), ERR_ARG, "momentum");
    assert_err(args_set_number(&args, 0, -1, "SGD", &err), ERR_ARG, "learning_rate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_keras),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
