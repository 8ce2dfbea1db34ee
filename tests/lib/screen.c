// SPDX-License-Identifier: MIT
#include "screen.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

#define STEPS 108 /* an epoch */
#define EPOCHS 20

static const char *const digit_names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };

/* A three, 8 x 8, 0 … 16 as in the digits that ship. */
static const uint8_t three[64] = {
    0, 2, 13, 16, 15, 5, 0, 0, 0, 9, 12, 6, 14, 12, 0, 0, 0, 0, 0, 1, 15, 9, 0, 0, 0, 0, 4, 13, 15, 2, 0, 0,
    0, 0, 3, 12, 16, 10, 0, 0, 0, 0, 0, 0, 6, 16, 3, 0, 0, 6, 7, 5, 11, 16, 3, 0, 0, 3, 14, 16, 14, 6, 0, 0,
};

static double loss_at(double epoch)
{
    return 0.055 + 2.25 * exp(-epoch / 1.6) + 0.12 * exp(-epoch / 9);
}

static double valid_at(double epoch)
{
    return 0.12 + 2.2 * exp(-epoch / 1.8) + 0.0035 * epoch;
}

static void add_epochs(Telemetry *tele, double done, bool classes)
{
    Rng rng;
    rng_init(&rng, 7, RNG_TEST, 1);
    for (int64_t step = 1; step <= (int64_t)(done * STEPS); step++) {
        double epoch = (double)step / STEPS, noise = rng_normal(&rng), loss = loss_at(epoch) * exp((0.1 + 0.15 * epoch / (1 + epoch)) * noise);
        double hits = floor(32 * (1 - 0.42 * loss_at(epoch)) - 0.8 * noise + 0.5);
        double metrics[TELE_METRICS] = { loss, classes ? (hits > 32 ? 32 : hits < 0 ? 0 : hits) / 32 : sqrt(loss) };
        telemetry_add_step(tele, step, metrics, epoch < 6 ? 1e-3 : 5e-4);
        if (step == 6 * STEPS + 30) {
            Fact mark = { .kind = FACT_EVENT, .epoch = 7, .step = step, .by_user = true, .label = "lr 0.0005", .text = "learning rate 5e-4" };
            telemetry_add_fact(tele, &mark);
        }
        if (step % STEPS)
            continue;
        Fact fact = { .kind = FACT_EPOCH, .epoch = (int)(step / STEPS), .step = step };
        for (int i = 0; i < TELE_METRICS; i++)
            fact.metrics[i] = fact.validation[i] = (double)NAN;
        fact.validation[0] = valid_at(epoch) * (1 + 0.02 * noise);
        fact.validation[1] = classes ? 1 - 0.4 * fact.validation[0] * (fact.validation[0] < 0.5 ? 0.5 : 1) : sqrt(fact.validation[0]);
        if (fact.validation[1] < 0)
            fact.validation[1] = 0.05;
        telemetry_add_fact(tele, &fact);
    }
}

static void add_now(Telemetry *tele, double done, bool classes)
{
    TeleNow now = { .state = done > 0 ? RUN_TRAINING : RUN_WAITING, .epoch = 1 + (int)done, .step = (int64_t)(done * STEPS) };
    now.step_in_epoch = now.step % STEPS;
    now.learning_rate = done < 6 ? 1e-3 : 5e-4;
    now.rate = done > 0 ? 41236 : 0;
    now.left_s = done > 0 ? (EPOCHS - done) : -1;
    now.snapshot_bytes = 5800000;
    now.snapshot_budget = 256000000;
    now.n_snapshots = (int)done;
    for (int i = 0; i < TELE_METRICS; i++)
        now.metrics[i] = now.validation[i] = (double)NAN;
    if (done > 0)
        now.metrics[0] = loss_at(done);
    if (done > 0)
        now.metrics[1] = classes ? 1 - 0.14 * loss_at(done) : sqrt(loss_at(done));
    for (size_t n = telemetry_facts(tele), i = 0; i < n; i++)
        if (telemetry_fact(tele, i)->kind == FACT_EPOCH)
            memcpy(now.validation, telemetry_fact(tele, i)->validation, sizeof now.validation);
    telemetry_set_now(tele, &now);
}

