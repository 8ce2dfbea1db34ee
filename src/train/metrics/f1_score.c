// SPDX-License-Identifier: MIT
#include "train/fscore.h"

static const ArgSpec args[] = {
    FSCORE_ARGS,
};

const Metric metric_f1_score = {
    .name = "f1_score",
    .class_name = "F1Score",
    .doc = "f1_score(average = \"macro\", threshold = nil): harmonic mean of precision and recall over the classes, one column each.\n"
           "Keras's average = None gives a list; here it is macro unless another is asked for.",
    .example = "model:compile{optimizer = 'sgd', loss = 'mse', metrics = {nn.metrics.F1Score{threshold = 0.5}}}",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .state = fscore_state,
    .add = fscore_add,
    .value = fscore_value,
};
