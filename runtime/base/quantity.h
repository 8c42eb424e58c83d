/* Numbers with units, as people write them in options, annotations and policy files. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A duration as Go writes it: "90s", "2h30m", "1.5s", "300ms"; only "0" goes without a unit. In nanoseconds. -EINVAL (no duration,
 * a negative one) or -ERANGE (more than 64 bits hold). */
int quantity_duration(const char *text, uint64_t *ret_ns);
/* "512", "64k", "10MB", "1GiB": powers of 1024, whatever the suffix. In bytes, at most INT64_MAX. -EINVAL or -ERANGE. */
int quantity_size(const char *text, uint64_t *ret_bytes);
/* "2", "1.5", "0.125", with three digits behind the point at most: in thousandths. -EINVAL (none of these), or -ERANGE (more than
 * whole_most before the point). */
int quantity_thousandths(const char *text, uint64_t whole_most, uint64_t *ret);
/* Decimal digits at *text, which then points behind them. -EINVAL: there is none; -ERANGE. */
int quantity_digits(const char **text, uint64_t *ret);

/* "90s", "1.5s": without trailing zeros. */
#define QUANTITY_TEXT_MAX 40
const char *quantity_format_duration(uint64_t ns, char text[static QUANTITY_TEXT_MAX]);
