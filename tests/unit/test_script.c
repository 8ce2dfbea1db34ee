// SPDX-License-Identifier: MIT
/* The interpreter from outside: whole blocks, what is said, Ctrl-C, memory that runs out, help, --safe. */
#include "check.h"

#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "script/script.h"

typedef struct Ear {
    Buf text;
    NameIndex *index;
    int left, status;
} Ear;

static void say(void *ctx, SayKind kind, const char *text, size_t n)
{
    Ear *ear = ctx;
    (void)kind;
    buf_write(&ear->text, text, n);
}

static void publish(void *ctx, NameIndex *take)
{
    Ear *ear = ctx;
    index_unref(ear->index);
    ear->index = take;
}

static void leave(void *ctx, int status)
{
    Ear *ear = ctx;
    ear->left++;
    ear->status = status;
}

static Ear ear;

static Script *start(bool safe, Err *err)
{
    ScriptHost host = { .ctx = &ear, .say = say, .publish = publish, .leave = leave };
    ScriptOptions options = { .interactive = true, .safe = safe, .seed = 1, .columns = 80 };
    return script_new(&host, &options, err);
}

static void finish(Script *script)
{
    script_free(script);
    buf_fini(&ear.text);
    index_unref(ear.index);
    ear = (Ear){ 0 };
}

/* Enter a block; what was said meanwhile. */
static const char *enter(Script *script, const char *block)
{
    buf_reset(&ear.text);
    script_enter(script, block);
    return buf_text(&ear.text);
}

static void expect(Script *script, const char *block, const char *part)
{
    const char *said = enter(script, block);
    if (!strstr(said, part))
        fail_msg("%s\n  said: %s\n  want: %s", block, said, part);
}

static void test_complete(void **state)
{
    static const struct {
        const char *block;
        bool complete;
    } rows[] = {
        { "", true },          { "x = 1", true },          { "1 +", false },      { "f(", false },        { "for i = 1, 3 do", false },
        { "for i = 1, 3 do\nprint(i)\nend", true },        { "x", true },         { "x = [[", false },    { "x = [[a\nb]]", true },
        { "function f()", false }, { "end", true },        { "x = = 1", true },   { "?nn.Dense", true },  { "$ ls (", true },
        { ":theme dark", true }, { "= 1 +", false },       { "-- words", true },  { "--[[ words", false }, { "x = 'abc", true },
        { "{1, 2", false },    { "return", true },         { "if x then y() else", false }, { "::a:: do", false },
    };
    Err err = ERR_INIT;
    (void)state;
    ScriptCheck *check = script_check_new(&err);
    assert_non_null(check);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (script_is_complete(check, rows[i].block) != rows[i].complete)
            fail_msg("\"%s\" should be %s", rows[i].block, rows[i].complete ? "complete" : "unfinished");
    script_check_free(check);
}

