// SPDX-License-Identifier: MIT
/* Every refusal has the same form: "who: name must be WHAT, got VALUE". WHAT is written from the row by write_wanted, so that
 * message, help and check cannot differ. Values from text (defaults, files, the command line) go through the same setters as
 * values from Lua. Numbers are read and written in the C locale. */
#include "base/arg.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"

#define WANTED_TEXT 200
#define EXACT_MOST 9007199254740992.0 /* 2^53: whole numbers beyond it are not told apart by a double */

/* ---- what a row accepts, in words ---- */

static bool bounded(const ArgSpec *spec)
{
    return spec->least != 0 || spec->most != 0;
}

static bool has_least(const ArgSpec *spec)
{
    return bounded(spec) && spec->least > -EXACT_MOST;
}

static bool has_most(const ArgSpec *spec)
{
    return bounded(spec) && spec->most >= spec->least && spec->most < EXACT_MOST;
}

static bool in_range(const ArgSpec *spec, double value)
{
    if (has_least(spec) && (spec->open_least ? value <= spec->least : value < spec->least))
        return false;
    return !has_most(spec) || (spec->open_most ? value < spec->most : value <= spec->most);
}

/* The shortest text that reads back as the same number. */
static const char *number_text(double value, char out[32])
{
    if (isnan(value))
        return strcpy(out, "nan"); /* without the sign, which says nothing */
    if (fabs(value) < 1e15 && value == floor(value)) {
        snprintf(out, 32, "%.0f", value);
        return out;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    return out;
}

/* " of at least 1", " from 0 to 1", " above 0 and below 1" or "". */
static void range_text(const ArgSpec *spec, char *out, size_t size)
{
    char least[32], most[32];
    bool low = has_least(spec), high = has_most(spec);
    if (low)
        number_text(spec->least, least);
    if (high)
        number_text(spec->most, most);
    out[0] = '\0';
    if (low && high && !spec->open_least && !spec->open_most)
        snprintf(out, size, " from %s to %s", least, most);
    else if (low && high)
        snprintf(out, size, " %s %s and %s %s", spec->open_least ? "above" : "of at least", least,
                 spec->open_most ? "below" : "at most", most);
    else if (low)
        snprintf(out, size, " %s %s", spec->open_least ? "above" : "of at least", least);
    else if (high)
        snprintf(out, size, " %s %s", spec->open_most ? "below" : "of at most", most);
}

static void choices_text(const ArgSpec *spec, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "one of");
    for (int i = 0; spec->choices && spec->choices[i] && used < size; i++) {
        int n = snprintf(out + used, size - used, "%s \"%s\"", i ? "," : "", spec->choices[i]);
        used += n < 0 ? 0 : (size_t)n;
    }
}

static const char *wanted_text(const ArgSpec *spec, char out[WANTED_TEXT])
{
    char range[100], names[80] = "";
    range_text(spec, range, sizeof range);
    switch (spec->type) {
    case ARG_INT:
        if (spec->choices)
            choices_text(spec, names, sizeof names);
        snprintf(out, WANTED_TEXT, "%s%sa whole number%s", names, spec->choices ? ", or " : "", range);
        break;
    case ARG_FLOAT:
        snprintf(out, WANTED_TEXT, "a number%s", range);
        break;
    case ARG_BOOL:
        snprintf(out, WANTED_TEXT, "true or false");
        break;
    case ARG_CHOICE:
        choices_text(spec, out, WANTED_TEXT);
        break;
    case ARG_INTS:
        if (spec->count > 0)
            snprintf(out, WANTED_TEXT, "a whole number%s, or a list of %d of them", range, spec->count);
        else
            snprintf(out, WANTED_TEXT, "a list of 1 to %d whole numbers%s", ARG_INTS_MOST, range);
        break;
    case ARG_FLOATS:
        snprintf(out, WANTED_TEXT, "a list of 1 to %d numbers%s", ARG_INTS_MOST, range);
        break;
    case ARG_TEXT:
        snprintf(out, WANTED_TEXT, "a text of at most %d bytes", ARG_TEXT_MOST - 1);
        break;
    }
    return out;
}

