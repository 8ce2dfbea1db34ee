// SPDX-License-Identifier: MIT
/* Runs. A verb posts its command, waits at a boundary until it took effect, and says when that is; inside a callback of the
 * same run it only posts, because the boundary comes after the callback. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "script/bind_model.h"
#include "train/job.h"

#define EPOCHS_MOST 100000
#define PAUSE_LOOK_S 0.05 /* a script that waits looks so often whether the run stands at a pause */

/* ---- boxes ---- */

Run *run_check(lua_State *L, int index, const char *who)
{
    RunBox *box = bind_check(L, index, &kind_run, who);
    if (!box->run)
        bind_error(L, ERR_STATE, "%s: this run is gone", who);
    return box->run;
}

void script_push_run(lua_State *L, Run *run)
{
    RunBox *box = bind_new(L, &kind_run, sizeof *box);
    box->run = run_ref(run);
}

static int run_gc(lua_State *L)
{
    RunBox *box = bind_check(L, 1, &kind_run, "__gc");
    run_unref(box->run);
    box->run = NULL;
    return 0;
}

Run *model_run(const Model *model)
{
    for (int i = control_count() - 1; i >= 0; i--) {
        Run *run = control_run(i);
        if (run && run_trains(run, model))
            return run;
        run_unref(run);
    }
    return NULL;
}

/* ---- commands ---- */

/* Refuse what waits for a boundary of the run where none can come: it stands in a callback that runs now (perhaps one in which
 * another run is waited for), or callbacks wait for one another so deep that no other is served. */
static void check_wait(lua_State *L, Run *run, const char *cannot)
{
    Script *script = script_of(L);
    if (script_inside(script, run))
        bind_error(L, ERR_STATE, "run %d waits for this callback, so the callback cannot %s; return first", run_id(run), cannot);
    if (script->serving >= SCRIPT_SERVERS)
        bind_error(L, ERR_STATE, "callbacks wait for one another %d deep, so this one cannot %s; return first", SCRIPT_SERVERS, cannot);
}

/* Until what was posted before is done. Where no boundary can come (check_wait) nothing is waited for. */
static void settle(lua_State *L, Run *run)
{
    Script *script = script_of(L);
    Err err = ERR_INIT;
    bool waits = !script_inside(script, run) && script->serving < SCRIPT_SERVERS;
    if (waits && !run_settle(run, &script->stop, &err))
        bind_raise(L, &err);
}

/* "run 1: paused at step 391 (epoch 4)" as a note. */
static void say_where(lua_State *L, Run *run, const char *before)
{
    TeleNow now;
    telemetry_now(run_telemetry(run), &now);
    script_sayf(script_of(L), SAY_NOTE, "run %d: %s%s at step %lld (epoch %d)\n", run_id(run), before, run_state_name(now.state),
                (long long)now.step, now.epoch);
}

static void say_when(lua_State *L, Run *run, const char *what)
{
    Buf *text = bind_buf(L);
    run_when(run, text);
    bind_push_buf(L, text);
    script_sayf(script_of(L), SAY_NOTE, "run %d: %s %s\n", run_id(run), what, lua_tostring(L, -1));
    lua_pop(L, 2);
}

static Run *begin(lua_State *L, Args *args)
{
    const Verb *verb = bind_verb(L);
    Run *run = run_check(L, 1, verb->name);
    bind_take(L, 2, verb->name, verb, args);
    return run;
}

static int method_pause(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Run *run = begin(L, &args);
    if (!run_pause(run, &err))
        return bind_raise(L, &err);
    settle(L, run);
    say_where(L, run, "");
    return 0;
}

static int method_resume(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Run *run = begin(L, &args);
    if (!run_resume(run, &err))
        return bind_raise(L, &err);
    settle(L, run);
    return 0;
}

static int method_stop(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Run *run = begin(L, &args);
    if (run_has_ended(run))
        return 0;
    if (!run_stop(run, &err))
        return bind_raise(L, &err);
    settle(L, run);
    say_where(L, run, "");
    return 0;
}

static void serve(void *ctx)
{
    script_serve(ctx);
}

