// SPDX-License-Identifier: MIT
/* Numbers of constants are texts: JSON knows no infinity. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nn/program.h"

/* ---- writing ----
 * jansson passes a NULL on as a failure; `ok` gathers them. */

static void put(json_t *object, const char *key, json_t *take, bool *ok)
{
    *ok = json_object_set_new(object, key, take) == 0 && *ok;
}

static void add(json_t *array, json_t *take, bool *ok)
{
    *ok = json_array_append_new(array, take) == 0 && *ok;
}

/* The shortest of two lengths that gives the same number again. */
static void put_number(Buf *out, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.9g", value);
    if (strtod(text, NULL) != value && !isnan(value))
        snprintf(text, sizeof text, "%.17g", value);
    buf_printf(out, "%s%s", out->size ? " " : "", text);
}

static json_t *const_json(const Tensor *value, bool *ok)
{
    json_t *out = json_object(), *shape = json_array();
    Buf text = BUF_INIT;
    for (int i = 0; i < value->shape.rank; i++)
        add(shape, json_integer(value->shape.d[i]), ok);
    for (int64_t i = 0, n = tensor_count(value); i < n; i++)
        put_number(&text, tensor_get(value, i));
    *ok = *ok && buf_ok(&text, NULL);
    put(out, "dtype", json_string(dtype_name(value->dtype)), ok);
    put(out, "shape", shape, ok);
    put(out, "values", json_string(buf_text(&text)), ok);
    buf_fini(&text);
    return out;
}

static json_t *args_json(const Args *args, bool *ok)
{
    json_t *out = json_object();
    Buf text = BUF_INIT;
    for (int i = 0; i < args->n; i++) {
        buf_reset(&text);
        args_write(&text, args, i);
        *ok = *ok && buf_ok(&text, NULL);
        put(out, args->specs[i].name, json_string(buf_text(&text)), ok);
    }
    buf_fini(&text);
    return out;
}

static json_t *step_json(const ProgramStep *step, bool *ok)
{
    json_t *out = json_object(), *in = json_array(), *batch = json_array();
    for (int i = 0; i < step->n_in; i++)
        add(in, json_integer(step->in[i]), ok);
    for (int i = 0; i < step->n_terms; i++) {
        const ProgramTerm *term = &step->terms[i];
        add(batch, json_pack("[s,i,I]", step->args->specs[term->arg].name, term->place, (json_int_t)term->times), ok);
    }
    put(out, "op", json_string(step->op->name), ok);
    put(out, "in", in, ok);
    put(out, "args", args_json(step->args, ok), ok);
    if (step->n_terms > 0)
        put(out, "batch", json_incref(batch), ok);
    json_decref(batch);
    return out;
}

json_t *program_json(const Program *program)
{
    bool ok = true;
    json_t *out = json_object(), *consts = json_array(), *steps = json_array();
    for (int i = 0; i < program->n_consts; i++)
        add(consts, const_json(&program->consts[i], &ok), &ok);
    for (int i = 0; i < program->n_steps; i++)
        add(steps, step_json(&program->steps[i], &ok), &ok);
    put(out, "consts", consts, &ok);
    put(out, "steps", steps, &ok);
    put(out, "out", json_integer(program->out), &ok);
    if (program->integer_in)
        put(out, "integer_in", json_integer(program->integer_in), &ok);
    if (ok)
        return out;
    json_decref(out);
    return NULL;
}

/* ---- reading ---- */

static bool bad(Err *err, const char *what, size_t i)
{
    return err_set(err, ERR_DATA, "the list of ops is damaged: %s (entry %zu)", what, i);
}

static bool read_shape(json_t *in, Shape *shape)
{
    *shape = (Shape){ .rank = (int)json_array_size(in) };
    if (!json_is_array(in) || json_array_size(in) > SHAPE_MOST)
        return false;
    for (int i = 0; i < shape->rank; i++) {
        json_t *size = json_array_get(in, (size_t)i);
        if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > PROGRAM_NUMBERS_MOST)
            return false;
        shape->d[i] = json_integer_value(size);
    }
    return shape_check(shape, NULL);
}

static bool fits_type(double value, DType dtype)
{
    if (dtype == DTYPE_FLOAT32)
        return true;
    return value == floor(value) && (dtype == DTYPE_UINT8 ? value >= 0 && value <= 255 : fabs(value) <= 2147483647.0);
}

static bool read_values(Tensor *out, const char *text)
{
    for (int64_t i = 0, n = tensor_count(out); i < n; i++) {
        char *end;
        double value = strtod(text, &end);
        if (end == text || !fits_type(value, out->dtype))
            return false;
        tensor_set(out, i, value);
        text = end;
    }
    return !text[strspn(text, " ")];
}

static bool read_const(Program *p, json_t *in, size_t i, int64_t *numbers, Err *err)
{
    const char *dtype_text = json_string_value(json_object_get(in, "dtype")), *values = json_string_value(json_object_get(in, "values"));
    DType dtype;
    Shape shape;
    if (!dtype_text || !dtype_find(dtype_text, &dtype) || !values || !read_shape(json_object_get(in, "shape"), &shape))
        return bad(err, "a constant needs a type, a shape and values", i);
    *numbers += shape_count(&shape);
    if (*numbers > PROGRAM_NUMBERS_MOST)
        return bad(err, "its constants hold too many numbers", i);
    Tensor *out = &p->consts[i];
    if (!tensor_new(out, dtype, shape, err))
        return false;
    p->n_consts++;
    return read_values(out, values) || bad(err, "the values of a constant do not fit its type and shape", i);
}

