// SPDX-License-Identifier: MIT
/* What a confusion matrix says about its classes. Pure functions over a picture, any thread. */
#ifndef UI_FIGURES_H
#define UI_FIGURES_H

#include "train/telemetry.h"

/* Precision = right / said, recall = right / was, F1 = 2 right / (said + was). NaN where the denominator is 0: nothing was
 * said, or nothing was there. */
typedef struct Figures {
    double precision, recall, f1;
} Figures;

Figures figures_of(const TeleConfusion *data, int class);

/* The classes with the lowest F1, lowest first; classes without one are left out. Returns how many, 0 when memory is out. */
int figures_worst(const TeleConfusion *data, int out[], int most);

/* The most frequent mistakes, most frequent first, as places in counts. */
int figures_mistakes(const TeleConfusion *data, size_t out[], int most);

#endif