static const ArgSpec step_args[] = {
    { .name = "n", .type = ARG_INT, .fallback = "1", .least = 1, .most = 1e15, .help = "updates" },
};

/* n updates, then a pause: waits until they are done. */
static int method_step(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    TeleNow now;
    Run *run = begin(L, &args);
    Script *script = script_of(L);
    if (!script_inside(script, run))
        check_wait(L, run, "step it");
    if (!run_step(run, args_int(&args, "n"), &err))
        return bind_raise(L, &err);
    settle(L, run);
    while (!script_inside(script, run) && run_state(run) != RUN_PAUSED) {
        if (!run_wait(run, 0.02, &script->stop, serve, script, &err))
            return bind_raise(L, &err);
        if (run_has_ended(run) || run_state(run) == RUN_TROUBLE)
            break;
    }
    telemetry_now(run_telemetry(run), &now);
    script_sayf(script, SAY_NOTE, "run %d: step %lld, loss %.4f\n", run_id(run), (long long)now.step, now.metrics[0]);
    return 0;
}

static const ArgSpec wait_args[] = {
    { .name = "seconds",
      .type = ARG_FLOAT,
      .fallback = "nil",
      .least = 0,
      .most = 1e9,
      .help = "at most so long; nil: to the end" },
};

/* As run_wait; but in a script, where nobody can resume a run that the script itself paused, a pause ends the waiting, too. */
static bool wait_for(Script *script, Run *run, double seconds, Err *err)
{
    if (script->options.interactive)
        return run_wait(run, seconds, &script->stop, serve, script, err);
    double end = seconds >= 0 ? clock_now() + seconds : (double)INFINITY, left = end;
    do {
        left = fmax(end - clock_now(), 0);
        if (!run_settle(run, &script->stop, err) || !run_wait(run, fmin(left, PAUSE_LOOK_S), &script->stop, serve, script, err))
            return false;
    } while (left > PAUSE_LOOK_S && !run_has_ended(run) && run_state(run) != RUN_PAUSED && run_state(run) != RUN_TROUBLE);
    return true;
}

static int method_wait(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Run *run = begin(L, &args);
    Script *script = script_of(L);
    check_wait(L, run, "wait for it");
    double seconds = args_given(&args, "seconds") ? args_float(&args, "seconds") : -1;
    if (!wait_for(script, run, seconds, &err))
        return bind_raise(L, &err);
    serve(script);
    lua_pushstring(L, run_state_name(run_state(run)));
    return 1;
}

static const ArgSpec rewind_args[] = {
    { .name = "epochs",
      .type = ARG_INT,
      .fallback = "1",
      .least = 0,
      .most = 1e9,
      .help = "so many epochs back; 0: to the end of the last one" },
    { .name = "step",
      .type = ARG_INT,
      .fallback = "nil",
      .least = 0,
      .most = 1e15,
      .help = "to the state after this update; 0: the start" },
};

static int method_rewind(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Run *run = begin(L, &args);
    Script *script = script_of(L);
    check_wait(L, run, "take it back");
    bool ok = args_given(&args, "step") ? run_rewind_to(run, args_int(&args, "step"), &script->stop, &err)
                                        : run_rewind(run, (int)args_int(&args, "epochs"), &script->stop, &err);
    if (!ok)
        return bind_raise(L, &err);
    say_where(L, run, "rewound, ");
    return 0;
}

static int method_branch(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Run *run = begin(L, &args);
    check_wait(L, run, "branch it");
    RunBox *box = bind_new(L, &kind_run, sizeof *box);
    ModelBox *model = bind_new(L, &kind_model, sizeof *model);
    box->run = run_branch(run, &model->model, &err);
    if (!box->run)
        return bind_raise(L, &err);
    if (script_of(L)->host.run_began)
        script_of(L)->host.run_began(script_of(L)->host.ctx, box->run, true);
    return 2;
}

static int method_save(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Run *run = begin(L, &args);
    return run_save(run, bind_path(L, 2, "save"), &err) ? 0 : bind_raise(L, &err);
}