static void add_layers(Telemetry *tele)
{
    static const struct {
        const char *name, *kind, *shape;
        int64_t params;
        float dead, gradient;
        Health health;
    } rows[] = {
        { "rescaling", "Rescaling", "8x8x1", 0, -1, -1, HEALTH_GOOD },
        { "conv2d", "Conv2D", "8x8x16", 160, 0, 0.0123f, HEALTH_GOOD },
        { "batch_normalization", "BatchNormalization", "8x8x16", 64, 0, 0.0071f, HEALTH_GOOD },
        { "conv2d_1", "Conv2D", "8x8x32", 4640, 0.02f, 0.0031f, HEALTH_GOOD },
        { "max_pooling2d", "MaxPooling2D", "4x4x32", 0, -1, -1, HEALTH_GOOD },
        { "flatten", "Flatten", "512", 0, -1, -1, HEALTH_GOOD },
        { "dense", "Dense", "64", 32832, 0.41f, 0.00042f, HEALTH_TROUBLE },
        { "dropout", "Dropout", "64", 0, -1, -1, HEALTH_UNKNOWN },
        { "dense_1", "Dense", "10", 650, -1, 0.0214f, HEALTH_WATCH },
    };
    int n = sizeof rows / sizeof rows[0];
    TeleLayers *layers = telemetry_picture_new(tele, PICTURE_LAYERS, sizeof *layers + (size_t)n * sizeof(TeleLayer));
    assert_non_null(layers);
    memset(layers, 0, sizeof *layers + (size_t)n * sizeof(TeleLayer));
    layers->n = n;
    snprintf(layers->advice, sizeof layers->advice, "dense: 41 %% of its units never fire; lower the learning rate, or use leaky_relu");
    for (int i = 0; i < n; i++) {
        TeleLayer *row = &layers->rows[i];
        snprintf(row->name, sizeof row->name, "%s", rows[i].name);
        snprintf(row->kind, sizeof row->kind, "%s", rows[i].kind);
        snprintf(row->shape, sizeof row->shape, "%s", rows[i].shape);
        row->n_params = row->n_trainable = rows[i].params;
        row->dead = rows[i].dead;
        row->gradient = rows[i].gradient;
        row->health = rows[i].health;
        for (int k = 0; k < 16; k++)
            row->histogram[k] = (float)(rows[i].dead > 0.3f ? exp(-k / 1.5) : exp(-(k - 5 - i % 4) * (k - 5 - i % 4) / 9.0));
    }
    telemetry_set_picture(tele, PICTURE_LAYERS, layers);
}

static void name_class(char out[TELE_NAME], int i, int n)
{
    static const char *const animals[] = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck" };
    if (n == 10)
        snprintf(out, TELE_NAME, "%s", digit_names[i]);
    else
        snprintf(out, TELE_NAME, "%s %d", animals[i % 10], i / 10);
}

static void add_confusion(Telemetry *tele, int n)
{
    size_t cells = (size_t)n * (size_t)n, head = (sizeof(TeleConfusion) + 63) / 64 * 64;
    char *block = telemetry_picture_new(tele, PICTURE_CONFUSION, head + cells * sizeof(uint32_t) + (size_t)n * TELE_NAME);
    assert_non_null(block);
    TeleConfusion *c = (TeleConfusion *)block;
    *c = (TeleConfusion){ .epoch = 13, .validation = true, .n = n };
    c->counts = (uint32_t *)(block + head);
    c->labels = (char(*)[TELE_NAME])(block + head + cells * sizeof(uint32_t));
    Rng rng;
    rng_init(&rng, 7, RNG_TEST, 2);
    for (int i = 0; i < n; i++) {
        name_class(c->labels[i], i, n);
        for (int j = 0; j < n; j++) {
            uint64_t dice = rng_below(&rng, 100);
            uint32_t count = i == j ? 70 + (uint32_t)(dice % 10) : dice < 4 ? 1 : dice < 6 ? 2 : dice == 6 ? 4 : 0;
            c->counts[i * n + j] = count;
            c->total += count;
            c->right += i == j ? count : 0;
        }
    }
    telemetry_set_picture(tele, PICTURE_CONFUSION, c);
}

/* Maps: the digit under small random filters, then relu, as a convolution would show it. */
static void fill_maps(TeleProbe *p)
{
    Rng rng;
    rng_init(&rng, 7, RNG_TEST, 3);
    for (int k = 0; k < p->n_maps; k++) {
        float kernel[9], *map = p->maps + k * 64, most = 0;
        for (int i = 0; i < 9; i++)
            kernel[i] = 0.2f + (float)rng_normal(&rng);
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++) {
                float sum = k % 11 == 7 ? -9 : -0.3f;
                for (int i = 0; i < 9; i++) {
                    int yy = y + i / 3 - 1, xx = x + i % 3 - 1;
                    if (yy >= 0 && yy < 8 && xx >= 0 && xx < 8)
                        sum += kernel[i] * p->input[8 * yy + xx];
                }
                map[8 * y + x] = sum > 0 ? sum : 0;
                most = sum > most ? sum : most;
            }
        for (int i = 0; i < 64 && most > 0; i++)
            map[i] /= most;
        p->low[k] = 0;
        p->high[k] = most;
    }
}

