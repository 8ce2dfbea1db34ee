// SPDX-License-Identifier: MIT
/* Summaries as text: those that Keras printed for the same models (keras_*.txt, made by make.py there), and stored ones of our
 * own lines and narrow forms. With HEBB_GOLDEN=write in the environment the latter are written anew. */
#include "check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "nn/model.h"

#include "fixture.h"
#include "netkit.h"

static void make(Model *model, int width, bool ascii, Buf *out)
{
    Err err;
    assert_ok(model_summary(model, out, width, ascii, &err));
}

static void compare(const char *name, Buf *got)
{
    char path[100];
    snprintf(path, sizeof path, "summary/%s.txt", name);
    if (getenv("HEBB_GOLDEN")) {
        FILE *file = fopen(fixture_path(path), "w");
        assert_non_null(file);
        fputs(buf_text(got), file);
        fclose(file);
    }
    size_t n;
    char *want = fixture_read(path, &n);
    assert_non_null(want);
    if (n != got->size || memcmp(want, buf_text(got), n))
        fail_msg("%s differs; got\n%s", path, buf_text(got));
    free(want);
}

/* Ours has all of Keras's lines, then its own. */
static void compare_keras(const char *name, Model *model, int width)
{
    char path[100];
    size_t n;
    Buf got = BUF_INIT;
    snprintf(path, sizeof path, "summary/keras_%s.txt", name);
    char *want = fixture_read(path, &n);
    assert_non_null(want);
    make(model, width, false, &got);
    if (got.size < n || memcmp(want, buf_text(&got), n))
        fail_msg("%s differs; got\n%s", path, buf_text(&got));
    free(want);
    buf_fini(&got);
    model_unref(model);
}

#define CONVNET \
    "Conv2D filters=32 kernel_size=3 activation=relu input_shape=28,28,1; MaxPooling2D; Conv2D filters=64 kernel_size=3 activation=relu;" \
    "BatchNormalization; GlobalAveragePooling2D; Dropout rate=0.5; Dense units=10 activation=softmax"

/* d at three places, with names as in make.py */
static Model *shared_graph(void)
{
    Err err;
    Symbol *a = net_input(SHAPE(3), "a");
    Layer *d = net_layer("Dense", "units=3 name=d");
    Symbol *one = symbol_call(d, &a, 1, &err), *two = symbol_call(d, &a, 1, &err), *three = symbol_call(d, &two, 1, &err),
           *both = net_call("Concatenate", (Symbol *[]){ one, three }, 2);
    Model *model = model_functional(&a, 1, &both, 1, "graph", &err);
    assert_non_null(model);
    Symbol *all[] = { a, one, two, three, both };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        symbol_unref(all[i]);
    layer_unref(d);
    return model;
}

static void test_keras(void **state)
{
    (void)state;
    layer_reset_names();
    compare_keras("convnet", net_model(CONVNET), 80);
}

static void test_keras_wide(void **state)
{
    (void)state;
    layer_reset_names();
    layer_unref(net_layer("Dense", "units=1"));
    model_unref(net_model("Dense units=1"));
    layer_reset_names();
    Model *first = net_model("Dense units=1"); /* Keras counted on: sequential_1, dense_1 */
    compare_keras("wide", net_model("Dense units=10000 input_shape=1000; Dense units=1"), 100);
    model_unref(first);
}

static Model *branches(void)
{
    Err err;
    layer_reset_names();
    Symbol *x = net_input(SHAPE(28, 28, 1), NULL), *c = net_call("Conv2D filters=8 kernel_size=3 padding=same", &x, 1),
           *d = net_call("Conv2D filters=8 kernel_size=1 name=a_very_long_layer_name_that_needs_room", &x, 1),
           *s = net_call("Add", (Symbol *[]){ c, d }, 2), *f = net_call("GlobalAveragePooling2D", &s, 1);
    Model *model = model_functional(&x, 1, &f, 1, NULL, &err);
    Symbol *all[] = { x, c, d, s, f };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        symbol_unref(all[i]);
    return model;
}

static void test_forms(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool graph, ascii;
        int width;
    } rows[] = {
        { "convnet80", false, false, 80 }, { "convnet80_ascii", false, true, 80 }, { "convnet40", false, false, 40 },
        { "branches80", true, false, 80 }, { "branches120", true, false, 120 },   { "branches50_ascii", true, true, 50 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Buf got = BUF_INIT;
        layer_reset_names();
        Model *model = rows[i].graph ? branches() : net_model(CONVNET);
        make(model, rows[i].width, rows[i].ascii, &got);
        compare(rows[i].name, &got);
        int column = 0;
        for (const char *c = buf_text(&got); *c; c++) {
            column = *c == '\n' ? 0 : column + ((*c & 0xC0) != 0x80);
            assert_true(column <= rows[i].width || rows[i].width < 60);
            assert_true(!rows[i].ascii || (unsigned char)*c < 128);
        }
        model_unref(model);
        buf_fini(&got);
    }
}

static void test_shared(void **state)
{
    (void)state;
    compare_keras("graph", shared_graph(), 80);
}

static void test_unbuilt_and_nested(void **state)
{
    (void)state;
    Err err;
    Buf got = BUF_INIT;
    layer_reset_names();
    Model *model = net_model("Dense units=4; Dense units=2"), *outer = model_sequential("outer", &err), *none = model_sequential("none", &err);
    make(model, 80, false, &got);
    Shape in = SHAPE(-1, 3);
    assert_ok(model_build(model, &in, 1, &err));
    Layer *wrap = model_as_layer(model, &err);
    assert_ok(model_add(outer, wrap, &err));
    net_add(outer, "Dense units=1000 trainable=false");
    make(outer, 80, false, &got);
    make(none, 80, true, &got);
    compare("unbuilt_nested_empty", &got);
    for (int width = -5; width < 200; width += 7) { /* any width is legible or at least harmless */
        buf_reset(&got);
        make(outer, width, false, &got);
        assert_non_null(strstr(buf_text(&got), "3,026"));
    }
    layer_unref(wrap);
    buf_fini(&got);
    model_unref(model);
    model_unref(outer);
    model_unref(none);
}

static void test_no_memory(void **state)
{
    (void)state;
    Model *model = net_model("Dense units=4 input_shape=3");
    bool done = false;
    for (long n = 0; !done && n < 50; n++) {
        Err err;
        Buf got = BUF_INIT;
        mem_fail_after(n);
        done = model_summary(model, &got, 80, false, &err);
        mem_fail_after(-1);
        assert_true(done || err.code == ERR_MEM);
        buf_fini(&got);
    }
    assert_true(done);
    model_unref(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keras),  cmocka_unit_test(test_keras_wide),         cmocka_unit_test(test_forms),
        cmocka_unit_test(test_shared), cmocka_unit_test(test_unbuilt_and_nested), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