/* The newest confusion matrix that the run counted. */
static int method_confusion(lua_State *L)
{
    Args args;
    Run *run = begin(L, &args);
    const TeleConfusion *picture = telemetry_picture(run_telemetry(run), PICTURE_CONFUSION);
    int n = picture ? picture->n : 0;
    size_t size = (size_t)n * (size_t)n * sizeof(uint32_t), names_size = (size_t)n * TELE_NAME;
    telemetry_picture_free(picture);
    if (!n)
        return bind_error(L, ERR_STATE,
                          "run %d has counted no confusion matrix yet: it does so at the end of an epoch, for classifications",
                          run_id(run));
    uint32_t *counts = lua_newuserdatauv(L, size, 0); /* room first: nothing raises while the picture is held */
    char(*names)[TELE_NAME] = lua_newuserdatauv(L, names_size, 0);
    const char **labels = lua_newuserdatauv(L, (size_t)n * sizeof *labels, 0);
    char output[TELE_NAME] = "";
    picture = telemetry_picture(run_telemetry(run), PICTURE_CONFUSION);
    bool same = picture && picture->n == n, named = same && picture->labels;
    if (same) {
        memcpy(counts, picture->counts, size);
        memcpy(output, picture->output, TELE_NAME);
    }
    if (named)
        memcpy(names, picture->labels, names_size);
    telemetry_picture_free(picture);
    if (!same)
        return bind_error(L, ERR_STATE, "the matrix was replaced meanwhile; ask again");
    for (int i = 0; i < n; i++)
        labels[i] = names[i];
    confusion_push(L, counts, n, named ? labels : NULL, output);
    return 1;
}

/* ---- fields ---- */

static int get_id(lua_State *L)
{
    lua_pushinteger(L, run_id(run_check(L, 1, "id")));
    return 1;
}

static int get_status(lua_State *L)
{
    lua_pushstring(L, run_state_name(run_state(run_check(L, 1, "status"))));
    return 1;
}

static TeleNow now_of(lua_State *L, const char *who)
{
    TeleNow now;
    telemetry_now(run_telemetry(run_check(L, 1, who)), &now);
    return now;
}

static int get_reason(lua_State *L)
{
    TeleNow now = now_of(L, "reason");
    lua_pushstring(L, now.reason);
    return 1;
}

/* In its own step a job knows exactly where it stands. */
static bool in_step(lua_State *L, Run *run)
{
    return run_job(run) && script_inside(script_of(L), run);
}

static int get_epoch(lua_State *L)
{
    Run *run = run_check(L, 1, "epoch");
    if (in_step(L, run)) {
        lua_pushinteger(L, job_epoch(run));
        return 1;
    }
    lua_pushinteger(L, now_of(L, "epoch").epoch);
    return 1;
}

static int get_step(lua_State *L)
{
    Run *run = run_check(L, 1, "steps");
    if (in_step(L, run)) {
        lua_pushinteger(L, job_steps(run));
        return 1;
    }
    lua_pushinteger(L, now_of(L, "steps").step);
    return 1;
}

static int get_rate(lua_State *L)
{
    lua_pushnumber(L, now_of(L, "learning_rate").learning_rate);
    return 1;
}

static int set_rate(lua_State *L)
{
    Err err = ERR_INIT;
    char what[64], text[60];
    Run *run = run_check(L, 1, "learning_rate");
    if (lua_type(L, 3) != LUA_TNUMBER)
        return bind_error(L, ERR_ARG, "learning_rate wants a number, got %s", bind_what(L, 3, what));
    if (!run_set_rate(run, lua_tonumber(L, 3), &err))
        return bind_raise(L, &err);
    snprintf(text, sizeof text, "learning rate %.6g", lua_tonumber(L, 3));
    say_when(L, run, text);
    settle(L, run);
    return 0;
}

static int get_epochs(lua_State *L)
{
    TeleNow now = now_of(L, "epochs");
    lua_pushinteger(L, telemetry_last_epoch(telemetry_plan(run_telemetry(run_check(L, 1, "epochs"))), &now));
    return 1;
}

