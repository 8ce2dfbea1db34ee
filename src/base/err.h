// SPDX-License-Identifier: MIT
/* Errors as values: a code and a sentence that a beginner can act on.
 * An Err owns nothing, lives on the caller's stack and is never shared between threads.
 * A function that can fail takes `Err *err` last and returns bool (or NULL); a NULL err is allowed and means
 * that the caller does not want the sentence. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

/* code, tag (what Lua's err.code holds), what kind of trouble it is */
#define ERR_CODES(X) \
    X(OK, "ok", "no error") \
    X(ARG, "arg", "an argument is out of range or of the wrong type") \
    X(SHAPE, "shape", "shapes do not fit together") \
    X(NAME, "name", "a name is not known") \
    X(STATE, "state", "the thing is not in a state that allows this") \
    X(DATA, "data", "the content of a file or table is wrong") \
    X(IO, "io", "the outside world failed: file, disk, terminal") \
    X(MEM, "mem", "memory ran out or the memory limit was reached") \
    X(NUMERIC, "numeric", "NaN or infinity where a finite number is needed") \
    X(INTERRUPT, "interrupt", "stopped by the user") \
    X(BUG, "bug", "a broken promise of hebb itself")

typedef enum {
#define X(code, tag, help) ERR_##code,
    ERR_CODES(X)
#undef X
} ErrCode;

typedef struct Err {
    ErrCode code;
    char text[500];
} Err;

#define ERR_INIT { .code = ERR_OK, .text = "" }
#if defined(__GNUC__)
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define MUST_USE
#define PRINTF_LIKE(fmt, args)
#endif

/* Fill err and return false, so that a refusal is one line: return err_set(err, ERR_ARG, …);
 * What comes from outside may stand in it as it is: control bytes and broken UTF-8 are told as '?'. */
bool err_set(Err *err, ErrCode code, const char *format, ...) PRINTF_LIKE(3, 4);
bool err_setv(Err *err, ErrCode code, const char *format, va_list args) PRINTF_LIKE(3, 0);

/* Put "where: " in front of the sentence that err holds already; returns false. */
bool err_wrap(Err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same with a name that the sentence may begin with already: a layer's, a file's. */
bool err_name(Err *err, const char *name);

void err_clear(Err *err);

/* The tag of a code ("shape"), a borrowed constant. */
const char *err_tag(ErrCode code);

#endif
