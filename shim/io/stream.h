/* One named stream, as the files of streams.h share it. Internal to them. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "shim/io/streams.h"

struct stream {
	struct streams *streams;
	struct loop *loop;
	struct stream_peer *peer; /* NULL: nobody is connected */
	enum stream_use use;
	bool is_open; /* a process's io has it */
	bool is_over; /* all output is sent; the process gets no more input */
	int fd;	      /* our end of the process's pipe */
	struct loop_watch watch;
	uint32_t allowed;	   /* output: bytes that the peer takes; input: that it may still send */
	struct buffer pending;	   /* input that the pipe had no room for: at most STREAM_WINDOW */
	size_t n_written;	   /* of pending */
	bool has_input_end;	   /* nothing comes after pending */
	struct loop_timer closing; /* after streams_close_in, where the peer does not say that it was all */
	struct stream *next;
	char name[STREAM_NAME_MAX + 1];
};

/* Frees it where neither a process nor a peer has it. */
void streams_settle(struct stream *stream);

/* Once the stream has a pipe, and for each peer that joins it later. */
void stream_out_begin(struct stream *stream);
void stream_out_allow(struct stream *stream, uint32_t n);

void stream_in_begin(struct stream *stream);
int stream_in_take(struct stream *stream, const void *bytes, size_t n, struct error *err);
/* After what came already. */
void stream_in_end(struct stream *stream);
/* After what is on its way. */
void stream_in_end_soon(struct stream *stream);
