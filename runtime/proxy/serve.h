/* The loop of the egress proxy: its clients come by the listeners, what became of them goes to brig. */
#pragma once

#include <stddef.h>

#include "proxy/reach.h"

#define SERVE_LISTENERS_MAX 2
/* At the same time, the next ones wait in the listeners' queues; and in all, after which the listeners are closed: what is not reported one
 * by one is not let through, and what is reported has to stay within what an audit trail holds. */
#define SERVE_CLIENTS_MAX 64
#define SERVE_REQUESTS_MAX 4096

/* Until brig closes its end of control_fd (a SOCK_SEQPACKET socket: one struct outcome_report a request). -ENOMEM, or -EIO. */
int serve_run(const struct reach_settings *settings, int *listen_fds, size_t n_listeners, int control_fd);
