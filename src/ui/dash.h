// SPDX-License-Identifier: MIT
/* The dashboard as a picture: which panes there are at this size, and what stands in them. Pure drawing on a canvas from a
 * run's telemetry; no terminal, no input. A pane is a file in ui/dashboard/ with one descriptor. One thread: ui. */
#ifndef UI_DASH_H
#define UI_DASH_H

#include "train/telemetry.h"
#include "ui/canvas.h"
#include "ui/theme.h"

#define DASH_LEAST_W 80
#define DASH_LEAST_H 24
#define DASH_CAPTION 160 /* bytes of a title or state */

typedef struct DashState DashState;
typedef struct DashCache DashCache; /* ui/panels.h */

/* What a pane draws from. */
typedef struct PanelView {
    const Theme *theme;
    Canvas *canvas;
    Rect area;      /* inside the frame */
    bool focused;
    DashState *dash;
} PanelView;

/* One pane. */
typedef struct Panel {
    const char *name;    /* "loss": its name in layouts and in :zoom */
    const char *title;
    const char *help;    /* one line */
    int order;           /* of focus, and of the frames: small first */
    int least_w, least_h; /* inside the frame */
    PictureKind picture; /* what it needs made; PICTURE_KINDS: none */
    /* Title and state for the upper border, which has room for so many columns; both are "" at first. */
    void (*caption)(const DashState *dash, int room, char title[DASH_CAPTION], char state[DASH_CAPTION]);
    void (*draw)(PanelView *view);
    /* A key while the pane has the focus ('j', 'k', '[', …, or a KEY_… of ui/keys.h); false: not mine. */
    bool (*key)(DashState *dash, int key);
} Panel;

/* Everything that the picture depends on. Owned by the ui thread. */
struct DashState {
    Telemetry *tele; /* reference, or NULL: nothing has been run */
    TeleNow now;
    const TeleLayers *layers;       /* pictures, held; NULL while there is none */
    const TeleConfusion *confusion;
    const TeleProbe *probe;
    const Panel *focus; /* the pane that has the keys; NULL: the prompt */
    const Panel *zoom;  /* the only pane shown above the prompt; NULL: all */
    int layer, sample;  /* chosen by the user; layer -1: by the trainer, not known yet */
    bool log_scale;     /* of losses */
    bool whole;         /* the frame of a chart holds every value, however few lie far away */
    double smooth;      /* 0 … 0.99 */
    bool big;           /* projector preset: two panes at most, large */
    int prompt_rows;    /* rows wanted for the prompt pane, as many as the window for all of it; 0: by size */
    int scroll;         /* of the focused pane */
    const char *hint;   /* what stands at the empty dashboard; NULL: how to begin */
    int turned[2];      /* so many charts on from the first one: in the loss pane, in the metric pane */
    DashCache *cache;   /* owned: copies of the series, axes that keep still; NULL when memory ran out */
    uint64_t version;   /* of what was fetched last */
    bool watching[PICTURE_KINDS];
    int shrunk;         /* so many pixels of a feature map became one in the last frame; 1: all were drawn */
    int maps_first, maps_shown; /* feature maps in the last frame */
    unsigned shown;     /* panes of the last frame: bit i, i-th of dash_panels */
};

void dash_init(DashState *dash);
void dash_fini(DashState *dash);

/* Look at a run (NULL: at none); takes a reference. */
void dash_attach(DashState *dash, Telemetry *tele);

/* Fetch what is new; true when the picture may differ from the last one. */
bool dash_refresh(DashState *dash);

/* Draw header and panes on the whole canvas; *prompt is where the prompt pane's inside is (its frame is drawn), *keys the
 * bottom line. Below 80x24 it says politely what it needs and *prompt has no height. */
void dash_draw(DashState *dash, Canvas *canvas, const Theme *theme, Rect *prompt, Rect *keys);

/* The panes on screen now, in order of focus; how many. */
int dash_visible(const DashState *dash, int w, int h, const Panel *out[], int most);
const Panel *dash_panel(const char *name); /* NULL when unknown */

/* Every pane that there is, in order of focus. */
int dash_panels(const Panel *const **out);

/* Does this run have something for the pane (a confusion matrix only where there are classes)? */
bool dash_has(const DashState *dash, const Panel *panel);

/* Frames of the last layout, for tests: every pane's outer Rect by the same order. */
int dash_layout(const DashState *dash, int w, int h, const Panel *panels[], Rect areas[], int most, Rect *prompt);

#endif
