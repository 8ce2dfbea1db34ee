// SPDX-License-Identifier: MIT
#include "train/adammath.h"

static const ArgSpec args[] = {
    { .name = "learning_rate", .type = ARG_FLOAT, .fallback = "0.001", .most = 1e9, .help = "how far a step goes" },
    { .name = "weight_decay", .type = ARG_FLOAT, .fallback = "0.004", .most = 1e9, .help = "shrink the weights by this times the learning rate" },
    { .name = "beta_1", .type = ARG_FLOAT, .fallback = "0.9", .most = 1, .open_most = true, .help = "how slowly the mean of gradients forgets" },
    { .name = "beta_2", .type = ARG_FLOAT, .fallback = "0.999", .most = 1, .open_most = true, .help = "how slowly the mean of their squares forgets" },
    { .name = "epsilon", .type = ARG_FLOAT, .fallback = "1e-7", .most = 1, .help = "added to the root, against division by zero" },
    { .name = "amsgrad", .type = ARG_BOOL, .fallback = "false", .help = "divide by the largest root so far" },
};

const OptimizerKind optimizer_adamw = {
    .name = "adamw",
    .class_name = "AdamW",
    .doc = "AdamW(learning_rate = 0.001, {weight_decay = 0.004, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, amsgrad = false}):\n"
           "Adam with weight decay apart from the gradient. Source: Loshchilov and Hutter 2019; arithmetic of Keras.",
    .example = "local o = nn.AdamW(1e-3); assert(o.weight_decay == 0.004)",
    .own_args = args,
    .n_own_args = sizeof args / sizeof *args,
    .slot_names = { "momentum", "velocity", "velocity_hat" },
    .decoupled = true,
    .slots_used = adam_slots,
    .begin = adam_begin,
    .step = adam_step,
};
