/* brig-metrics-http: one text file over HTTP, by a program that can do nothing else. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/metrics-http/page.h"
#include "cmd/metrics-http/privileges.h"
#include "cmd/metrics-http/server.h"

#define FILE_DEFAULT "/run/brig-metrics/brig.prom"
#define LISTEN_DEFAULT "127.0.0.1:9717"
#define USER_DEFAULT 65534 /* nobody */
/* Connections, the page of each, what libmicrohttpd waits with, standard streams. */
#define FILES_MAX (2 * SERVER_CONNECTIONS + 16)

struct arguments {
	const char *file, *listen;
	uid_t user;
};

static const char usage[] =
	"usage: brig-metrics-http [--file FILE] [--listen ADDRESS:PORT] [--user ID]\n\n"
	"Answers GET /metrics with FILE, which `brig metrics --output FILE` makes.\n\n"
	"  --file FILE            default: " FILE_DEFAULT "\n"
	"  --listen ADDRESS:PORT  in figures; default: " LISTEN_DEFAULT
	", which this machine alone can reach. There is no TLS and\n"
	"                         no password: another address is for networks that only the monitoring is on\n"
	"  --user ID              where it is started by root: the user and group number to become; default: 65534, nobody\n"
	"  --help, --version\n";

static int parse_user(const char *text, uid_t *ret, struct error *err)
{
	char *end;
	unsigned long id;

	errno = 0;
	id = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || id >= (unsigned long)(uid_t)-1)
		return error_set(err, ERROR_USAGE, EINVAL, "option --user: \"%.64s\" is no number of a user", text);
	*ret = (uid_t)id;
	return 0;
}

/* Returns 1 where all is said and done. */
static int parse(int argc, char **argv, struct arguments *ret, struct error *err)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, 'f' }, { "listen", required_argument, NULL, 'l' },
		{ "user", required_argument, NULL, 'u' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },	  { 0 },
	};
	int letter, rc = 0;

	while (rc == 0 && (letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (letter) {
		case 'f':
			ret->file = optarg;
			break;
		case 'l':
			ret->listen = optarg;
			break;
		case 'u':
			rc = parse_user(optarg, &ret->user, err);
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		case 'v':
			puts("brig-metrics-http " PACKAGE_VERSION);
			return 1;
		default:
			return error_set(err, ERROR_USAGE, EINVAL, "see brig-metrics-http --help");
		}
	}
	if (rc == 0 && optind < argc)
		return error_set(err, ERROR_USAGE, EINVAL, "\"%.100s\" is too much; see brig-metrics-http --help",
				 argv[optind]);
	return rc;
}

/* In this order: what takes root (a port below 1024) is opened first, and the first byte from the network is read when it is
 * given up. */
static int serve(const struct arguments *arguments, struct error *err)
{
	struct server_page page = { .dir_fd = -EBADF };
	struct server *server = NULL;
	sigset_t ends;
	int signal_number, fd, rc;

	/* Before the server's thread is there, which is to have them blocked too. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	rc = page.dir_fd = page_open_directory(arguments->file, &page.name, err);
	if (rc >= 0)
		rc = fd = server_listen(arguments->listen, err);
	if (rc >= 0)
		rc = privileges_drop(arguments->user, FILES_MAX, err);
	if (rc >= 0 && !(server = server_start(&page, fd, err)))
		rc = -err->code;
	if (rc >= 0)
		sigwait(&ends, &signal_number);
	server_stop(server);
	close_and_reset(&page.dir_fd);
	return rc;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .file = FILE_DEFAULT, .listen = LISTEN_DEFAULT, .user = USER_DEFAULT };
	struct error err = { 0 };
	int rc = parse(argc, argv, &arguments, &err);

	if (rc == 0)
		rc = serve(&arguments, &err);
	if (rc < 0)
		fprintf(stderr, "brig-metrics-http: %s\n", err.message);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
