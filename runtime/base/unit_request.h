/* What brig and brig-systemd say to each other: one packet each way on a socket (SOCK_SEQPACKET) that is the helper's stdin.
 *
 * The request is text, a line for each item, in this order:
 *	start | set | stop			what is to be done
 *	bus system | user
 *	timeout MILLISECONDS			for all of it
 *	unit NAME.scope
 *	slice NAME.slice			start alone, as the next
 *	description TEXT
 *	property SIGNATURE NAME VALUE		any number; SIGNATURE is D-Bus's: b, s, i, t, as (words), ay (hexadecimal), a(st) (path, number)
 * The answer is "ok" and, after start, a space and the group that the helper is in now; or "error ERRNO TEXT".
 * After start the helper stays, as the process that keeps the scope alive, until the socket is closed. */
#pragma once

#define UNIT_REQUEST_MAX (64 * 1024) /* bytes of a request */
#define UNIT_REQUEST_LINES_MAX 256   /* properties */
#define UNIT_REQUEST_ANSWER_MAX 4096 /* bytes of an answer */
#define UNIT_REQUEST_NAME_MAX 255    /* bytes of a unit's name: systemd's UNIT_NAME_MAX */
