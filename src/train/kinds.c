// SPDX-License-Identifier: MIT
/* The tables of losses and metrics. */
#include <string.h>

#include "base/name.h"
#include "train/compile.h"

#define ROW(name) extern const Loss loss_##name;
#include "gen/losses.h"
#undef ROW
#define ROW(name) extern const Metric metric_##name;
#include "gen/metrics.h"
#undef ROW

static const Loss *const losses[] = {
#define ROW(name) &loss_##name,
#include "gen/losses.h"
#undef ROW
    NULL,
};

static const Metric *const metrics[] = {
#define ROW(name) &metric_##name,
#include "gen/metrics.h"
#undef ROW
    NULL,
};

const Loss *loss_at(int i)
{
    return i >= 0 && i < (int)(sizeof losses / sizeof losses[0]) ? losses[i] : NULL;
}

const Metric *metric_at(int i)
{
    return i >= 0 && i < (int)(sizeof metrics / sizeof metrics[0]) ? metrics[i] : NULL;
}

static bool named(const char *name, const char *full, const char *brief)
{
    return !strcmp(name, full) || (brief && !strcmp(name, brief));
}

const Loss *loss_find(const char *name, Err *err)
{
    NameSearch search;
    name_search(&search, name);
    for (int i = 0; losses[i]; i++) {
        if (named(name, losses[i]->name, losses[i]->short_name))
            return losses[i];
        name_offer(&search, losses[i]->name);
    }
    char hint[96];
    err_set(err, ERR_NAME, "there is no loss \"%s\"%s", name, name_hint(&search, hint));
    return NULL;
}

const Metric *metric_find(const char *name, Err *err)
{
    NameSearch search;
    name_search(&search, name);
    for (int i = 0; metrics[i]; i++) {
        if (named(name, metrics[i]->name, metrics[i]->short_name))
            return metrics[i];
        name_offer(&search, metrics[i]->name);
    }
    char hint[96];
    err_set(err, ERR_NAME, "there is no metric \"%s\"%s", name, name_hint(&search, hint));
    return NULL;
}
