/* environ_watcher TEXT FILE [cmdline]: looks into the environment of every other process, or at its command line, until one has TEXT, and
 * makes FILE then. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIDS 256

static int has(int pid, const char *name, const char *text)
{
	static char environment[16384];
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	n = read(fd, environment, sizeof(environment));
	close(fd);
	return n > 0 && memmem(environment, (size_t)n, text, strlen(text));
}

int main(int argc, char **argv)
{
	const char *name = argc == 4 ? argv[3] : "environ";

	if (argc != 3 && argc != 4)
		return 2;
	for (int pid = 2;; pid = pid == PIDS ? 2 : pid + 1) {
		if (pid != getpid() && has(pid, name, argv[1])) {
			close(open(argv[2], O_WRONLY | O_CREAT, 0600));
			return 0;
		}
	}
}
