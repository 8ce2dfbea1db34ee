// SPDX-License-Identifier: MIT
/* Help texts. A name is looked up as it stands ("nn.Dense"), then by its last part ("Dense", "fit"), so that both work. */
#include "script/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "script/bind.h"

#define FOUND_MOST 6

static const char overview[] =
    "hebb: networks in Lua. A first one:\n"
    "\n"
    "  digits = data.digits()\n"
    "  model = nn.Sequential()\n"
    "  model:add(nn.Rescaling(1/16, {input_shape = {8, 8, 1}}))\n"
    "  model:add(nn.Flatten())\n"
    "  model:add(nn.Dense(64, \"relu\"))\n"
    "  model:add(nn.Dense(10, \"softmax\"))\n"
    "  model:compile{optimizer = \"adam\", loss = \"sparse_categorical_crossentropy\", metrics = {\"accuracy\"}}\n"
    "  run = model:fit(digits.x, digits.y, {epochs = 20, validation_split = 0.2})\n"
    "  model:evaluate(digits.test.x, digits.test.y)\n"
    "\n"
    "While it trains: run:pause()  run:step(1)  run.learning_rate = 1e-4  run:resume()  run:rewind(3)  run:wait()\n"
    "\n"
    "?NAME or help(\"NAME\") explains; lists: ?layers  ?ops  ?losses  ?optimizers  ?schedules  ?metrics  ?initializers  ?datasets\n"
    "objects: ?model  ?run  ?layer  ?tensor  ?dataset; also ?counting  ?prompt  ?callbacks\n";

/* What is no thing but a matter. */
static const char *const topics[][2] = {
    { "counting", "Elements count as everywhere in Lua: t[1] is the first, and the end of t:slice(2, 5) is included.\n"
                  "Axes count as in Keras: 0 is the first (the batch), -1 the last.\n"
                  "Labels, token numbers, argmax and gather are values and begin at 0. Epochs and steps count from 1.\n" },
    { "prompt",
      "An expression prints its value; `;` at the end keeps it quiet; `_` is the last value.\n"
      "?NAME explains, Tab completes, $ COMMAND runs a command of the shell, :WORD is for the screen (:theme dark, :quit).\n"
      "Ctrl-C ends what Lua is doing; it never ends a training. run:stop() does.\n" },
    { "callbacks", "fit(x, y, {callbacks = {cb}}) takes tables of functions with Keras's names:\n"
                   "  on_train_begin(logs, run)         on_train_end(logs, run)\n"
                   "  on_epoch_begin(epoch, logs, run)  on_epoch_end(epoch, logs, run)\n"
                   "  on_train_batch_begin(batch, logs, run), on_train_batch_end(batch, logs, run); also on_batch_begin, on_batch_end\n"
                   "  of validation: on_test_begin(logs, run), on_test_batch_begin(batch, logs, run), on_test_batch_end, on_test_end(logs, run)\n"
                   "evaluate(x, y, {callbacks = cb}) calls those of on_test_…, predict(x, {callbacks = cb}) on_predict_begin, on_predict_batch_begin,\n"
                   "on_predict_batch_end(batch, {outputs = y}) and on_predict_end; without a run behind their arguments.\n"
                   "logs holds the metrics by name; epochs and batches count from 1. model.stop_training = true ends the run.\n"
                   "Built in, in the same list: nn.EarlyStopping{patience = 3} and others; ?builtin_callbacks lists them. They come before those\n"
                   "in Lua, never wait for Lua, and their state goes back with run:rewind.\n"
                   "An error in a callback pauses the run at the prompt and ends it in a script.\n" },
};

static const char *const lists[][2] = {
    /* topic, kind of row */
    { "layers", "layer" },
    { "ops", "op" },
    { "op", "op" },
    { "losses", "loss" },
    { "optimizers", "optimizer" },
    { "schedules", "schedule" },
    { "metrics", "metric" },
    { "builtin_callbacks", "callback" },
    { "initializers", "initializer" },
    { "datasets", "data set" },
};

/* ---- one thing ---- */

static bool starts_with_signature(const HelpRow *row)
{
    const char *last = strrchr(row->path, '.');
    last = last ? last + 1 : row->path;
    size_t n = strlen(last);
    if (!strncmp(row->doc, "nn.", 3) || !strncmp(row->doc, "data.", 5))
        return true;
    size_t own = strlen(row->name);
    if (!strncmp(row->doc, row->name, own) && strchr("( :", row->doc[own]))
        return true;
    return !strncmp(row->doc, last, n) && row->doc[n] == '(';
}

/* The first sentence; it may go on in the next line, which begins with a small letter or something quoted then. */
static size_t sentence_size(const char *doc)
{
    size_t i = 0;
    for (; doc[i]; i++) {
        if (doc[i] == '\n' && !islower((unsigned char)doc[i + 1]) && doc[i + 1] != '`' && doc[i + 1] != '"')
            break;
        if (doc[i] == '.' && (doc[i + 1] == '\n' || (isspace((unsigned char)doc[i + 1]) && !islower((unsigned char)doc[i + 2]))))
            return i + 1;
    }
    return i;
}

