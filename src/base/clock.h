// SPDX-License-Identifier: MIT
/* Time. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_now(void);        /* seconds, monotonic, start unspecified */
double clock_wall(void);       /* seconds since 1970 */
double clock_thread_cpu(void); /* seconds of processor time of the calling thread */
double clock_process_cpu(void);
void clock_sleep(double seconds);

#endif
