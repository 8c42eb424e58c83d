/* The shim's actions. Each returns 0, or a negative errno with err set. */
#pragma once

#include "base/error.h"
#include "shim/bootstrap/arguments.h"

struct cmd {
	char *const *argv;
	struct arguments arguments;
};

#define CMD_RUNTIME_NAME "io.containerd.brig.v2"
#define CMD_LISTEN_FD 3				      /* of `serve`, from `start` */
#define CMD_LOG_LEVEL_VARIABLE "BRIG_LOG_LEVEL"	      /* of `serve`, from `start`: an enum log_level as a number */
#define CMD_REFUSES_VARIABLE "BRIG_REFUSES_THE_HOSTS" /* of `serve`, from `start`: see brig_refuses_the_hosts() */

/* Has a shim run for the container's pod, and prints its address. */
int cmd_start(const struct cmd *cmd, struct error *err);
/* Is that shim. */
int cmd_serve(const struct cmd *cmd, struct error *err);
/* Clears away what a container left whose shim is gone. */
int cmd_delete(const struct cmd *cmd, struct error *err);
int cmd_info(struct error *err);
int cmd_version(struct error *err);
/* The OCI features document, as `brig features` has it: CRI-O runs each handler's program so. */
int cmd_features(struct error *err);
