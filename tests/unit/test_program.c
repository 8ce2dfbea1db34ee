// SPDX-License-Identifier: MIT
/* Programs: traced from graphs, made symbolic in the batch, run on tapes, written and read; and files that lie. */
#include "check.h"

#include "base/mem.h"
#include "nn/model.h"
#include "nn/ops.h"
#include "nn/program.h"

/* Arguments of an op from words. */
static Args args_of(const Op *op, const char *words)
{
    Err err;
    Args args;
    args_init(&args, op->args, op->n_args);
    assert_ok(args_parse_words(&args, words, op->name, &err));
    return args;
}

static Var *zeros(Shape shape, bool traced)
{
    Err err;
    Tensor value;
    assert_ok(tensor_zero(&value, DTYPE_FLOAT32, shape, &err));
    Var *var = var_new(&value, false, &err);
    assert_non_null(var);
    var->traced = traced;
    return var;
}

/* reshape(x, {batch * 2, 2}) * (7, 0) + w, on a stand-in [batch, 4]; w and the factors are [2]. NULL when memory ran out. */
static Program *trace(int64_t batch, long fail_after, Err *err)
{
    char words[64];
    snprintf(words, sizeof words, "shape=%d,2", (int)batch * 2);
    Args args = args_of(&op_reshape, words);
    Var *x = zeros(SHAPE(batch, 4), true), *w = zeros(SHAPE(2), true), *zero = zeros(SHAPE(2), false);
    tensor_set(&zero->value, 0, 7);
    mem_fail_after(fail_after);
    Var *a = var_op(&op_reshape, &x, 1, &args, false, 0, err);
    Var *b = a ? var_op(&op_multiply, (Var *[]){ a, zero }, 2, NULL, false, 0, err) : NULL;
    Var *c = b ? var_op(&op_add, (Var *[]){ b, w }, 2, NULL, false, 0, err) : NULL;
    Program *program = c ? program_of(c, &x, 1, &w, 1, err) : NULL;
    mem_fail_after(-1);
    Var *all[] = { x, w, zero, a, b, c };
    for (int i = 0; i < 6; i++) {
        assert_true(!all[i] || !all[i]->note);
        var_unref(all[i]);
    }
    return program;
}

static Program *trace_well(int64_t batch)
{
    Err err;
    Program *program = trace(batch, -1, &err);
    assert_non_null(program);
    return program;
}

static Program *settled(void)
{
    Err err;
    Program *p = trace_well(2), *q = trace_well(3), *r = trace_well(5);
    assert_ok(program_settle(p, 2, q, 3, r, 5, &err));
    program_unref(q);
    program_unref(r);
    return p;
}

/* x [B, 4] of 1, 2, … with w (10, 20): the value at `at`. */
static double run(const Program *program, int64_t batch, int64_t at)
{
    Err err;
    Tape tape;
    Tensor x, w;
    tape_init(&tape);
    tape_begin(&tape, TAPE_FORWARD, 0, 0);
    assert_ok(tensor_new(&x, DTYPE_FLOAT32, SHAPE(batch, 4), &err));
    assert_ok(tensor_new(&w, DTYPE_FLOAT32, SHAPE(2), &err));
    for (int64_t i = 0; i < batch * 4; i++)
        tensor_set(&x, i, (double)i + 1);
    tensor_set(&w, 0, 10);
    tensor_set(&w, 1, 20);
    Node *in = tape_input(&tape, &x, &err), *param = tape_input(&tape, &w, &err);
    Node *out = program_run(program, &tape, &in, &param, &err);
    assert_non_null(out);
    assert_int_equal(out->value.shape.d[0], batch * 2);
    double value = tensor_get(&out->value, at);
    tape_fini(&tape);
    tensor_unref(&x);
    tensor_unref(&w);
    return value;
}

static void test_trace(void **state)
{
    (void)state;
    Program *p = settled();
    assert_int_equal(p->n_steps, 3);
    assert_int_equal(p->n_consts, 1);
    assert_int_equal(p->steps[0].n_terms, 1);
    assert_int_equal(p->steps[0].terms[0].times, 2);
    assert_true(run(p, 1, 2) == 3 * 7 + 10);
    assert_true(run(p, 7, 26) == 27 * 7 + 10);
    assert_true(run(p, 7, 27) == 20);
    program_unref(p);
}

