// SPDX-License-Identifier: MIT
/* Tracing walks the graph depth first, inputs in their order, so that two traces of one function give the same list whatever the
 * size of the batch. The walk keeps its stack in an array: chains may be long. */
#include "nn/program.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "nn/ops.h"

/* ---- life ---- */

Program *program_ref(Program *program)
{
    if (program)
        atomic_fetch_add_explicit(&program->refs, 1, memory_order_relaxed);
    return program;
}

void program_unref(Program *program)
{
    if (!program || atomic_fetch_sub_explicit(&program->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (int i = 0; i < program->n_consts; i++)
        tensor_unref(&program->consts[i]);
    for (int i = 0; i < program->n_steps; i++)
        mem_free(program->steps[i].args);
    mem_free(program->consts);
    mem_free(program->steps);
    mem_free(program);
}

/* ---- from a graph ---- */

/* The Vars found so far, those of earlier ones in front; note points to a Var's place in `number`. */
typedef struct Walk {
    Var **found, **stack; /* owned */
    int *number;          /* owned: value number of found[i] */
    int n_found, n_stack, room;
    int n_steps;
} Walk;

static bool reserve(Walk *walk, Err *err)
{
    int room = walk->room ? 2 * walk->room : 64;
    Var **found = mem_grow(walk->found, (size_t)room, sizeof *found, err);
    if (!found)
        return false;
    walk->found = found;
    Var **stack = mem_grow(walk->stack, (size_t)room * OP_IN_MOST, sizeof *stack, err);
    if (!stack)
        return false;
    walk->stack = stack;
    walk->room = room;
    return true;
}

static bool add_found(Walk *walk, Var *var, Err *err)
{
    if (walk->n_found == walk->room && !reserve(walk, err))
        return false;
    walk->found[walk->n_found++] = var;
    var->note = walk;
    return true;
}

static bool is_result(const Var *var)
{
    const Args *args;
    Var *const *in;
    int n_in;
    return var_made_by(var, &args, &in, &n_in) != NULL;
}

/* Push the inputs of var that were not found yet, the first on top. False: none, it can be added itself. */
static bool push_inputs(Walk *walk, const Var *var)
{
    const Args *args;
    Var *const *in;
    int n_in, before = walk->n_stack;
    if (!var->traced || !var_made_by(var, &args, &in, &n_in))
        return false; /* what does not come from a stand-in is a constant, however it was made */
    for (int i = n_in - 1; i >= 0; i--)
        if (in[i] && in[i]->note != walk)
            walk->stack[walk->n_stack++] = in[i];
    return walk->n_stack > before;
}

/* The stack holds a path and, beside it, what waits: at most OP_IN_MOST for each Var on the path, none of which is found. */
static bool find_all(Walk *walk, Var *out, Err *err)
{
    if (!walk->room && !reserve(walk, err))
        return false;
    walk->stack[walk->n_stack++] = out;
    while (walk->n_stack > 0) {
        Var *top = walk->stack[walk->n_stack - 1];
        if (walk->n_stack + OP_IN_MOST > walk->room * OP_IN_MOST && !reserve(walk, err))
            return false;
        if (top->note != walk && push_inputs(walk, top))
            continue;
        walk->n_stack--;
        if (top->note != walk && !add_found(walk, top, err))
            return false;
    }
    return true;
}

static bool keep_const(Program *p, Var *var, int64_t *numbers, Err *err)
{
    char text[SHAPE_TEXT];
    *numbers += tensor_count(&var->value);
    if (*numbers > PROGRAM_NUMBERS_MOST)
        return err_set(err, ERR_ARG, "the function uses a tensor of shape %s from outside; at most %d numbers can be kept with it: make "
                       "it an input, or a weight of nn.layer", shape_text(&var->value.shape, text), PROGRAM_NUMBERS_MOST);
    if (!tensor_copy(&p->consts[p->n_consts], &var->value, err))
        return false;
    p->n_consts++;
    return true;
}

static Args *copy_args(const Args *args, Err *err)
{
    size_t size = offsetof(Args, v) + (size_t)args->n * sizeof(ArgValue);
    Args *copy = mem_alloc(size, 1, err);
    if (copy)
        memcpy(copy, args, size);
    return copy;
}

static int place_of(const Walk *walk, const Var *var)
{
    for (int i = 0; i < walk->n_found; i++)
        if (walk->found[i] == var)
            return walk->number[i];
    return -1;
}

static bool keep_step(Program *p, const Walk *walk, const Var *var, Err *err)
{
    const Args *args;
    Var *const *in;
    ProgramStep *step = &p->steps[p->n_steps];
    step->op = var_made_by(var, &args, &in, &step->n_in);
    if (!(step->args = copy_args(args, err)))
        return false;
    p->n_steps++;
    for (int i = 0; i < step->n_in; i++)
        step->in[i] = in[i] ? place_of(walk, in[i]) : -1;
    return true;
}

typedef struct Ends {
    Var *const *in, *const *params;
} Ends;

/* Numbers for inputs, parameters and constants; the constants are kept. */
static bool number_leaves(Program *p, Walk *walk, const Ends *ends, Err *err)
{
    int64_t numbers = 0;
    const int first = p->n_in + p->n_params;
    for (int i = 0; i < walk->n_found; i++) {
        Var *var = walk->found[i];
        walk->number[i] = -1;
        for (int k = 0; k < first; k++)
            if (var == (k < p->n_in ? ends->in[k] : ends->params[k - p->n_in]))
                walk->number[i] = k;
        bool made = var->traced && walk->number[i] < 0;
        if (made && !is_result(var))
            return err_set(err, ERR_ARG, "the function uses a value of another traced call; only its own inputs count");
        walk->n_steps += made;
        if (made || walk->number[i] >= 0)
            continue;
        walk->number[i] = first + p->n_consts;
        if (!keep_const(p, var, &numbers, err))
            return false;
    }
    if (walk->n_steps > PROGRAM_STEPS_MOST)
        return err_set(err, ERR_ARG, "the function is composed of %d ops; at most %d can be traced", walk->n_steps, PROGRAM_STEPS_MOST);
    return true;
}

static bool fill(Program *p, Walk *walk, const Ends *ends, Err *err)
{
    size_t n = (size_t)walk->n_found;
    if (!(walk->number = mem_alloc(n, sizeof *walk->number, err)) || !(p->consts = mem_zero(n, sizeof *p->consts, err)) ||
        !number_leaves(p, walk, ends, err) || !(p->steps = mem_zero((size_t)walk->n_steps + 1, sizeof *p->steps, err)))
        return false;
    for (int i = 0; i < walk->n_found; i++)
        if (walk->number[i] < 0) {
            if (!keep_step(p, walk, walk->found[i], err))
                return false;
            walk->number[i] = p->n_in + p->n_params + p->n_consts + p->n_steps - 1;
        }
    p->out = walk->number[walk->n_found - 1];
    return true;
}

Program *program_of(Var *out, Var *const *in, int n_in, Var *const *params, int n_params, Err *err)
{
    Walk walk = { 0 };
    Ends ends = { in, params };
    Program *p = mem_zero(1, sizeof *p, err);
    if (p) {
        atomic_init(&p->refs, 1);
        p->n_in = n_in;
        p->n_params = n_params;
        for (int i = 0; i < n_in; i++)
            p->integer_in |= in[i]->value.dtype == DTYPE_INT32 ? 1u << i : 0;
    }
    bool done = p && find_all(&walk, out, err) && fill(p, &walk, &ends, err);
    for (int i = 0; i < walk.n_found; i++)
        walk.found[i]->note = NULL;
    mem_free(walk.found);
    mem_free(walk.stack);
    mem_free(walk.number);
    if (done)
        return p;
    program_unref(p);
    return NULL;
}

/* ---- the batch ---- */

/* The whole numbers of an argument, in place; NULL for other types. */
static int64_t *whole_numbers(const Args *args, int i, int *n)
{
    ArgValue *v = (ArgValue *)(uintptr_t)&args->v[i];
    *n = args->specs[i].type == ARG_INTS ? v->u.ints.n : 1;
    return args->specs[i].type == ARG_INTS ? v->u.ints.v : args->specs[i].type == ARG_INT ? &v->u.i : NULL;
}

static bool same_floats(const ArgValue *a, const ArgValue *b)
{
    bool same = a->u.floats.n == b->u.floats.n;
    for (int i = 0; same && i < a->u.floats.n; i++)
        same = !memcmp(&a->u.floats.v[i], &b->u.floats.v[i], sizeof(double));
    return same;
}

static bool same_value(const Args *a, const Args *b, int i)
{
    const ArgValue *x = &a->v[i], *y = &b->v[i];
    if (!x->given || !y->given)
        return x->given == y->given;
    switch (a->specs[i].type) {
    case ARG_INT:
    case ARG_CHOICE:
        return x->u.i == y->u.i;
    case ARG_FLOAT:
        return !memcmp(&x->u.f, &y->u.f, sizeof x->u.f);
    case ARG_BOOL:
        return x->u.b == y->u.b;
    case ARG_INTS:
        return x->u.ints.n == y->u.ints.n && !memcmp(x->u.ints.v, y->u.ints.v, (size_t)x->u.ints.n * sizeof(int64_t));
    case ARG_FLOATS:
        return same_floats(x, y);
    case ARG_TEXT:
        return !strcmp(x->u.text, y->u.text);
    }
    return false;
}

static bool same_tensor(const Tensor *a, const Tensor *b)
{
    return a->dtype == b->dtype && shape_same(&a->shape, &b->shape) && !memcmp(a->data, b->data, tensor_size(a));
}

static bool same_wiring(const ProgramStep *a, const ProgramStep *b)
{
    return a->op == b->op && a->n_in == b->n_in && !memcmp(a->in, b->in, (size_t)a->n_in * sizeof *a->in);
}

static bool refuse_batch(Err *err, const char *what)
{
    return err_set(err, ERR_ARG, "the function does something else for another size of the batch, or each time it is called: %s differs; "
                   "a traced function composes the same ops always (x.shape[1] is the batch: -1 in reshape, mean() and the like do "
                   "without it; random numbers come from op.dropout, nn.GaussianNoise)", what);
}

/* Same ops on the same values, same constants. */
static bool check_alike(const Program *a, const Program *b, Err *err)
{
    bool same = a->n_steps == b->n_steps && a->n_consts == b->n_consts && a->out == b->out;
    for (int i = 0; same && i < a->n_steps; i++)
        same = same_wiring(&a->steps[i], &b->steps[i]);
    if (!same)
        return refuse_batch(err, "the list of ops");
    for (int i = 0; i < a->n_consts; i++)
        if (!same_tensor(&a->consts[i], &b->consts[i]))
            return refuse_batch(err, "a number or tensor that it uses");
    return true;
}

/* Argument i of a step: numbers that differ become terms, and all stand for a batch of one. */
static bool settle_arg(ProgramStep *step, int i, int64_t p_batch, const Args *other, int64_t q_batch, Err *err)
{
    int n, n_other;
    int64_t *v = whole_numbers(step->args, i, &n), *w = whole_numbers(other, i, &n_other);
    if (same_value(step->args, other, i))
        return true;
    if (!v || n != n_other || !step->args->v[i].given || !other->v[i].given)
        return refuse_batch(err, step->args->specs[i].name);
    for (int k = 0; k < n; k++) {
        int64_t rise = w[k] - v[k], run = q_batch - p_batch;
        if (rise == 0)
            continue;
        if (rise % run != 0 || step->n_terms == ARG_INTS_MOST)
            return refuse_batch(err, step->args->specs[i].name);
        step->terms[step->n_terms++] = (ProgramTerm){ i, k, rise / run };
        v[k] -= rise / run * (p_batch - 1);
    }
    return true;
}

/* The arguments of a step for this batch: its own, or *own filled. */
static const Args *args_for(const ProgramStep *step, int64_t batch, Args *own, Err *err)
{
    if (step->n_terms == 0)
        return step->args;
    memcpy(own, step->args, offsetof(Args, v) + (size_t)step->args->n * sizeof(ArgValue));
    for (int i = 0; i < step->n_terms; i++) {
        int n;
        double numbers[ARG_INTS_MOST];
        int64_t *v = whole_numbers(own, step->terms[i].arg, &n);
        int64_t *at = &v[step->terms[i].place];
        *at = (int64_t)((uint64_t)*at + (uint64_t)step->terms[i].times * (uint64_t)(batch - 1));
        for (int k = 0; k < n; k++)
            numbers[k] = (double)v[k];
        bool last = i + 1 == step->n_terms || step->terms[i + 1].arg != step->terms[i].arg;
        bool done = !last || (own->specs[step->terms[i].arg].type == ARG_INT
                                  ? args_set_number(own, step->terms[i].arg, numbers[0], step->op->name, err)
                                  : args_set_numbers(own, step->terms[i].arg, numbers, n, step->op->name, err));
        if (!done)
            return NULL;
    }
    return own;
}

static bool agrees(const Program *p, const Program *r, int64_t batch, Err *err)
{
    Args own;
    if (!check_alike(p, r, err))
        return false;
    for (int i = 0; i < p->n_steps; i++) {
        const Args *args = args_for(&p->steps[i], batch, &own, err);
        for (int k = 0; args && k < args->n; k++)
            if (!same_value(args, r->steps[i].args, k))
                return refuse_batch(err, args->specs[k].name);
        if (!args)
            return false;
    }
    return true;
}

bool program_settle(Program *p, int64_t p_batch, const Program *q, int64_t q_batch, const Program *r, int64_t r_batch, Err *err)
{
    if (!check_alike(p, q, err))
        return false;
    for (int i = 0; i < p->n_steps; i++)
        for (int k = 0; k < p->steps[i].args->n; k++)
            if (!settle_arg(&p->steps[i], k, p_batch, q->steps[i].args, q_batch, err))
                return false;
    return agrees(p, r, r_batch, err);
}

static bool same_terms(const ProgramStep *a, const ProgramStep *b)
{
    bool same = a->n_terms == b->n_terms;
    for (int i = 0; same && i < a->n_terms; i++)
        same = a->terms[i].arg == b->terms[i].arg && a->terms[i].place == b->terms[i].place && a->terms[i].times == b->terms[i].times;
    return same;
}

bool program_same(const Program *a, const Program *b)
{
    bool same = a == b || (a->n_in == b->n_in && a->n_params == b->n_params && a->integer_in == b->integer_in && check_alike(a, b, NULL));
    for (int i = 0; same && a != b && i < a->n_steps; i++) {
        same = same_terms(&a->steps[i], &b->steps[i]);
        for (int k = 0; same && k < a->steps[i].args->n; k++)
            same = same_value(a->steps[i].args, b->steps[i].args, k);
    }
    return same;
}

/* ---- running ---- */

static Node *enter(Tape *tape, Node *in, Err *err)
{
    Args args;
    if (in->value.dtype == DTYPE_FLOAT32)
        return in;
    args_init(&args, op_cast.args, op_cast.n_args);
    return args_set_text(&args, 0, "float32", "cast", err) ? tape_op(tape, &op_cast, &in, 1, &args, err) : NULL;
}

static Node *run_step(const ProgramStep *step, Tape *tape, Node *const *values, int64_t batch, Err *err)
{
    Node *in[OP_IN_MOST];
    Args own;
    for (int i = 0; i < step->n_in; i++)
        in[i] = step->in[i] < 0 ? NULL : values[step->in[i]];
    const Args *args = args_for(step, batch, &own, err);
    return args ? tape_op(tape, step->op, in, step->n_in, args, err) : NULL;
}

Node *program_run(const Program *p, Tape *tape, Node *const *in, Node *const *params, Err *err)
{
    const int first = p->n_in + p->n_params;
    int n = 0, n_values = first + p->n_consts + p->n_steps;
    Node **values = arena_alloc(&tape->arena, (size_t)n_values * sizeof(Node *), err);
    int64_t batch = in[0]->value.shape.rank > 0 ? in[0]->value.shape.d[0] : 1;
    for (bool more = values != NULL; more && n < n_values; n += more) {
        if (n < p->n_in)
            values[n] = p->integer_in >> n & 1 ? in[n] : enter(tape, in[n], err);
        else if (n < first)
            values[n] = params[n - p->n_in];
        else if (n < first + p->n_consts)
            values[n] = tape_input(tape, &p->consts[n - first], err);
        else
            values[n] = run_step(&p->steps[n - first - p->n_consts], tape, values, batch, err);
        more = values[n] != NULL;
    }
    return values && n == n_values ? values[p->out] : NULL;
}
