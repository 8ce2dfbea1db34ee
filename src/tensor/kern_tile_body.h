// SPDX-License-Identifier: MIT
/* Included by kern_tile.c once for each level, with
 *   TILE_NAME(x)  the function's name at this level
 *   TILE_TARGET   the attribute that allows its instructions
 *   TILE_VECTOR   bytes of a register
 *   TILE_ROWS     rows whose sums fit into the registers, at most 12
 * No guard: it is meant to be included several times. */

typedef real TILE_NAME(Vec) __attribute__((vector_size(TILE_VECTOR)));
typedef real TILE_NAME(Loose) __attribute__((vector_size(TILE_VECTOR), aligned(sizeof(real)), may_alias));

#define VEC TILE_NAME(Vec)
#define LOOSE TILE_NAME(Loose)
#define LANES ((int)(TILE_VECTOR / sizeof(real)))
#define PARTS (TILE_WIDTH / LANES)

TILE_TARGET KERN_INLINE void TILE_NAME(give)(real *y, const VEC sum[PARTS], int64_t width, bool add)
{
    if (width == TILE_WIDTH) {
        for (int p = 0; p < PARTS; p++) {
            VEC old = { 0 };
            if (add)
                old = *(LOOSE *)(y + p * LANES);
            *(LOOSE *)(y + p * LANES) = old + sum[p];
        }
        return;
    }
    real part[TILE_WIDTH];
    memcpy(part, sum, sizeof part);
    for (int64_t f = 0; f < width; f++)
        y[f] = add ? y[f] + part[f] : part[f];
}

/* rows is a constant wherever this is inlined: the sums become registers. */
TILE_TARGET KERN_INLINE void TILE_NAME(line_rows)(int rows, const TileLine *t, real *y, const real *a, const real *b)
{
    VEC sum[TILE_ROWS][PARTS];
    int64_t step = t->step, run = t->run, ldb = t->ldb;
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < PARTS; p++)
            sum[i][p] = (VEC){ 0 };
    for (int64_t u = 0; u < t->n_lines; u++)
        for (int64_t v = 0; v < t->n_taps; v++) {
            const real *from = a + u * t->line + v * t->tap;
            for (int64_t j = 0; j < run; j++, b += ldb) {
                VEC w[PARTS];
                for (int p = 0; p < PARTS; p++)
                    w[p] = *(const LOOSE *)(b + p * LANES);
                for (int i = 0; i < rows; i++)
                    for (int p = 0; p < PARTS; p++)
                        sum[i][p] += from[i * step + j] * w[p];
            }
        }
    for (int i = 0; i < rows; i++, y += t->ldy)
        TILE_NAME(give)(y, sum[i], t->width, t->add);
}

TILE_TARGET KERN_INLINE void TILE_NAME(sum_rows)(int rows, const TileSum *t, real *out, const real *a, const real *b)
{
    VEC sum[TILE_ROWS][PARTS];
    int64_t step = t->step, ldb = t->ldb, n = t->n;
    for (int i = 0; i < rows; i++)
        for (int p = 0; p < PARTS; p++)
            sum[i][p] = (VEC){ 0 };
    for (int64_t row = 0; row < t->n_images * t->n_rows; row++) {
        const real *from = a + row / t->n_rows * t->a_image + row % t->n_rows * t->a_row;
        for (int64_t k = 0; k < n; k++, from += step, b += ldb) {
            VEC w[PARTS];
            for (int p = 0; p < PARTS; p++)
                w[p] = *(const LOOSE *)(b + p * LANES);
            for (int i = 0; i < rows; i++)
                for (int p = 0; p < PARTS; p++)
                    sum[i][p] += from[i] * w[p];
        }
    }
    for (int i = 0; i < rows; i++, out += t->ldsum)
        TILE_NAME(give)(out, sum[i], t->width, true);
}

/* Even groups rather than full ones and a rest: a group of one row waits for its own sums. */
#define EACH_COUNT(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12)

TILE_TARGET static void TILE_NAME(line)(const TileLine *t, real *y, const real *a, const real *b)
{
    int64_t groups = (t->n + TILE_ROWS - 1) / TILE_ROWS, done = 0;
    for (int64_t g = 0; g < groups; g++) {
        int64_t rows = t->n / groups + (g < t->n % groups);
        switch (rows) {
#define DO(r) \
    case r: \
        if (r <= TILE_ROWS) \
            TILE_NAME(line_rows)(r <= TILE_ROWS ? r : 1, t, y + done * t->ldy, a + done * t->step, b); \
        break;
            EACH_COUNT(DO)
#undef DO
        }
        done += rows;
    }
}

TILE_TARGET static void TILE_NAME(sum)(const TileSum *t, real *sum, const real *a, const real *b)
{
    int64_t groups = (t->run + TILE_ROWS - 1) / TILE_ROWS, done = 0;
    for (int64_t g = 0; g < groups; g++) {
        int64_t rows = t->run / groups + (g < t->run % groups);
        switch (rows) {
#define DO(r) \
    case r: \
        if (r <= TILE_ROWS) \
            TILE_NAME(sum_rows)(r <= TILE_ROWS ? r : 1, t, sum + done * t->ldsum, a + done, b); \
        break;
            EACH_COUNT(DO)
#undef DO
        }
        done += rows;
    }
}

#undef VEC
#undef LOOSE
#undef LANES
#undef PARTS
#undef EACH_COUNT
#undef TILE_NAME
#undef TILE_TARGET
#undef TILE_VECTOR
#undef TILE_ROWS