static bool refuse(const Args *args, int i, const char *got, const char *who, Err *err)
{
    char wanted[WANTED_TEXT];
    return err_set(err, ERR_ARG, "%s: %s must be %s, got %s", who, args->specs[i].name, wanted_text(&args->specs[i], wanted), got);
}

static bool known_row(const Args *args, int i, const char *who, Err *err)
{
    if (i >= 0 && i < args->n)
        return true;
    return err_set(err, ERR_BUG, "%s: there is no argument number %d", who, i);
}

/* ---- tables ---- */

void args_init(Args *args, const ArgSpec *specs, int n)
{
    memset(args, 0, sizeof *args);
    args->specs = specs;
    args->n = n < ARG_MOST ? n : ARG_MOST;
    for (int i = 0; i < args->n; i++)
        if (specs[i].fallback && !args_parse(args, i, specs[i].fallback, "default", NULL))
            args->v[i].given = false;
}

int args_find(const Args *args, const char *name)
{
    for (int i = 0; i < args->n; i++)
        if (!strcmp(args->specs[i].name, name))
            return i;
    return -1;
}

/* ---- setting ---- */

static bool number_fits(const Args *args, int i, double value, bool whole, const char *who, Err *err)
{
    char text[32];
    bool fits =
        !isnan(value) && in_range(&args->specs[i], value) && (!whole || (value == floor(value) && fabs(value) <= EXACT_MOST));
    return fits || refuse(args, i, number_text(value, text), who, err);
}

bool args_set_number(Args *args, int i, double value, const char *who, Err *err)
{
    if (!known_row(args, i, who, err))
        return false;
    const ArgSpec *spec = &args->specs[i];
    ArgValue *v = &args->v[i];
    char text[48];
    switch (spec->type) {
    case ARG_INT:
        if (!number_fits(args, i, value, true, who, err))
            return false;
        v->u.i = (int64_t)value;
        break;
    case ARG_FLOAT:
        if (!number_fits(args, i, value, false, who, err))
            return false;
        v->u.f = value;
        break;
    case ARG_INTS:
    case ARG_FLOATS:
        return args_set_numbers(args, i, &value, 1, who, err);
    default:
        snprintf(text, sizeof text, "the number ");
        number_text(value, text + strlen(text));
        return refuse(args, i, text, who, err);
    }
    v->given = true;
    return true;
}

bool args_set_bool(Args *args, int i, bool value, const char *who, Err *err)
{
    if (!known_row(args, i, who, err))
        return false;
    if (args->specs[i].type != ARG_BOOL)
        return refuse(args, i, value ? "true" : "false", who, err);
    args->v[i].u.b = value;
    args->v[i].given = true;
    return true;
}

static bool set_choice(Args *args, int i, const char *value, const char *who, Err *err)
{
    const ArgSpec *spec = &args->specs[i];
    NameSearch search;
    name_search(&search, value);
    for (int k = 0; spec->choices && spec->choices[k]; k++) {
        if (!strcmp(spec->choices[k], value)) {
            args->v[i].u.i = k;
            args->v[i].given = true;
            return true;
        }
        name_offer(&search, spec->choices[k]);
    }
    char got[160], hint[96];
    snprintf(got, sizeof got, "\"%.40s\"%s", value, name_hint(&search, hint));
    return refuse(args, i, got, who, err);
}

bool args_set_text(Args *args, int i, const char *value, const char *who, Err *err)
{
    if (!known_row(args, i, who, err))
        return false;
    char got[80];
    snprintf(got, sizeof got, "\"%.40s\"%s", value, strlen(value) > 40 ? "…" : "");
    if (args->specs[i].type == ARG_CHOICE || (args->specs[i].type == ARG_INT && args->specs[i].choices))
        return set_choice(args, i, value, who, err);
    if (args->specs[i].type != ARG_TEXT || strlen(value) >= ARG_TEXT_MOST)
        return refuse(args, i, got, who, err);
    memset(args->v[i].u.text, 0, ARG_TEXT_MOST);
    memcpy(args->v[i].u.text, value, strlen(value));
    args->v[i].given = true;
    return true;
}

