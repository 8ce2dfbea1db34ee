// SPDX-License-Identifier: MIT
/* Six gradients with every option of every optimizer against Keras and, with compat = "torch", PyTorch, in double precision
 * (fixtures/train/make_optimizers.py); the learning rate is halved by hand before the fourth. Long arrays give the same bits with
 * any number of threads. */
#include "check.h"
#include "fixture.h"
#include "netkit.h"

#include <stdlib.h>

#include "base/pool.h"
#include "base/rng.h"
#include "train/optimizer.h"

#define GRADIENTS 6
#define LONG 300001

static const OptimizerKind *parse(const char *name, Args *args)
{
    Err err = ERR_INIT;
    char text[200], *save = NULL;
    snprintf(text, sizeof text, "%s", name);
    const OptimizerKind *kind = optimizer_find(strtok_r(text, " ", &save), &err);
    assert_non_null(kind);
    optimizer_args_init(args, kind);
    for (char *word = strtok_r(NULL, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value = 0;
        assert_ok(args_parse(args, args_find(args, word), value + 1, name, &err));
    }
    return kind;
}

static Optimizer *make(const char *name)
{
    Err err = ERR_INIT;
    Args args;
    const OptimizerKind *kind = parse(name, &args);
    Optimizer *optimizer = optimizer_new(kind, &args, &err);
    if (!optimizer)
        fail_msg("%s: %s", name, err.text);
    return optimizer;
}

#define FIXTURE fixture_path("train/optimizers.safetensors")

static Tensor get(const SafeTensors *file, const char *name, const char *part)
{
    char key[200];
    Tensor out;
    snprintf(key, sizeof key, "%s/%s", name, part);
    assert_true(fixture_tensor(file, FIXTURE, key, DTYPE_FLOAT32, &out));
    return out;
}

/* Keras's clipnorm takes its norm in float32, whatever the weights are. */
static double limit_of(const char *name)
{
    return sizeof(real) == 4 ? 1e-5 : strstr(name, "clipnorm") ? 1e-7 : 1e-10;
}

static void check_case(const SafeTensors *file, const char *name)
{
    Err err = ERR_INIT;
    Model *model = net_model("Dense units=5 input_shape=6");
    Optimizer *optimizer = make(name);
    assert_ok(optimizer_bind(optimizer, model, &err));
    OptimizerBlock *block = &optimizer->blocks[0];
    real *w = block->layer->block;
    Tensor start = get(file, name, "start"), g = get(file, name, "gradients"), after = get(file, name, "after");
    int64_t n = tensor_count(&start);
    double limit = limit_of(name);
    assert_int_equal(n, block->layer->n_trainable);
    kern_copy(w, tensor_real(&start), n);
    for (int64_t t = 0; t < GRADIENTS; t++) {
        optimizer->learning_rate /= t == 3 ? 2 : 1;
        kern_copy(block->grad, tensor_real(&g) + t * n, n);
        optimizer_apply(optimizer);
        for (int64_t i = 0; i < n; i++)
            if (!(fabs((double)w[i] - tensor_get(&after, t * n + i)) <= limit * fmax(1, fabs((double)w[i]))))
                fail_msg("%s: after %d, weight %d is %.12g, wanted %.12g", name, (int)t + 1, (int)i, (double)w[i], tensor_get(&after, t * n + i));
    }
    tensor_unref(&start);
    tensor_unref(&g);
    tensor_unref(&after);
    optimizer_unref(optimizer);
    model_unref(model);
}

static void test_against_references(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    int n = 0;
    unsigned seen = 0;
    SafeTensors *file = safetensors_open(FIXTURE, &err);
    assert_non_null(file);
    for (int i = 0; i < safetensors_count(file); i++) {
        char name[200];
        Args args;
        snprintf(name, sizeof name, "%s", safetensors_at(file, i)->name);
        char *slash = strstr(name, "/start");
        if (!slash)
            continue;
        *slash = 0;
        check_case(file, name);
        const OptimizerKind *kind = parse(name, &args);
        for (int k = 0; optimizer_at(k); k++)
            seen |= optimizer_at(k) == kind ? 1u << k : 0;
        n++;
    }
    safetensors_free(file);
    assert_int_equal(n, 48);
    for (int k = 0; optimizer_at(k); k++)
        if (!(seen & 1u << k))
            fail_msg("%s has no case in make_optimizers.py", optimizer_at(k)->name);
}

static void fill(real *x, uint64_t seed)
{
    Rng rng;
    rng_init(&rng, seed, RNG_TEST, 0);
    for (int i = 0; i < LONG; i++)
        x[i] = (real)rng_normal(&rng);
}

/* Every slot and every pass over long arrays. */
static void test_threads(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    static const char *const more[] = { "clipnorm=2 weight_decay=0.1", "global_clipnorm=2 use_ema=true gradient_accumulation_steps=2",
                                        "clipvalue=0.5 compat=torch weight_decay=0.1" };
    real *g = malloc(LONG * sizeof *g), *w[2];
    fill(g, 1);
    for (int k = 0; optimizer_at(k); k++)
        for (size_t m = 0; m < COUNT_OF(more); m++) {
            char name[200];
            snprintf(name, sizeof name, "%s %s", optimizer_at(k)->name, more[m]);
            for (int run = 0; run < 2; run++) {
                assert_ok(pool_start(run ? 3 : 1, &err));
                Model *model = net_model("Dense units=1 use_bias=false input_shape=300001");
                Optimizer *optimizer = make(name);
                assert_ok(optimizer_bind(optimizer, model, &err));
                w[run] = malloc(LONG * sizeof(real));
                fill(optimizer->blocks[0].layer->block, 2);
                for (int t = 1; t <= 3; t++) {
                    kern_copy(optimizer->blocks[0].grad, g, LONG);
                    optimizer_apply(optimizer);
                }
                kern_copy(w[run], optimizer->blocks[0].layer->block, LONG);
                optimizer_unref(optimizer);
                model_unref(model);
                pool_stop();
            }
            assert_memory_equal(w[0], w[1], LONG * sizeof(real));
            free(w[0]);
            free(w[1]);
        }
    free(g);
}

static void test_finish(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = net_model("Dense units=1 use_bias=false input_shape=2");
    Optimizer *plain = make("sgd"), *ema = make("sgd learning_rate=1 use_ema=true ema_momentum=0.5");
    assert_ok(optimizer_bind(plain, model, &err));
    assert_false(optimizer_finish(plain));
    assert_ok(optimizer_bind(ema, model, &err));
    assert_false(optimizer_finish(ema)); /* nothing was averaged yet */
    real *w = ema->blocks[0].layer->block;
    w[0] = w[1] = 4;
    for (int t = 0; t < 2; t++) {
        ema->blocks[0].grad[0] = 2;
        ema->blocks[0].grad[1] = 0;
        optimizer_apply(ema);
    }
    assert_true(optimizer_finish(ema));
    assert_near(w[0], 1, 0); /* the mean of 2 and 0 */
    assert_near(w[1], 4, 0);
    optimizer_unref(plain);
    optimizer_unref(ema);
    model_unref(model);
}

static void test_names(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Args args;
    assert_string_equal(optimizer_find("Adam", &err)->name, "adam");
    assert_err(optimizer_find("adan", &err) != NULL, ERR_NAME, "did you mean \"adam\"");
    for (int i = 0; optimizer_at(i); i++) {
        const OptimizerKind *kind = optimizer_at(i);
        optimizer_args_init(&args, kind);
        assert_int_equal(args_find(&args, "learning_rate"), 0);
        assert_true(args_find(&args, "weight_decay") > 0 && args_find(&args, "compat") > 0);
        assert_true(kind->doc && kind->example && kind->class_name && kind->step);
        Optimizer *optimizer = make(kind->name);
        assert_near(optimizer->learning_rate, args_float(&args, "learning_rate"), 0);
        optimizer_unref(optimizer);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Args args;
    const OptimizerKind *sgd = parse("sgd", &args);
    assert_err(args_set_number(&args, 1, 1.5, "SGD", &err), ERR_ARG, "momentum");
    assert_err(args_set_number(&args, 0, -1, "SGD", &err), ERR_ARG, "learning_rate");
    assert_err(args_set_number(&args, args_find(&args, "clipnorm"), 0, "SGD", &err), ERR_ARG, "above 0");
    assert_err(args_set_number(&args, args_find(&args, "gradient_accumulation_steps"), 1, "SGD", &err), ERR_ARG, "from 2");
    assert_err(args_set_text(&args, args_find(&args, "compat"), "jax", "SGD", &err), ERR_ARG, "\"keras\", \"torch\"");
    parse("sgd clipnorm=1 global_clipnorm=2", &args);
    assert_err(optimizer_new(sgd, &args, &err) != NULL, ERR_ARG, "only one of clipnorm, clipvalue and global_clipnorm");
    parse("sgd ema_overwrite_frequency=10", &args);
    assert_err(optimizer_new(sgd, &args, &err) != NULL, ERR_ARG, "use_ema = true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_references), cmocka_unit_test(test_threads), cmocka_unit_test(test_finish),
        cmocka_unit_test(test_names),              cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
