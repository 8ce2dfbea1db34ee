// SPDX-License-Identifier: MIT
/* What the dashboard does when it is asked to: the state that its parts share, and the actions of ui/keys.h on it.
 * One per process, made and used by face.c on the ui thread. */
#ifndef UI_STEER_H
#define UI_STEER_H

#include "train/control.h"
#include "ui/capture.h"
#include "ui/dash.h"
#include "ui/face.h"
#include "ui/keys.h"
#include "ui/overlay.h"
#include "ui/screen.h"

typedef enum { ASK_NOTHING, ASK_QUIT, ASK_STOP } Asked;

typedef struct Face {
    const FaceHost *host;       /* borrowed */
    Console *console;           /* borrowed */
    Screen *screen;             /* owned */
    Capture capture;
    Canvas canvas;              /* the frame; owned */
    Theme theme;
    Depth depth;
    DashState dash;
    Run *run;                   /* the one that is looked at: a reference; NULL: none */
    int run_at, n_runs;         /* its place among the runs of the process, and how many there are */
    Overlay overlay;            /* help; owned */
    Asked asked;                /* a question waits for y or n */
    bool pane_leading;          /* in a focused pane: the leader was typed */
    Rect prompt, keys;          /* where they were drawn */
    int w, h;
    bool dirty;                 /* something may look different */
    bool quit, lost;
    char notice[160];           /* shown in the bottom line until notice_end */
    double notice_end;
    double busy_since;          /* Lua works since then; 0: idle */
} Face;

/* Do it. count as typed before the key, 1 otherwise. */
void steer_act(Face *face, Action action, int count);

/* Can it be done now? */
bool steer_works(const Face *face, Action action);

/* y or n to the question. */
void steer_answer(Face *face, bool yes);

/* A key while a pane has the focus. */
void steer_pane_key(Face *face, int code);

/* Look at the newest run when there is a new one. */
void steer_follow(Face *face);

/* A sentence in the bottom line for some seconds. */
void steer_say(Face *face, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