static void add_probe(Telemetry *tele, int n)
{
    int maps = 32;
    size_t floats = 64 + (size_t)maps * 66 + (size_t)n, head = (sizeof(TeleProbe) + 63) / 64 * 64;
    char *block = telemetry_picture_new(tele, PICTURE_PROBE, head + floats * sizeof(float) + (size_t)n * TELE_NAME);
    assert_non_null(block);
    TeleProbe *p = (TeleProbe *)block;
    *p = (TeleProbe){ .layer = 3, .n_layers = 9, .sample = 16, .n_samples = 382, .label = n > 3 ? 3 : -1, .n_classes = n, .in_h = 8, .in_w = 8,
                      .in_c = 1, .n_maps = maps, .h = 8, .w = 8 };
    snprintf(p->layer_name, sizeof p->layer_name, "conv2d_1");
    p->input = (float *)(block + head);
    p->maps = p->input + 64;
    p->low = p->maps + 64 * maps;
    p->high = p->low + maps;
    p->chances = n ? p->high + maps : NULL;
    p->labels = n ? (char(*)[TELE_NAME])(p->chances + n) : NULL;
    for (int i = 0; i < 64; i++)
        p->input[i] = (float)three[i] / 16;
    for (int i = 0; i < n; i++) {
        p->chances[i] = i == 3 ? 0.931f : i == 9 % n ? 0.048f : i == 8 % n ? 0.012f : 0.009f / (float)n;
        name_class(p->labels[i], i, n);
    }
    fill_maps(p);
    telemetry_set_picture(tele, PICTURE_PROBE, p);
}

void screen_set_probe(Telemetry *tele, int in, int channels, int maps, int h, int w)
{
    size_t pixels = (size_t)in * (size_t)in * (size_t)channels, cells = (size_t)maps * (size_t)h * (size_t)w;
    size_t head = (sizeof(TeleProbe) + 63) / 64 * 64;
    char *block = telemetry_picture_new(tele, PICTURE_PROBE, head + (pixels + cells + 2 * (size_t)maps) * sizeof(float));
    assert_non_null(block);
    TeleProbe *p = (TeleProbe *)block;
    *p = (TeleProbe){ .layer = 6, .n_layers = 9, .n_samples = 10, .label = -1, .in_h = in, .in_w = in, .in_c = channels, .n_maps = maps, .h = h, .w = w };
    snprintf(p->layer_name, sizeof p->layer_name, maps == 1 && h == 1 ? "dense" : "conv2d");
    p->input = (float *)(block + head);
    p->maps = p->input + pixels;
    p->low = p->maps + cells;
    p->high = p->low + maps;
    for (size_t i = 0; i < pixels; i++)
        p->input[i] = (float)((i * 7 + i / 13) % 101) / 100;
    for (size_t i = 0; i < cells; i++)
        p->maps[i] = i % 5 == 0 ? 0 : (float)((i * 31 + i / 7) % 101) / 100;
    for (int i = 0; i < maps; i++) {
        p->low[i] = -0.25f;
        p->high[i] = 3.5f;
    }
    telemetry_set_picture(tele, PICTURE_PROBE, p);
}

Telemetry *screen_run_classes(double epochs_done, int n_classes)
{
    TelePlan plan = { .run_id = 1, .n_metrics = 2, .validates = true, .first_epoch = 1, .n_epochs = EPOCHS, .steps_per_epoch = STEPS,
                      .samples_per_epoch = 3441, .batch_size = 32, .n_classes = n_classes, .threads = 2, .seed = 1 };
    snprintf(plan.model, sizeof plan.model, "digits-cnn");
    snprintf(plan.metrics[0], TELE_NAME, "loss");
    snprintf(plan.metrics[1], TELE_NAME, n_classes ? "accuracy" : "rmse");
    Err err = ERR_INIT;
    Telemetry *tele = telemetry_new(&plan, &err);
    assert_non_null(tele);
    add_epochs(tele, epochs_done, n_classes > 0);
    add_now(tele, epochs_done, n_classes > 0);
    if (epochs_done > 0) {
        add_layers(tele);
        add_probe(tele, n_classes);
        if (n_classes)
            add_confusion(tele, n_classes);
    }
    return tele;
}

Telemetry *screen_run(double epochs_done)
{
    return screen_run_classes(epochs_done, 10);
}

void screen_role_theme(Theme *theme)
{
    theme_default(theme, DEPTH_256);
    theme->base = (Style){ ROLE_TEXT, 255, 0 };
    for (int i = 0; i < ROLE_COUNT; i++)
        theme->roles[i] = (Style){ i, i == ROLE_SELECT ? 254 : 255, 0 };
    for (int r = 0; r < RAMP_COUNT; r++)
        for (int i = 0; i < THEME_RAMP; i++) {
            theme->ramps[r][i] = 32 + 16 * r + i;
            theme->on_ramp[r][i] = ROLE_BRIGHT;
        }
}

