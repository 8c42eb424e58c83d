/* The conversation between brig and the process that becomes the container: small messages on a SOCK_SEQPACKET pair, later
 * on the connection that `brig start` makes. The end of file after a successful start means: the program runs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum handshake_type {
	HANDSHAKE_GO = 1,   /* parent: maps, cgroups and offsets are written */
	HANDSHAKE_CONTINUE, /* parent: the hooks asked for have run, or the agent is there */
	HANDSHAKE_MOUNTED,  /* child: mounts are in place, before pivot_root: the hooks of the runtime may run */
	HANDSHAKE_HOOKED,   /* child: the hooks of the creation have run: the filter's agent is connected to */
	HANDSHAKE_WARNING,  /* child: error.message goes to the log */
	HANDSHAKE_LISTENER, /* child: the descriptor that comes along is the filter's listener */
	HANDSHAKE_READY,    /* child: all is set up; what follows is the program's own start */
	HANDSHAKE_ENDED,    /* init (init.h): the program has ended, pid is its status as waitpid(2) has it */
	HANDSHAKE_FAILED,   /* child: error says why it is about to exit */
};

struct handshake_message {
	enum handshake_type type;
	int pid;	  /* with GO: the process as the host counts it, for the hooks' state; with ENDED: see there */
	uint64_t elapsed; /* with ENDED: nanoseconds that the program took */
	struct error error;
};

/* passed_fd: a descriptor to go along, or -EBADF. Returns 0 or a negative errno. */
int handshake_send(int channel_fd, enum handshake_type type, const struct error *error, int passed_fd);
int handshake_send_go(int channel_fd, int pid);
int handshake_send_ended(int channel_fd, int status, uint64_t elapsed);
/* Returns 1 with a message, 0 when the peer is gone, or a negative errno. ret_fd may be NULL. */
int handshake_receive(int channel_fd, struct handshake_message *ret, int *ret_fd, struct error *err);
/* Waits for exactly this type; the peer's end is an error (ECANCELED). ret_pid (may be NULL): what came with it. */
int handshake_expect(int channel_fd, enum handshake_type type, int *ret_pid, struct error *err);
