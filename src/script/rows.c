// SPDX-License-Identifier: MIT
/* The walk over everything that has a descriptor. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "data/dataset.h"
#include "nn/init.h"
#include "nn/layer.h"
#include "script/bind_text.h"
#include "script/help.h"
#include "script/lib.h"
#include "train/compile.h"
#include "train/callback.h"
#include "train/schedule.h"

#define PATH 96

typedef struct Walk {
    HelpVisit visit;
    void *ctx;
} Walk;

const char *help_class(const char *class_name, const char *name, char out[HELP_CLASS])
{
    if (class_name)
        return class_name;
    size_t n = 0;
    bool up = true;
    for (; *name && n + 1 < HELP_CLASS; name++) {
        if (*name != '_')
            out[n++] = (char)(up ? toupper((unsigned char)*name) : *name);
        up = *name == '_';
    }
    out[n] = '\0';
    return out;
}

static bool give(const Walk *walk, const char *prefix, const char *shown, HelpRow row)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s%s", prefix, shown);
    row.path = path;
    return walk->visit(walk->ctx, &row);
}

static bool each_op(const Walk *walk)
{
    for (int i = 0; op_at(i); i++) {
        const Op *op = op_at(i);
        char values[160] = "";
        for (int k = 0; k < op->in_most && k < 4 && op->in_names && op->in_names[k]; k++) {
            size_t used = strlen(values);
            snprintf(values + used, sizeof values - used, "%s%s%s", k ? " " : "", op->in_names[k], k < op->in_least ? "" : "?");
        }
        HelpRow row = { .kind = "op",
                        .name = op->name,
                        .values = values,
                        .args = op->args,
                        .n_args = op->n_args,
                        .doc = op->doc,
                        .example = op->example };
        if (!give(walk, "op.", op->name, row))
            return false;
    }
    return true;
}

const char *help_layer_values(const LayerKind *kind, char out[HELP_VALUES])
{
    const char *first = kind->gives ? kind->gives : kind->wraps;
    snprintf(out, HELP_VALUES, "%s%s" HELP_LAYER_VALUES, first ? first : "", first ? " " : "");
    return out;
}

static bool each_layer(const Walk *walk)
{
    for (int i = 0; layer_at(i); i++) {
        const LayerKind *kind = layer_at(i);
        char values[HELP_VALUES];
        int n_rows;
        const ArgSpec *rows = layer_args(kind, &n_rows);
        HelpRow row = { .kind = "layer",
                        .name = kind->name,
                        .values = help_layer_values(kind, values),
                        .args = rows,
                        .n_args = n_rows,
                        .doc = kind->doc,
                        .example = kind->example };
        if (!give(walk, "nn.", kind->name, row))
            return false;
    }
    return true;
}

static bool each_training(const Walk *walk)
{
    char name[HELP_CLASS];
    for (int i = 0; optimizer_at(i); i++) {
        const OptimizerKind *o = optimizer_at(i);
        int n_args;
        const ArgSpec *args = optimizer_args(o, &n_args);
        if (!give(walk, "nn.", help_class(o->class_name, o->name, name),
                  (HelpRow){ .kind = "optimizer",
                             .name = o->name,
                             .args = args,
                             .n_args = n_args,
                             .doc = o->doc,
                             .example = o->example }))
            return false;
    }
    for (int i = 0; schedule_at(i); i++) {
        const Schedule *s = schedule_at(i);
        if (!give(walk, "nn.", help_class(NULL, s->name, name),
                  (HelpRow){ .kind = "schedule",
                             .name = s->name,
                             .args = s->args,
                             .n_args = s->n_args,
                             .doc = s->doc,
                             .example = s->example }))
            return false;
    }
    for (int i = 0; callback_at(i); i++) {
        const CallbackKind *c = callback_at(i);
        if (!give(walk, "nn.", help_class(c->class_name, c->name, name),
                  (HelpRow){ .kind = "callback",
                             .name = c->name,
                             .values = c->file,
                             .args = c->args,
                             .n_args = c->n_args,
                             .doc = c->doc,
                             .example = c->example }))
            return false;
    }
    for (int i = 0; loss_at(i); i++) {
        const Loss *l = loss_at(i);
        if (!give(
                walk, "nn.", help_class(l->class_name, l->name, name),
                (HelpRow){
                    .kind = "loss", .name = l->name, .args = l->args, .n_args = l->n_args, .doc = l->doc, .example = l->example }))
            return false;
    }
    for (int i = 0; metric_at(i); i++) {
        const Metric *m = metric_at(i);
        bool taken = loss_find(m->name, NULL) != NULL; /* Keras has both; nn.NAME is the loss, and serves as the metric too */
        if (!give(walk, taken ? "metric " : "nn.", taken ? m->name : help_class(m->class_name, m->name, name),
                  (HelpRow){ .kind = "metric",
                             .name = m->name,
                             .args = m->args,
                             .n_args = m->n_args,
                             .doc = m->doc,
                             .example = m->example }))
            return false;
    }
    for (int i = 0; init_at(i); i++)
        if (!give(walk, "initializer ", init_at(i)->name,
                  (HelpRow){ .kind = "initializer", .name = init_at(i)->name, .doc = init_at(i)->doc }))
            return false;
    return true;
}

