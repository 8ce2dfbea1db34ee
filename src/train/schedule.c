// SPDX-License-Identifier: MIT
#include "train/schedule.h"

#include <string.h>

#include "base/name.h"

#define ROW(name) extern const Schedule schedule_##name;
#include "gen/schedules.h"
#undef ROW

static const Schedule *const table[] = {
#define ROW(name) &schedule_##name,
#include "gen/schedules.h"
#undef ROW
    NULL,
};

const Schedule *schedule_at(int i)
{
    int n = (int)(sizeof table / sizeof *table) - 1;
    return i >= 0 && i < n ? table[i] : NULL;
}

const Schedule *schedule_find(const char *name, Err *err)
{
    NameSearch search;
    char hint[96];
    name_search(&search, name);
    for (int i = 0; table[i]; i++) {
        if (!strcmp(table[i]->name, name))
            return table[i];
        name_offer(&search, table[i]->name);
    }
    err_set(err, ERR_NAME, "no schedule \"%s\"%s", name, name_hint(&search, hint));
    return NULL;
}