bool args_set_numbers(Args *args, int i, const double *values, int n, const char *who, Err *err)
{
    if (!known_row(args, i, who, err))
        return false;
    const ArgSpec *spec = &args->specs[i];
    char got[64];
    bool whole = spec->type == ARG_INTS;
    snprintf(got, sizeof got, "a list of %d", n);
    if ((!whole && spec->type != ARG_FLOATS) || n < 1 || n > ARG_INTS_MOST || (spec->count > 0 && n != 1 && n != spec->count))
        return refuse(args, i, got, who, err);
    for (int k = 0; k < n; k++)
        if (!number_fits(args, i, values[k], whole, who, err))
            return false;
    ArgValue *v = &args->v[i];
    memset(&v->u, 0, sizeof v->u);
    v->u.ints.n = spec->count > 0 ? spec->count : n; /* floats.n is the same int */
    for (int k = 0; k < v->u.ints.n && k < ARG_INTS_MOST; k++)
        if (whole)
            v->u.ints.v[k] = (int64_t)values[n == 1 ? 0 : k];
        else
            v->u.floats.v[k] = values[n == 1 ? 0 : k];
    v->given = true;
    return true;
}

bool args_set_nil(Args *args, int i, const char *who, Err *err)
{
    if (!known_row(args, i, who, err))
        return false;
    if (!args->specs[i].fallback || strcmp(args->specs[i].fallback, "nil"))
        return refuse(args, i, "nil", who, err);
    memset(&args->v[i], 0, sizeof args->v[i]);
    return true;
}

bool args_complete(const Args *args, const char *who, Err *err)
{
    char wanted[WANTED_TEXT];
    for (int i = 0; i < args->n; i++)
        if (!args->specs[i].fallback && !args->v[i].given)
            return err_set(err, ERR_ARG, "%s: %s is missing: give %s", who, args->specs[i].name,
                           wanted_text(&args->specs[i], wanted));
    return true;
}

/* ---- reading ---- */

static const ArgValue *value_of(const Args *args, const char *name, ArgType type)
{
    static const ArgValue none;
    int i = args ? args_find(args, name) : -1;
    return i >= 0 && args->v[i].given && args->specs[i].type == type ? &args->v[i] : &none;
}

int64_t args_int(const Args *args, const char *name)
{
    const ArgValue *choice = value_of(args, name, ARG_CHOICE);
    return choice->given ? choice->u.i : value_of(args, name, ARG_INT)->u.i;
}

double args_float(const Args *args, const char *name)
{
    return value_of(args, name, ARG_FLOAT)->u.f;
}

bool args_bool(const Args *args, const char *name)
{
    return value_of(args, name, ARG_BOOL)->u.b;
}

const char *args_choice(const Args *args, const char *name)
{
    const ArgValue *v = value_of(args, name, ARG_CHOICE);
    return v->given ? args->specs[args_find(args, name)].choices[v->u.i] : "nil";
}

const char *args_text(const Args *args, const char *name)
{
    return value_of(args, name, ARG_TEXT)->u.text;
}

const int64_t *args_ints(const Args *args, const char *name, int *n)
{
    const ArgValue *v = value_of(args, name, ARG_INTS);
    if (n)
        *n = v->u.ints.n;
    return v->u.ints.v;
}

const double *args_floats(const Args *args, const char *name, int *n)
{
    const ArgValue *v = value_of(args, name, ARG_FLOATS);
    if (n)
        *n = v->u.floats.n;
    return v->u.floats.v;
}

bool args_given(const Args *args, const char *name)
{
    int i = args ? args_find(args, name) : -1;
    return i >= 0 && args->v[i].given;
}

/* ---- help ---- */

