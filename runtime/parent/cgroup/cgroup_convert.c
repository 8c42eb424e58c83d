/* OCI's numbers are v1's: shares and weights as v2 has them. Pure. */
#include "parent/cgroup/cgroup_settings.h"

#define FRACTION_BITS 40 /* of the fixed-point logarithms: the weights of all shares come out as with real numbers */
#define SHARES_MIN UINT64_C(2)
#define SHARES_MAX UINT64_C(262144)
#define WEIGHT_MAX UINT64_C(10000)
/* 612 * log10(2), with FRACTION_BITS */
#define SCALE INT64_C(202563420091647)

/* log2(value) for 1 <= value < 2^31, with FRACTION_BITS: by repeated squaring, one bit of the result each. */
static int64_t fixed_log2(uint64_t value)
{
	int whole = 63 - __builtin_clzll(value);
	unsigned __int128 mantissa = (unsigned __int128)value << (62 - whole); /* 1 <= mantissa / 2^62 < 2 */
	int64_t result = whole;

	for (int bit = 0; bit < FRACTION_BITS; bit++) {
		mantissa = (mantissa * mantissa) >> 62;
		result <<= 1;
		if (mantissa >> 63) {
			mantissa >>= 1;
			result |= 1;
		}
	}
	return result;
}

/* The weight is the ceiling of 10^((l^2 + 125 l) / 612 - 7 / 34) with l = log2(shares), which maps both ends of the range
 * and the defaults onto each other, as runc 1.3.2 and crun 1.23 do it. Both sides are compared as logarithms, in integers:
 * a static program does without the mathematical library. */
uint64_t cgroup_convert_shares(uint64_t shares)
{
	uint64_t low = 1, high = WEIGHT_MAX;
	__int128 l, wanted;

	if (shares <= SHARES_MIN)
		return 1;
	if (shares >= SHARES_MAX)
		return WEIGHT_MAX;
	l = fixed_log2(shares);
	wanted = ((l * l) >> FRACTION_BITS) + 125 * l - ((__int128)126 << FRACTION_BITS);
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		__int128 reached = ((__int128)SCALE * fixed_log2(middle)) >> FRACTION_BITS;

		/* The tolerance is for 1024, whose weight is exactly 100. */
		if (reached + (1 << 12) >= wanted)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

uint64_t cgroup_convert_io_weight(uint64_t weight)
{
	if (weight <= 10)
		return 1;
	if (weight >= 1000)
		return WEIGHT_MAX;
	return 1 + (weight - 10) * (WEIGHT_MAX - 1) / 990;
}
