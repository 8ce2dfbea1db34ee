// SPDX-License-Identifier: MIT
/* Jobs at the prompt: it stays alive, Ctrl-C ends its own code alone, trouble says where it comes from, watchers change no bit. */
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "script/script.h"
#include "train/control.h"

static Buf said;

static void say(void *ctx, SayKind kind, const char *text, size_t n)
{
    (void)ctx, (void)kind;
    buf_write(&said, text, n);
}

static Script *start(void)
{
    Err err = ERR_INIT;
    ScriptHost host = { .say = say };
    ScriptOptions options = { .interactive = true, .seed = 1, .columns = 80 };
    Script *script = script_new(&host, &options, &err);
    assert_non_null(script);
    return script;
}

static void finish(Script *script)
{
    control_settle(10);
    script_free(script);
    buf_fini(&said);
}

static void expect(Script *script, const char *block, const char *part)
{
    buf_reset(&said);
    script_enter(script, block);
    if (!strstr(buf_text(&said), part))
        fail_msg("%s\n  said: %s\n  want: %s", block, buf_text(&said), part);
}

static const char setup[] = "x = tensor.rand(64, 3, {seed = 1})\n"
                            "function net() nn.reset_names() return nn.Sequential{nn.Dense(8, 'relu', {input_shape = {3}}), nn.Dropout(0.1), nn.Dense(1)} end\n"
                            "function train(m, more)\n"
                            "  local adam = nn.Adam()\n"
                            "  local all = {models = m, data = x, batch_size = 8, epochs = 100000, seed = 2, step = function(job, x)\n"
                            "    local loss = tape(function() return (m(x) - 1):square():mean() * (bad or 1) end)\n"
                            "    if explode then error('mine') end\n"
                            "    adam:apply(loss, m)\n"
                            "    job:log{loss = loss}\n"
                            "  end}\n"
                            "  for k, v in pairs(more or {}) do all[k] = v end\n"
                            "  return nn.job(all)\n"
                            "end";

typedef struct Press {
    Script *script;
    double after_s;
} Press;

static void *press(void *arg)
{
    const Press *p = arg;
    clock_sleep(p->after_s);
    script_interrupt(p->script);
    return NULL;
}

static void interrupted(Script *script, const char *block)
{
    Press p = { script, 0.2 };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, press, &p), 0);
    expect(script, block, "interrupted");
    pthread_join(thread, NULL);
}

static void test_prompt(void **state)
{
    (void)state;
    Script *script = start();
    expect(script, setup, "");
    expect(script, "m = net(); run = train(m); return run.status ~= 'finished'", "true");
    expect(script, "before = run.steps; hebb.sleep(0.2); return run.steps > before", "true");
    interrupted(script, "while true do end"); /* no step is done meanwhile */
    interrupted(script, "while true do hebb.sleep(0.01) end"); /* steps are done meanwhile: it is not theirs */
    interrupted(script, "run:wait()");
    expect(script, "before = run.steps; hebb.sleep(0.2); return run.status, run.steps > before", "\"training\"\ntrue");
    expect(script, "run:pause(); before = run.steps; run:step(5); return run.steps - before", "5\n");
    expect(script, "run:resume(); explode = true; hebb.sleep(0.3)", "in the step of run");
    expect(script, "return run.status, run.reason", "\"failed\"\n\"[1]:7: mine"); /* the block's number, the user's own line */
    expect(script, "explode = nil; run = train(m, {epochs = 2}); return run:wait()", "finished"); /* nothing was lost */
    finish(script);
}

static void test_trouble(void **state)
{
    (void)state;
    Script *script = start();
    expect(script, setup, "");
    expect(script, "m = net(); run = train(m); hebb.sleep(0.1); bad = 0 / 0; return run:wait()", "trouble");
    expect(script, "return run.status, run.reason", "NaN");
    expect(script, "m:predict(x):sum():item() < 1e9", "true"); /* what was NaN was not applied */
    expect(script, "bad = nil; before = run.steps; run:resume(); hebb.sleep(0.2); return run.status, run.steps > before", "\"training\"\ntrue");
    expect(script, "run:stop(); return run.status", "stopped");
    finish(script);
}

/* The sum of the weights after two epochs, as text. */
static void weights_after(Script *script, bool watch, char out[64])
{
    expect(script, "m = net(); run = train(m, {epochs = 12, paused = true, metrics = {'loss'}})", "");
    Run *run = control_latest();
    for (int kind = 0; kind < PICTURE_KINDS && watch; kind++)
        telemetry_watch(run_telemetry(run), (PictureKind)kind, true);
    expect(script, "run:resume(); return run:wait()", "finished");
    bool drawn = false;
    for (int i = 0; watch && !drawn && i < 100; i++) { /* at the latest when it stands still */
        const void *picture = telemetry_picture(run_telemetry(run), PICTURE_LAYERS);
        drawn = picture != NULL;
        telemetry_picture_free(picture);
        clock_sleep(drawn ? 0 : 0.05);
    }
    assert_true(drawn == watch);
    run_unref(run);
    expect(script, "s = 0; for _, l in ipairs(m.layers) do for _, w in ipairs(l.weights) do s = s + w:sum():item() end end; return ('%.17g'):format(s)", ".");
    snprintf(out, 64, "%.60s", buf_text(&said));
}

static void test_watched(void **state)
{
    char alone[64], watched[64];
    (void)state;
    Script *script = start();
    expect(script, setup, "");
    weights_after(script, false, alone);
    weights_after(script, true, watched);
    assert_string_equal(alone, watched);
    finish(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_prompt), cmocka_unit_test(test_trouble), cmocka_unit_test(test_watched) };
    control_record(false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
