// SPDX-License-Identifier: MIT
/* Help for tests of what is drawn: a run to look at, a canvas as escape sequences (to look at it as a picture), and
 * comparison with stored screens. */
#ifndef TESTS_SCREEN_H
#define TESTS_SCREEN_H

#include "train/telemetry.h"
#include "ui/canvas.h"
#include "ui/theme.h"

/* A run over the ten digits, always the same: `epochs_done` of 20 epochs of 108 steps, with marks, a confusion matrix, eight
 * layers and a probe. */
Telemetry *screen_run(double epochs_done);

/* The same with so many classes, with long names (0: a regression). */
Telemetry *screen_run_classes(double epochs_done, int n_classes);

/* Replace the probe: an input of in x in pixels with so many channels, and so many maps of h x w (h 1, maps 1: units). */
void screen_set_probe(Telemetry *tele, int in, int channels, int maps, int h, int w);

/* A theme in which role i has colour i and ramps begin at 32, so that a dump of styles shows roles. */
void screen_role_theme(Theme *theme);

/* The canvas as a terminal would be sent it. */
void screen_ansi(const Canvas *canvas, Buf *out);

/* Compare with tests/fixtures/screens/NAME.txt; with UPDATE=1 in the environment that file is written instead.
 * roles: also what each cell's colours are for; the canvas was drawn in screen_role_theme. */
void screen_assert(const Canvas *canvas, const char *name, bool roles);

#endif
