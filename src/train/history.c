// SPDX-License-Identifier: MIT
/* The rows of epochs that a run's telemetry holds, without those of abandoned branches. */
#include <string.h>

#include "train/saved.h"

/* Backward: a row lives if no later rewind went back behind it. */
int history_rows(Telemetry *tele, size_t n_facts, const Fact **rows, int most)
{
    int n = 0, first = most;
    int64_t limit = INT64_MAX;
    for (size_t i = n_facts; i-- > 0;) {
        const Fact *fact = telemetry_fact(tele, i);
        if (fact->kind == FACT_EVENT && !strcmp(fact->label, "rewind") && fact->step < limit)
            limit = fact->step;
        if (fact->kind != FACT_EPOCH || fact->step > limit)
            continue;
        limit = fact->step - 1;
        if (first > 0)
            rows[--first] = fact; /* from the back: the newest `most` */
        n++;
    }
    if (first > 0 && n > 0)
        memmove(rows, rows + first, (size_t)(most - first) * sizeof *rows);
    return n;
}

int run_history(Run *run, const Fact **rows, int most)
{
    return history_rows(run->tele, telemetry_facts(run->tele), rows, most);
}
