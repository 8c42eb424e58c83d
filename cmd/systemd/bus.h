/* What brig asks of systemd, over D-Bus. Source: org.freedesktop.systemd1(5), the pages of sd-bus(3). */
#pragma once

#include "base/error.h"
#include "cmd/systemd/request.h"

/* Carries the request out within its time. Errors: ERROR_SYSTEM, ERROR_EXISTS (start: a unit of that name is running), ERROR_TIMEOUT. */
int bus_carry_out(const struct request *request, struct error *err);