static void test_prompt(void **state)
{
    Err err = ERR_INIT;
    (void)state;
    Script *script = start(false, &err);
    assert_non_null(script);
    expect(script, "1 + 1", "2\n");
    expect(script, "_ * 2", "4\n");
    assert_string_equal(enter(script, "1 + 1;"), "");
    expect(script, "_", "2\n");
    assert_string_equal(enter(script, "x = 5"), "");
    expect(script, "x, x + 1", "5\n6\n");
    expect(script, "= x", "5\n");
    expect(script, "for i = 1, 2 do\n  print(i)\nend", "1\n2\n");
    expect(script, "{b = 1, a = {1, 2}, 3}", "{3, a = {1, 2}, b = 1}");
    expect(script, "t = {}; t.t = t; return t", "{t = {… itself}}");
    expect(script, "tensor{{1, 2}}", "tensor float32 (1, 2)");
    expect(script, "nn.Dens(3)", "nn.Dens: did you mean nn.Dense?\n  line 1:  nn.Dens(3)\n");
    expect(script, "Dense(3)", "did you mean nn.Dense?");
    expect(script, "y =\n3 +\nnil", "line 2:  3 +");
    expect(script, "x = = 1", "unexpected symbol near '='\n  line 1:  x = = 1\n");
    expect(script, "local function f()\n  error('boom')\nend\nf()", "boom\n  line 2:  error('boom')\n  line 4:  f()\n");
    expect(script, "error{code = 7}", "an error with a table: {code = 7}");
    expect(script, "prnt(1)", "did you mean print?");
    expect(script, "?nn.Dense", "nn.Dense(units");
    expect(script, "?nn.Dens", "did you mean \"nn.Dense\"?");
    expect(script, "$ echo from the shell", "from the shell\n");
    expect(script, "$ exit 3", "exit status 3");
    expect(script, "print(io.popen('echo a; echo b'):read('a'))", "a\nb\n");
    expect(script, ":nonsense", ":help");
    expect(script, "io.read()", "the keyboard belongs to the prompt");
    expect(script, "debug.sethook()", "taken");
    expect(script, "print(string.dump)", "nil");
    expect(script, "load('\\27Lua')", "nil");
    assert_non_null(ear.index);
    size_t n;
    assert_true(index_find(ear.index, "nn.Dense", &n) && n > 0);
    assert_true(index_find(ear.index, "nn.Dense(units", &n) && n > 0);
    enter(script, "model = nn.Sequential()");
    assert_true(index_find(ear.index, "model:fit(epochs", &n) && n > 0);
    enter(script, "os.exit(4)");
    assert_int_equal(ear.left, 1);
    assert_int_equal(ear.status, 4);
    finish(script);
}

/* ---- Ctrl-C ---- */

typedef struct Press {
    Script *script;
    double at_s, pressed;
} Press;

static void *press(void *ctx)
{
    Press *p = ctx;
    clock_sleep(p->at_s);
    p->pressed = clock_now();
    script_interrupt(p->script);
    return NULL;
}

static void test_interrupt(void **state)
{
    static const char *const loops[] = {
        "while true do end",
        "repeat local x = 1 until false",
        "while true do pcall(function() while true do end end) end",
        "local co = coroutine.wrap(function() while true do end end) co()",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local co = coroutine.create(function() while true do coroutine.yield() end end) while true do coroutine.resume(co) end",
        "local function f() return f() end f()",
        "while true do xpcall(error, function(e) while true do end end) end",
        "while true do tensor.zeros(10) end",
        "setmetatable({}, {__index = function(t, k) while true do end end}).x()",
        "table.sort({3, 2, 1, 4, 5}, function(a, b) while true do end end)",
        "hebb.sleep(1000)",
    };
    Err err = ERR_INIT;
    (void)state;
    Script *script = start(false, &err);
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        Press p = { .script = script, .at_s = 0.03 };
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, press, &p), 0);
        const char *said = enter(script, loops[i]); /* a hang shows its loop: */
        double end = clock_now();
        pthread_join(thread, NULL);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        double most = 1.0;
#else
        double most = 0.1;
#endif
        if (end - p.pressed > most)
            fail_msg("%s\n  went on for %.3f s after Ctrl-C", loops[i], end - p.pressed);
        assert_non_null(strstr(said, "interrupted"));
        expect(script, "1 + 1", "2\n");
    }
    finish(script);
}

/* ---- memory ---- */

/* The n-th allocation and all after it fail, for every n until the interpreter opens: never a crash, always a code. */
static void test_memory(void **state)
{
    (void)state;
    Script *script = NULL;
    long failures = 0, step = 1;
    for (long n = 0; !script; n += step) {
        Err err = ERR_INIT;
        mem_fail_after(n);
        script = start(false, &err);
        mem_fail_after(-1);
        if (!script) {
            failures++;
            assert_int_not_equal(err.code, ERR_OK);
            finish(NULL);
        }
        step = n < 60 ? 1 : 7;
        assert_true(n < 200000);
    }
    assert_true(failures > 10);
    for (long n = 0; n < 40; n++) { /* and while it works */
        mem_fail_after(n);
        script_enter(script, "local t = {} for i = 1, 200 do t[i] = ('x'):rep(i) end return nn.Sequential{nn.Dense(3, {input_shape = {2}})}");
        mem_fail_after(-1);
        expect(script, "1 + 1", "2\n");
    }
    finish(script);
}

