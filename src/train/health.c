// SPDX-License-Identifier: MIT
/* The thresholds are rules of thumb, wide enough that a network which learns shows no mark: an update of about a thousandth of
 * the weights is usual (Karpathy's lecture on makemore, part 3); relu units that are zero for a whole batch get no gradient. */
#include "train/health.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BINS 16

static float number(double value)
{
    return isfinite(value) ? (float)value : NAN;
}

void health_measure(TeleLayer *row, const Tensor *value, bool relu, unsigned char *dead_flags)
{
    int64_t n = tensor_count(value), units = value->shape.rank > 0 ? value->shape.d[value->shape.rank - 1] : 1;
    const real *x = tensor_real(value);
    double sum = 0, squares = 0, low = HUGE_VAL, high = -HUGE_VAL;
    int64_t counts[BINS] = { 0 }, n_dead = 0;
    memset(dead_flags, 1, (size_t)units);
    for (int64_t i = 0, u = 0; i < n; i++, u = u + 1 < units ? u + 1 : 0) {
        double v = (double)x[i];
        sum += v;
        squares += v * v;
        low = v < low ? v : low;
        high = v > high ? v : high;
        if (v != 0)
            dead_flags[u] = 0;
    }
    double mean = n ? sum / (double)n : 0, variance = n ? squares / (double)n - mean * mean : 0;
    row->mean = number(mean);
    row->deviation = number(sqrt(variance > 0 ? variance : 0));
    double scale = high > low && isfinite(high - low) ? BINS / (high - low) : 0;
    for (int64_t i = 0; i < n; i++) {
        int bin = scale > 0 && isfinite((double)x[i]) ? (int)(((double)x[i] - low) * scale) : 0;
        counts[bin < 0 ? 0 : bin < BINS ? bin : BINS - 1]++;
    }
    for (int i = 0; i < BINS; i++)
        row->histogram[i] = n ? (float)counts[i] / (float)n : 0;
    for (int64_t u = 0; u < units; u++)
        n_dead += dead_flags[u];
    row->dead = relu ? (float)n_dead / (float)units : -1;
}

/* One row's verdict; what is wrong and what helps into text. */
static Health judge(const TeleLayer *row, char text[200])
{
    const char *name = row->name;
    text[0] = 0;
    if (!isfinite(row->mean) || !isfinite(row->deviation)) {
        snprintf(text, 200, "%s gives NaN or infinity; lower the learning rate, scale the inputs", name);
        return HEALTH_TROUBLE;
    }
    if (row->dead >= 0.4f) {
        snprintf(text, 200, "%s: %.0f %% of its units never fire; lower the learning rate, or use leaky_relu", name, 100 * (double)row->dead);
        return row->dead >= 0.9f ? HEALTH_TROUBLE : HEALTH_WATCH;
    }
    if (row->update > 0.1f) {
        snprintf(text, 200, "%s: one step changes its weights by %.0f %%; lower the learning rate", name, 100 * (double)row->update);
        return row->update > 0.5f ? HEALTH_TROUBLE : HEALTH_WATCH;
    }
    if (row->gradient >= 0 && row->gradient < 1e-9f) {
        snprintf(text, 200, "%s gets almost no gradient; a normalisation, another activation or fewer layers above it help", name);
        return HEALTH_WATCH;
    }
    if (row->update >= 0 && row->update < 1e-7f) {
        snprintf(text, 200, "%s hardly changes (%.0e of its weights a step); raise the learning rate", name, (double)row->update);
        return HEALTH_WATCH;
    }
    if (row->deviation == 0 && row->n_params > 0) {
        snprintf(text, 200, "%s gives the same value for every sample; look at its inputs and its activation", name);
        return HEALTH_WATCH;
    }
    return HEALTH_GOOD;
}

void health_judge(TeleLayers *layers)
{
    Health worst = HEALTH_GOOD;
    layers->advice[0] = 0;
    for (int i = 0; i < layers->n; i++) {
        char text[200];
        layers->rows[i].health = judge(&layers->rows[i], text);
        if (layers->rows[i].health > worst) { /* of equals the one nearest to the data: troubles spread upward */
            worst = layers->rows[i].health;
            snprintf(layers->advice, sizeof layers->advice, "%s", text);
        }
    }
}
