/* In messages about a sandbox's container the options that it came from, in place of the document that nobody has seen: "option --bind-ro
 * /a:/b", not "mounts[7].source". Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sandbox/sandbox_config.h"

#define SANDBOX_WORDS_MAX 1016

/* Of the first place that text names. True: the request has asked for what is there. Both may be the same memory; what does not fit is lost. */
bool sandbox_words_put(const struct sandbox_config *config, const char *text, char ret[static SANDBOX_WORDS_MAX]);
/* The same in err. What the kernel has against a place that was asked for gets the kind of a mistake in the request (error_named). */
void sandbox_words_mend(const struct sandbox_config *config, struct error *err);
