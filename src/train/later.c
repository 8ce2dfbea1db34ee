// SPDX-License-Identifier: MIT
#include "train/trainer.h"
void recorder_add(Run *run, const char *resumed_from) { (void)run; (void)resumed_from; }
void recorder_step(Run *run) { (void)run; }
void recorder_save(Run *run, SaveReason reason) { (void)run; (void)reason; }
void recorder_drop(Run *run) { (void)run; }
void recorder_wake(void) {}
bool recorder_finish(double seconds) { (void)seconds; return true; }
void control_record(bool on) { (void)on; }
const char *run_folder(const Run *run) { (void)run; return ""; }
