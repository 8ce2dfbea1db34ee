// SPDX-License-Identifier: MIT
/* A row lies on the present line of history until a later row comes with the same or an earlier step: then the run has been
 * rewound to before it. */
#include "ui/epochs.h"

#include "base/mem.h"

void epochs_init(Epochs *epochs, int n_metrics)
{
    *epochs = (Epochs){ .n_metrics = n_metrics };
}

void epochs_fini(Epochs *epochs)
{
    mem_free(epochs->steps);
    mem_free(epochs->values);
    mem_free(epochs->left);
    mem_free(epochs->marks);
    *epochs = (Epochs){ 0 };
}

/* The three arrays grow one by one; a failure in between leaves some of them larger than needed, which does no harm. */
static bool grow_rows(Epochs *epochs)
{
    size_t room = epochs->room ? 2 * epochs->room : 64;
    int64_t *steps = mem_grow(epochs->steps, room, sizeof *steps, NULL);
    epochs->steps = steps ? steps : epochs->steps;
    float *values = steps ? mem_grow(epochs->values, room, 2 * (size_t)epochs->n_metrics * sizeof *values, NULL) : NULL;
    epochs->values = values ? values : epochs->values;
    bool *left = values ? mem_grow(epochs->left, room, sizeof *left, NULL) : NULL;
    epochs->left = left ? left : epochs->left;
    if (left)
        epochs->room = room;
    return left != NULL;
}

static bool add_row(Epochs *epochs, const Fact *fact)
{
    if (epochs->n == epochs->room && !grow_rows(epochs))
        return false;
    for (size_t i = epochs->n; i > 0 && (epochs->left[i - 1] || epochs->steps[i - 1] >= fact->step); i--)
        epochs->left[i - 1] = true;
    size_t at = epochs->n++;
    float *values = epochs->values + 2 * at * (size_t)epochs->n_metrics;
    epochs->steps[at] = fact->step;
    epochs->left[at] = false;
    for (int i = 0; i < epochs->n_metrics; i++) {
        values[i] = (float)fact->metrics[i];
        values[epochs->n_metrics + i] = (float)fact->validation[i];
    }
    return true;
}

static bool add_mark(Epochs *epochs, size_t fact)
{
    if (epochs->n_marks == epochs->marks_room) {
        size_t room = epochs->marks_room ? 2 * epochs->marks_room : 16;
        size_t *marks = mem_grow(epochs->marks, room, sizeof *marks, NULL);
        if (!marks)
            return false;
        epochs->marks = marks;
        epochs->marks_room = room;
    }
    epochs->marks[epochs->n_marks++] = fact;
    return true;
}

void epochs_fetch(Epochs *epochs, const Telemetry *tele)
{
    size_t n = telemetry_facts(tele);
    for (; epochs->seen < n; epochs->seen++) {
        const Fact *fact = telemetry_fact(tele, epochs->seen);
        if (fact->kind == FACT_EPOCH && !add_row(epochs, fact))
            return;
        if (fact->kind == FACT_EVENT && fact->by_user && !add_mark(epochs, epochs->seen))
            return;
    }
}