static int set_epochs(lua_State *L)
{
    Err err = ERR_INIT;
    Run *run = run_check(L, 1, "epochs");
    char what[64];
    if (!lua_isinteger(L, 3) || lua_tointeger(L, 3) < 1 || lua_tointeger(L, 3) > 1000000000)
        return bind_error(L, ERR_ARG, "epochs wants a whole number of at least 1, got %s", bind_what(L, 3, what));
    check_wait(L, run, "set its epochs");
    return run_set_epochs(run, (int)lua_tointeger(L, 3), &err) ? 0 : bind_raise(L, &err);
}

static int get_budget(lua_State *L)
{
    lua_pushnumber(L, (double)now_of(L, "budget").snapshot_budget / 1048576);
    return 1;
}

static int set_budget(lua_State *L)
{
    Err err = ERR_INIT;
    char what[64];
    Run *run = run_check(L, 1, "budget");
    if (lua_type(L, 3) != LUA_TNUMBER || !(lua_tonumber(L, 3) >= 1 && lua_tonumber(L, 3) <= 1e7))
        return bind_error(L, ERR_ARG, "budget wants MB for snapshots, at least 1, got %s", bind_what(L, 3, what));
    check_wait(L, run, "set its budget");
    return run_set_budget(run, (size_t)(lua_tonumber(L, 3) * 1048576), &err) ? 0 : bind_raise(L, &err);
}

static int get_model(lua_State *L)
{
    Run *run = run_check(L, 1, "model");
    ModelBox *box = bind_new(L, &kind_model, sizeof *box);
    box->model = model_ref(run_model(run));
    return 1;
}

static int get_folder(lua_State *L)
{
    lua_pushstring(L, run_folder(run_check(L, 1, "folder")));
    return 1;
}

/* One column of the history into the table on top. */
static void push_column(lua_State *L, const Fact **rows, int n, const char *name, int metric, bool validation)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        if (metric == -2)
            lua_pushinteger(L, rows[i]->epoch);
        else
            lua_pushnumber(L, metric < 0   ? rows[i]->learning_rate
                              : validation ? rows[i]->validation[metric]
                                           : rows[i]->metrics[metric]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, name);
}

static int get_history(lua_State *L)
{
    Run *run = run_check(L, 1, "history");
    const TelePlan *plan = telemetry_plan(run_telemetry(run));
    int most = run_history(run, NULL, 0) + 1;
    most = most < EPOCHS_MOST ? most : EPOCHS_MOST;
    const Fact **rows = lua_newuserdatauv(L, (size_t)most * sizeof *rows, 0);
    int n = run_history(run, rows, most);
    n = n < most ? n : most;
    lua_newtable(L);
    push_column(L, rows, n, "epoch", -2, false);
    push_column(L, rows, n, "learning_rate", -1, false);
    for (int i = 0; i < plan->n_metrics; i++) {
        char name[TELE_VALUE + 8];
        push_column(L, rows, n, plan->metrics[i], i, false);
        snprintf(name, sizeof name, "val_%s", plan->metrics[i]);
        if (plan->validates)
            push_column(L, rows, n, name, i, true);
    }
    logs_set_history(L);
    return 1;
}

