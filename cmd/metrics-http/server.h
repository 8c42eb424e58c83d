/* HTTP for one page, by libmicrohttpd (the only file that sees it is server.c). */
#pragma once

#include "base/error.h"

struct server;

struct server_page {
	int dir_fd; /* of the directory that the page is in */
	const char *name;
};

/* Serves page, which outlives it, on the listening socket listen_fd, which it takes. In one thread, SERVER_CONNECTIONS at a time,
 * each dropped after SERVER_TIMEOUT_S of silence. NULL with err set. */
#define SERVER_CONNECTIONS 16u
#define SERVER_TIMEOUT_S 5u
struct server *server_start(const struct server_page *page, int listen_fd, struct error *err);
/* Ends all connections. */
void server_stop(struct server *server);
/* A socket that listens at ADDRESS:PORT or [ADDRESS]:PORT, both in figures. A descriptor, or a negative errno with err set. */
int server_listen(const char *address, struct error *err);
