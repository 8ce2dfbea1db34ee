// SPDX-License-Identifier: MIT
/* The line above everything: how far, how fast, in what state. Pieces have fixed widths, so that nothing moves while
 * numbers grow; where there is no room the least important pieces go first. */
#include <stdio.h>
#include <string.h>

#include "ui/panels.h"

#define ONE_ROW 120 /* columns from which one row is enough */
#define GAP 2
#define MARGIN 1

typedef struct Piece {
    char label[32], value[72];
    int width;    /* columns of both, fixed */
    int priority; /* small ones stay longest; 0: left out */
    int room;     /* of the value, which ends at its right edge; 0: begins after the label */
    bool tail;    /* the label stands after the value */
} Piece;

enum { PIECE_NAME, PIECE_EPOCH, PIECE_BAR, PIECE_STEP, PIECE_RATE, PIECE_LEFT, PIECE_LR, PIECE_SNAPSHOTS, PIECES };

int header_rows(int w)
{
    return w < ONE_ROW ? 2 : 1;
}

/* Width is reserved for the longest value (room), not for the present one. */
static void set_piece(Piece *piece, int priority, const char *label, const char *value, int room, bool tail)
{
    *piece = (Piece){ .priority = priority, .room = room, .tail = tail };
    snprintf(piece->label, sizeof piece->label, "%s", label);
    snprintf(piece->value, sizeof piece->value, "%s", value);
    int width = canvas_width(piece->value);
    piece->width = (room > width ? room : width) + (*label ? canvas_width(piece->label) + 1 : 0);
}

static int64_t total_steps(const TelePlan *plan, const TeleNow *now)
{
    int epochs = telemetry_last_epoch(plan, now);
    int64_t total = plan->steps_per_epoch > 0 && epochs > 0 ? plan->steps_per_epoch * epochs : 0;
    return total > now->step ? total : now->step;
}

/* Epoch and step stand right-aligned in the width of their totals. */
static void set_progress(Piece *pieces, const TelePlan *plan, const TeleNow *now)
{
    char a[NUMBER_ROOM], b[NUMBER_ROOM], text[2 * NUMBER_ROOM + 2];
    int epochs = telemetry_last_epoch(plan, now);
    number_group(a, now->epoch);
    number_group(b, epochs);
    snprintf(text, sizeof text, "%s/%s", a, b);
    set_piece(&pieces[PIECE_EPOCH], 1, "epoch", text, 2 * (int)strlen(b) + 1, false);
    number_group(a, now->step);
    number_group(b, total_steps(plan, now));
    snprintf(text, sizeof text, "%s/%s", a, b);
    set_piece(&pieces[PIECE_STEP], 5, "step", text, 2 * (int)strlen(b) + 1, false);
}

/* From left to right; what is least telling has the highest number and goes first. */
static void set_pieces(Piece *pieces, const DashState *dash)
{
    const TelePlan *plan = telemetry_plan(dash->tele);
    const TeleNow *now = &dash->now;
    char a[NUMBER_ROOM], b[NUMBER_ROOM], text[2 * NUMBER_ROOM + 16];
    memset(pieces, 0, PIECES * sizeof *pieces);
    snprintf(text, sizeof text, "· %.31s · run %d", plan->model, plan->run_id);
    set_piece(&pieces[PIECE_NAME], 6, "hebb", text, 0, false);
    set_progress(pieces, plan, now);
    pieces[PIECE_BAR] = (Piece){ .priority = 4, .width = 8 };
    set_piece(&pieces[PIECE_RATE], 7, "", number_rate(a, now->rate), 9, false);
    if (now->state == RUN_FINISHED || now->state == RUN_STOPPED || now->state == RUN_FAILED)
        set_piece(&pieces[PIECE_LEFT], 3, "taken", number_time(a, now->train_s), 7, true);
    else
        set_piece(&pieces[PIECE_LEFT], 3, "left", number_time(a, now->left_s), 7, true);
    set_piece(&pieces[PIECE_LR], 2, "lr", number_plain(a, now->learning_rate), 0, false);
    if (pieces[PIECE_LR].width < 11)
        pieces[PIECE_LR].width = 11;
    if (now->snapshot_budget) {
        number_bytes(a, now->snapshot_bytes);
        number_bytes(b, now->snapshot_budget);
        snprintf(text, sizeof text, "%d snapshot%s, %s of %s", now->n_snapshots, now->n_snapshots == 1 ? "" : "s", a, b);
        set_piece(&pieces[PIECE_SNAPSHOTS], 8, "", text, 34, false);
    }
}

/* The state in a word, trouble with a sign before it and its reason behind it. */
static const char *state_text(const TeleNow *now, char out[256])
{
    bool trouble = now->state == RUN_TROUBLE || now->state == RUN_FAILED;
    snprintf(out, 256, "%s%s%s%s", trouble ? "! " : "", run_state_name(now->state), now->reason[0] ? ": " : "", now->reason);
    return out;
}

