// SPDX-License-Identifier: MIT
/* What the files that draw curves share; not for others. curves.c chooses and draws, span.c measures, legend.c says what is
 * what. Thread: ui. */
#ifndef UI_CURVES_H
#define UI_CURVES_H

#include "ui/panels.h"

#define CURVES_MOST 8     /* in one chart */
#define CURVES_GUTTER 8   /* labels of 6, a blank, the axis */

/* What one chart shows: a metric, metrics of one kind together, or the learning rate. */
typedef struct CurveView {
    char title[TELE_VALUE];
    int n;
    int metrics[CURVES_MOST]; /* the plan's numbers; its n_metrics stands for the learning rate */
    int axis;                 /* the place of its axis in the cache */
} CurveView;

typedef struct CurveLine {
    int metric;
    const TeleSeries *series;
    const char *name;
    bool rate;            /* the learning rate: set, not measured; never averaged, no validation */
    Role role, valid_role;
    char letter;          /* its second cue where several share the chart */
    double train, valid;  /* at the right ends; NaN: none */
    bool bad;             /* the last values were not finite */
} CurveLine;

typedef struct Curves {
    PanelView *view;
    CurveView what;
    CurveLine lines[CURVES_MOST];
    int n;
    const Epochs *epochs;
    ChartAxis *axis;
    bool percent;          /* all are shares */
    bool log;              /* of losses and their like; shares stay linear */
    bool clipped;          /* there are values that a logarithm cannot show */
    double low, high;      /* of all that is drawn */
    double bottom, top;    /* what the frame must hold: less where a few values would flatten all others */
    int64_t first, limit;  /* steps at the edges */
    Rect plot, legend;     /* the legend's: no height while there is none */
} Curves;

/* ---- curves.c ---- */

bool curves_on_line(const Curves *c, size_t row); /* not on a line of history that a rewind has left */
ChartPen curves_pen(const Curves *c, Role role, char letter);

/* An exponential average over steps. As if the bucket's finite values, each equal to their mean, came one by one. */
typedef struct Average {
    double beta, sum, weight;
} Average;

double average_add(Average *average, const TeleBucket *bucket);

/* ---- kinds.c ---- */

const char *kinds_word(const char *name); /* "loss" of "left_loss" and of "loss": what kind it is of */

/* What the loss pane (second: the metric pane) shows now, its number among the run's charts, and how many there are. */
void kinds_view(const DashState *dash, bool second, CurveView *out, int *at, int *n);

/* ---- span.c ---- */

/* Limits, the frame and the values at the right ends; false when there is nothing to draw. */
bool curves_measure(Curves *c);
void curves_steps(Curves *c);

/* ---- legend.c ---- */

void legend_draw(Curves *c);
void legend_outside(const Curves *c); /* signs where values lie outside the frame */
void legend_marks(const Curves *c);   /* the user's changes */

#endif
