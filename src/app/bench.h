// SPDX-License-Identifier: MIT
/* hebb bench [NAME…] [--json] [--threads N] [--blocks B]: how fast this machine trains. The workloads, their shapes and the way they
 * are timed are those of the PyTorch side of the benchmark: one fixed batch, a step is forward, loss, backward, update; the
 * median over blocks of the mean of as many steps as fill 0.4 s. */
#ifndef APP_BENCH_H
#define APP_BENCH_H

/* Exit status: 0; 2 wrong usage; 1 a workload failed. */
int bench_run(int argc, char **argv);

#endif