/* ---- as escape sequences ---- */

static void put_ink(Buf *out, Ink ink, int base)
{
    if (ink >= INK_RGB)
        buf_printf(out, ";%d;2;%d;%d;%d", base + 8, ink >> 16 & 255, ink >> 8 & 255, ink & 255);
    else if (ink >= 0)
        buf_printf(out, ";%d;5;%d", base + 8, ink);
}

void screen_ansi(const Canvas *canvas, Buf *out)
{
    for (int y = 0; y < canvas->h; y++) {
        for (int x = 0; x < canvas->w; x++) {
            const Cell *cell = &canvas->cells[y * canvas->w + x];
            static const int codes[] = { 1, 2, 7, 4 };
            if (x == 0 || memcmp(&cell->style, &cell[-1].style, sizeof cell->style) != 0) {
                buf_puts(out, "\033[0");
                for (int i = 0; i < 4; i++)
                    if (cell->style.attrs >> i & 1)
                        buf_printf(out, ";%d", codes[i]);
                put_ink(out, cell->style.fg, 30);
                put_ink(out, cell->style.bg, 40);
                buf_put(out, 'm');
            }
            buf_puts(out, cell->text);
        }
        buf_puts(out, "\033[0m\n");
    }
}

/* ---- stored screens ---- */

static void read_file(const char *path, Buf *out)
{
    FILE *file = fopen(path, "r");
    char chunk[4096];
    for (size_t n; file && (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_write(out, chunk, n);
    if (file)
        fclose(file);
}

/* Row and both texts of the first difference: a whole screen in a message helps nobody. */
static void show_difference(const char *path, const char *is, const char *stored)
{
    int row = 1;
    while (*is && *stored) {
        size_t n = strcspn(is, "\n"), m = strcspn(stored, "\n");
        if (n != m || memcmp(is, stored, n) != 0) {
            print_message("# %s, row %d\n#  is      %.*s\n#  stored  %.*s\n", path, row, (int)n, is, (int)m, stored);
            return;
        }
        is += n + (is[n] == '\n');
        stored += m + (stored[m] == '\n');
        row++;
    }
    print_message("# %s: one is longer, from row %d (UPDATE=1 writes it anew)\n", path, row);
}

/* A colour of screen_role_theme by what it is for. */
static void name_ink(Buf *out, long ink)
{
    static const char *const roles[] = {
#define X(role, key, help) key,
        THEME_ROLES(X)
#undef X
    };
    static const char *const ramps[] = {
#define X(ramp, key, help) key,
        THEME_RAMPS(X)
#undef X
    };
    if (ink >= 0 && ink < ROLE_COUNT)
        buf_puts(out, roles[ink]);
    else if (ink >= 32 && ink < 32 + 16 * RAMP_COUNT)
        buf_printf(out, "%s %ld", ramps[(ink - 32) / 16], (ink - 32) % 16);
    else
        buf_puts(out, ink == 254 ? "chosen" : "background");
}

/* The dump of a canvas in screen_role_theme, its list of letters in words. */
static void dump_roles(const Canvas *canvas, Buf *out)
{
    Buf raw = BUF_INIT;
    canvas_dump(canvas, true, &raw);
    const char *text = buf_text(&raw), *list = strstr(strstr(text, "\n--\n") + 1, "\n--\n");
    assert_non_null(list);
    list += 4;
    buf_write(out, text, (size_t)(list - text));
    char letter;
    long fg, bg;
    for (int n; sscanf(list, "%c fg %ld bg %ld%n", &letter, &fg, &bg, &n) == 3; list += n + strspn(list + n, "\n")) {
        buf_printf(out, "%c ", letter);
        name_ink(out, fg);
        buf_puts(out, " on ");
        name_ink(out, bg);
        buf_put(out, '\n');
    }
    buf_fini(&raw);
}

void screen_assert(const Canvas *canvas, const char *name, bool roles)
{
    Buf is = BUF_INIT, stored = BUF_INIT;
    char path[256];
    snprintf(path, sizeof path, "tests/fixtures/screens/%s.txt", name);
    if (roles)
        dump_roles(canvas, &is);
    else
        canvas_dump(canvas, false, &is);
    const char *update = getenv("UPDATE");
    if (update && *update == '1') {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(is.data, 1, is.size, file), is.size);
        assert_int_equal(fclose(file), 0);
    } else {
        read_file(path, &stored);
        bool same = strcmp(buf_text(&is), buf_text(&stored)) == 0;
        if (!same)
            show_difference(path, buf_text(&is), buf_text(&stored));
        assert_true(same);
    }
    buf_fini(&is);
    buf_fini(&stored);
}