static void test_disagree(void **state)
{
    (void)state;
    Err err;
    Program *p = trace_well(2), *q = trace_well(3), *r = trace_well(5);
    assert_err(program_settle(p, 2, q, 3, r, 6, &err), ERR_ARG, "another size of the batch");
    program_unref(p);
    p = trace_well(2);
    tensor_set(&q->consts[0], 0, 8);
    assert_err(program_settle(p, 2, q, 3, r, 5, &err), ERR_ARG, "a number or tensor");
    program_unref(p);
    p = trace_well(2);
    q->steps[2].op = &op_subtract;
    assert_err(program_settle(p, 2, q, 3, r, 5, &err), ERR_ARG, "list of ops");
    assert_false(program_same(p, q));
    assert_false(program_same(p, r));
    program_unref(p);
    program_unref(q);
    program_unref(r);
}

/* Every allocation of a trace may fail. */
static void test_no_memory(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    bool done = false;
    for (long n = 0; !done && n < 200; n++) {
        Err err;
        Program *p = trace(2, n, &err);
        done = p != NULL;
        assert_true(done || err.code == ERR_MEM);
        program_unref(p);
        assert_int_equal(mem_bytes(), before);
    }
    assert_true(done);
}

/* ---- files ---- */

static Program *read_text(const char *text, Err *err)
{
    json_t *in = json_loads(text, 0, NULL);
    assert_non_null(in);
    Program *p = program_read(in, 1, 1, err);
    json_decref(in);
    return p;
}

static void test_files(void **state)
{
    (void)state;
    Err err;
    Program *p = settled();
    json_t *json = program_json(p);
    assert_non_null(json);
    Program *back = program_read(json, 1, 1, &err);
    assert_non_null(back);
    assert_true(program_same(p, back));
    assert_true(run(back, 4, 3) == 20);
    size_t before = mem_bytes();
    bool done = false;
    for (long n = 0; !done && n < 200; n++) {
        mem_fail_after(n);
        Program *again = program_read(json, 1, 1, &err);
        mem_fail_after(-1);
        done = again != NULL;
        assert_true(done || err.code == ERR_MEM);
        program_unref(again);
        assert_int_equal(mem_bytes(), before);
    }
    assert_true(done);
    json_decref(json);
    program_unref(back);
    program_unref(p);
}

#define STEP(fields) "{\"consts\":[],\"steps\":[{" fields "}],\"out\":2}"
#define CONST(fields) "{\"consts\":[{" fields "}],\"steps\":[],\"out\":0}"