static Style state_style(const Theme *theme, RunState state)
{
    switch (state) {
    case RUN_TROUBLE:
    case RUN_FAILED:
        return theme->roles[ROLE_TROUBLE];
    case RUN_TRAINING:
    case RUN_FINISHED:
        return theme->roles[ROLE_GOOD];
    case RUN_WAITING:
    case RUN_PAUSED:
    case RUN_CALLBACK:
    case RUN_STOPPED:
        break;
    }
    return theme->roles[ROLE_BRIGHT];
}

/* Done part heavy, part to come light: the line's weight says it without colour. */
static void draw_bar(Canvas *canvas, const Theme *theme, int x, int y, int width, double part)
{
    int done = part > 0 ? (int)((part < 1 ? part : 1) * width + 0.5) : 0;
    for (int i = 0; i < width; i++)
        canvas_put(canvas, x + i, y, theme->roles[i < done ? ROLE_BAR : ROLE_BAR_REST], i < done ? 0x2501 : 0x2500);
}

static void draw_piece(Canvas *canvas, const Theme *theme, int x, int y, const Piece *piece)
{
    int label = canvas_width(piece->label), value = piece->width - (label ? label + 1 : 0);
    Style dim = theme->roles[ROLE_LABEL], plain = theme->roles[ROLE_TEXT];
    int at = piece->tail || !label ? x : x + label + 1;
    if (label)
        canvas_text(canvas, piece->tail ? x + value + 1 : x, y, label, dim, piece->label);
    if (piece->room)
        canvas_text_right(canvas, at, y, value, plain, piece->value);
    else
        canvas_text(canvas, at, y, value, plain, piece->value);
}

/* Name: the program bright, the rest plain. */
static void draw_name(Canvas *canvas, const Theme *theme, int x, int y, int width, const Piece *piece)
{
    canvas_text(canvas, x, y, width, theme->roles[ROLE_BRIGHT], "hebb");
    canvas_text_cut(canvas, x + 5, y, width - 5, theme->roles[ROLE_TEXT], piece->value);
}

/* Leave out the least important until all fit; what is over goes to the bar. */
static void fit_pieces(Piece *pieces, int first, int room)
{
    for (;;) {
        int sum = -GAP, worst = -1;
        for (int i = first; i < PIECES; i++) {
            if (!pieces[i].priority)
                continue;
            sum += pieces[i].width + GAP;
            if (worst < 0 || pieces[i].priority > pieces[worst].priority)
                worst = i;
        }
        if (sum <= room || worst < 0) {
            if (pieces[PIECE_BAR].priority && sum <= room)
                pieces[PIECE_BAR].width += room - sum > 16 ? 16 : room - sum;
            return;
        }
        pieces[worst].priority = 0;
    }
}

static void draw_pieces(const DashState *dash, Canvas *canvas, const Theme *theme, Piece *pieces, int first, int y, int room)
{
    int64_t total = total_steps(telemetry_plan(dash->tele), &dash->now);
    int x = MARGIN;
    fit_pieces(pieces, first, room);
    for (int i = first; i < PIECES; i++) {
        if (!pieces[i].priority)
            continue;
        if (i == PIECE_BAR)
            draw_bar(canvas, theme, x, y, pieces[i].width, total ? (double)dash->now.step / (double)total : 0);
        else if (i == PIECE_NAME)
            draw_name(canvas, theme, x, y, pieces[i].width, &pieces[i]);
        else
            draw_piece(canvas, theme, x, y, &pieces[i]);
        x += pieces[i].width + GAP;
    }
}

void header_draw(const DashState *dash, Canvas *canvas, const Theme *theme, int rows)
{
    if (!dash->tele) {
        canvas_text(canvas, MARGIN, 0, -1, theme->roles[ROLE_BRIGHT], "hebb");
        canvas_text_right(canvas, 0, 0, canvas->w - MARGIN, theme->roles[ROLE_LABEL], "no run yet");
        return;
    }
    Piece pieces[PIECES];
    char state[256];
    set_pieces(pieces, dash);
    state_text(&dash->now, state);
    Style style = state_style(theme, dash->now.state);
    int width = canvas_width(state), name = pieces[PIECE_NAME].width;
    int room = canvas->w - 2 * MARGIN, most = rows == 1 ? room / 2 : room - (name < 40 ? name : 40) - GAP;
    width = width > most ? most : width;
    int least = rows == 1 && width < 8 ? 8 : width; /* words of a state come and go in the same room */
    canvas_text_cut(canvas, MARGIN + room - width, 0, width, style, state);
    if (rows > 1) {
        draw_name(canvas, theme, MARGIN, 0, room - width - GAP, &pieces[PIECE_NAME]);
        draw_pieces(dash, canvas, theme, pieces, PIECE_EPOCH, 1, room);
    } else {
        draw_pieces(dash, canvas, theme, pieces, PIECE_NAME, 0, room - least - GAP);
    }
}
