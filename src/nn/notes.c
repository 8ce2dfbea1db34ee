// SPDX-License-Identifier: MIT
/* Texts that travel with a model. Few, so a sorted list: files with the same notes have the same bytes. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "nn/graph.h"

static void note_free(ModelNote *note)
{
    mem_free(note->text);
    mem_free(note);
}

void notes_free(Model *model)
{
    while (model->notes) {
        ModelNote *next = model->notes->next;
        note_free(model->notes);
        model->notes = next;
    }
}

const char *model_note(const Model *model, const char *name)
{
    for (const ModelNote *note = model->notes; note; note = note->next)
        if (!strcmp(note->name, name))
            return note->text;
    return NULL;
}

bool model_set_note(Model *model, const char *name, const char *text, Err *err)
{
    ModelNote **at = &model->notes, *note = NULL;
    if (strlen(name) >= sizeof note->name)
        return err_set(err, ERR_ARG, "a note's name has at most %zu characters, got \"%.60s\"", sizeof note->name - 1, name);
    if (text) {
        note = mem_zero(1, sizeof *note, err);
        if (!note || !(note->text = mem_copy_text(text, err))) {
            mem_free(note);
            return false;
        }
        snprintf(note->name, sizeof note->name, "%s", name);
    }
    while (*at && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    ModelNote *old = *at && !strcmp((*at)->name, name) ? *at : NULL;
    ModelNote *rest = old ? old->next : *at;
    if (note)
        note->next = rest;
    *at = note ? note : rest;
    if (old)
        note_free(old);
    return true;
}

bool model_copy_notes(Model *to, const Model *from, Err *err)
{
    for (const ModelNote *note = from->notes; note; note = note->next)
        if (!model_set_note(to, note->name, note->text, err))
            return false;
    return true;
}
