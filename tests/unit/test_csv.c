// SPDX-License-Identifier: MIT
#include "check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "formats/csv.h"
#include "formats/number.h"
#include "scratch.h"

static int begin(void **state)
{
    (void)state;
    scratch_begin();
    return 0;
}

static int end(void **state)
{
    (void)state;
    mem_fail_after(-1);
    file_fail_after(-1);
    scratch_end();
    return 0;
}

static CsvTable *parse(const char *text, const CsvOptions *options)
{
    Err err = ERR_INIT;
    CsvTable *table = csv_parse(text, strlen(text), "t.csv", options, &err);
    if (!table)
        fail_msg("%s\n%s", text, err.text);
    return table;
}

static double at(const CsvTable *t, int64_t row, int column)
{
    return t->cells[row * t->n_columns + column];
}

/* ---- numbers ---- */

static void numbers_are_rounded_as_strtod_does(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0", "-0", "1", "+1", "00012", "1.", ".5", "-.5e1", "1e5", "1E-5", "123456789012345678", "0.1", "3.141592653589793",
        "2.2250738585072014e-308", "4.9e-324", "2e-324", "1.7976931348623157e308", "1e309", "-1e400", "9007199254740993",
        "9007199254740992.999999999999999999999999999999999999999999999999999999", "1e22", "1e23", "8.5e-23", "0.000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000", "0.30000000000000004", "123456789.123456789e-30", "5e-1000000", "1e99999999999",
        "0000000000000000000000000000000000000000000000000000000000001.5", "0.0000000000000000000000000000000000000000000000000001e52",
        "17976931348623157081452742373170435679807056752584499659891747680315726078002853876058955863276687817154045895351438e190",
        "9007199254740993.0000000000000000000000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value = 7;
        const char *stop = number_scan(texts[i], texts[i] + strlen(texts[i]), '.', &value);
        assert_ptr_equal(stop, texts[i] + strlen(texts[i]));
        double want = strtod(texts[i], NULL);
        if (memcmp(&value, &want, sizeof want) != 0)
            fail_msg("%s: %.17g, strtod gives %.17g", texts[i], value, want);
    }
    static const char *const none[] = { "", "-", "+", ".", "e5", "-.", "--1", "x", "i", "in", "nan", "0x" };
    for (size_t i = 0; i + 1 < sizeof none / sizeof *none; i++) {
        double value;
        assert_null(number_scan(none[i], none[i] + strlen(none[i]), '.', &value));
    }
    double value;
    const char *text = "1e+";
    assert_ptr_equal(number_scan(text, text + 3, '.', &value), text + 1);
    text = "0x10";
    assert_ptr_equal(number_scan(text, text + 4, '.', &value), text + 1);
    text = "-Infinity";
    assert_ptr_equal(number_scan(text, text + 9, '.', &value), text + 9);
    assert_true(isinf(value) && value < 0);
    text = "1234";
    assert_ptr_equal(number_scan(text, text + 2, '.', &value), text + 2); /* not a byte beyond the end */
    assert_true(value == 12);
}

static void numbers_come_back(void **state)
{
    (void)state;
    Rng rng;
    rng_init(&rng, 3, RNG_TEST, 0);
    char text[NUMBER_TEXT];
    for (int i = 0; i < 100000; i++) {
        uint32_t word = rng_word(&rng);
        uint64_t wide = (uint64_t)rng_word(&rng) << 32 | rng_word(&rng);
        float f, g;
        double d, e = 0;
        memcpy(&f, &word, sizeof f);
        memcpy(&d, &wide, sizeof d);
        if (isnan(f) || isnan(d))
            continue;
        size_t n = number_write(text, (double)f, true);
        assert_true(n < NUMBER_TEXT && text[n] == '\0' && number_scan(text, text + n, '.', &e) == text + n);
        g = strtof(text, NULL);
        assert_true(f == (float)e && f == g);
        n = number_write(text, d, false);
        assert_true(n < NUMBER_TEXT && number_scan(text, text + n, '.', &e) == text + n);
        assert_true(d == e && strtod(text, NULL) == d);
    }
    static const struct {
        double value;
        const char *text;
    } rows[] = { { 0.1, "0.1" },   { 3, "3" },       { -1500, "-1500" }, { 1e-7, "1e-7" }, { 0.00015, "0.00015" }, { 1e20, "1e20" },
                 { 1.5e-9, "1.5e-9" }, { -0.0, "-0" }, { 123456, "123456" }, { 16777216, "16777216" } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        number_write(text, (double)(float)rows[i].value, true);
        assert_string_equal(text, rows[i].text);
    }
    number_write(text, (double)NAN, true);
    assert_string_equal(text, "nan");
    number_write(text, -(double)INFINITY, true);
    assert_string_equal(text, "-inf");
}