static bool each_set(const Walk *walk)
{
    for (int i = 0; dataset_at(i); i++) {
        const DataSet *set = dataset_at(i);
        HelpRow row = { .kind = "data set",
                        .name = set->name,
                        .values = set->path,
                        .args = set->args,
                        .n_args = set->n_args,
                        .doc = set->doc,
                        .example = set->example };
        if (!give(walk, "data.", set->name, row))
            return false;
    }
    return true;
}

static bool each_tokenizer(const Walk *walk)
{
    char name[TEXT_CLASS];
    for (int i = 0; token_kind_at(i); i++) {
        const TokenKind *kind = token_kind_at(i);
        HelpRow row = { .kind = "tokenizer",
                        .name = kind->name,
                        .values = HELP_TOKENIZER_VALUES,
                        .args = kind->args,
                        .n_args = kind->n_args,
                        .doc = kind->doc,
                        .example = kind->example };
        if (!give(walk, "data.", text_class(kind, name), row))
            return false;
    }
    return true;
}

static bool each_verb(const Walk *walk, const char *prefix, const char *kind, const Verb *verbs, int n)
{
    for (int i = 0; i < n; i++) {
        HelpRow row = { .kind = kind,
                        .name = verbs[i].name,
                        .values = verbs[i].values,
                        .args = verbs[i].args,
                        .n_args = verbs[i].n_args,
                        .doc = verbs[i].doc,
                        .example = verbs[i].example };
        if (!give(walk, prefix, verbs[i].name, row))
            return false;
    }
    return true;
}

static bool each_object(const Walk *walk)
{
    for (int i = 0; bind_kinds[i]; i++) {
        const Kind *kind = bind_kinds[i];
        char prefix[48];
        if (!give(walk, "", kind->what, (HelpRow){ .kind = "object", .name = kind->what, .doc = kind->doc }))
            return false;
        snprintf(prefix, sizeof prefix, "%s:", kind->what);
        if (!each_verb(walk, prefix, "method", kind->methods, kind->n_methods))
            return false;
        snprintf(prefix, sizeof prefix, "%s.", kind->what);
        for (int k = 0; k < kind->n_fields; k++)
            if (!give(walk, prefix, kind->fields[k].name,
                      (HelpRow){ .kind = "field", .name = kind->fields[k].name, .doc = kind->fields[k].doc }))
                return false;
    }
    return true;
}

/* Comments "--- name(arguments): what" of the library in Lua; lines that begin with "---" go on. */
static bool each_lib(const Walk *walk)
{
    for (int i = 0; lib_at(i); i++) {
        const char *text = lib_at(i)->text;
        while ((text = strstr(text, "\n--- "))) {
            char path[PATH], doc[1500];
            size_t n = 0;
            text += 5;
            snprintf(path, sizeof path, "%.*s", (int)strcspn(text, "({: \n"), text);
            if (text[strlen(path)] == ':' && text[strlen(path) + 1] != ' ') /* a method: "run:plot(…)" */
                snprintf(path, sizeof path, "%.*s", (int)strcspn(text, "({ \n"), text);
            for (;;) {
                size_t line = strcspn(text, "\n");
                n += (size_t)snprintf(doc + n, sizeof doc - n, "%.*s\n", (int)line, text);
                text += line;
                if (n + 1 >= sizeof doc || strncmp(text, "\n---", 4))
                    break;
                text += 4 + (text[4] == ' ');
            }
            if (!give(walk, "", path, (HelpRow){ .kind = "function", .name = path, .doc = doc }))
                return false;
        }
    }
    return true;
}

bool help_each(HelpVisit visit, void *ctx)
{
    Walk walk = { visit, ctx };
    for (int i = 0; bind_groups[i]; i++)
        if (!each_verb(&walk, bind_groups[i]->prefix, "function", bind_groups[i]->verbs, bind_groups[i]->n_verbs))
            return false;
    return each_layer(&walk) && each_op(&walk) && each_training(&walk) && each_set(&walk) && each_tokenizer(&walk) && each_object(&walk) && each_lib(&walk);
}

void help_signature(Buf *out, const HelpRow *row)
{
    char name[32], kind;
    int n = 0;
    size_t start = out->size;
    for (const char *rest = row->values; (rest = bind_next_value(rest, name, &kind));)
        if (kind != '*')
            buf_printf(out, "%s%s%s", n++ ? ", " : "", name, kind == '?' ? " = nil" : "");
    Buf plain = BUF_INIT;
    args_signature(&plain, row->args, row->n_args);
    if (plain.size)
        buf_printf(out, "%s%s", out->size > start ? ", " : "", buf_text(&plain));
    buf_fini(&plain);
}
