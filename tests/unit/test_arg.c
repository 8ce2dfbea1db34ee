// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/arg.h"

static Err err;

static const char *const paddings[] = { "valid", "same", NULL };
static const ArgSpec specs[] = {
    { .name = "filters", .type = ARG_INT, .least = 1, .most = INFINITY, .help = "number of filters" },
    { .name = "kernel_size", .type = ARG_INTS, .count = 2, .least = 1, .most = INFINITY, .help = "height and width" },
    { .name = "strides", .type = ARG_INTS, .count = 2, .fallback = "1,1", .least = 1, .most = 1e9, .help = "steps" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "valid", .choices = paddings, .help = "what happens at the border" },
    { .name = "rate", .type = ARG_FLOAT, .fallback = "0.5", .least = 0, .most = 1, .open_most = true, .help = "share" },
    { .name = "use_bias", .type = ARG_BOOL, .fallback = "true", .help = "add a bias" },
    { .name = "name", .type = ARG_TEXT, .fallback = "nil", .help = "a name" },
    { .name = "axis", .type = ARG_INTS, .fallback = "nil", .least = -8, .most = 7, .help = "axes" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .help = "any" },
};
enum { FILTERS, KERNEL, STRIDES, PADDING, RATE, BIAS, NAME, AXIS, SEED };

static Args fresh(void)
{
    Args args;
    args_init(&args, specs, COUNT_OF(specs));
    return args;
}

static void test_defaults(void **state)
{
    (void)state;
    Args args = fresh();
    int n;
    assert_false(args_given(&args, "filters"));
    assert_int_equal(args_ints(&args, "strides", &n)[1], 1);
    assert_int_equal(n, 2);
    assert_string_equal(args_choice(&args, "padding"), "valid");
    assert_near(args_float(&args, "rate"), 0.5, 0);
    assert_true(args_bool(&args, "use_bias"));
    assert_string_equal(args_text(&args, "name"), "");
    assert_false(args_given(&args, "axis"));
    assert_int_equal(args_find(&args, "rate"), RATE);
    assert_int_equal(args_find(&args, "rates"), -1);
    assert_int_equal(args_int(&args, "nothing"), 0);
    assert_string_equal(args_choice(&args, "nothing"), "nil");
    assert_err(args_complete(&args, "Conv2D", &err), ERR_ARG, "Conv2D: filters is missing: give a whole number of at least 1");
}

static void test_setting(void **state)
{
    (void)state;
    Args args = fresh();
    int n;
    assert_ok(args_set_number(&args, FILTERS, 32, "Conv2D", &err));
    assert_int_equal(args_int(&args, "filters"), 32);
    assert_ok(args_set_number(&args, KERNEL, 3, "Conv2D", &err));
    assert_int_equal(args_ints(&args, "kernel_size", &n)[1], 3);
    assert_int_equal(n, 2);
    assert_ok(args_set_numbers(&args, STRIDES, (double[]){ 2, 1 }, 2, "Conv2D", &err));
    assert_int_equal(args_ints(&args, "strides", NULL)[0], 2);
    assert_int_equal(args_ints(&args, "strides", NULL)[1], 1);
    assert_ok(args_set_text(&args, PADDING, "same", "Conv2D", &err));
    assert_string_equal(args_choice(&args, "padding"), "same");
    assert_ok(args_set_number(&args, RATE, 0, "Conv2D", &err));
    assert_ok(args_set_bool(&args, BIAS, false, "Conv2D", &err));
    assert_ok(args_set_text(&args, NAME, "front", "Conv2D", &err));
    assert_string_equal(args_text(&args, "name"), "front");
    assert_ok(args_set_nil(&args, NAME, "Conv2D", &err));
    assert_false(args_given(&args, "name"));
    assert_ok(args_set_number(&args, AXIS, -1, "Conv2D", &err));
    assert_int_equal(args_ints(&args, "axis", &n)[0], -1);
    assert_int_equal(n, 1);
    assert_ok(args_complete(&args, "Conv2D", &err));
}

