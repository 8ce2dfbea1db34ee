// SPDX-License-Identifier: MIT
#include "ui/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/canvas.h"
#include "ui/number.h"

#define BAR 20 /* columns */

static bool is_share(const char *name)
{
    return strstr(name, "accuracy") != NULL;
}

/* "  loss 0.0912"; values that are not known are left out. */
static void value_put(Buf *out, const char *prefix, const char *name, double value)
{
    char text[NUMBER_ROOM];
    if (isnan(value) && *prefix)
        return;
    const char *number = is_share(name) && !isnan(value) ? number_percent(text, value) : number_value(text, value);
    number += strspn(number, " ");
    buf_printf(out, "  %s%s %s", prefix, name, number);
}

static void epoch_put(Buf *out, const TelePlan *plan, const TeleNow *now, int epoch)
{
    char last[16];
    int digits = snprintf(last, sizeof last, "%d", telemetry_last_epoch(plan, now));
    buf_printf(out, "epoch %*d/%s", digits, epoch, last);
}

static void bar_put(Buf *out, double share, bool unicode)
{
    int done = share >= 1 ? BAR : share > 0 ? (int)(share * BAR) : 0;
    buf_puts(out, unicode ? " " : " [");
    for (int i = 0; i < BAR; i++)
        buf_puts(out, i < done ? (unicode ? "━" : "=") : i == done && !unicode ? ">" : unicode ? "─" : ".");
    buf_puts(out, unicode ? "" : "]");
}

/* Keep the part that was just added if the line still fits. */
static bool keep(Buf *out, size_t start, size_t *good, int columns)
{
    if (out->failed || canvas_width(buf_text(out) + start) > columns) {
        if (!out->failed)
            out->size = *good;
        return false;
    }
    *good = out->size;
    return true;
}

void progress_now(Buf *out, const TelePlan *plan, const TeleNow *now, int columns, bool unicode)
{
    size_t start = out->size, good = start;
    char steps[NUMBER_ROOM], done[NUMBER_ROOM], text[NUMBER_ROOM];
    number_group(steps, plan->steps_per_epoch);
    epoch_put(out, plan, now, now->epoch);
    buf_printf(out, "  %*s/%s", (int)strlen(steps), number_group(done, now->step_in_epoch), steps);
    if (!keep(out, start, &good, columns))
        return;
    double share = plan->steps_per_epoch > 0 ? (double)now->step_in_epoch / (double)plan->steps_per_epoch : 0;
    if (columns >= 60)
        bar_put(out, share, unicode);
    if (!keep(out, start, &good, columns))
        return;
    if (now->state != RUN_TRAINING)
        buf_printf(out, "  %s", run_state_name(now->state));
    for (int i = 0; i < plan->n_metrics; i++) {
        value_put(out, "", plan->metrics[i], now->metrics[i]);
        if (!keep(out, start, &good, columns))
            return;
    }
    buf_printf(out, "  %9s", number_rate(text, now->rate));
    if (!keep(out, start, &good, columns))
        return;
    buf_printf(out, "  %s left", number_time(text, now->left_s));
    (void)keep(out, start, &good, columns);
}

void progress_epoch(Buf *out, const TelePlan *plan, const TeleNow *now, const Fact *fact)
{
    char text[NUMBER_ROOM];
    epoch_put(out, plan, now, fact->epoch);
    buf_printf(out, "  %s s", number_fixed(text, fact->epoch_s, fact->epoch_s < 10 ? 2 : 1));
    for (int i = 0; i < plan->n_metrics; i++)
        value_put(out, "", plan->metrics[i], fact->metrics[i]);
    for (int i = 0; plan->validates && i < plan->n_metrics; i++)
        value_put(out, "val_", plan->metrics[i], fact->validation[i]);
    buf_printf(out, "  lr %s", number_plain(text, fact->learning_rate));
}

void progress_event(Buf *out, const Fact *fact)
{
    char text[NUMBER_ROOM];
    buf_printf(out, "epoch %d, step %s: %s", fact->epoch, number_group(text, fact->step), *fact->text ? fact->text : fact->label);
}

void progress_end(Buf *out, const TelePlan *plan, const TeleNow *now)
{
    char text[NUMBER_ROOM];
    int epochs = now->epoch - plan->first_epoch + (now->state == RUN_FINISHED);
    buf_printf(out, "%s: %d epoch%s in %s, seed %llu", run_state_name(now->state), epochs, epochs == 1 ? "" : "s",
               number_time(text, now->train_s), (unsigned long long)plan->seed);
    if (*now->reason)
        buf_printf(out, "; %s", now->reason);
}