static void test_lies(void **state)
{
    (void)state;
    static const char *const lies[][2] = {
        { "{}", "needs constants and steps" },
        { "[]", "needs constants and steps" },
        { "{\"consts\":[],\"steps\":[],\"out\":2}", "none of its values" },
        { "{\"consts\":[],\"steps\":[],\"out\":-1}", "none of its values" },
        { "{\"consts\":[],\"steps\":[],\"out\":\"0\"}", "none of its values" },
        { STEP("\"in\":[0]"), "needs the name of its op" },
        { STEP("\"op\":\"os.execute\",\"in\":[0]"), "os.execute" },
        { STEP("\"op\":\"exp\",\"in\":[2]"), "not in front of it" },
        { STEP("\"op\":\"exp\",\"in\":[-2]"), "not in front of it" },
        { STEP("\"op\":\"exp\",\"in\":[0.5]"), "not in front of it" },
        { STEP("\"op\":\"exp\",\"in\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]"), "too many inputs" },
        { STEP("\"op\":\"reshape\",\"in\":[0]"), "shape" },
        { STEP("\"op\":\"reshape\",\"in\":[0],\"args\":{\"shape\":\"-7\"}"), "shape" },
        { STEP("\"op\":\"reshape\",\"in\":[0],\"args\":{\"form\":\"1\"}"), "no argument \"form\"" },
        { STEP("\"op\":\"reshape\",\"in\":[0],\"args\":{\"shape\":3}"), "no argument \"shape\" that is a text" },
        { STEP("\"op\":\"reshape\",\"in\":[0],\"args\":{\"shape\":\"1,2\"},\"batch\":[[\"shape\",2,1]]"), "follows the batch" },
        { STEP("\"op\":\"reshape\",\"in\":[0],\"args\":{\"shape\":\"1,2\"},\"batch\":[[\"shape\",-1,1]]"), "follows the batch" },
        { STEP("\"op\":\"reshape\",\"in\":[0],\"args\":{\"shape\":\"1,2\"},\"batch\":[[\"x\",0,1]]"), "follows the batch" },
        { STEP("\"op\":\"reshape\",\"in\":[0],\"args\":{\"shape\":\"1,2\"},\"batch\":[3]"), "follows the batch" },
        { CONST("\"dtype\":\"float32\",\"shape\":[2],\"values\":\"1\""), "do not fit" },
        { CONST("\"dtype\":\"float32\",\"shape\":[2],\"values\":\"1 2 3\""), "do not fit" },
        { CONST("\"dtype\":\"uint8\",\"shape\":[1],\"values\":\"256\""), "do not fit" },
        { CONST("\"dtype\":\"int32\",\"shape\":[1],\"values\":\"0.5\""), "do not fit" },
        { CONST("\"dtype\":\"int32\",\"shape\":[1],\"values\":\"nan\""), "do not fit" },
        { CONST("\"dtype\":\"float32\",\"shape\":[16000,16000],\"values\":\"\""), "too many numbers" },
        { CONST("\"dtype\":\"float32\",\"shape\":[-1],\"values\":\"\""), "needs a type" },
        { CONST("\"dtype\":\"text\",\"shape\":[],\"values\":\"1\""), "needs a type" },
    };
    size_t before = mem_bytes();
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        Err err = ERR_INIT;
        Program *p = read_text(lies[i][0], &err);
        if (p || !strstr(err.text, lies[i][1]))
            fail_msg("lie %zu: wanted \"%s\", got %s", i, lies[i][1], p ? "a program" : err.text);
        assert_int_equal(mem_bytes(), before);
    }
}

/* Arguments that follow the batch out of their range are refused when it runs. */
static void test_range(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Program *p = read_text(STEP("\"op\":\"reshape\",\"in\":[0],\"args\":{\"shape\":\"1,4\"},\"batch\":[[\"shape\",0,-9]]"), &err);
    assert_non_null(p);
    Tape tape;
    tape_init(&tape);
    tape_begin(&tape, TAPE_INFER, 0, 0);
    Tensor x = tensor_borrow(DTYPE_FLOAT32, SHAPE(2, 4), NULL);
    Node *in = tape_input(&tape, &x, &err);
    assert_err(program_run(p, &tape, &in, &in, &err) != NULL, ERR_ARG, "reshape");
    tape_fini(&tape);
    program_unref(p);
}

/* A model whose second layer is a class from a file, with these fields. */
static Model *model_with(const char *fields, Err *err)
{
    char text[2000];
    snprintf(text, sizeof text,
             "{\"format\":1,\"layers\":[{\"kind\":\"Input\",\"name\":\"in\",\"args\":{\"shape\":\"3\"}},{\"name\":\"one\",%s}],"
             "\"models\":[{\"kind\":\"Functional\",\"name\":\"m\",\"nodes\":[{\"layer\":0},{\"layer\":1,\"in\":[0]}],\"inputs\":[0],"
             "\"outputs\":[1]}]}", fields);
    return model_from_json(text, err);
}

#define MADE(kind, types, args) "\"kind\":\"" kind "\",\"made\":" types ",\"args\":" args
#define OPS(in, out, weights, steps, last) \
    ",\"ops\":{\"in\":" in ",\"out\":" out ",\"weights\":" weights ",\"infer\":{\"consts\":[],\"steps\":" steps ",\"out\":" last "}}"
#define WEIGHT "[{\"name\":\"w\",\"shape\":[3],\"init\":\"ones\",\"trainable\":true}]"
#define TIMES "[{\"op\":\"multiply\",\"in\":[0,1],\"args\":{}}]"