static void test_refusals(void **state)
{
    (void)state;
    Args a = fresh();
    char lengthy[ARG_TEXT_MOST + 1];
    memset(lengthy, 'x', ARG_TEXT_MOST);
    lengthy[ARG_TEXT_MOST] = '\0';
    assert_err(args_set_number(&a, FILTERS, -3, "Dense", &err), ERR_ARG,
               "Dense: filters must be a whole number of at least 1, got -3");
    assert_err(args_set_number(&a, FILTERS, 2.5, "Dense", &err), ERR_ARG, "got 2.5");
    assert_err(args_set_number(&a, FILTERS, NAN, "Dense", &err), ERR_ARG, "nan");
    assert_err(args_set_number(&a, FILTERS, INFINITY, "Dense", &err), ERR_ARG, "inf");
    assert_err(args_set_number(&a, FILTERS, 1e300, "Dense", &err), ERR_ARG, "1e+300");
    assert_err(args_set_text(&a, FILTERS, "many", "Dense", &err), ERR_ARG, "got \"many\"");
    assert_err(args_set_bool(&a, FILTERS, true, "Dense", &err), ERR_ARG, "got true");
    assert_err(args_set_nil(&a, FILTERS, "Dense", &err), ERR_ARG, "got nil");
    assert_err(args_set_numbers(&a, KERNEL, (double[]){ 1, 2, 3 }, 3, "Conv2D", &err), ERR_ARG,
               "kernel_size must be a whole number of at least 1, or a list of 2 of them, got a list of 3");
    assert_err(args_set_numbers(&a, KERNEL, (double[]){ 1, 0 }, 2, "Conv2D", &err), ERR_ARG, "got 0");
    assert_err(args_set_numbers(&a, KERNEL, NULL, 0, "Conv2D", &err), ERR_ARG, "a list of 0");
    assert_err(args_set_text(&a, PADDING, "smae", "Conv2D", &err), ERR_ARG,
               "padding must be one of \"valid\", \"same\", got \"smae\" (did you mean \"same\"?)");
    assert_err(args_set_number(&a, PADDING, 1, "Conv2D", &err), ERR_ARG, "got the number 1");
    assert_err(args_set_number(&a, RATE, 1, "Dropout", &err), ERR_ARG, "rate must be a number of at least 0 and below 1, got 1");
    assert_err(args_set_number(&a, RATE, NAN, "Dropout", &err), ERR_ARG, "nan");
    assert_err(args_set_number(&a, BIAS, 1, "Dense", &err), ERR_ARG, "true or false");
    assert_err(args_set_text(&a, NAME, lengthy, "Dense", &err), ERR_ARG, "at most 63 bytes");
    assert_err(args_set_number(&a, AXIS, 8, "sum", &err), ERR_ARG, "from -8 to 7");
    assert_err(args_set_number(&a, -1, 8, "sum", &err), ERR_BUG, "no argument");
    assert_err(args_set_number(&a, 99, 8, "sum", &err), ERR_BUG, "no argument");
    assert_false(args_given(&a, "filters")); /* a refused value leaves no trace */
    assert_near(args_float(&a, "rate"), 0.5, 0);
}

static const char *written(const Args *args, int i)
{
    static char text[128];
    Buf buf = BUF_INIT;
    args_write(&buf, args, i);
    snprintf(text, sizeof text, "%s", buf_text(&buf));
    buf_fini(&buf);
    return text;
}

