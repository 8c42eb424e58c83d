/* Sockets that listen inside the container, made there and handed out: who serves them is outside, and nobody inside has to carry bytes. */
#pragma once

#include "child/child.h"

/* Makes those of the attendant and sends each (HANDSHAKE_LISTENER). Ours are closed again. */
int init_listen(const struct child_attendant *attendant, struct error *err);
