// SPDX-License-Identifier: MIT
/* Source: keras/src/metrics/confusion_metrics.py; the precision-recall area between two points by Davis and Goadrich 2006, section 4. */
#include <math.h>

#include "train/counts.h"

enum { N, CURVE, METHOD, LOGITS };

static const char *const curves[] = { "ROC", "PR", NULL }, *const methods[] = { "interpolation", "minoring", "majoring", NULL };

static const ArgSpec args[] = {
    { .name = "num_thresholds", .type = ARG_INT, .fallback = "200", .least = 2, .most = 1e6, .help = "how many thresholds are looked at" },
    { .name = "curve", .type = ARG_CHOICE, .fallback = "ROC", .choices = curves, .help = "which curve" },
    { .name = "summation_method", .type = ARG_CHOICE, .fallback = "interpolation", .choices = methods, .help = "height between two points" },
    { .name = "from_logits", .type = ARG_BOOL, .fallback = "false", .help = "outputs are logits" },
};

/* b: at the threshold above a's. */
static double area(const double *a, const double *b, bool roc, int method)
{
    double recall_a = counts_share(a[TRUE_POSITIVES], a[TRUE_POSITIVES] + a[FALSE_NEGATIVES]);
    double recall_b = counts_share(b[TRUE_POSITIVES], b[TRUE_POSITIVES] + b[FALSE_NEGATIVES]);
    double xa = recall_a, xb = recall_b, ya = recall_a, yb = recall_b;
    if (roc) {
        xa = counts_share(a[FALSE_POSITIVES], a[FALSE_POSITIVES] + a[TRUE_NEGATIVES]);
        xb = counts_share(b[FALSE_POSITIVES], b[FALSE_POSITIVES] + b[TRUE_NEGATIVES]);
    } else {
        ya = counts_share(a[TRUE_POSITIVES], a[TRUE_POSITIVES] + a[FALSE_POSITIVES]);
        yb = counts_share(b[TRUE_POSITIVES], b[TRUE_POSITIVES] + b[FALSE_POSITIVES]);
    }
    double height = method == 0 ? (ya + yb) / 2 : (method == 1) == (ya < yb) ? ya : yb;
    return (xa - xb) * height;
}

static double precision_area(const double *a, const double *b)
{
    double hits = a[TRUE_POSITIVES] - b[TRUE_POSITIVES];
    double pa = a[TRUE_POSITIVES] + a[FALSE_POSITIVES], pb = b[TRUE_POSITIVES] + b[FALSE_POSITIVES];
    double slope = counts_share(hits, pa > pb ? pa - pb : 0), intercept = b[TRUE_POSITIVES] - slope * pb;
    double ratio = pa > 0 && pb > 0 ? pa / pb : 1;
    return counts_share(slope * (hits + intercept * log(ratio)), b[TRUE_POSITIVES] + b[FALSE_NEGATIVES]);
}

static size_t state(const Args *a, int64_t width, int64_t values)
{
    (void)a, (void)width, (void)values;
    return CURVE_STATE(a->v[N].u.i);
}

static void add(const Args *a, double *sums, const Tensor *prediction, const Tensor *target, const real *weight)
{
    curve_add(sums, a->v[N].u.i, true, prediction, target, weight, a->v[LOGITS].u.b);
}

static double value(const Args *a, double *sums, int64_t width)
{
    (void)a, (void)width;
    Curve curve;
    double last[COUNTS], sum = 0;
    bool roc = a->v[CURVE].u.i == 0;
    curve_begin(&curve, sums, a->v[N].u.i);
    for (bool first = true; curve_next(&curve); first = false) {
        const double *c = curve.counts;
        if (!first)
            sum += !roc && a->v[METHOD].u.i == 0 ? precision_area(c, last) : area(c, last, roc, (int)a->v[METHOD].u.i);
        for (int k = 0; k < COUNTS; k++)
            last[k] = c[k];
    }
    return sum;
}

const Metric metric_auc = {
    .name = "auc",
    .class_name = "AUC",
    .doc = "auc(num_thresholds = 200, curve = \"ROC\", summation_method = \"interpolation\", from_logits = false): area under the curve of\n"
           "true against false positives (ROC) or of precision against recall (PR), from counts at evenly spread thresholds, as Keras\n"
           "has it. Outputs are probabilities. The exact area: roc_auc.",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {nn.metrics.AUC{curve = 'PR'}}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = state,
    .add = add,
    .value = value,
};
