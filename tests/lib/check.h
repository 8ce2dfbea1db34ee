// SPDX-License-Identifier: MIT
/* What every unit test includes: cmocka with its prerequisites, and checks that read as rules. */
#ifndef LIB_CHECK_H
#define LIB_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "tensor/tensor.h"

/* The call uses a variable `err` of the test. */
#define assert_ok(call) \
    do { \
        err_clear(&err); \
        if (!(call)) \
            fail_msg("%s failed: %s", #call, err.text); \
    } while (0)

/* It must fail, with this code and with this text somewhere in its message. */
#define assert_err(call, wanted, part) \
    do { \
        err_clear(&err); \
        if (call) \
            fail_msg("%s was accepted", #call); \
        if (err.code != (wanted) || !strstr(err.text, (part))) \
            fail_msg("%s: wanted %s and \"%s\", got %s and \"%s\"", #call, err_tag(wanted), (part), err_tag(err.code), err.text); \
    } while (0)

/* |got - want| <= limit * max(1, |want|); NaN never is. */
#define assert_near(got, want, limit) \
    do { \
        double near_got = (double)(got), near_want = (double)(want); \
        if (!(fabs(near_got - near_want) <= (limit) * fmax(1, fabs(near_want)))) \
            fail_msg("%s is %.9g, wanted %.9g (line %d)", #got, near_got, near_want, __LINE__); \
    } while (0)

/* Leave the test as skipped, saying why. */
#define skip_because(why) \
    do { \
        print_message("# skipped: %s\n", (why)); \
        skip(); \
    } while (0)

#define assert_shape(tensor, ...) \
    do { \
        Shape wanted_shape = SHAPE(__VA_ARGS__); \
        char got_text[SHAPE_TEXT], wanted_text[SHAPE_TEXT]; \
        if (!shape_same(&(tensor)->shape, &wanted_shape)) \
            fail_msg("%s: shape %s, wanted %s", #tensor, shape_text(&(tensor)->shape, got_text), shape_text(&wanted_shape, wanted_text)); \
    } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#endif
