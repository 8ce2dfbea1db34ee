// SPDX-License-Identifier: MIT
#include "train/adammath.h"

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "beta_1", .type = ARG_FLOAT, .fallback = "0.9", .most = 1, .open_most = true, .help = "how slowly the mean of gradients forgets" },
    { .name = "beta_2", .type = ARG_FLOAT, .fallback = "0.999", .most = 1, .open_most = true, .help = "how slowly the mean of their squares forgets" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-7", .most = 1, .help = "added to the root, against division by zero" },
    { .name = "amsgrad", .type = ARG_BOOL, .fallback = "false", .help = "divide by the largest root so far" },
};

const OptimizerKind optimizer_adam = {
    .name = "adam",
    .class_name = "Adam",
    .doc = "Adam(learning_rate = 0.001, {beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, amsgrad = false}):\n"
           "steps scaled by running means of the gradients and of their squares.\n"
           "Source: Kingma and Ba 2015; epsilon is placed as in Keras.",
    .example = "local o = nn.Adam(1e-3); assert(o.learning_rate == 1e-3)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "momentum", "velocity", "velocity_hat" },
    .slots_used = adam_slots,
    .begin = adam_begin,
    .step = adam_step,
};