/* A default as Lua writes it: "same", {1, 1}, 0.5. */
static void write_fallback(Buf *out, const ArgSpec *spec)
{
    if (!strcmp(spec->fallback, "nil"))
        buf_puts(out, "nil");
    else if (spec->type == ARG_CHOICE || spec->type == ARG_TEXT || (spec->type == ARG_INT && spec->choices))
        buf_printf(out, "\"%s\"", spec->fallback);
    else if ((spec->type == ARG_INTS || spec->type == ARG_FLOATS) && strchr(spec->fallback, ',')) {
        buf_put(out, '{');
        for (const char *s = spec->fallback; *s; s++)
            buf_puts(out, *s == ',' ? ", " : (char[]){ *s, 0 });
        buf_put(out, '}');
    } else
        buf_puts(out, spec->fallback);
}

void args_signature(Buf *out, const ArgSpec *specs, int n)
{
    int options = 0;
    for (int i = 0; i < n; i++) {
        if (!specs[i].fallback) {
            buf_printf(out, "%s%s", out->size && i ? ", " : "", specs[i].name);
            continue;
        }
        buf_puts(out, options++ ? ", " : i ? ", {" : "{");
        buf_printf(out, "%s = ", specs[i].name);
        write_fallback(out, &specs[i]);
    }
    if (options)
        buf_put(out, '}');
}

/* What the argument may be; unlike a message, all of many choices. */
static void write_wanted(Buf *out, const ArgSpec *spec)
{
    char wanted[WANTED_TEXT];
    if (spec->type != ARG_CHOICE) {
        buf_puts(out, wanted_text(spec, wanted));
        return;
    }
    buf_puts(out, "one of");
    for (int i = 0; spec->choices && spec->choices[i]; i++)
        buf_printf(out, "%s \"%s\"", i ? "," : "", spec->choices[i]);
}

void args_help(Buf *out, const ArgSpec *specs, int n)
{
    int width = 0;
    for (int i = 0; i < n; i++)
        width = (int)strlen(specs[i].name) > width ? (int)strlen(specs[i].name) : width;
    for (int i = 0; i < n; i++) {
        buf_printf(out, "  %-*s  ", width, specs[i].name);
        write_wanted(out, &specs[i]);
        if (specs[i].fallback) {
            buf_puts(out, "; default ");
            write_fallback(out, &specs[i]);
        }
        buf_printf(out, ". %s\n", specs[i].help ? specs[i].help : "");
    }
}

/* ---- text and back ---- */

void args_write(Buf *out, const Args *args, int i)
{
    const ArgValue *v = &args->v[i];
    char text[32];
    if (!v->given) {
        buf_puts(out, "nil");
        return;
    }
    switch (args->specs[i].type) {
    case ARG_INT:
        buf_printf(out, "%" PRId64, v->u.i);
        break;
    case ARG_FLOAT:
        buf_puts(out, number_text(v->u.f, text));
        break;
    case ARG_BOOL:
        buf_puts(out, v->u.b ? "true" : "false");
        break;
    case ARG_CHOICE:
        buf_puts(out, args->specs[i].choices[v->u.i]);
        break;
    case ARG_INTS:
        for (int k = 0; k < v->u.ints.n; k++)
            buf_printf(out, "%s%" PRId64, k ? "," : "", v->u.ints.v[k]);
        break;
    case ARG_FLOATS:
        for (int k = 0; k < v->u.floats.n; k++)
            buf_printf(out, "%s%s", k ? "," : "", number_text(v->u.floats.v[k], text));
        break;
    case ARG_TEXT:
        buf_puts(out, v->u.text);
        break;
    }
}

static bool parse_numbers(Args *args, int i, const char *text, const char *who, Err *err)
{
    double values[ARG_INTS_MOST];
    int n = 0;
    char *end;
    const char *s = text;
    do {
        if (n == ARG_INTS_MOST)
            return refuse(args, i, text, who, err);
        values[n++] = strtod(s, &end);
        if (end == s || (*end && *end != ','))
            return refuse(args, i, text, who, err);
        s = end + 1;
    } while (*end);
    if (args->specs[i].type == ARG_INTS || args->specs[i].type == ARG_FLOATS)
        return args_set_numbers(args, i, values, n, who, err);
    return n == 1 ? args_set_number(args, i, values[0], who, err) : refuse(args, i, text, who, err);
}

