#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/syscalls.h"
#include "cmd/shim/cmd.h"
#include "cmd/shim/log_fifo.h"
#include "shim/loop/loop.h"
#include "shim/service/service.h"

#define MEMORY_MAX ((size_t)64 * 1024)

static void pass_over(int number)
{
	(void)number;
}

/* A shim that a stray signal ended would leave its containers without anyone who waits for them: it ends when containerd says so.
 * Handlers, since what is ignored stays ignored in the programs that are executed. */
static void take_signals(void)
{
	static const int passed_over[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_handler = pass_over, .sa_flags = SA_RESTART };
	sigset_t none;

	/* What containerd ignores; our workers count on it. */
	for (int number = 1; number < NSIG; number++)
		sys_default_signal(number);
	for (size_t i = 0; i < ARRAY_SIZE(passed_over); i++)
		sigaction(passed_over[i], &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* By hand nobody calls it so: the message says who does. */
static int check_socket(struct error *err)
{
	int listens = 0;
	socklen_t size = sizeof(listens);

	if (getsockopt(CMD_LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens)
		return error_set(err, ERROR_USAGE, ENOTSOCK,
				 "no listening socket as descriptor %d; without an action the shim serves, and `start` is what "
				 "calls it so",
				 CMD_LISTEN_FD);
	if (fcntl(CMD_LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0)
		return error_system(err, errno, "fcntl of the listening socket");
	return 0;
}

/* What `start` found out, handed on by the environment: it has read the options, and they are not kept for us. */
static enum log_level log_level(const struct arguments *arguments)
{
	const char *given = getenv(CMD_LOG_LEVEL_VARIABLE);

	for (enum log_level level = LOG_LEVEL_ERROR; given && level <= LOG_LEVEL_DEBUG; level++) {
		if (given[0] == '0' + (char)level && !given[1])
			return level;
	}
	return arguments->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

/* Those of the program's own file that were needed to get here, a tenth of what is resident: mapped again where they are needed once more,
 * without a read as long as the page cache has them. */
static int let_go_of_pages(struct dl_phdr_info *program, size_t size, void *context)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;

	(void)size;
	(void)context;
	for (size_t i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &program->dlpi_phdr[i];
		uintptr_t begin = (program->dlpi_addr + segment->p_vaddr) & ~page;
		uintptr_t end = (program->dlpi_addr + segment->p_vaddr + segment->p_memsz + page) & ~page;

		/* What may be written to has values of its own. */
		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
			madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 1; /* no library's */
}

static int serve(const struct arguments *arguments, const char *root, struct error *err)
{
	AUTO(loop_free) struct loop *loop = NULL;
	AUTO(service_free) struct service *service = NULL;
	struct service_options options = {
		.listen_fd = CMD_LISTEN_FD,
		.socket_path = arguments->socket,
		.namespace = arguments->namespace,
		.id = arguments->id,
		.bundle = arguments->bundle,
		.ttrpc_address = getenv("TTRPC_ADDRESS") ?: "",
		.refuses_the_hosts = getenv(CMD_REFUSES_VARIABLE) ?: "",
		.brig = { .root = root },
	};
	int r = loop_new(&loop, err);

	if (r < 0)
		return r;
	options.loop = loop;
	r = service_new(&options, &service, err);
	if (r < 0)
		return r;
	log_debug("shim of %s in namespace %s: serving at %s", arguments->id, arguments->namespace, arguments->socket);
	dl_iterate_phdr(let_go_of_pages, NULL);
	r = loop_run(loop);
	return r < 0 ? error_system(err, -r, "wait for events") : 0;
}

int cmd_serve(const struct cmd *cmd, struct error *err)
{
	const struct arguments *arguments = &cmd->arguments;
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	AUTO_CLOSE int log_fd = -EBADF;
	const char *root;
	int r = check_socket(err);

	if (r < 0)
		return r;
	if (arguments->bundle[0] != '/' || arguments->socket[0] != '/')
		return error_set(err, ERROR_USAGE, EINVAL, "-bundle and -socket have to be absolute paths");
	root = arena ? arena_printf(arena, SERVICE_ROOT_DEFAULT "/%s", arguments->namespace) : NULL;
	if (!root)
		return error_memory(err);
	take_signals();
	/* Executed from a descriptor, the process is named after its number. */
	prctl(PR_SET_NAME, "containerd-shim");
	r = brig_protect_executable(cmd->argv, err)
		    ?: log_fifo_open(arguments->bundle, log_level(arguments), &log_fd, err);
	if (r < 0)
		return r;
	r = serve(arguments, root, err);
	if (r < 0) {
		log_error("shim of %s in namespace %s: %s", arguments->id, arguments->namespace, err->message);
		unlink(arguments->socket);
	}
	log_close();
	return r;
}
