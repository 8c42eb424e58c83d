#include "base/number_list.h"

#include <errno.h>
#include <stdint.h>

#include "base/quantity.h"

#define WORD_BITS (8 * sizeof(unsigned long))

static void add_range(struct number_list *list, size_t first, size_t last)
{
	for (size_t number = first; number <= last; number++)
		list->bits[number / WORD_BITS] |= 1UL << number % WORD_BITS;
	if (list->n_words < last / WORD_BITS + 1)
		list->n_words = last / WORD_BITS + 1;
}

static int parse_range(const char **text, struct number_list *list)
{
	uint64_t first, last;
	int rc = quantity_digits(text, &first);

	last = first;
	if (rc >= 0 && **text == '-') {
		(*text)++;
		rc = quantity_digits(text, &last);
	}
	if (rc < 0)
		return rc;
	if (first > last)
		return -EINVAL;
	if (last >= NUMBER_LIST_MAX)
		return -ERANGE;
	add_range(list, first, last);
	return 0;
}

/* The kernel takes a comma too many, and so do other runtimes. */
static const char *skip_commas(const char *text)
{
	while (*text == ',')
		text++;
	return text;
}

int number_list_parse(const char *text, struct number_list *ret)
{
	struct number_list list = { .n_words = 0 };
	int rc = 0;

	for (text = skip_commas(text); rc >= 0 && *text; text = skip_commas(text)) {
		rc = parse_range(&text, &list);
		if (rc >= 0 && *text && *text != ',')
			rc = -EINVAL;
	}
	if (rc >= 0 && list.n_words == 0)
		rc = -EINVAL;
	if (rc >= 0)
		*ret = list;
	return rc < 0 ? rc : 0;
}
