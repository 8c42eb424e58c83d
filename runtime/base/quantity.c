#include "base/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define NS_PER_S UINT64_C(1000000000)

int quantity_digits(const char **text, uint64_t *ret)
{
	const char *c = *text;
	uint64_t value = 0;

	for (; *c >= '0' && *c <= '9'; c++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
			return -ERANGE;
	if (c == *text)
		return -EINVAL;
	*text = c;
	*ret = value;
	return 0;
}

int quantity_thousandths(const char *text, uint64_t whole_most, uint64_t *ret)
{
	uint64_t whole, part = 0;
	int r = quantity_digits(&text, &whole);

	if (r == 0 && (whole > whole_most || whole >= UINT64_MAX / 1000))
		r = -ERANGE;
	if (r < 0)
		return r;
	if (*text == '.') {
		size_t n = strspn(++text, "0123456789");

		if (n == 0 || n > 3)
			return -EINVAL;
		for (size_t i = 0; i < 3; i++)
			part = part * 10 + (i < n ? (uint64_t)(text[i] - '0') : 0);
		text += n;
	}
	if (*text)
		return -EINVAL;
	*ret = whole * 1000 + part;
	return 0;
}

static int size_shift(const char *suffix)
{
	static const char letters[] = "kmgt";
	const char *found;

	if (!*suffix)
		return 0;
	if (!strcasecmp(suffix, "b"))
		return 0;
	found = strchr(letters, *suffix | 0x20);
	if (!found)
		return -EINVAL;
	suffix++;
	if (*suffix && strcasecmp(suffix, "b") != 0 && strcasecmp(suffix, "ib") != 0)
		return -EINVAL;
	return 10 * (int)(found - letters + 1);
}

int quantity_size(const char *text, uint64_t *ret_bytes)
{
	uint64_t value;
	int r = quantity_digits(&text, &value), shift;

	if (r < 0)
		return r;
	shift = size_shift(text);
	if (shift < 0)
		return shift;
	if (value > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = value << shift;
	return 0;
}

static const struct {
	const char *name;
	uint64_t nanoseconds;
} duration_units[] = {
	{ "ns", 1 },	   { "us", 1000 },	{ "\u00b5s", 1000 },  { "\u03bcs", 1000 },
	{ "ms", 1000000 }, { "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
};

static uint64_t take_unit(const char **text)
{
	size_t best = 0, length;
	uint64_t found = 0;

	/* The longest one: "ms" is no "m". */
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		length = strlen(duration_units[i].name);
		if (length > best && !strncmp(*text, duration_units[i].name, length)) {
			best = length;
			found = duration_units[i].nanoseconds;
		}
	}
	*text += best;
	return found;
}

/* "5s" or "1.5s" at *text, in nanoseconds. */
static int take_duration_term(const char **text, uint64_t *ret)
{
	uint64_t whole = 0, tenths = 0, divisor = 1, unit;
	int r = quantity_digits(text, &whole);
	bool has_fraction = false;

	if (r == -ERANGE)
		return r;
	if (**text == '.') {
		for ((*text)++; **text >= '0' && **text <= '9'; (*text)++) {
			has_fraction = true;
			if (divisor >= 1000000000)
				continue; /* below a nanosecond of the longest unit that anybody writes */
			tenths = tenths * 10 + (uint64_t)(**text - '0');
			divisor *= 10;
		}
	}
	if (r < 0 && !has_fraction)
		return -EINVAL;
	unit = take_unit(text);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit, &whole) ||
	    __builtin_add_overflow(whole, (uint64_t)((__uint128_t)tenths * unit / divisor), ret))
		return -ERANGE;
	return 0;
}

int quantity_duration(const char *text, uint64_t *ret_ns)
{
	uint64_t total = 0, term;
	int r;

	if (*text == '+')
		text++;
	if (!*text)
		return -EINVAL;
	if (!strcmp(text, "0"))
		text++;
	while (*text) {
		r = take_duration_term(&text, &term);
		if (r < 0)
			return r;
		if (__builtin_add_overflow(total, term, &total))
			return -ERANGE;
	}
	*ret_ns = total;
	return 0;
}

const char *quantity_format_duration(uint64_t ns, char text[static QUANTITY_TEXT_MAX])
{
	char fraction[16];
	size_t length;

	snprintf(fraction, sizeof(fraction), ".%09" PRIu64, ns % NS_PER_S);
	length = strlen(fraction);
	while (fraction[length - 1] == '0')
		length--;
	if (length == 1)
		length = 0;
	snprintf(text, QUANTITY_TEXT_MAX, "%" PRIu64 "%.*ss", ns / NS_PER_S, (int)length, fraction);
	return text;
}
