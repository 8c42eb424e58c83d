/* Unpacking can take minutes: whoever asked for it is asked in turn, often, whether it may go on. */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct pace {
	int (*may_go_on)(void *context, struct error *err); /* negative: no, and why. NULL: always */
	void *context;
};

static inline int pace_check(const struct pace *pace, struct error *err)
{
	return pace->may_go_on ? pace->may_go_on(pace->context, err) : 0;
}
