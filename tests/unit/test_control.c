// SPDX-License-Identifier: MIT
/* Random sequences of commands from two threads, watched and not: no hang, no crash, and at the end everything is answered. Same
 * seed, same bytes for 1, 2 and 4 threads, watched or not. */
#include "check.h"
#include "netkit.h"
#include "runkit.h"

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/rng.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SEQUENCES 60
#else
#define SEQUENCES 1000
#endif

static Tensor x, y;

static Model *network(int units)
{
    char text[200];
    layer_reset_names();
    model_set_seed(3);
    snprintf(text, sizeof text, "Dense units=%d activation=relu input_shape=4; Dropout rate=0.3; Dense units=3 activation=softmax", units);
    Model *model = net_model(text);
    kit_compile(model, "sgd momentum=0.9", "sparse_categorical_crossentropy", "accuracy");
    return model;
}

static bool look(void *ctx, Err *err)
{
    (void)err;
    ++*(int *)ctx;
    return true;
}

static void command(Run *run, Rng *rng)
{
    Err err = ERR_INIT;
    int n = 0;
    bool ok = true;
    switch (rng_below(rng, 12)) {
    case 0: ok = run_pause(run, &err); break;
    case 1:
    case 2: ok = run_resume(run, &err); break;
    case 3: ok = run_step(run, 1 + (int64_t)rng_below(rng, 5), &err); break;
    case 4: ok = run_set_rate(run, rng_uniform(rng) * 0.01, &err); break;
    case 5: ok = run_do(run, look, &n, NULL, &err) && n == 1; break;
    case 6: ok = run_rewind(run, (int)rng_below(rng, 3), NULL, &err); break;
    case 7: ok = run_rewind_to(run, (int64_t)rng_below(rng, 30), NULL, &err); break;
    case 8: run_choose_probe(run, (int)rng_below(rng, 9) - 2, (int)rng_below(rng, 90) - 5); break;
    case 9: ok = run_set_budget(run, (size_t)rng_below(rng, 100000), &err); break;
    case 10: telemetry_watch(run_telemetry(run), (PictureKind)rng_below(rng, PICTURE_KINDS), true); break;
    case 11: ok = rng_below(rng, 8) ? run_set_epochs(run, 1 + (int)rng_below(rng, 400), &err) : run_stop(run, &err); break;
    }
    if (!ok && err.code != ERR_STATE && err.code != ERR_ARG)
        fail_msg("a command failed: %s", err.text);
}

static void *nag(void *arg)
{
    Rng rng;
    rng_init(&rng, 5, RNG_TEST, 0);
    for (_Atomic bool *stop = arg; !atomic_load(stop);) {
        Run *run = control_latest();
        Err err;
        if (run) {
            bool ok = rng_below(&rng, 2) ? run_step(run, 2, &err) : run_pause(run, &err);
            (void)ok;
            TeleNow now;
            telemetry_now(run_telemetry(run), &now);
            run_choose_probe(run, (int)rng_below(&rng, 3), 0);
        }
        run_unref(run);
        (void)control_any_active();
        clock_sleep(0.0002);
    }
    return NULL;
}

