#include "base/timestamp.h"

#include <stdio.h>

/* Days are counted from 0000-03-01, so that the leap day is the last one of a year and a month's first day is a line through
 * (153 * month + 2) / 5. */
const char *timestamp_format(const struct timespec *when, char *text)
{
	unsigned second = (unsigned)(when->tv_sec % 86400);
	unsigned long days = (unsigned long)(when->tv_sec / 86400) + 719468;
	unsigned long era = days / 146097, day = days % 146097;
	unsigned long year = (day - day / 1460 + day / 36524 - day / 146096) / 365, month;

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	year += era * 400 + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	snprintf(text, TIMESTAMP_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ", (unsigned)year, (unsigned)month,
		 (unsigned)day + 1, second / 3600, second / 60 % 60, second % 60, (unsigned)when->tv_nsec);
	return text;
}
