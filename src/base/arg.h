// SPDX-License-Identifier: MIT
/* Arguments declared once. Ops, layers, losses, optimizers, schedules, callbacks, readers describe their arguments as rows
 * of ArgSpec; from a row come the default, the check, the message, the help, Tab completion, and what stands in files.
 * Values are plain data that fit in an Args on the stack; nothing here owns memory. */
#ifndef BASE_ARG_H
#define BASE_ARG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

typedef enum {
    ARG_INT,    /* a whole number in least … most */
    ARG_FLOAT,  /* a number in least … most */
    ARG_BOOL,
    ARG_CHOICE, /* one of `choices`, by name */
    ARG_INTS,   /* up to ARG_INTS_MOST whole numbers; a single number n stands for n, n (`count` times) where count > 0 */
    ARG_FLOATS, /* 1 to ARG_INTS_MOST numbers; a single number stands for a list of one */
    ARG_TEXT,   /* a short text, e.g. the name of a layer */
} ArgType;

#define ARG_INTS_MOST 8
#define ARG_TEXTS (-1) /* a list of texts may stand for them with commas between */
#define ARG_TEXT_MOST 64
#define ARG_MOST 32

typedef struct ArgSpec {
    const char *name; /* Keras's name */
    ArgType type;
    const char *fallback; /* the default, as text ("0.5", "valid", "1,1", "nil"); NULL: must be given */
    double least, most;   /* range of numbers (each of ARG_INTS, ARG_FLOATS); both 0: no bounds */
    int count;            /* ARG_INTS: exactly so many numbers; 0: 1 to ARG_INTS_MOST. ARG_TEXT: ARG_TEXTS, or 0 */
    const char *const *choices; /* ARG_CHOICE: names ended by NULL. ARG_TEXT: NULL, or names to complete. ARG_INT: NULL, or what may stand for 0, 1, … */
    const char *help;
    bool open_least; /* least itself is not allowed */
    bool open_most;
} ArgSpec;

typedef struct ArgValue {
    bool given; /* false: nil (a fallback of "nil" that was not replaced) */
    union {
        int64_t i; /* ARG_INT; ARG_CHOICE: index in choices */
        double f;
        bool b;
        struct {
            int n;
            int64_t v[ARG_INTS_MOST];
        } ints;
        struct {
            int n;
            double v[ARG_INTS_MOST];
        } floats;
        char text[ARG_TEXT_MOST];
    } u;
} ArgValue;

typedef struct Args {
    const ArgSpec *specs; /* borrowed, program lifetime */
    int n;
    ArgValue v[ARG_MOST];
} Args;

/* Start with every default. Rows without a default stay not given. */
void args_init(Args *args, const ArgSpec *specs, int n);

/* Which row has this name; -1 when none has. */
int args_find(const Args *args, const char *name);

/* Set row i from a value of the given kind; `who` ("Dense") is named in messages.
 * Fails: ERR_ARG, wrong type, out of range, unknown choice (with the nearest name). */
MUST_USE bool args_set_number(Args *args, int i, double value, const char *who, Err *err);
MUST_USE bool args_set_bool(Args *args, int i, bool value, const char *who, Err *err);
MUST_USE bool args_set_text(Args *args, int i, const char *value, const char *who, Err *err);
MUST_USE bool args_set_numbers(Args *args, int i, const double *values, int n, const char *who, Err *err);
MUST_USE bool args_set_nil(Args *args, int i, const char *who, Err *err);

/* True when every row without a default was given. Fails: ERR_ARG naming the first that is missing. */
MUST_USE bool args_complete(const Args *args, const char *who, Err *err);

/* Values by name. The name must be in the table (a mistake in a name is ours: returns a zero value). */
int64_t args_int(const Args *args, const char *name); /* of an ARG_CHOICE its index in choices */
double args_float(const Args *args, const char *name);
bool args_bool(const Args *args, const char *name);
const char *args_choice(const Args *args, const char *name); /* the chosen name; "nil" when not given */
const char *args_text(const Args *args, const char *name);   /* "" when not given */
const int64_t *args_ints(const Args *args, const char *name, int *n);
const double *args_floats(const Args *args, const char *name, int *n);
bool args_given(const Args *args, const char *name);

/* "filters, kernel_size, {strides = 1,1, padding = "valid", …}": the signature that help shows. */
void args_signature(Buf *out, const ArgSpec *specs, int n);

/* One line a row: name, type, default, range, help. */
void args_help(Buf *out, const ArgSpec *specs, int n);

/* A value as text, e.g. for a file or summary: 3 · 0.5 · true · same · 3,3 · nil. args_parse reads it back. */
void args_write(Buf *out, const Args *args, int i);
MUST_USE bool args_parse(Args *args, int i, const char *text, const char *who, Err *err);

/* Several at once, "units=4 activation=relu": values hold no spaces. NULL: none. */
MUST_USE bool args_parse_words(Args *args, const char *words, const char *who, Err *err);

/* Texts as "glorot_uniform", "constant(0.1)", "max_norm(2, axis=0,1,2)": the name, and what follows it for args_parse_call: defaults,
 * then rows in order or by name, a list by name only. Fails: ERR_ARG, what args_parse and args_complete say. */
const char *args_call_name(const char *text, char name[ARG_TEXT_MOST]);
MUST_USE bool args_parse_call(Args *args, const ArgSpec *specs, int n, const char *rest, const char *who, Err *err);

#endif