static void test_limit(void **state)
{
    Err err = ERR_INIT;
    (void)state;
    Script *script = start(false, &err);
    mem_limit(mem_bytes() + ((size_t)64 << 20));
    expect(script, "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end", "memory");
    expect(script, "local t = {} while true do t[#t + 1] = tensor.zeros(1000, 1000) end", "memory");
    expect(script, "for i = 1, 100 do local t = tensor.zeros(1000, 1000) end return 'fine'", "fine");
    mem_limit(0);
    finish(script);
}

/* ---- --safe ---- */

static void test_safe(void **state)
{
    static const char *const nothing[] = { "io.open", "io.popen", "io.lines", "os.remove", "os.rename", "os.getenv", "os.tmpname", "os.setlocale",
                                           "require", "package", "dofile", "loadfile", "debug.getinfo", "debug.getregistry", "debug.setmetatable",
                                           "debug.sethook", "debug.getlocal", "debug.setupvalue", "debug.upvaluejoin", "string.dump", "io.stdout.__gc" };
    static const char *const refused[] = {
        "os.execute('true')",
        "tensor.load('/etc/passwd.npy')",
        "tensor{1}:save('/tmp/hebb_safe.npy')",
        "tensor{1}:save('../hebb_safe.npy')",
        "nn.load('/etc/passwd')",
        "data.csv('/etc/passwd')",
        "data.mnist('/')",
        "nn.Sequential():save('/tmp/hebb_safe')",
        "setmetatable({}, {__gc = function() end})",
        "collectgarbage('stop')",
        "tour()",
    };
    Err err = ERR_INIT;
    char block[200];
    (void)state;
    Script *script = start(true, &err);
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        snprintf(block, sizeof block, "%s == nil", nothing[i]);
        expect(script, block, "true\n");
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(block, sizeof block, "print(pcall(function() %s end))", refused[i]);
        expect(script, block, "false");
    }
    expect(script, "$ id", "--safe");
    expect(script, "load('return 1 + 1')()", "2\n");
    expect(script, "getmetatable(tensor{1})", "\"hebb tensor\"");
    finish(script);
}

static void test_help(void **state)
{
    static const char *const names[] = { "", "nn.Dense", "Dense", "model:fit", "fit", "relu", "op.relu", "layers", "ops", "counting", "tensor", "run", "data.moons", "who" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Buf text = BUF_INIT;
        Err err = ERR_INIT;
        if (!script_help(names[i], &text, &err))
            fail_msg("help for \"%s\": %s", names[i], err.text);
        assert_true(text.size > 20);
        buf_fini(&text);
    }
    Buf text = BUF_INIT;
    Err err = ERR_INIT;
    assert_false(script_help("Learn", &text, &err)); /* a remark within the library is no entry */
    err_clear(&err);
    assert_false(script_help("nn.Dens", &text, &err));
    assert_non_null(strstr(err.text, "nn.Dense"));
    buf_fini(&text);
}

/* A page names every argument: all choices, and those that are given only by name. Lines of an example stand in one column. */
static void test_help_is_whole(void **state)
{
    static const struct { const char *name, *part; } rows[] = {
        { "nn.Dense", "\"tanh_shrink\"; default nil" }, { "nn.Dense", "also by name: name, trainable, input_shape" },
        { "nn.job", "also by name: metrics, callbacks, verbose, wait" }, { "nn.layer", "Arguments by name: name, args, build" },
        { "tape", "\n  local x, y = " }, { "evaluate", "\n  m:compile" },
        { "nn.regularizers.L1L2", "both penalties" }, { "nn.constraints.NonNeg", "\"non_neg\"" }, { "builtin_callbacks", "better for `patience` epochs, as Keras's.\n  nn.Model" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Buf text = BUF_INIT;
        Err err = ERR_INIT;
        assert_true(script_help(rows[i].name, &text, &err));
        if (!strstr(buf_text(&text), rows[i].part))
            fail_msg("help for \"%s\" does not say: %s", rows[i].name, rows[i].part);
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete), cmocka_unit_test(test_prompt), cmocka_unit_test(test_interrupt), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_limit),    cmocka_unit_test(test_safe),   cmocka_unit_test(test_help), cmocka_unit_test(test_help_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
