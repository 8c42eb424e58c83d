/* What the two files behind io.h share: io.c opens what the process will use, io_run.c is at work from then until its end. Internal
 * to them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shim/io/copy.h"
#include "shim/io/endpoint.h"
#include "shim/io/io.h"
#include "shim/io/logger.h"
#include "shim/io/terminal.h"

struct output {
	struct io *io;
	struct endpoint to;	 /* containerd's, or the logger's pipe */
	struct endpoint bounded; /* where there is a limit: the pipe that the process writes into */
	struct copy copy;	 /* from the terminal, or `bounded`, to `to` */
	struct copy drop;	 /* of what nobody reads any more */
};

struct io {
	struct loop *loop;
	struct stream *streams[3]; /* by descriptor; NULL: of another scheme */
	struct endpoint in;
	struct copy in_copy; /* to the terminal */
	struct output outputs[2];
	struct logger logger;
	struct loop_watch logger_watch;
	bool is_terminal, has_begun, has_overflowed;
	struct terminal terminal;
	int null_fd;
	uint64_t limit;
	void (*overflowed)(void *context);
	void *context;
	void (*finished)(void *context); /* NULL: not finishing, or finished */
	void *finished_context;
	struct loop_timer deadline, settle;
	uint64_t settle_pause;
};