static void test_text_and_back(void **state)
{
    (void)state;
    static const struct {
        int row;
        const char *text;
    } rows[] = { { FILTERS, "3" },
                 { RATE, "0.1" },
                 { RATE, "1e-07" },
                 { RATE, "0.30000000000000004" },
                 { BIAS, "true" },
                 { BIAS, "false" },
                 { PADDING, "same" },
                 { STRIDES, "3,2" },
                 { AXIS, "nil" },
                 { AXIS, "-1,0,2" },
                 { NAME, "a name" },
                 { NAME, "nil" },
                 { SEED, "-9007199254740992" } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Args args = fresh();
        assert_ok(args_parse(&args, rows[i].row, rows[i].text, "x", &err));
        assert_string_equal(written(&args, rows[i].row), rows[i].text);
    }
    Args a = fresh();
    assert_err(args_parse(&a, FILTERS, "3x", "Dense", &err), ERR_ARG, "got 3x");
    assert_err(args_parse(&a, FILTERS, "3,4", "Dense", &err), ERR_ARG, "got 3,4");
    assert_err(args_parse(&a, FILTERS, "", "Dense", &err), ERR_ARG, "filters must be");
    assert_err(args_parse(&a, STRIDES, "1,,2", "Dense", &err), ERR_ARG, "strides");
    assert_err(args_parse(&a, AXIS, "1,1,1,1,1,1,1,1,1", "Dense", &err), ERR_ARG, "axis");
    assert_err(args_parse(&a, BIAS, "yes", "Dense", &err), ERR_ARG, "true or false, got \"yes\"");
    assert_err(args_parse(&a, FILTERS, "nil", "Dense", &err), ERR_ARG, "got nil");
}

static void test_call(void **state)
{
    (void)state;
    char name[ARG_TEXT_MOST], many[200];
    Args a;
    int n;
    const char *rest = args_call_name("conv(3, 2, axis=0,1,2, rate=0.25)", name);
    assert_string_equal(name, "conv");
    assert_ok(args_parse_call(&a, specs, COUNT_OF(specs), rest, name, &err));
    assert_int_equal(args_int(&a, "filters"), 3);
    assert_int_equal(args_ints(&a, "kernel_size", NULL)[1], 2);
    assert_int_equal(args_ints(&a, "axis", &n)[2], 2);
    assert_int_equal(n, 3);
    assert_near(args_float(&a, "rate"), 0.25, 0);
    assert_int_equal(args_ints(&a, "strides", &n)[0], 1);
    rest = args_call_name("plain", name);
    assert_string_equal(name, "plain");
    assert_ok(args_parse_call(&a, NULL, 0, rest, name, &err) && args_parse_call(&a, NULL, 0, "()", name, &err));
    assert_err(args_parse_call(&a, NULL, 0, "(1)", "plain", &err), ERR_ARG, "plain takes 0 arguments");
    assert_err(args_parse_call(&a, specs, 2, "(1, 2, 3)", "conv", &err), ERR_ARG, "conv takes 2 arguments, the first is filters");
    assert_err(args_parse_call(&a, specs, 2, "", "conv", &err), ERR_ARG, "conv: filters is missing");
    assert_err(args_parse_call(&a, specs, 2, "(1, 2", "conv", &err), ERR_ARG, "\"conv(1, 2\" lacks its closing bracket");
    assert_err(args_parse_call(&a, specs, 2, "(", "conv", &err), ERR_ARG, "closing bracket");
    snprintf(many, sizeof many, "(%*d)", ARG_TEXT_MOST, 1);
    assert_err(args_parse_call(&a, specs, 2, many, "conv", &err), ERR_ARG, "too long");
}

static void test_help(void **state)
{
    (void)state;
    Buf buf = BUF_INIT;
    args_signature(&buf, specs, 7);
    assert_string_equal(buf_text(&buf),
                        "filters, kernel_size, {strides = {1, 1}, padding = \"valid\", rate = 0.5, use_bias = true, name = nil}");
    buf_reset(&buf);
    args_help(&buf, specs, COUNT_OF(specs));
    assert_non_null(strstr(buf_text(&buf), "  rate         a number of at least 0 and below 1; default 0.5. share\n"));
    assert_non_null(strstr(buf_text(&buf), "  seed         a whole number; default nil. any\n"));
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_defaults), cmocka_unit_test(test_setting),
                                        cmocka_unit_test(test_refusals), cmocka_unit_test(test_text_and_back), cmocka_unit_test(test_call),
                                        cmocka_unit_test(test_help) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
