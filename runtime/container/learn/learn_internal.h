/* For those who record. Internal to learn. */
#pragma once

#include "container/learn/learn.h"
#include "container/learn/learn_calls.h"

/* The learn's own. */
struct learn_calls *learn_calls_of(struct learn *learn);