/* The first sentence of a doc, without the signature that some begin with. */
static void add_brief(Buf *out, const HelpRow *row)
{
    const char *doc = row->doc, *colon = starts_with_signature(row) ? doc + strcspn(doc, ")\n") : NULL;
    colon = starts_with_signature(row) ? strstr(*colon == ')' ? colon : doc, ": ") : NULL;
    if (colon && (size_t)(colon - doc) < strcspn(doc, "\n"))
        doc = colon + 2;
    else if (colon || starts_with_signature(row))
        doc += strcspn(doc, "\n") + (strchr(doc, '\n') != NULL);
    for (size_t n = sentence_size(doc), i = 0; i < n; i++)
        buf_put(out, doc[i] == '\n' ? ' ' : doc[i]);
}

/* What a signature leaves out: the values that are given only by name. */
static void add_named(Buf *out, const HelpRow *row)
{
    char name[32], kind;
    int n = 0;
    for (const char *rest = row->values; (rest = bind_next_value(rest, name, &kind));)
        if (kind == '*')
            buf_printf(out, "%s%s", n++ ? ", " : row->n_args ? "  also by name: " : "\nArguments by name: ", name);
    if (n)
        buf_printf(out, "%s\n", strcmp(row->kind, "layer") ? "" : " (the shape of one sample, for the first layer)");
}

/* An example, whose lines stand in the same column. */
static void add_example(Buf *out, const char *line)
{
    buf_puts(out, "\nExample:\n");
    for (size_t n; *line; line += n + (line[n] == '\n')) {
        bool more = line[0] == ' ' && line[1] == ' '; /* these are indented already */
        n = strcspn(line, "\n");
        buf_printf(out, "%s%.*s\n", more ? "" : "  ", (int)n, line);
    }
}

static void write_row(Buf *out, const HelpRow *row)
{
    bool callable = strcmp(row->kind, "field") && strcmp(row->kind, "object") && strcmp(row->kind, "initializer");
    if (callable && strcmp(row->kind, "function") && starts_with_signature(row)) {
        buf_printf(out, "%s, %s %s\n", row->path, strchr("aeiou", *row->kind) ? "an" : "a", row->kind);
    } else if (callable && !starts_with_signature(row)) {
        buf_printf(out, "%s(", row->path);
        help_signature(out, row);
        buf_puts(out, ")\n");
    } else if (!callable) {
        buf_printf(out, "%s, %s %s\n", row->path, strchr("aeiou", *row->kind) ? "an" : "a", row->kind);
    }
    buf_puts(out, row->doc);
    if (row->doc[0] && row->doc[strlen(row->doc) - 1] != '\n')
        buf_put(out, '\n');
    if (row->n_args) {
        buf_puts(out, "\nArguments:\n");
        args_help(out, row->args, row->n_args);
    }
    add_named(out, row);
    if (row->example)
        add_example(out, row->example);
}

/* ---- search ---- */

typedef struct Look {
    const char *name;
    Buf *out;
    int n_found;
    const char *kind; /* listing rows of this kind; NULL: looking for a name */
    bool last_part;   /* compare the last part of the path, or the record's name */
    NameSearch search;
    char best[96];
} Look;

static const char *last_part(const char *path)
{
    const char *last = path + strlen(path);
    while (last > path && !strchr(".: ", last[-1]))
        last--;
    return last;
}

static bool same_path(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a == '.' || *a == ':') && (*b == '.' || *b == ':')))
            return false;
    return *a == *b;
}

static void offer(Look *look, const char *known)
{
    const char *before = look->search.best;
    name_offer(&look->search, known);
    if (look->search.best != before) { /* the row is gone after the visit */
        snprintf(look->best, sizeof look->best, "%s", known);
        look->search.best = look->best;
    }
}

static bool visit_name(void *ctx, const HelpRow *row)
{
    Look *look = ctx;
    bool hit = look->last_part ? !strcmp(last_part(row->path), look->name) || !strcmp(row->name, look->name)
                               : same_path(row->path, look->name);
    offer(look, strpbrk(look->name, ".:") ? row->path : last_part(row->path));
    if (!hit || look->n_found >= FOUND_MOST)
        return true;
    if (look->n_found++)
        buf_puts(look->out, "\n");
    write_row(look->out, row);
    return !look->last_part ? false : true;
}

static bool visit_list(void *ctx, const HelpRow *row)
{
    Look *look = ctx;
    if (strcmp(row->kind, look->kind))
        return true;
    look->n_found++;
    buf_printf(look->out, "  %-28s ", strchr(row->path, ' ') ? last_part(row->path) : row->path);
    add_brief(look->out, row);
    buf_put(look->out, '\n');
    return true;
}

