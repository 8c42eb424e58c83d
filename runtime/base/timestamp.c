#include "base/timestamp.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
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

/* n decimal digits; false where there are fewer. */
static bool take_number(const char **text, unsigned n, unsigned *ret)
{
	unsigned value = 0;

	for (; n > 0; n--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		value = value * 10 + (unsigned)(**text - '0');
	}
	*ret = value;
	return true;
}

static bool take_sign(const char **text, char sign)
{
	bool is_there = **text == sign;

	*text += is_there;
	return is_there;
}

/* As in timestamp_format, the other way round. */
static long days_of(unsigned year, unsigned month, unsigned day)
{
	long y = (long)year - (month <= 2), m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + (long)day - 1 - 719468;
}

static bool take_date(const char **text, long *ret_days)
{
	unsigned year, month, day;

	if (!take_number(text, 4, &year) || !take_sign(text, '-') || !take_number(text, 2, &month) ||
	    !take_sign(text, '-') || !take_number(text, 2, &day))
		return false;
	*ret_days = days_of(year, month, day);
	return year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool take_time(const char **text, struct timespec *ret)
{
	unsigned hour, minute, second = 0, digit;
	long unit = 100000000;

	if (!take_number(text, 2, &hour) || !take_sign(text, ':') || !take_number(text, 2, &minute))
		return false;
	if (take_sign(text, ':') && !take_number(text, 2, &second))
		return false;
	ret->tv_sec += hour * 3600 + minute * 60 + second;
	if (take_sign(text, '.') && !isdigit((unsigned char)**text))
		return false;
	for (; take_number(text, 1, &digit); unit /= 10)
		ret->tv_nsec += (long)digit * unit;
	return hour < 24 && minute < 60 && second <= 60;
}

static bool take_zone(const char **text, struct timespec *ret)
{
	int sign = **text == '+' ? -1 : 1;
	unsigned hours, minutes;

	if (!**text || take_sign(text, 'Z'))
		return true;
	if (!take_sign(text, '+') && !take_sign(text, '-'))
		return false;
	if (!take_number(text, 2, &hours) || !take_sign(text, ':') || !take_number(text, 2, &minutes))
		return false;
	ret->tv_sec += sign * (time_t)(hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

int timestamp_parse(const char *text, struct timespec *ret)
{
	struct timespec when = { 0 };
	long days;

	if (!take_date(&text, &days))
		return -EINVAL;
	when.tv_sec = days * 86400;
	if ((take_sign(&text, 'T') || take_sign(&text, ' ')) && !take_time(&text, &when))
		return -EINVAL;
	if (!take_zone(&text, &when) || *text || when.tv_sec < 0)
		return -EINVAL;
	*ret = when;
	return 0;
}
