// SPDX-License-Identifier: MIT
/* How C things become Lua things. A Verb describes one function or method, a Kind one type of object; from these rows come
 * the Lua functions, their argument checks, help(), Tab completion and the messages for mistyped names.
 *
 * Every binding has three strokes: (a) check the arguments and make the userdata that will own the result; may raise, holds
 * nothing. (b) Call the engine; never raises, makes no Lua call. (c) Push the result, or bind_raise: the only place where
 * an Err becomes a Lua error. */
#ifndef SCRIPT_BIND_H
#define SCRIPT_BIND_H

#include "base/arg.h"
#include "script/state.h"

#define COUNT_OF(rows) ((int)(sizeof(rows) / sizeof *(rows)))

/* ---- errors: a table with code, message, hint, which prints as its message. None of these returns. ---- */
int bind_raise(lua_State *L, const Err *err);
int bind_error(lua_State *L, ErrCode code, const char *format, ...) PRINTF_LIKE(3, 4);

/* The sentence of any error value on the stack; never raises. Copied into err with its code. */
void bind_describe(lua_State *L, int index, Err *err);

/* ---- functions ---- */
typedef struct Verb {
    const char *name;
    lua_CFunction call;
    /* Arguments that are Lua values, in positional order: "x" must be given, "y?" may be, "*callbacks" only by name; "~x" may be
     * a table by names that are the user's: in last place it is not the options if it holds tables and objects alone.
     * They come to the function on the stack in this order (nil: absent). */
    const char *values;
    const ArgSpec *args; /* then the plain ones */
    int n_args;
    const char *doc;     /* what it does, what it gives; may have several lines */
    const char *example; /* Lua that runs and asserts, or NULL */
} Verb;

/* Functions of one table ("tensor.", "nn.", "" for globals). */
typedef struct VerbGroup {
    const char *prefix;
    const Verb *verbs;
    int n_verbs;
} VerbGroup;

/* Arguments from stack index `first` on. A table with only string keys (and no metatable) in last place is the options, any
 * other table a value. Afterwards the values stand at first, first + 1, … and nothing behind them; args is complete.
 * `who` is named in messages ("fit"). Raises. */
void bind_take(lua_State *L, int first, const char *who, const Verb *verb, Args *args);

/* Push a function whose first upvalue is the verb; `name` ("nn.Dense") is remembered for help(). */
void bind_push_verb(lua_State *L, const Verb *verb, const char *name);
const Verb *bind_verb(lua_State *L); /* the verb of the function that runs */

/* Remember the name of the function on top of the stack. */
void bind_name(lua_State *L, const char *name);
const char *bind_find_name(lua_State *L, int index); /* NULL: not one of ours */

/* Put the group's functions into the table on top of the stack. */
void bind_fill(lua_State *L, const VerbGroup *group);

/* A new global table whose unknown fields raise with the nearest name; left on top of the stack. */
void bind_module(lua_State *L, const char *name);

/* "name?" of a values text, one after the other: returns the rest, NULL at the end. kind: ' ', '?' or '*'. */
const char *bind_next_value(const char *values, char name[32], char *kind);

/* ---- objects ---- */
typedef struct Field {
    const char *name;
    int (*get)(lua_State *L); /* object at 1; pushes one value */
    int (*set)(lua_State *L); /* object at 1, value at 3; NULL: read only */
    const char *doc;
} Field;

typedef struct Kind {
    const char *type;  /* "hebb.run": key of the metatable, and __name */
    const char *what;  /* "run": in messages */
    const char *title; /* "a run" */
    const char *doc;
    const Field *fields;
    int n_fields;
    const Verb *methods;
    int n_methods;
    const luaL_Reg *meta; /* __gc, __tostring, __call …, ended by NULL */
    /* Keys that are neither field nor method: index_other pushes a value and returns 1, or returns 0. NULL: none. */
    int (*index_other)(lua_State *L);
    bool (*set_other)(lua_State *L);
    /* Offer more names for "did you mean". May be NULL. */
    void (*offer)(lua_State *L, void *search);
} Kind;

void bind_kind(lua_State *L, const Kind *kind);                               /* make its metatable */
void *bind_new(lua_State *L, const Kind *kind, size_t size);                  /* push a cleared userdata of it */
void *bind_test(lua_State *L, int index, const Kind *kind);                   /* NULL when it is something else */
void *bind_check(lua_State *L, int index, const Kind *kind, const char *who); /* raises */
const Kind *bind_kind_of(lua_State *L, int index);                            /* NULL: no object of ours */

/* "a table", "the number 3", "a run": what stands at index, for messages. */
const char *bind_what(lua_State *L, int index, char out[64]);

/* The text or number at index, for functions without rows: "load wants a file name, got 3". Texts end at their first zero
 * byte in C, so that one which holds any is refused. Raise. */
const char *bind_text(lua_State *L, int index, const char *who, const char *wanted);
const char *bind_path(lua_State *L, int index, const char *who); /* a file that this script may touch */
double bind_number(lua_State *L, int index, const char *who, const char *wanted);

/* True when the value at index is a table with only string keys and no metatable. */
bool bind_is_options(lua_State *L, int index);

/* Set row i from the Lua value at index. Raises. */
void bind_set_row(lua_State *L, int index, Args *args, int i, const char *who);

/* Push the value of row i (nil when not given). */
void bind_push_row(lua_State *L, const Args *args, int i);

/* Push an empty Buf that the collector owns; push what it holds as a text. Both raise when memory runs out. */
Buf *bind_buf(lua_State *L);
void bind_push_buf(lua_State *L, const Buf *buf);

/* Everything that is registered, for help and completion; ended by NULL. */
extern const VerbGroup *const bind_groups[];
extern const Kind *const bind_kinds[];

void bind_open(lua_State *L);
void bind_open_errors(lua_State *L); /* within it */

#endif