static void test_classes(void **state)
{
    (void)state;
    static const char *const lies[][2] = {
        { MADE("Dense", "{}", "{}") OPS("[[-1,3]]", "[-1,3]", "[]", "[]", "0"), "there already" },
        { MADE("a b", "{}", "{}") OPS("[[-1,3]]", "[-1,3]", "[]", "[]", "0"), "letters, digits" },
        { MADE("A", "{\"n\":\"file\"}", "{\"n\":\"3\"}") OPS("[[-1,3]]", "[-1,3]", "[]", "[]", "0"), "no type or value" },
        { MADE("A", "{\"n\":\"int\"}", "{}") OPS("[[-1,3]]", "[-1,3]", "[]", "[]", "0"), "no type or value" },
        { MADE("A", "{\"n\":\"int\"}", "{\"n\":\"three\"}") OPS("[[-1,3]]", "[-1,3]", "[]", "[]", "0"), "n " },
        { MADE("A", "{}", "{\"n\":\"3\"}") OPS("[[-1,3]]", "[-1,3]", "[]", "[]", "0"), "no argument" },
        { MADE("A", "{}", "{}"), "shapes of its inputs" },
        { MADE("A", "{}", "{}") OPS("[[3]]", "[-1,3]", "[]", "[]", "0"), "begins with -1" },
        { MADE("A", "{}", "{}") OPS("[[-1,3]]", "[]", "[]", "[]", "0"), "begins with -1" },
        { MADE("A", "{}", "{}") OPS("[[-1,3]]", "[-1,4]", "[]", "[]", "0"), "its ops made" },
        { MADE("A", "{}", "{}") OPS("[[-1,4]]", "[-1,4]", "[]", "[]", "0"), "wants inputs of shape (4)" },
        { MADE("A", "{}", "{}") OPS("[[-1,3],[-1,3]]", "[-1,3]", "[]", "[]", "0"), "wants 2 inputs" },
        { MADE("A", "{}", "{}") OPS("[[-1,3]]", "[-1,3]", "[{\"name\":\"w\"}]", "[]", "0"), "a weight needs" },
        { MADE("A", "{}", "{}") OPS("[[-1,3]]", "[-1,3]", "[{\"name\":\"w\",\"shape\":[-3],\"init\":\"ones\"}]", "[]", "0"), "a weight needs" },
        { MADE("A", "{}", "{}") OPS("[[-1,3]]", "[-1,3]", "[{\"name\":\"w/v\",\"shape\":[3],\"init\":\"ones\"}]", "[]", "0"), "letters" },
        { MADE("A", "{}", "{}") OPS("[[-1,3]]", "[-1,3]", WEIGHT, "[]", "1"), "its ops made" },
        { "\"kind\":\"Lambda\",\"args\":{}", "shapes of its inputs" },
    };
    Err err = ERR_INIT;
    size_t before = mem_bytes();
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        err_clear(&err);
        Model *model = model_with(lies[i][0], &err);
        if (model || !strstr(err.text, lies[i][1]))
            fail_msg("lie %zu: wanted \"%s\", got %s", i, lies[i][1], model ? "a model" : err.text);
        assert_int_equal(mem_bytes(), before);
    }
    static const char good[] = MADE("A", "{\"n\":\"int\"}", "{\"n\":\"3\"}") OPS("[[-1,3]]", "[-1,3]", WEIGHT, TIMES, "2");
    bool done = false;
    for (long n = 0; !done && n < 500; n++) {
        mem_fail_after(n);
        Model *model = model_with(good, &err);
        mem_fail_after(-1);
        done = model != NULL;
        assert_true(done || err.code == ERR_MEM);
        if (done)
            assert_int_equal(model_count_params(model, true), 3);
        model_unref(model);
        assert_int_equal(mem_bytes(), before);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace), cmocka_unit_test(test_disagree), cmocka_unit_test(test_no_memory), cmocka_unit_test(test_files),
        cmocka_unit_test(test_lies),  cmocka_unit_test(test_range),
        cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
