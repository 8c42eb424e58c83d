#include "policy/limit_value.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/quantity.h"

#define NS_PER_S UINT64_C(1000000000)

static int parse_duration(const char *text, uint64_t *ret)
{
	const char *end = text;
	uint64_t seconds;
	int r = quantity_digits(&end, &seconds);

	/* More digits than 64 bits hold are too much in any unit. */
	if (r == -ERANGE)
		return r;
	if (r < 0 || *end)
		return quantity_duration(text, ret);
	return __builtin_mul_overflow(seconds, NS_PER_S, ret) ? -ERANGE : 0;
}

/* form: what is allowed. A limit of nothing is a mistake: it would end every container at once. */
static int check(const char *where, const char *text, uint64_t value, const char *form, struct error *err)
{
	if (value == 0)
		return error_invalid(err, "%s: is \"%.64s\": give more than nothing (%s), or leave it out", where, text,
				     form);
	return 0;
}

static int refuse(const char *where, const char *text, int reason, const char *form, struct error *err)
{
	if (reason == -ERANGE)
		return error_invalid(err, "%s: is \"%.64s\", which is more than brig can count (%s)", where, text, form);
	return error_invalid(err, "%s: is \"%.64s\": give %s", where, text, form);
}

int limit_value_timeout(const char *where, const char *text, uint64_t *ret_ns, struct error *err)
{
	static const char form[] =
		"seconds, as \"90\", or a duration with the units h, m, s, ms, as \"2h30m\" or \"1.5s\"";
	uint64_t value;
	int r = parse_duration(text, &value);

	if (r >= 0 && value > (uint64_t)INT64_MAX)
		r = -ERANGE;
	r = r < 0 ? refuse(where, text, r, form, err) : check(where, text, value, form, err);
	if (r < 0)
		return r;
	*ret_ns = value;
	return 0;
}

int limit_value_bytes(const char *where, const char *text, uint64_t *ret_bytes, struct error *err)
{
	static const char form[] = "bytes, as \"4096\", or with the suffix k, m, g or t, as \"10m\"";
	uint64_t value;
	int r = quantity_size(text, &value);

	r = r < 0 ? refuse(where, text, r, form, err) : check(where, text, value, form, err);
	if (r < 0)
		return r;
	*ret_bytes = value;
	return 0;
}
