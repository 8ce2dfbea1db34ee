// SPDX-License-Identifier: MIT
/* Arithmetic of colours: 0xRRGGBB and the xterm palette of 256. Pure functions, any thread. */
#ifndef UI_COLOUR_H
#define UI_COLOUR_H

#include <stdint.h>

/* A colour in OKLab: lightness 0 … 1 and two opponent axes. Source: Björn Ottosson 2020, "A perceptual color space". */
typedef struct Lab {
    double l, a, b;
} Lab;

Lab colour_lab(uint32_t rgb);
uint32_t colour_from_lab(Lab lab);

/* Relative luminance 0 … 1 and contrast 1 … 21. Source: WCAG 2.1. */
double colour_luminance(uint32_t rgb);
double colour_contrast(uint32_t a, uint32_t b);

/* What index 0 … 255 looks like; 0 … 15 are the user's, xterm's defaults stand for them. */
uint32_t colour_of_index(int index);

/* Nearest index: 16 … 255 whose lightness is at least `darkest` and at most `lightest`, or 0 … 15. */
int colour_nearest_256(uint32_t rgb, double darkest, double lightest);
int colour_nearest_16(uint32_t rgb);

/* Nearest of 16 … 255 by plain distance: for images, many times a frame. */
int colour_cube(uint32_t rgb);

#endif
