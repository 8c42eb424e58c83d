/* Points in time as text. */
#pragma once

#include <time.h>

#define TIMESTAMP_MAX 96 /* also for a clock gone mad */

/* RFC 3339 in UTC with nine digits after the second: "2030-01-31T23:59:59.000000001Z". text: TIMESTAMP_MAX bytes; returned.
 * Unlike gmtime_r(3) it reads no file (/etc/localtime): it works anywhere and costs no system call. */
const char *timestamp_format(const struct timespec *when, char *text);
/* RFC 3339 from 1970 on, with "T" or a space; what is missing from the right is zero, and without a zone it is UTC: "2030-01-31",
 * "2030-01-31T23:59", "2030-01-31T23:59:59.5+02:00". -EINVAL. */
int timestamp_parse(const char *text, struct timespec *ret);
