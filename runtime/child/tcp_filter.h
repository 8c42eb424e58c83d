/* A filter for the ways to TCP that Landlock does not see, where a plan has no TCP (plan_landlock.refuses_tcp). */
#pragma once

#include <stddef.h>
#include <linux/filter.h>

#include "base/error.h"

#define TCP_FILTER_MAX 96

/* Fills in the program, for this machine and the 32-bit programs that run on it. Returns how many instructions it has. Pure. */
size_t tcp_filter_write(struct sock_filter program[static TCP_FILTER_MAX]);
/* Puts it on the calling thread, which has no_new_privs. */
int tcp_filter_install(struct error *err);