static void the_locale_changes_nothing(void **state)
{
    (void)state;
    const char *locale = NULL;
    static const char *const comma[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ru_RU.UTF-8", "pl_PL.UTF-8", "de_DE" };
    for (size_t i = 0; !locale && i < sizeof comma / sizeof *comma; i++)
        locale = setlocale(LC_NUMERIC, comma[i]);
    if (!locale)
        skip_because("no locale with a decimal comma is installed");
    CsvTable *t = parse("1.5,3.14159265358979323846264338327950288\n", NULL);
    assert_int_equal(t->n_columns, 2);
    assert_true(at(t, 0, 0) == 1.5 && fabs(at(t, 0, 1) - 3.14159265358979) < 1e-13);
    csv_free(t);
    char text[NUMBER_TEXT];
    number_write(text, 0.25, true);
    assert_string_equal(text, "0.25");
    setlocale(LC_NUMERIC, "C");
}

/* ---- tables ---- */

static void plain_tables(void **state)
{
    (void)state;
    CsvTable *t = parse("a,b,kind\n1,2.5,red\n-3,,blue\n4,NA,red", NULL);
    assert_int_equal(t->n_rows, 3);
    assert_int_equal(t->n_columns, 3);
    assert_true(t->has_header);
    assert_string_equal(t->columns[1].name, "b");
    assert_false(t->columns[1].is_text);
    assert_int_equal(t->columns[1].n_missing, 2);
    assert_true(at(t, 0, 1) == 2.5 && isnan(at(t, 1, 1)) && isnan(at(t, 2, 1)));
    assert_true(t->columns[2].is_text);
    assert_int_equal(t->columns[2].n_classes, 2);
    assert_string_equal(t->columns[2].classes[0], "blue");
    assert_string_equal(t->columns[2].classes[1], "red");
    assert_true(at(t, 0, 2) == 1 && at(t, 1, 2) == 0 && at(t, 2, 2) == 1);
    assert_int_equal(t->lines[2], 4);
    assert_int_equal(csv_find(t, "kind"), 2);
    assert_int_equal(csv_find(t, "none"), -1);
    csv_free(t);
    csv_free(NULL);
}

static void forms_of_the_same_table(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "x,y\n1,2\n3,4\n",
        "x,y\r\n1,2\r\n3,4\r\n",
        "x,y\r1,2\r3,4",
        "\xEF\xBB\xBFx,y\n1,2\n3,4\n",
        "\n\nx,y\n\n1,2\n  \n3,4\n\n\n",
        "x;y\n1;2\n3;4\n",
        "x\ty\n1\t2\n3\t4\n",
        "x|y\n1|2\n3|4\n",
        "\"x\",\"y\"\n\"1\",2\n 3 , \"4\" \n",
        " x , y \n 1 , 2 \n+3,4.0\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CsvTable *t = parse(texts[i], NULL);
        assert_true(t->has_header);
        assert_int_equal(t->n_rows, 2);
        assert_int_equal(t->n_columns, 2);
        assert_string_equal(t->columns[0].name, "x");
        assert_string_equal(t->columns[1].name, "y");
        assert_true(at(t, 0, 0) == 1 && at(t, 0, 1) == 2 && at(t, 1, 0) == 3 && at(t, 1, 1) == 4);
        csv_free(t);
    }
}

static void quotes_and_odd_bytes(void **state)
{
    (void)state;
    CsvTable *t = parse("text,n\n\"a, \"\"b\"\"\nc\",1\n\"\",2\ncaf\xE9,3\n\"a, \"\"b\"\"\nc\",4\n\x1B]52;c,5\n", NULL);
    assert_int_equal(t->n_rows, 5);
    assert_int_equal(t->columns[0].n_classes, 3);
    assert_int_equal(t->columns[0].n_missing, 1);
    assert_true(at(t, 0, 0) == at(t, 3, 0) && isnan(at(t, 1, 0)));
    const char *const *classes = t->columns[0].classes;
    assert_string_equal(classes[(int)at(t, 0, 0)], "a, \"b\" c");
    assert_string_equal(classes[(int)at(t, 2, 0)], "caf\xC3\xA9");
    assert_string_equal(classes[(int)at(t, 4, 0)], " ]52;c");
    assert_int_equal(t->lines[2], 5); /* a line break in a quoted text counts */
    csv_free(t);
    CsvOptions options = { .separator = ';', .decimal = ',' };
    t = parse("a;b\n1,5;-2\n,25;3e2\n", &options);
    assert_true(at(t, 0, 0) == 1.5 && at(t, 1, 0) == 0.25 && at(t, 1, 1) == 300);
    csv_free(t);
}

