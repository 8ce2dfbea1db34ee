// SPDX-License-Identifier: MIT
/* Every schedule at twenty steps against Keras, or PyTorch where only that has it (fixtures/train/make_schedules.py). */
#include "check.h"
#include "fixture.h"

#include "train/optimizer.h"

#define FIXTURE fixture_path("train/schedules.safetensors")

/* "warm_up warmup_steps=20 step_decay initial_learning_rate=0.1 …": a word without a value begins the next. */
static Rate *parse(const char *name)
{
    Err err = ERR_INIT;
    char text[300], *rest, *save = NULL;
    Args args;
    snprintf(text, sizeof text, "%s", name);
    const Schedule *schedule = schedule_find(strtok_r(text, " ", &save), &err);
    assert_non_null(schedule);
    args_init(&args, schedule->args, schedule->n_args);
    Rate *after = NULL;
    for (char *word = strtok_r(NULL, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (!(rest = strchr(word, '='))) {
            after = parse(name + (word - text));
            break;
        }
        *rest = 0;
        assert_ok(args_parse(&args, args_find(&args, word), rest + 1, name, &err));
    }
    Rate *rate = rate_new(schedule, &args, after, &err);
    if (!rate)
        fail_msg("%s: %s", name, err.text);
    rate_unref(after);
    return rate;
}

static void compare(const SafeTensors *file, const char *name, const char *part, const Rate *rate, double limit)
{
    char key[300];
    Tensor steps, want;
    snprintf(key, sizeof key, "%s/steps", name);
    assert_true(fixture_tensor(file, FIXTURE, key, DTYPE_INT32, &steps));
    snprintf(key, sizeof key, "%s/%s", name, part);
    if (fixture_tensor(file, FIXTURE, key, DTYPE_FLOAT32, &want)) {
        assert_int_equal(tensor_count(&want), 20);
        for (int64_t i = 0; i < 20; i++) {
            int64_t at = tensor_int(&steps)[i];
            double got = part[0] == 'v' ? rate_at(rate, at) : rate_momentum_at(rate, at);
            if (!(fabs(got - tensor_get(&want, i)) <= limit * fabs(tensor_get(&want, i)) + 1e-8)) /* Keras: float32 */
                fail_msg("%s: %s at step %d is %.12g, wanted %.12g", name, part, (int)at, got, tensor_get(&want, i));
        }
        tensor_unref(&want);
    } else {
        assert_string_equal(part, "momentum");
        assert_true(isnan(rate_momentum_at(rate, 0)));
    }
    tensor_unref(&steps);
}

static void test_against_references(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    unsigned seen = 0;
    int n = 0;
    SafeTensors *file = safetensors_open(FIXTURE, &err);
    assert_non_null(file);
    for (int i = 0; i < safetensors_count(file); i++) {
        char name[300];
        snprintf(name, sizeof name, "%s", safetensors_at(file, i)->name);
        char *slash = strstr(name, "/steps");
        if (!slash)
            continue;
        *slash = 0;
        Rate *rate = parse(name);
        compare(file, name, "values", rate, 1e-6);
        compare(file, name, "momentum", rate, 1e-6);
        for (int k = 0; schedule_at(k); k++)
            seen |= schedule_at(k) == rate->schedule ? 1u << k : 0;
        rate_unref(rate);
        n++;
    }
    safetensors_free(file);
    assert_int_equal(n, 19);
    for (int k = 0; schedule_at(k); k++)
        if (!(seen & 1u << k))
            fail_msg("%s has no case in make_schedules.py", schedule_at(k)->name);
}

static void test_refusals(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Args args;
    const Schedule *warm = schedule_find("warm_up", &err), *step = schedule_find("step_decay", &err);
    assert_err(schedule_find("cosine", &err) != NULL, ERR_NAME, "no schedule \"cosine\"");
    assert_err(schedule_find("cosine_deacy", &err) != NULL, ERR_NAME, "did you mean \"cosine_decay\"?");
    args_init(&args, warm->args, warm->n_args);
    assert_err(rate_new(warm, &args, NULL, &err) != NULL, ERR_ARG, "warmup_steps");
    assert_ok(args_parse(&args, 0, "5", "", &err));
    assert_err(rate_new(warm, &args, NULL, &err) != NULL, ERR_ARG, "stand before");
    Rate *constant = parse("constant learning_rate=1");
    args_init(&args, step->args, step->n_args);
    assert_ok(args_parse(&args, 0, "1", "", &err) && args_parse(&args, 1, "1", "", &err));
    assert_err(rate_new(step, &args, constant, &err) != NULL, ERR_ARG, "no other");
    rate_unref(constant);
}

/* The momentum follows where the optimizer has one. */
static void test_follow(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Rate *rate = parse("warm_up warmup_steps=10 one_cycle max_learning_rate=0.1 total_steps=60");
    static const char *const kinds[] = { "sgd", "adam" };
    for (int i = 0; i < 3; i++) {
        Args args;
        const OptimizerKind *kind = optimizer_find(kinds[i > 1], &err);
        optimizer_args_init(&args, kind);
        if (i == 1)
            assert_ok(args_parse(&args, args_find(&args, "momentum"), "0.5", "", &err));
        Optimizer *optimizer = optimizer_new(kind, &args, &err);
        assert_non_null(optimizer);
        optimizer->t = 27; /* the peak */
        optimizer_follow(optimizer, rate);
        assert_near(optimizer->learning_rate, 0.1, 1e-12);
        assert_near(args_float(&optimizer->args, i > 1 ? "beta_1" : "momentum"), i == 0 ? 0 : 0.85, 1e-12);
        optimizer_unref(optimizer);
    }
    rate_unref(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_references),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
