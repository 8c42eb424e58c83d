/* containerd-shim-brig-v2: from argv to one action, and from its error to one line. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/shim/cmd.h"

/* The next descriptor that is opened must not become a standard stream. */
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(EXIT_FAILURE);
	}
}

/* -EINVAL is never reached: arguments_parse knows no other action. */
static int run(const struct cmd *cmd, struct error *err)
{
	switch (cmd->arguments.action) {
	case ARGUMENTS_SERVE:
		return cmd_serve(cmd, err);
	case ARGUMENTS_START:
		return cmd_start(cmd, err);
	case ARGUMENTS_DELETE:
		return cmd_delete(cmd, err);
	case ARGUMENTS_INFO:
		return cmd_info(err);
	case ARGUMENTS_VERSION:
		return cmd_version(err);
	case ARGUMENTS_FEATURES:
		return cmd_features(err);
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	/* containerd takes what start writes on stderr for a part of its answer. */
	const struct log_options quiet = { .level = LOG_LEVEL_ERROR };
	struct cmd cmd = { .argv = argv };
	struct error err = { 0 };
	int r;

	if (argc < 1)
		return EXIT_FAILURE;
	fill_standard_streams();
	r = arguments_parse(argv, &cmd.arguments, &err);
	if (r == 0 && cmd.arguments.action != ARGUMENTS_DELETE)
		r = log_open(&quiet, &err);
	if (r == 0)
		r = run(&cmd, &err);
	if (r < 0)
		log_error("%s", err.message);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