/* Rows of a table ("nn", "tensor") or object: those whose path begins with its name. */
static bool visit_members(void *ctx, const HelpRow *row)
{
    Look *look = ctx;
    size_t n = strlen(look->name);
    if (strncmp(row->path, look->name, n) || (row->path[n] != '.' && row->path[n] != ':'))
        return true;
    look->n_found++;
    Buf line = BUF_INIT;
    buf_puts(&line, row->path);
    if (!strcmp(row->kind, "function") || !strcmp(row->kind, "method")) {
        buf_put(&line, '(');
        help_signature(&line, row);
        buf_put(&line, ')');
    }
    const char *text = buf_text(&line);
    buf_printf(look->out, strlen(text) <= 28 ? "  %-28s " : "  %s\n                               ", text);
    buf_fini(&line);
    add_brief(look->out, row);
    buf_put(look->out, '\n');
    return true;
}

static bool write_topic(const char *name, Buf *out)
{
    if (!*name) {
        buf_puts(out, overview);
        return true;
    }
    for (int i = 0; i < COUNT_OF(topics); i++)
        if (!strcmp(topics[i][0], name)) {
            buf_puts(out, topics[i][1]);
            return true;
        }
    for (int i = 0; i < COUNT_OF(lists); i++)
        if (!strcmp(lists[i][0], name)) {
            Look look = { .name = name, .out = out, .kind = lists[i][1] };
            help_each(visit_list, &look);
            return true;
        }
    return false;
}

bool script_help(const char *name, Buf *out, Err *err)
{
    char word[96];
    name += strspn(name, " \t\r\n?");
    size_t n = strlen(name);
    while (n && (isspace((unsigned char)name[n - 1]) || strchr("?()", name[n - 1])))
        n--;
    snprintf(word, sizeof word, "%.*s", (int)(n < 90 ? n : 90), name);
    if (write_topic(word, out))
        return true;
    Look look = { .name = word, .out = out };
    name_search(&look.search, word);
    help_each(visit_name, &look);
    if (!look.n_found) {
        look.last_part = true;
        help_each(visit_name, &look);
    }
    Look members = { .name = word, .out = out };
    if (look.n_found <= 1)
        help_each(visit_members, &members);
    if (look.n_found || members.n_found)
        return true;
    char hint[96];
    return err_set(err, ERR_NAME, "nothing is known about \"%s\"%s; help() says where to begin", word,
                   name_hint(&look.search, hint));
}

/* ---- in Lua ---- */

/* help(thing): a name, a function or object of hebb, one of its tables, or nothing. */
static int lua_help(lua_State *L)
{
    Err err = ERR_INIT;
    const char *name = "";
    lua_remove(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING)
        name = lua_tostring(L, 1);
    else if (bind_kind_of(L, 1))
        name = bind_kind_of(L, 1)->what;
    else if (!lua_isnoneornil(L, 1) && !(name = bind_find_name(L, 1)))
        return bind_error(L, ERR_NAME, "there is no help for this %s; help(\"name\") takes a name", luaL_typename(L, 1));
    Buf *out = bind_buf(L);
    if (!script_help(name, out, &err))
        return bind_raise(L, &err);
    bind_push_buf(L, out);
    size_t n;
    const char *text = lua_tolstring(L, -1, &n);
    script_say(script_of(L), SAY_OUT, text, n);
    return 0;
}

typedef struct Collect {
    lua_State *L;
    int n;
    bool examples;
} Collect;

static bool collect(void *ctx, const HelpRow *row)
{
    Collect *all = ctx;
    lua_State *L = all->L;
    if (all->examples && !row->example)
        return true;
    lua_createtable(L, 0, 3);
    lua_pushstring(L, row->path);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, row->kind);
    lua_setfield(L, -2, "kind");
    if (row->example) {
        lua_pushstring(L, row->example);
        lua_setfield(L, -2, "code");
    }
    lua_rawseti(L, -2, ++all->n);
    return true;
}

static int help_rows(lua_State *L)
{
    Collect all = { .L = L, .examples = lua_toboolean(L, lua_upvalueindex(2)) };
    luaL_checkstack(L, 6, NULL);
    lua_newtable(L);
    help_each(collect, &all);
    return 1;
}

static const Verb verbs[] = {
    { "examples", help_rows, NULL, NULL, 0, "All examples: a list of {name, kind, code}.", "assert(#help.examples() > 10)" },
    { "names", help_rows, NULL, NULL, 0, "All names that help knows: a list of {name, kind}.", "assert(#help.names() > 10)" },
};
const VerbGroup help_group = { "help.", verbs, COUNT_OF(verbs) };

void help_open(lua_State *L)
{
    bind_module(L, "help");
    for (int i = 0; i < COUNT_OF(verbs); i++) {
        lua_pushlightuserdata(L, (void *)&verbs[i]);
        lua_pushboolean(L, i == 0);
        lua_pushcclosure(L, help_rows, 2);
        lua_setfield(L, -2, verbs[i].name);
    }
    lua_getmetatable(L, -1);
    lua_pushcfunction(L, lua_help);
    lua_setfield(L, -2, "__call");
    lua_pop(L, 2);
}
