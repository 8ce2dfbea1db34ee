// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ui/complete.h"

static NameIndex *names(void)
{
    static const NameRow rows[] = {
        { "nn", 't', "" },
        { "nn.Dense", 'f', "nn.Dense(units, {activation = nil, use_bias = true})" },
        { "nn.Dense(units", 'a', "a whole number" },
        { "nn.Dense(use_bias", 'a', "true or false" },
        { "nn.Dense(activation", 'a', "\"relu\", \"sigmoid\" or \"softmax\"" },
        { "nn.Conv2D", 'f', "" },
        { "nn.Conv2D(padding", 'a', "\"valid\" or \"same\"" },
        { "nn._secret", 'f', "" },
        { "model", 't', "" },
        { "model:fit", 'm', "model:fit(x, y, {epochs = 1})" },
        { "model:fit(epochs", 'a', "" },
        { "model:summary", 'm', "" },
        { "model.layers", 't', "" },
        { "model.layers.first", 'v', "" },
        { "print", 'f', "" },
        { "while", 'k', "" },
        { "größe", 'v', "" },
    };
    Err err;
    NameIndex *index = index_new(&err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        index_add(index, rows[i].path, rows[i].kind, rows[i].about);
    index = index_finish(index, &err);
    assert_non_null(index);
    return index;
}

/* "text|more": the candidates at the bar as "shown shown …", with the rest that a single one adds after '+'. */
static const char *offer(NameIndex *index, const char *marked)
{
    static char out[2000];
    char text[500];
    size_t point = (size_t)(strchr(marked, '|') - marked);
    snprintf(text, sizeof text, "%.*s%s", (int)point, marked, marked + point + 1);
    Word word;
    Candidates found;
    Err err;
    complete_word(text, point, &word);
    assert_true(complete_find(index, text, point, &word, &found, &err));
    *out = 0;
    for (size_t i = 0; i < found.n; i++)
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i ? " " : "", found.items[i].shown);
    if (found.n == 1)
        snprintf(out + strlen(out), sizeof out - strlen(out), "+%s", found.items[0].after);
    complete_fini(&found);
    return out;
}

static void test_names(void **state)
{
    (void)state;
    NameIndex *index = names();
    assert_string_equal(offer(index, "nn.De|"), "Dense+(");
    assert_string_equal(offer(index, "x = nn.|"), "Conv2D Dense");
    assert_string_equal(offer(index, "nn._|"), "_secret+(");
    assert_string_equal(offer(index, "nn.conv|"), "Conv2D+("); /* in spite of the case */
    assert_string_equal(offer(index, "m|"), "model+");
    assert_string_equal(offer(index, "model:|"), "fit summary");
    assert_string_equal(offer(index, "model.|"), "layers+");
    assert_string_equal(offer(index, "model.layers.f|"), "first+");
    assert_string_equal(offer(index, "pr|x"), "print+(");
    assert_string_equal(offer(index, "wh|"), "while+");
    assert_string_equal(offer(index, "gr|"), "größe+");
    assert_string_equal(offer(index, "grö|"), "größe+");
    assert_string_equal(offer(index, "a..pr|"), "print+(");
    assert_string_equal(offer(index, "f(x).pr|"), "");
    assert_string_equal(offer(index, "3.1|"), "");
    assert_string_equal(offer(index, "zzz|"), "");
    assert_string_equal(offer(index, "-- nn.De|"), "");
    assert_string_equal(offer(index, "--[[ a\n nn.De|"), "");
    assert_string_equal(offer(index, "--[[ a ]] nn.De|"), "Dense+(");
    assert_string_equal(offer(index, "-- a\nnn.De|"), "Dense+(");
    assert_string_equal(offer(index, "'it''s' .. pri|"), "print+(");
    assert_string_equal(offer(NULL, "nn.De|"), "");
    assert_true(strlen(offer(index, "|")) > 10);
    index_unref(index);
}

static void test_arguments(void **state)
{
    (void)state;
    NameIndex *index = names();
    assert_string_equal(offer(index, "nn.Dense{|"), "activation units use_bias");
    assert_string_equal(offer(index, "nn.Dense{u|"), "units use_bias");
    assert_string_equal(offer(index, "nn.Dense{units = 3, act|"), "activation+ = ");
    assert_string_equal(offer(index, "nn.Dense(64, {use|"), "use_bias+ = ");
    assert_string_equal(offer(index, "nn.Dense(64, {\n\tuse|\n})"), "use_bias+ = ");
    assert_string_equal(offer(index, "nn.Dense(|"), "activation units use_bias");
    assert_string_equal(offer(index, "nn.Dense(pr|"), "print+("); /* a value, not an option */
    assert_string_equal(offer(index, "nn.Dense{units = pr|"), "print+(");
    assert_string_equal(offer(index, "model:fit(x, y, {|"), "epochs+ = ");
    assert_string_equal(offer(index, "nn.Dense(nn.Conv2D(3), {use|"), "use_bias+ = ");
    assert_string_equal(offer(index, "nn.Dense{activation = \"|"), "relu sigmoid softmax");
    assert_string_equal(offer(index, "nn.Dense{activation = \"s|"), "sigmoid softmax");
    assert_string_equal(offer(index, "nn.Conv2D(3, {padding='s|"), "same+'");
    index_unref(index);
}