static void test_random_commands(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Rng rng;
    _Atomic bool stop = false;
    pthread_t thread;
    rng_init(&rng, 4, RNG_TEST, 0);
    assert_int_equal(pthread_create(&thread, NULL, nag, (void *)&stop), 0);
    for (int i = 0; i < SEQUENCES; i++) {
        Model *model = network(4);
        FitOptions options = kit_options(&x, &y, 16, 50);
        options.start_paused = rng_below(&rng, 2);
        options.validation_split = rng_below(&rng, 2) ? 0.2 : 0;
        alarm(20); /* the watchdog */
        Run *run = kit_fit(model, &options);
        for (uint64_t k = rng_below(&rng, 12); k > 0; k--)
            command(run, &rng);
        if (rng_below(&rng, 4)) {
            bool ok = run_stop(run, &err);
            (void)ok; /* it may have ended */
            kit_wait(run);
        } else {
            run_unref(run); /* forgotten while it goes: the list holds it */
            model_unref(model);
            control_stop_all();
            for (double end = clock_now() + 10; control_any_active() && clock_now() < end;)
                clock_sleep(0.0005);
            assert_false(control_any_active());
            continue;
        }
        kit_end(run, model);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    alarm(0);
}

/* A network wide enough that its loops are split. */
static uint64_t train(int threads, bool watched)
{
    Err err = ERR_INIT;
    assert_ok(pool_start(threads, &err));
    Model *model = network(1024);
    FitOptions options = kit_options(&x, &y, 32, 12);
    options.validation_split = 0.2;
    options.start_paused = true;
    Run *run = kit_fit(model, &options);
    for (int kind = 0; watched && kind < PICTURE_KINDS; kind++)
        telemetry_watch(run_telemetry(run), (PictureKind)kind, true);
    for (int i = 0; i < 12; i++) { /* the pictures are made while it stands, and while it goes */
        assert_ok(run_step(run, 3, &err));
        if (i < 11)
            kit_at(run, 3 * (i + 1));
        if (watched && i == 5)
            clock_sleep(0.3);
    }
    kit_wait(run);
    uint64_t hash = kit_hash(run);
    if (watched) {
        const TeleLayers *layers = telemetry_picture(run_telemetry(run), PICTURE_LAYERS);
        const TeleProbe *probe = telemetry_picture(run_telemetry(run), PICTURE_PROBE);
        assert_true(layers && probe);
        assert_int_equal(layers->n, 3);
        assert_string_equal(layers->rows[0].name, "dense");
        assert_string_equal(layers->rows[0].shape, "1024");
        assert_int_equal(layers->rows[0].n_params, 5 * 1024);
        assert_true(layers->rows[0].dead >= 0 && layers->rows[1].dead < 0 && layers->rows[0].gradient > 0 && layers->rows[0].update > 0);
        float sum = 0;
        for (int i = 0; i < 16; i++)
            sum += layers->rows[0].histogram[i];
        assert_near(sum, 1, 1e-5);
        assert_true(probe->n_classes == 3 && probe->n_maps == 1 && probe->w == 1024 && probe->in_h == 0);
        assert_near(probe->chances[0] + probe->chances[1] + probe->chances[2], 1, 1e-5);
        assert_int_equal(probe->label, tensor_int(&y)[80]);
        telemetry_picture_free(layers);
        telemetry_picture_free(probe);
    }
    kit_end(run, model);
    pool_stop();
    return hash;
}

static void test_same_bits(void **state)
{
    (void)state;
    uint64_t want = train(1, false);
    assert_true(train(2, false) == want);
    assert_true(train(4, false) == want);
    assert_true(train(1, true) == want);
    assert_true(train(2, true) == want);
}

/* A model that shares layers with one under training is worked on at that run's boundaries, and cannot be trained beside it. */
static void test_shared_layers(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    int n = 0;
    Model *model = network(4), *other = model_sequential("other", &err);
    for (int i = 1; i <= 3; i++)
        assert_ok(model_add(other, model_layer_at(model, i, &err), &err));
    kit_compile(other, "sgd", "sparse_categorical_crossentropy", NULL);
    FitOptions options = kit_options(&x, &y, 16, 1000000);
    Run *run = kit_fit(model, &options);
    assert_ok(model_do(other, look, &n, NULL, &err));
    assert_err(run_new(other, &options, &err) != NULL, ERR_STATE, "is being trained by run");
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    options.epochs = 2;
    Run *second = kit_fit(other, &options);
    kit_wait(second);
    assert_int_equal(run_state(second), RUN_FINISHED);
    assert_err(run_set_epochs(run, 2000000, &err), ERR_STATE, "trained by another run since");
    assert_ok(run_rewind(run, 0, NULL, &err));
    assert_ok(run_stop(run, &err));
    kit_end(run, model);
    kit_end(second, other);
}

/* A callback that waits for another thread: the run serves requests meanwhile and says that it waits. */
typedef struct Question {
    _Atomic bool asked, answered;
    bool result;
} Question;

static bool ask(void *ctx, Run *run, Err *err)
{
    Question *question = ctx;
    (void)err;
    atomic_store(&question->asked, true);
    question->result = run_await(run, &question->answered);
    return true;
}

static void test_callback_waits(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    int n = 0;
    for (int answered = 0; answered < 2; answered++) {
        Model *model = network(4);
        Question question = { 0 };
        FitOptions options = kit_options(&x, &y, 16, 2);
        options.callbacks[0] = (RunCallback){ .name = "question", .ctx = &question, .waits = true, .train_begin = ask };
        options.n_callbacks = 1;
        Run *run = kit_fit(model, &options);
        kit_until(run, RUN_CALLBACK);
        assert_true(run_in_callback(run) && atomic_load(&question.asked));
        assert_ok(run_do(run, look, &n, NULL, &err));
        if (answered) {
            atomic_store(&question.answered, true);
            run_answered(run);
        } else {
            control_stop_all();
        }
        kit_wait(run);
        assert_int_equal(run_state(run), answered ? RUN_FINISHED : RUN_STOPPED);
        assert_int_equal(question.result, answered);
        kit_end(run, model);
    }
    assert_int_equal(n, 2);
}

static int set_up(void **state)
{
    (void)state;
    control_record(false);
    kit_blobs(&x, &y, 100, 4, 3, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tensor_unref(&x);
    tensor_unref(&y);
    return 0;
}

int main(void)
{
    alarm(300);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_shared_layers),
        cmocka_unit_test(test_callback_waits),
        cmocka_unit_test(test_random_commands),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