/* What happened: changes from outside, rewinds, troubles. */
static int get_events(lua_State *L)
{
    Telemetry *tele = run_telemetry(run_check(L, 1, "events"));
    int n = 0;
    lua_newtable(L);
    for (size_t i = 0, all = telemetry_facts(tele); i < all; i++) {
        const Fact *fact = telemetry_fact(tele, i);
        if (fact->kind != FACT_EVENT)
            continue;
        lua_createtable(L, 0, 4);
        lua_pushinteger(L, fact->step);
        lua_setfield(L, -2, "step");
        lua_pushinteger(L, fact->epoch);
        lua_setfield(L, -2, "epoch");
        lua_pushstring(L, fact->label);
        lua_setfield(L, -2, "label");
        lua_pushstring(L, fact->text);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static const Field fields[] = {
    { "id", get_id, NULL, "its number in this session" },
    { "status", get_status, NULL, "training, paused, finished …" },
    { "reason", get_reason, NULL, "why it waits or ended" },
    { "epoch", get_epoch, NULL, "the epoch in progress, from 1" },
    { "steps", get_step, NULL, "updates done" },
    { "epochs", get_epochs, set_epochs, "how many epochs in all; setting more lets an ended run go on" },
    { "learning_rate", get_rate, set_rate, "in force now; a new one takes effect at the next step" },
    { "history", get_history, NULL, "a row for each epoch, as columns by metric; prints as a table" },
    { "events", get_events, NULL, "what was changed and what happened, a list of {step, epoch, label, text}" },
    { "budget", get_budget, set_budget, "MB of memory for snapshots (rewind)" },
    { "model", get_model, NULL, "the model that it trains" },
    { "folder", get_folder, NULL, "where its files are written; \"\" when nothing is recorded" },
};

static const Verb methods[] = {
    { "pause", method_pause, NULL, NULL, 0, "Stand still at the next step boundary.", NULL },
    { "resume", method_resume, NULL, NULL, 0, "Go on.", NULL },
    { "step", method_step, NULL, step_args, COUNT_OF(step_args), "Do n updates, then pause.", NULL },
    { "log", run_log, "values", NULL, 0, "Inside the step of a job: values for its curves, by name: job:log{d_loss = d_loss, g_loss = g_loss}.", NULL },
    { "stop", method_stop, NULL, NULL, 0, "End at the next step boundary; history and weights stay.", NULL },
    { "wait", method_wait, NULL, wait_args, COUNT_OF(wait_args), "Wait until it has ended or trouble pauses it (in a script: until it is paused at all); gives its status.",
      NULL },
    { "rewind", method_rewind, NULL, rewind_args, COUNT_OF(rewind_args),
      "Go back: run:rewind(3) three epochs, run:rewind{step = 400} to that update. Weights, optimizer, random numbers and data\n"
      "position are exactly as they were; the run is paused then. Variables of Lua callbacks stay as they are.",
      NULL },
    { "branch", method_branch, NULL, NULL, 0,
      "A new paused run from this state with a copy of the model; gives the run and the model.", NULL },
    { "save", method_save, "file", NULL, 0, "Model, optimizer, history and position into one file, to resume from.", NULL },
    { "confusion", method_confusion, NULL, NULL, 0,
      "The confusion matrix of the last epoch, with precision, recall and F1 of each class; prints as a table.", NULL },
};

static int run_tostring(lua_State *L)
{
    Run *run = run_check(L, 1, "tostring");
    const TelePlan *plan = telemetry_plan(run_telemetry(run));
    TeleNow now = now_of(L, "tostring");
    Buf *out = bind_buf(L);
    buf_printf(out, "run %d of %s: %s, epoch %d of %d, step %lld", plan->run_id, plan->model, run_state_name(now.state), now.epoch,
               telemetry_last_epoch(plan, &now), (long long)now.step);
    for (int i = 0; i < plan->n_metrics && now.step > 0; i++)
        buf_printf(out, ", %s %.4g", plan->metrics[i], now.metrics[i]);
    for (int i = 0; i < plan->n_metrics && plan->validates; i++)
        if (!isnan(now.validation[i]))
            buf_printf(out, ", val_%s %.4g", plan->metrics[i], now.validation[i]);
    if (now.reason[0])
        buf_printf(out, " (%s)", now.reason);
    bind_push_buf(L, out);
    return 1;
}

static int run_eq(lua_State *L)
{
    RunBox *a = bind_test(L, 1, &kind_run), *b = bind_test(L, 2, &kind_run);
    lua_pushboolean(L, a && b && a->run == b->run);
    return 1;
}

static const luaL_Reg meta[] = { { "__gc", run_gc }, { "__tostring", run_tostring }, { "__eq", run_eq }, { NULL, NULL } };

const Kind kind_run = {
    .type = "hebb.run",
    .what = "run",
    .title = "a run",
    .doc = "One training, made by fit. It goes on by itself: look at it (run.history, run.status), steer it (run:pause(), "
           "run.learning_rate = 1e-4), go back (run:rewind(3)).",
    .fields = fields,
    .n_fields = COUNT_OF(fields),
    .methods = methods,
    .n_methods = COUNT_OF(methods),
    .meta = meta,
};
