// SPDX-License-Identifier: MIT
/* Sequences of numbers as rows: filled to one length, cut into windows, with words hidden. Any thread. */
#ifndef DATA_SEQUENCE_H
#define DATA_SEQUENCE_H

#include "tensor/tensor.h"

/* One sequence into row `row` of out [n, length]: too long ones lose their beginning (cut_front) or end, short ones stand at the end
 * (fill_front) or the beginning; the rest of the row is left as it is. Cannot fail. */
void sequence_place(Tensor *out, int64_t row, const Tensor *sequence, bool fill_front, bool cut_front);

/* How windows lie over the rows of a series [T] or [T, F]: window i holds rows i * stride … + length - 1, and its target the `horizon`
 * rows that begin `gap` rows behind the window's end (gap 0: right behind it; negative: within it). */
typedef struct WindowPlan {
    int64_t length, horizon, stride, gap;
} WindowPlan;

/* How many windows of the plan fit into T rows; 0: none. */
int64_t window_count(const WindowPlan *plan, int64_t T);

/* Windows of rows as a tensor [n, length, …]: where the windows do not overlap and leave no gap it is a view of the series, else a
 * copy. offset: rows between a window's start and the first row that is taken. Fails: ERR_MEM. */
MUST_USE bool window_take(Tensor *out, const Tensor *series, int64_t n, int64_t offset, int64_t length, int64_t stride, Err *err);

/* Hide words for a masked language model: of the tokens that are no special ones a share `rate` is chosen; of these 80 % become the
 * mask token, 10 % a random token, 10 % stay. chosen: 1 where a word was chosen, else 0 (float32). Element i depends on
 * (seed, step, i) alone. Source: Devlin et al. 2018, section 3.1. */
typedef struct HidePlan {
    double rate;
    int32_t mask_id, first_id, vocab_size; /* random tokens are first_id … vocab_size - 1 */
    const int32_t *special;                /* ids that are never hidden */
    int n_special;
    uint64_t seed, step;
} HidePlan;
MUST_USE bool sequence_hide(const Tensor *ids, const HidePlan *plan, Tensor *x, Tensor *chosen, Err *err);

#endif
