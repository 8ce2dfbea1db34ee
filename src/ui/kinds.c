// SPDX-License-Identifier: MIT
/* Which charts a run has. Metrics whose names end in the same word are of one kind ("loss", "left_loss", "right_loss";
 * "d_loss", "g_loss") and stand together in one chart, before each of them alone; the learning rate comes last. Nothing is
 * known of the names but where their last word begins. */
#include <stdio.h>
#include <string.h>

#include "ui/curves.h"

#define MOST_VIEWS (2 * TELE_METRICS + 1)
_Static_assert(MOST_VIEWS <= DASH_AXES, "each chart has an axis of its own");

const char *kinds_word(const char *name)
{
    const char *word = strrchr(name, '_');
    return word && word[1] ? word + 1 : name;
}

static int first_of_kind(const TelePlan *plan, int metric)
{
    for (int i = 0; i < metric; i++)
        if (strcmp(kinds_word(plan->metrics[i]), kinds_word(plan->metrics[metric])) == 0)
            return i;
    return metric;
}

/* The kind's members from `metric` on, as many as fit; how many more there are beyond. */
static CurveView together(const TelePlan *plan, int metric, int *more)
{
    CurveView view = { .axis = TELE_METRICS + 1 + metric };
    int kind = first_of_kind(plan, metric);
    *more = 0;
    snprintf(view.title, sizeof view.title, "%s", kinds_word(plan->metrics[metric]));
    for (int i = metric; i < plan->n_metrics; i++) {
        if (first_of_kind(plan, i) != kind)
            continue;
        if (view.n < CURVES_MOST)
            view.metrics[view.n++] = i;
        else
            ++*more;
    }
    return view;
}

static CurveView alone(const TelePlan *plan, int metric)
{
    CurveView view = { .n = 1, .metrics = { metric }, .axis = metric };
    snprintf(view.title, sizeof view.title, "%s", metric < plan->n_metrics ? plan->metrics[metric] : "learning rate");
    return view;
}

/* All charts of a kind whose first is `metric`. */
static int add_kind(const TelePlan *plan, int metric, CurveView *out)
{
    int n = 0, more = 0, from = metric;
    CurveView all = together(plan, metric, &more);
    if (all.n > 1)
        out[n++] = all;
    while (more > 0) { /* more than a chart holds: the rest in another */
        for (int k = 0; k < CURVES_MOST; from++)
            k += first_of_kind(plan, from) == metric;
        while (first_of_kind(plan, from) != metric)
            from++;
        out[n++] = together(plan, from, &more);
    }
    for (int i = metric; i < plan->n_metrics; i++)
        if (first_of_kind(plan, i) == metric)
            out[n++] = alone(plan, i);
    return n;
}

/* All charts; the first that is not of the first metric's kind in *other. */
static int list_views(const TelePlan *plan, CurveView views[MOST_VIEWS], int *other)
{
    int n = 0;
    *other = 0;
    for (int i = 0; i < plan->n_metrics; i++) {
        if (first_of_kind(plan, i) != i)
            continue;
        if (i > 0 && *other == 0)
            *other = n;
        n += add_kind(plan, i, views + n);
    }
    views[n++] = alone(plan, plan->n_metrics);
    *other = *other ? *other : n - 1;
    return n;
}

void kinds_view(const DashState *dash, bool second, CurveView *out, int *at, int *n)
{
    CurveView views[MOST_VIEWS];
    int other;
    *n = list_views(telemetry_plan(dash->tele), views, &other);
    *at = ((dash->turned[second] + (second ? other : 0)) % *n + *n) % *n;
    *out = views[*at];
}

int kinds_second(const TelePlan *plan)
{
    CurveView views[MOST_VIEWS];
    int other, n = list_views(plan, views, &other);
    return other < n - 1 ? views[other].metrics[0] : -1;
}
