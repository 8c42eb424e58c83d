/* The handler's options as `start` needs them. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "shim/bootstrap/bootstrap.h"
#include "shim/service/options.h"

/* From what came on stdin, or from the file that this names. */
int handler_options_read(const struct bootstrap *bootstrap, struct arena *arena, struct options *ret, struct error *err);
/* Of the shim: the option, or what the caller logs itself. debug: -debug was given. */
enum log_level handler_options_log_level(const struct options *options, const struct bootstrap *bootstrap, bool debug);