static void test_signature(void **state)
{
    (void)state;
    NameIndex *index = names();
    Word word;
    complete_word("y = nn.Dense(64, ", 17, &word);
    assert_string_equal(complete_signature(index, &word), "nn.Dense(units, {activation = nil, use_bias = true})");
    complete_word("nn.Dense(64) ", 13, &word);
    assert_null(complete_signature(index, &word));
    complete_word("model:fit(x, {", 14, &word);
    assert_non_null(complete_signature(index, &word));
    char name[COMPLETE_PATH];
    assert_true(complete_name_at("x = nn.Dense(3)", 9, name));
    assert_string_equal(name, "nn.Dense");
    assert_true(complete_name_at("x = nn.Dense(", 13, name));
    assert_string_equal(name, "nn.Dense");
    assert_true(complete_name_at("model:fit", 9, name));
    assert_string_equal(name, "model:fit");
    assert_false(complete_name_at("x + 12", 6, name));
    assert_false(complete_name_at("", 0, name));
    index_unref(index);
}

static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/hebb-complete-XXXXXX", path[200], line[300];
    assert_non_null(mkdtemp(folder));
    static const char *const made[] = { "alpha.csv", "alpine.csv", "beta.npy", ".hidden", "quo\"te", "ünïcode.csv" };
    for (size_t i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    snprintf(path, sizeof path, "%s/sub", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(line, sizeof line, "load(\"%s/al|", folder);
    assert_string_equal(offer(NULL, line), "alpha.csv alpine.csv");
    snprintf(line, sizeof line, "load('%s/b|", folder);
    assert_string_equal(offer(NULL, line), "beta.npy+'");
    snprintf(line, sizeof line, "load(\"%s/s|", folder);
    assert_string_equal(offer(NULL, line), "sub/+");
    snprintf(line, sizeof line, "x = [[%s/ü|", folder);
    assert_string_equal(offer(NULL, line), "ünïcode.csv+");
    snprintf(line, sizeof line, "load(\"%s/|", folder);
    assert_string_equal(offer(NULL, line), "alpha.csv alpine.csv beta.npy sub/ ünïcode.csv");
    assert_string_equal(offer(NULL, "load(\"/no/such/folder/|"), "");
    assert_int_equal(chdir(folder), 0);
    setenv("HOME", folder, 1);
    assert_string_equal(offer(NULL, "load(\"~/bet|"), "beta.npy+\"");
    assert_string_equal(offer(NULL, "load(\"bet|"), "beta.npy+\"");
    assert_int_equal(chdir("/"), 0);
    snprintf(line, sizeof line, "rm -r %s", folder);
    assert_int_equal(system(line), 0);
}

/* The common beginning of candidates never ends inside a character. */
static void test_common(void **state)
{
    (void)state;
    Err err;
    NameIndex *index = index_new(&err);
    index_add(index, "grö", 'v', "");
    index_add(index, "grü", 'v', "");
    index = index_finish(index, &err);
    Word word;
    Candidates found;
    complete_word("g", 1, &word);
    assert_true(complete_find(index, "g", 1, &word, &found, &err));
    assert_int_equal(found.n, 2);
    assert_int_equal(found.common, 2);
    complete_fini(&found);
    index_unref(index);
}

static void test_odd_input(void **state)
{
    (void)state;
    NameIndex *index = names();
    static char deep[600];
    memset(deep, '(', 500);
    deep[500] = '|';
    assert_true(strlen(offer(NULL, deep)) == 0);
    offer(index, deep);
    memset(deep, 'a', 499);
    offer(index, deep);
    offer(index, ")))}}]|");
    offer(index, "[==[ \"|");
    offer(index, "\"\\|");
    offer(index, "....|");
    offer(index, "::::|");
    offer(index, "\xff\xfe.|");
    /* whatever the memory, an error or a whole answer */
    Err err;
    size_t before = mem_bytes();
    for (long n = 0; n < 40; n++) {
        Word word;
        Candidates found;
        complete_word("nn.", 3, &word);
        mem_fail_after(n);
        bool ok = complete_find(index, "nn.", 3, &word, &found, &err);
        mem_fail_after(-1);
        assert_true(ok ? found.n == 2 : found.n == 0);
        complete_fini(&found);
        assert_int_equal(mem_bytes(), before);
    }
    index_unref(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),  cmocka_unit_test(test_arguments), cmocka_unit_test(test_signature),
        cmocka_unit_test(test_files),  cmocka_unit_test(test_common),    cmocka_unit_test(test_odd_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
