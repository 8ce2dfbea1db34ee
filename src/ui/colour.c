// SPDX-License-Identifier: MIT
#include "ui/colour.h"

#include <math.h>

/* The sRGB curve and back. Source: IEC 61966-2-1. */
static double to_linear(unsigned byte)
{
    double v = byte / 255.0;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static uint32_t from_linear(double v)
{
    v = v <= 0 ? 0 : v >= 1 ? 1 : v;
    v = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
    return (uint32_t)(v * 255 + 0.5);
}

/* Linear light to cone responses, their cube roots to opponent axes. */
Lab colour_lab(uint32_t rgb)
{
    double r = to_linear(rgb >> 16 & 255), g = to_linear(rgb >> 8 & 255), b = to_linear(rgb & 255);
    double l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    double m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    double s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return (Lab){ .l = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
                  .a = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
                  .b = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s };
}

uint32_t colour_from_lab(Lab lab)
{
    double l = lab.l + 0.3963377774 * lab.a + 0.2158037573 * lab.b;
    double m = lab.l - 0.1055613458 * lab.a - 0.0638541728 * lab.b;
    double s = lab.l - 0.0894841775 * lab.a - 1.2914855480 * lab.b;
    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    return from_linear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s) << 16 |
           from_linear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s) << 8 |
           from_linear(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

double colour_luminance(uint32_t rgb)
{
    return 0.2126 * to_linear(rgb >> 16 & 255) + 0.7152 * to_linear(rgb >> 8 & 255) + 0.0722 * to_linear(rgb & 255);
}

double colour_contrast(uint32_t a, uint32_t b)
{
    double x = colour_luminance(a), y = colour_luminance(b);
    return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

/* xterm's defaults for the sixteen. */
static const uint32_t sixteen[16] = {
    0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
    0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
};

/* 16 … 231: a cube of six levels; 232 … 255: greys from 8 to 238. */
uint32_t colour_of_index(int index)
{
    if (index < 16)
        return sixteen[index < 0 ? 0 : index];
    if (index >= 232) {
        uint32_t grey = 8 + 10 * (uint32_t)(index - 232);
        return grey << 16 | grey << 8 | grey;
    }
    static const uint32_t levels[6] = { 0, 95, 135, 175, 215, 255 };
    index -= 16;
    return levels[index / 36] << 16 | levels[index / 6 % 6] << 8 | levels[index % 6];
}

static double distance(Lab x, Lab y)
{
    return (x.l - y.l) * (x.l - y.l) + (x.a - y.a) * (x.a - y.a) + (x.b - y.b) * (x.b - y.b);
}

/* By distance in OKLab, where equal steps look about equal. -1: none is in the range of lightness. */
static int nearest(uint32_t rgb, int first, int end, double darkest, double lightest)
{
    Lab want = colour_lab(rgb);
    int best = -1;
    double least = (double)INFINITY;
    for (int i = first; i < end; i++) {
        Lab lab = colour_lab(colour_of_index(i));
        double d = distance(want, lab);
        if (d < least && lab.l >= darkest && lab.l <= lightest) {
            least = d;
            best = i;
        }
    }
    return best;
}

int colour_nearest_256(uint32_t rgb, double darkest, double lightest)
{
    int index = nearest(rgb, 16, 256, darkest, lightest);
    return index >= 0 ? index : nearest(rgb, 16, 256, 0, 1);
}

int colour_nearest_16(uint32_t rgb)
{
    return nearest(rgb, 0, 16, 0, 1.01);
}

static int square(int x)
{
    return x * x;
}

/* The nearest of the cube channel by channel, against the nearest grey: no search. */
int colour_cube(uint32_t rgb)
{
    int rgb3[3] = { rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255 }, index = 16, far_cube = 0, far_grey = 0;
    static const int weights[3] = { 36, 6, 1 };
    for (int i = 0; i < 3; i++) {
        int v = rgb3[i], level = v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40; /* halfway between 0, 95, 135, 175, 215, 255 */
        index += weights[i] * level;
        far_cube += square(v - (level ? 55 + 40 * level : 0));
    }
    int mean = (rgb3[0] + rgb3[1] + rgb3[2]) / 3, grey = mean < 3 ? 0 : mean > 238 ? 23 : (mean - 3) / 10;
    for (int i = 0; i < 3; i++)
        far_grey += square(rgb3[i] - (8 + 10 * grey));
    return far_grey < far_cube ? 232 + grey : index;
}
