// SPDX-License-Identifier: MIT
/* The verbs of models that compute (model_work.c), for their table in bind_model.c. */
#ifndef SCRIPT_BIND_MODEL_H
#define SCRIPT_BIND_MODEL_H

#include "script/bind_net.h"

int model_compile(lua_State *L);
int model_evaluate(lua_State *L);
int model_predict_verb(lua_State *L);
int model_confusion(lua_State *L);
int model_train_on_batch(lua_State *L);
int model_test_on_batch(lua_State *L);
int model_iterations(lua_State *L);
int model_save_verb(lua_State *L);
int model_load_weights_verb(lua_State *L);
extern const ArgSpec model_batch_args[1], model_load_args[2];

/* Predict on what stands at stack index; pushes a tensor, or a list where there are several outputs. */
int model_predict_at(lua_State *L, Model *model, int index, int batch_size, int callbacks); /* callbacks: where they stand, 0: none */

/* Push a confusion object: {matrix, classes, accuracy, text}, which prints as its table. counts [n, n]; labels may be NULL. output:
 * which of several outputs, also in front of the text; "": the model has one. */
void confusion_push(lua_State *L, const uint32_t *counts, int n, const char *const *labels, const char *output);

#endif