static bool read_args(Args *args, json_t *in, const Op *op, Err *err)
{
    const char *key;
    json_t *value;
    args_init(args, op->args, op->n_args);
    json_object_foreach(in, key, value)
    {
        int row = args_find(args, key);
        if (row < 0 || !json_is_string(value))
            return err_set(err, ERR_DATA, "the list of ops is damaged: %s has no argument \"%.40s\" that is a text", op->name, key);
        if (!args_parse(args, row, json_string_value(value), op->name, err))
            return false;
    }
    return args_complete(args, op->name, err);
}

static bool read_terms(ProgramStep *step, json_t *in, size_t number, Err *err)
{
    size_t n = json_array_size(in);
    if (n > ARG_INTS_MOST)
        return bad(err, "a step has too many sizes that follow the batch", number);
    for (size_t i = 0; i < n; i++) {
        const char *name = NULL;
        int place = -1;
        json_int_t times = 0;
        bool fits = json_unpack(json_array_get(in, i), "[siI!]", &name, &place, &times) == 0;
        int arg = fits ? args_find(step->args, name) : -1;
        const ArgValue *value = arg >= 0 && step->args->v[arg].given ? &step->args->v[arg] : NULL;
        ArgType type = value ? step->args->specs[arg].type : ARG_TEXT;
        if (!(type == ARG_INT && place == 0) && !(type == ARG_INTS && place >= 0 && place < value->u.ints.n))
            return bad(err, "a size that follows the batch names no whole number of a step", number);
        step->terms[step->n_terms++] = (ProgramTerm){ arg, place, (int64_t)times };
    }
    return true;
}

static bool read_inputs(ProgramStep *step, json_t *in, int below, size_t number, Err *err)
{
    size_t n = json_array_size(in);
    if (n > OP_IN_MOST)
        return bad(err, "a step has too many inputs", number);
    for (size_t i = 0; i < n; i++) {
        json_t *value = json_array_get(in, i);
        json_int_t at = json_is_integer(value) ? json_integer_value(value) : -2;
        if (at < -1 || at >= below)
            return bad(err, "a step reads a value that is not in front of it", number);
        step->in[i] = (int)at;
    }
    step->n_in = (int)n;
    return true;
}

static bool read_step(Program *p, json_t *in, size_t number, Err *err)
{
    const char *name = json_string_value(json_object_get(in, "op"));
    ProgramStep *step = &p->steps[number];
    if (!name)
        return bad(err, "a step needs the name of its op", number);
    if (!(step->op = op_find(name, err)) || !(step->args = mem_alloc(1, sizeof *step->args, err)))
        return false;
    p->n_steps++;
    int below = p->n_in + p->n_params + p->n_consts + (int)number;
    return read_args(step->args, json_object_get(in, "args"), step->op, err) &&
           read_inputs(step, json_object_get(in, "in"), below, number, err) && read_terms(step, json_object_get(in, "batch"), number, err);
}

static bool read_all(Program *p, json_t *in, Err *err)
{
    json_t *consts = json_object_get(in, "consts"), *steps = json_object_get(in, "steps"), *out = json_object_get(in, "out");
    size_t n_consts = json_array_size(consts), n_steps = json_array_size(steps);
    int64_t numbers = 0;
    if (!json_is_array(consts) || !json_is_array(steps) || n_steps > PROGRAM_STEPS_MOST || n_consts > PROGRAM_STEPS_MOST * OP_IN_MOST)
        return bad(err, "it needs constants and steps, not more than there may be", 0);
    if (!(p->consts = mem_zero(n_consts + 1, sizeof *p->consts, err)) || !(p->steps = mem_zero(n_steps + 1, sizeof *p->steps, err)))
        return false;
    for (size_t i = 0; i < n_consts; i++)
        if (!read_const(p, json_array_get(consts, i), i, &numbers, err))
            return false;
    for (size_t i = 0; i < n_steps; i++)
        if (!read_step(p, json_array_get(steps, i), i, err))
            return false;
    json_int_t last = p->n_in + p->n_params + p->n_consts + p->n_steps;
    if (!json_is_integer(out) || json_integer_value(out) < 0 || json_integer_value(out) >= last)
        return bad(err, "what it gives is none of its values", 0);
    p->out = (int)json_integer_value(out);
    json_int_t whole = json_integer_value(json_object_get(in, "integer_in"));
    if (whole < 0 || whole >> p->n_in)
        return bad(err, "it has no such input", 0);
    p->integer_in = (unsigned)whole;
    return true;
}

Program *program_read(json_t *in, int n_in, int n_params, Err *err)
{
    Program *p = mem_zero(1, sizeof *p, err);
    if (!p)
        return NULL;
    atomic_init(&p->refs, 1);
    p->n_in = n_in;
    p->n_params = n_params;
    if (read_all(p, in, err))
        return p;
    program_unref(p);
    return NULL;
}