static void header_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        CsvHeader option;
        bool header;
        int64_t rows;
        const char *name;
    } rows[] = {
        { "1,2\n3,4\n", CSV_HEADER_AUTO, false, 2, "column_1" },
        { "5.1,3.5,Iris-setosa\n", CSV_HEADER_AUTO, false, 1, "column_1" },
        { "a,b\n", CSV_HEADER_AUTO, true, 0, "a" },
        { ",b\n1,2\n", CSV_HEADER_AUTO, true, 1, "column_1" },
        { "name\nAnna\nBert\n", CSV_HEADER_AUTO, true, 2, "name" },
        { "name\nAnna\nBert\n", CSV_HEADER_NO, false, 3, "column_1" },
        { "1990,1991\n3,4\n", CSV_HEADER_YES, true, 1, "1990" },
        { ",\n,\n", CSV_HEADER_AUTO, false, 2, "column_1" },
        { "7", CSV_HEADER_AUTO, false, 1, "column_1" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CsvOptions options = { .header = rows[i].option };
        CsvTable *t = parse(rows[i].text, &options);
        assert_int_equal(t->has_header, rows[i].header);
        assert_int_equal(t->n_rows, rows[i].rows);
        assert_string_equal(t->columns[0].name, rows[i].name);
        csv_free(t);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        const char *message;
    } rows[] = {
        { "", 0, "empty" },
        { "\xEF\xBB\xBF", 3, "empty" },
        { "\n \n\r\n", 5, "empty" },
        { "a,b\n1,2\n3\n", 0, "t.csv:3:1: 1 cells, but the first row has 2" },
        { "a,b\n1,2\n\n3,4,5,6\n", 0, "t.csv:4:1: 4 cells" },
        { "a,b\n1,\"x\n2,3\n4,5\n", 0, "t.csv:2:3: a quoted text begins here" },
        { "a,b\n1,\"x\"y\n", 0, "t.csv:2:6: text behind the closing quote" },
        { "\"", 0, "t.csv:1:1" },
        { "a,b\n1,\0002\n", 8, "byte 6 is a zero" },
        { "\xFF\xFE" "a\0", 4, "UTF-16" },
        { "PK\3\4....", 0, "spreadsheet" },
    };
    Err err = ERR_INIT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = rows[i].n ? rows[i].n : strlen(rows[i].text);
        assert_err(csv_parse(rows[i].text, n, "t.csv", NULL, &err) != NULL, ERR_DATA, rows[i].message);
    }
    CsvOptions both = { .separator = ',', .decimal = ',' };
    assert_err(csv_parse("1,2", 3, "t.csv", &both, &err) != NULL, ERR_ARG, "cannot be both");
    assert_err(csv_load(scratch_path("gone.csv"), NULL, &err) != NULL, ERR_IO, "No such file");
}

/* No prefix of a file may be read beyond its end, whatever comes of it. */
static void every_prefix_ends_well(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF\"a \"\"q\"\"\",b;c,kind\r\n1.5e-3,,red\r\n\"x\ny\",-inf,?\r\n caf\xE9 ,1e,\"\"\r\n";
    Err err = ERR_INIT;
    for (size_t n = 0; n < sizeof text; n++) {
        char *cut = malloc(n ? n : 1);
        memcpy(cut, text, n);
        CsvTable *t = csv_parse(cut, n, "cut", NULL, &err);
        csv_free(t);
        free(cut);
    }
}

static void wide_lines_and_many_texts(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    enum { WIDE = 1000000, MANY = 50000 };
    Buf text = BUF_INIT;
    for (int i = 0; i < WIDE; i++)
        buf_puts(&text, i ? ",1" : "1");
    CsvTable *t = csv_parse(text.data, text.size, "wide", NULL, &err);
    assert_non_null(t);
    assert_int_equal(t->n_columns, WIDE);
    assert_int_equal(t->n_rows, 1);
    csv_free(t);
    for (int i = 0; i < WIDE; i++)
        buf_put(&text, '\n'); /* many columns and many line ends: memory stays in proportion */
    size_t held = mem_bytes();
    t = csv_parse(text.data, text.size, "wide", NULL, &err);
    assert_non_null(t);
    assert_true(mem_bytes() - held < 40 * text.size);
    csv_free(t);
    buf_reset(&text);
    buf_puts(&text, "id,v\n");
    for (int i = 0; i < MANY; i++)
        buf_printf(&text, "k%d,%d\n", (i * 7919) % MANY, i);
    t = csv_parse(text.data, text.size, "many", NULL, &err);
    assert_non_null(t);
    assert_int_equal(t->columns[0].n_classes, MANY);
    for (int c = 1; c < MANY; c++)
        assert_true(strcmp(t->columns[0].classes[c - 1], t->columns[0].classes[c]) < 0);
    for (int i = 0; i < MANY; i += 997) {
        char want[20];
        snprintf(want, sizeof want, "k%d", (i * 7919) % MANY);
        assert_string_equal(t->columns[0].classes[(int)at(t, i, 0)], want);
    }
    csv_free(t);
    buf_fini(&text);
}

