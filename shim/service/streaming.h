/* The streaming service: containerd's connections for standard streams (io_type = "streaming"). Each call is one stream: its first
 * message names it, the others carry bytes and windows. Internal to the service. */
#pragma once

#include "shim/ttrpc/server.h"

struct service;

/* Stream's entries in the table of methods; context: the service. */
void streaming_handle(void *context, struct server_call id, const struct request *request);
void streaming_data(void *context, struct server_call id, struct message_bytes payload, bool is_last);
/* The server's word that a call is over. Nothing happens where it is no stream's. */
void streaming_ended(struct service *service, struct server_call id);
/* Before the server and the streams go. */
void streaming_free_all(struct service *service);