bool args_parse(Args *args, int i, const char *text, const char *who, Err *err)
{
    if (!known_row(args, i, who, err))
        return false;
    const ArgSpec *spec = &args->specs[i];
    char got[64];
    if (!strcmp(text, "nil") && spec->fallback && !strcmp(spec->fallback, "nil"))
        return args_set_nil(args, i, who, err);
    switch (spec->type) {
    case ARG_BOOL:
        if (!strcmp(text, "true") || !strcmp(text, "false"))
            return args_set_bool(args, i, text[0] == 't', who, err);
        snprintf(got, sizeof got, "\"%.40s\"", text);
        return refuse(args, i, got, who, err);
    case ARG_CHOICE:
    case ARG_TEXT:
        return args_set_text(args, i, text, who, err);
    case ARG_INT:
        if (spec->choices && !strchr("+-0123456789", text[0]))
            return args_set_text(args, i, text, who, err);
        return parse_numbers(args, i, text, who, err);
    default:
        return parse_numbers(args, i, text, who, err);
    }
}

bool args_parse_words(Args *args, const char *words, const char *who, Err *err)
{
    char name[48], value[128];
    int used = 0;
    for (const char *s = words ? words : ""; sscanf(s, " %47[^= ]=%127[^ ]%n", name, value, &used) == 2; s += used) {
        int row = args_find(args, name);
        if (row < 0)
            return err_set(err, ERR_NAME, "%s has no argument %s", who, name);
        if (!args_parse(args, row, value, who, err))
            return false;
    }
    return true;
}

const char *args_call_name(const char *text, char name[ARG_TEXT_MOST])
{
    int n = (int)strcspn(text, "(");
    snprintf(name, ARG_TEXT_MOST, "%.*s", n, text);
    return text + n;
}

/* Words between commas; a word without a name that follows a list by name goes on with it: axis=0,1,2. */
static bool parse_in_brackets(Args *args, char *text, const char *who, Err *err)
{
    char list[ARG_TEXT_MOST] = "";
    int next = 0, open = -1;
    for (char *word = text, *comma; word && *text; word = comma ? comma + 1 : NULL) {
        if ((comma = strchr(word, ',')) != NULL)
            *comma = '\0';
        word += strspn(word, " ");
        char *equals = strchr(word, '=');
        int row = open;
        if (equals) {
            *equals = '\0';
            row = args_find(args, word);
            word = equals + 1;
            open = row >= 0 && args->specs[row].type == ARG_INTS ? row : -1;
            list[0] = '\0';
        } else if (open < 0)
            row = next++;
        if (row < 0 || row >= args->n)
            return err_set(err, ERR_ARG, "%s takes %d argument%s%s%s", who, args->n, args->n == 1 ? "" : "s", args->n ? ", the first is " : "",
                           args->n ? args->specs[0].name : "");
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? "," : "", word);
        if (!args_parse(args, row, open >= 0 ? list : word, who, err))
            return false;
    }
    return true;
}

bool args_parse_call(Args *args, const ArgSpec *specs, int n, const char *rest, const char *who, Err *err)
{
    char copy[ARG_TEXT_MOST];
    size_t size = strlen(rest);
    args_init(args, specs, n);
    if (size && rest[size - 1] != ')')
        return err_set(err, ERR_ARG, "\"%s%.80s\" lacks its closing bracket", who, rest);
    if (size > sizeof copy)
        return err_set(err, ERR_ARG, "\"%s%.80s…\" is too long", who, rest);
    snprintf(copy, sizeof copy, "%.*s", size ? (int)size - 2 : 0, size ? rest + 1 : rest);
    return parse_in_brackets(args, copy, who, err) && args_complete(args, who, err);
}
