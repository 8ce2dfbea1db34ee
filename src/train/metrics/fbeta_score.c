// SPDX-License-Identifier: MIT
#include "train/fscore.h"

static const ArgSpec args[] = {
    FSCORE_ARGS,
    { .name = "beta", .type = ARG_FLOAT, .fallback = "1.0", .most = 1e9, .open_least = true, .help = "how much more recall counts than precision" },
};

const Metric metric_fbeta_score = {
    .name = "fbeta_score",
    .class_name = "FBetaScore",
    .doc = "fbeta_score(average = \"macro\", threshold = nil, beta = 1.0): weighted harmonic mean of precision and recall over the classes.",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {nn.metrics.FBetaScore{beta = 2}}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = fscore_state,
    .add = fscore_add,
    .value = fscore_value,
};
