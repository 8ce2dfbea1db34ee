// SPDX-License-Identifier: MIT
/* All runs of the session, and what becomes of those that go on when a script ends. */
#include "script/bind_net.h"

static int nn_runs(lua_State *L)
{
    int n = 0;
    lua_newtable(L);
    for (int i = 0; i < control_count(); i++) {
        RunBox *box = bind_new(L, &kind_run, sizeof *box);
        box->run = control_run(i);
        if (box->run)
            lua_rawseti(L, -2, ++n);
        else
            lua_pop(L, 1);
    }
    return 1;
}

static const Verb run_verbs[] = {
    { "runs", nn_runs, NULL, NULL, 0, "The runs of this session, the newest last.", "assert(type(nn.runs()) == \"table\")" },
};
const VerbGroup run_group = { "nn.", run_verbs, COUNT_OF(run_verbs) };

void run_open(lua_State *L)
{
    bind_kind(L, &kind_run);
    lua_getglobal(L, "nn");
    bind_fill(L, &run_group);
    lua_pop(L, 1);
}

static void serve(void *ctx)
{
    script_serve(ctx);
}

bool script_finish_runs(Script *script, Err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < control_count(); i++) {
        Run *run = control_run(i);
        if (!run)
            continue;
        if (run_has_ended(run)) { /* fit and wait have told that already */
            run_unref(run);
            continue;
        }
        while (ok && !run_has_ended(run) && run_state(run) != RUN_PAUSED && run_state(run) != RUN_TROUBLE)
            ok = run_wait(run, 0.1, &script->stop, serve, script, err);
        if (ok && run_state(run) == RUN_FAILED) {
            TeleNow now;
            telemetry_now(run_telemetry(run), &now);
            ok = err_set(err, ERR_NUMERIC, "run %d failed at step %lld: %s", run_id(run), (long long)now.step, now.reason);
            script_sayf(script, SAY_ERROR, "%s\n", err && err->text[0] ? err->text : "a run failed");
        }
        run_unref(run);
    }
    return ok;
}