static double time_to_parse(const Buf *text)
{
    Err err = ERR_INIT;
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        double start = clock_thread_cpu();
        CsvTable *t = csv_parse(text->data, text->size, "time", NULL, &err);
        double spent = clock_thread_cpu() - start;
        assert_non_null(t);
        csv_free(t);
        best = spent < best ? spent : best;
    }
    return best;
}

/* Time in proportion to the size, for numbers, for quoted texts, for texts that are all different. */
static void time_grows_with_the_size(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        double times[3];
        Buf text = BUF_INIT;
        Rng rng;
        rng_init(&rng, 1, RNG_TEST, 0);
        for (int doubling = 0, i = 0; doubling < 3; doubling++) {
            for (; i < 20000 << doubling; i++) {
                if (kind == 0)
                    buf_printf(&text, "%.6f,%.6f\n", rng_uniform(&rng), rng_normal(&rng));
                else if (kind == 1)
                    buf_printf(&text, "\"a\"\"%d\",\"b,\n\"\n", i % 100);
                else
                    buf_printf(&text, "%08x,%d\n", rng_word(&rng), i);
            }
            times[doubling] = time_to_parse(&text);
        }
        if (kind == 0)
            print_message("# plain numbers: %.0f MB/s\n", (double)text.size / times[2] / 1e6);
        assert_true(times[2] < 2.5 * 2.5 * times[0] + 0.02);
        buf_fini(&text);
    }
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor t;
    assert_ok(tensor_new(&t, DTYPE_FLOAT32, SHAPE(3000, 3), &err));
    Rng rng;
    rng_init(&rng, 9, RNG_TEST, 0);
    for (int64_t i = 0; i < tensor_count(&t); i++)
        tensor_set(&t, i, (double)(float)rng_normal(&rng));
    static const char *const names[] = { "plain", "with,comma", "quo\"te" };
    assert_ok(csv_save(scratch_path("t.csv"), &t, names, &err));
    CsvTable *back = csv_load(scratch_path("t.csv"), NULL, &err);
    assert_non_null(back);
    assert_int_equal(back->n_rows, 3000);
    for (int c = 0; c < 3; c++)
        assert_string_equal(back->columns[c].name, names[c]);
    for (int64_t i = 0; i < tensor_count(&t); i++)
        assert_true((real)(float)back->cells[i] == tensor_real(&t)[i]);
    csv_free(back);
    t.shape = SHAPE(3000, 3, 1);
    assert_err(csv_save(scratch_path("t.csv"), &t, NULL, &err), ERR_SHAPE, "one or two axes");
    t.shape = SHAPE(3000, 3);
    scratch_write(scratch_path("t.csv"), "old", 3);
    file_fail_after(0);
    assert_err(csv_save(scratch_path("t.csv"), &t, NULL, &err), ERR_IO, "No space");
    file_fail_after(-1);
    size_t n;
    char *old = scratch_read(scratch_path("t.csv"), &n);
    assert_string_equal(old, "old");
    free(old);
    tensor_unref(&t);

    Buf out = BUF_INIT;
    csv_put_text(&out, "a b", ',');
    csv_put_text(&out, "a;b", ';');
    csv_put_text(&out, "two\nlines", ',');
    csv_put_text(&out, "", ',');
    assert_string_equal(buf_text(&out), "a b\"a;b\"\"two\nlines\"\"\"");
    buf_fini(&out);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    static const char text[] = "a,kind\n1,x\n2,\"y\"\n3,z\n";
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    for (long n = 0;; n++) {
        assert_true(n < 200);
        mem_fail_after(n);
        CsvTable *t = csv_parse(text, sizeof text - 1, "m", NULL, &err);
        mem_fail_after(-1);
        bool ok = t != NULL;
        csv_free(t);
        assert_int_equal(mem_bytes(), held);
        if (ok)
            break;
        assert_int_equal(err.code, ERR_MEM);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_rounded_as_strtod_does),
        TEST(numbers_come_back),
        TEST(the_locale_changes_nothing),
        TEST(plain_tables),
        TEST(forms_of_the_same_table),
        TEST(quotes_and_odd_bytes),
        TEST(header_or_not),
        TEST(what_is_refused),
        TEST(every_prefix_ends_well),
        TEST(wide_lines_and_many_texts),
        TEST(time_grows_with_the_size),
        TEST(writes_what_it_reads),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
