// SPDX-License-Identifier: MIT
#include "train/callback.h"

const CallbackKind callback_terminate_on_nan = {
    .name = "terminate_on_nan",
    .class_name = "TerminateOnNaN",
    .doc = "TerminateOnNaN(): the first loss that is NaN or infinite ends the run, as Keras's; without it the run pauses there at the prompt\n"
           "and fails in a script. The step in question is not applied.",
    .example = "local stop = nn.TerminateOnNaN()",
    .ends_on_nan = true,
};
