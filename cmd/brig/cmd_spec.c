#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "cmd/brig/commands.h"

struct spec_options {
	const char *bundle;
	bool rootless;
};

#define AT(member) offsetof(struct spec_options, member)

static const struct spec_options defaults = { .bundle = "." };

static const struct command_option spec_options[] = {
	{ "bundle", 'b', OPTION_STRING, 0, AT(bundle), "DIR", NULL,
	  "where to write config.json; default: the current directory" },
	{ "rootless", 0, OPTION_FLAG, 0, AT(rootless), NULL, NULL,
	  "for an ordinary user: with a user namespace, and the caller's id as root in it" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig spec && brig run box1", "with a root file system in ./rootfs" },
	{ 0 },
};

static int write_new(const char *bundle, const struct buffer *json, struct error *err)
{
	AUTO_CLOSE int dir_fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = -EBADF;
	int r;

	if (dir_fd < 0)
		return error_system(err, errno, "open the bundle %s", bundle);
	fd = openat(dir_fd, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, ERROR_EXISTS, EEXIST,
				 "%s/config.json exists already, and is not overwritten: move it away first", bundle);
	if (fd < 0)
		return error_system(err, errno, "make %s/config.json", bundle);
	r = fd_write_all(fd, json->data, json->length);
	if (r == 0)
		return 0;
	unlinkat(dir_fd, "config.json", 0);
	return error_system(err, -r, "write %s/config.json", bundle);
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct spec_options *options = data;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer json = { 0 };
	int r = brig_spec(options->rootless, &json, err);

	(void)brig;
	if (r < 0)
		return r;
	if (json.length && json.data[json.length - 1] != '\n')
		buffer_append_text(&json, "\n");
	if (json.failed)
		return error_memory(err);
	return write_new(options->bundle, &json, err);
}

const struct command cmd_spec = {
	.name = "spec",
	.summary = "write a config.json that is safe as it stands",
	.description =
		"The container that it describes runs sh from the directory rootfs beside it, with a terminal, without "
		"capabilities and network, and with the root file system read-only. A config.json that "
		"exists is not overwritten.",
	.group = COMMAND_PREPARES,
	.flags = COMMAND_KEEPS_NO_STATE,
	.options_size = COMMAND_OPTIONS_SIZE(struct spec_options),
	.defaults = &defaults,
	.options = spec_options,
	.examples = examples,
	.run = run,
};
