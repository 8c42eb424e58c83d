#include "cmd/systemd/bus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/systemd/message.h"
#include "cmd/systemd/place.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define PAUSE_NS (20 * 1000 * 1000)
#define EXISTS_TRIES 100 /* two seconds: a scope that is about to go */
/* Microseconds. How long a systemd that went off the bus is waited for; how often it is looked whether a lost signal was ours. */
#define AWAY_US (5 * 1000 * 1000)
#define LOOK_US (200 * 1000)

DEFINE_CLEANUP(sd_bus_message *, sd_bus_message_unref);

/* A job of systemd's that is waited for. */
struct job {
	char path[256];
	char result[64]; /* "" until it is over */
};

struct session {
	sd_bus *bus;
	const struct request *request;
	uint64_t deadline_us, away_us;
	struct job job;
	char place[PLACE_MAX]; /* ours, before anything was asked */
};

/* D-Bus has the better words (which property, whose no); an errno is what is left where there are none. */
static int failed(struct error *err, int errnum, const sd_bus_error *error, const char *what)
{
	const char *text = error && error->message ? error->message : strerrordesc_np(errnum);

	if (errnum == ETIMEDOUT)
		return error_set(err, ERROR_TIMEOUT, errnum,
				 "%s: no answer in time; look whether systemd and its bus are well (systemctl status)",
				 what);
	return error_set(err, ERROR_SYSTEM, errnum, "%s: %s", what, text);
}

/* A systemd that executes itself anew (daemon-reexec) is off the bus for a moment, and what it was asked just before stays without an
 * answer. */
static bool is_away(const struct session *session, const sd_bus_error *error)
{
	static const char *const names[] = { SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_SERVICE_UNKNOWN,
					     SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_DISCONNECTED };

	for (size_t i = 0; clock_us() < session->away_us && i < ARRAY_SIZE(names); i++) {
		if (sd_bus_error_has_name(error, names[i]))
			return true;
	}
	return false;
}

/* What is asked twice has to be what can be asked twice: see start. */
static int ask(struct session *session, sd_bus_message *call, sd_bus_error *error, sd_bus_message **ret_reply)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int r;

	for (;;) {
		r = sd_bus_call(session->bus, call, session->request->timeout_us, error, ret_reply);
		if (r >= 0 || !is_away(session, error))
			return r;
		sd_bus_error_free(error);
		nanosleep(&pause, NULL);
	}
}

static int new_call(struct session *session, const char *method, sd_bus_message **ret)
{
	return sd_bus_message_new_method_call(session->bus, ret, SYSTEMD, MANAGER_PATH, MANAGER, method);
}

static int open_bus(struct session *session, struct error *err)
{
	int r;

	if (session->request->user) {
		r = sd_bus_open_user(&session->bus);
	} else {
		/* At its fixed place, which no environment moves. */
		r = sd_bus_new(&session->bus);
		if (r >= 0)
			r = sd_bus_set_address(session->bus, SYSTEM_BUS);
		if (r >= 0)
			r = sd_bus_set_bus_client(session->bus, 1);
		if (r >= 0)
			r = sd_bus_start(session->bus);
	}
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(session->bus, session->request->timeout_us);
	if (r >= 0)
		return 0;
	return error_set(err, ERROR_SYSTEM, -r,
			 "connect to %s: %s; is D-Bus running? Without it leave --systemd-cgroup out (cgroupfs)",
			 session->request->user
				 ? "the bus of the user's session (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR)"
				 : SYSTEM_BUS,
			 strerrordesc_np(-r));
}

/* Of any unit on the machine: the job's path is what tells ours, and it is known before the first signal is processed. */
static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *ignored)
{
	struct job *job = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)ignored;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 && strcmp(path, job->path) == 0)
		snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

/* systemd sends signals only to who has said that they want them. */
static int subscribe(struct session *session, struct error *err)
{
	__attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	int r = sd_bus_match_signal(session->bus, NULL, SYSTEMD, MANAGER_PATH, MANAGER, "JobRemoved", on_job_removed,
				    &session->job);

	if (r >= 0)
		r = new_call(session, "Subscribe", &call);
	if (r >= 0)
		r = ask(session, call, &error, NULL);
	return r < 0 ? failed(err, -r, &error, "ask systemd for its signals") : 0;
}

/* brig's caller may live in a unit of that name, and we with him: then it is not ours. */
static bool is_started(struct session *session)
{
	struct error ignored;
	char place[PLACE_MAX];

	return place_is_in(session->request->unit) && place_read(place, &ignored) == 0 &&
	       strcmp(place, session->place) != 0;
}

/* An errno would not do: that the bus does not answer is no proof that the unit is away. */
static bool is_gone(struct session *session)
{
	__attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;

	return sd_bus_call_method(session->bus, SYSTEMD, MANAGER_PATH, MANAGER, "GetUnit", &error, NULL, "s",
				  session->request->unit) < 0 &&
	       sd_bus_error_has_name(&error, SYSTEMD ".NoSuchUnit");
}

/* is_done: for a signal that was lost with a systemd that was executed anew. */
static int wait_for_job(struct session *session, sd_bus_message *reply, const char *what,
			bool (*is_done)(struct session *session), struct error *err)
{
	const char *path;
	int r = sd_bus_message_read(reply, "o", &path);

	if (r < 0)
		return failed(err, -r, NULL, what);
	snprintf(session->job.path, sizeof(session->job.path), "%s", path);
	while (session->job.result[0] == '\0') {
		uint64_t now = clock_us();

		r = sd_bus_process(session->bus, NULL);
		if (r == 0 && now >= session->deadline_us)
			r = -ETIMEDOUT;
		else if (r == 0)
			r = sd_bus_wait(session->bus, LOOK_US);
		/* Nothing was heard. */
		if (r == 0 && is_done(session))
			return 0;
		if (r < 0)
			return failed(err, -r, NULL, what);
	}
	if (strcmp(session->job.result, "done") == 0)
		return 0;
	return error_set(err, ERROR_SYSTEM, EIO, "%s: systemd's job ended as \"%s\"; see systemctl status %s", what,
			 session->job.result, session->request->unit);
}

static void reset_failed(struct session *session)
{
	__attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;

	(void)sd_bus_call_method(session->bus, SYSTEMD, MANAGER_PATH, MANAGER, "ResetFailedUnit", &error, NULL, "s",
				 session->request->unit);
}

/* Once: -EEXIST where there is a unit of that name. */
static int try_start(struct session *session, sd_bus_message **ret_reply, struct error *err)
{
	__attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	int r = new_call(session, "StartTransientUnit", &call);

	if (r >= 0)
		r = sd_bus_message_append(call, "ss", session->request->unit, "fail");
	if (r >= 0)
		r = message_append_start(call, session->request);
	if (r >= 0)
		r = ask(session, call, &error, ret_reply);
	if (r < 0 && sd_bus_error_has_name(&error, SYSTEMD ".UnitExists"))
		return error_set(
			err, ERROR_EXISTS, EEXIST,
			"systemd has a unit of that name already, which is running; end it (systemctl stop %s), or choose "
			"another linux.cgroupsPath",
			session->request->unit);
	return r < 0 ? failed(err, -r, &error, "StartTransientUnit") : 0;
}

/* A unit of the same name that has failed, or is about to go, is no obstacle; nor is our own, which was made by a systemd that could not say so
 * any more. */
static int start(struct session *session, struct error *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	int rc = place_read(session->place, err);

	if (rc == 0)
		rc = subscribe(session, err);
	for (int i = 0; rc == 0 && i < EXISTS_TRIES; i++) {
		rc = try_start(session, &reply, err);
		if (rc == -EEXIST && is_started(session))
			return 0;
		if (rc != -EEXIST || i + 1 == EXISTS_TRIES)
			break;
		reset_failed(session);
		nanosleep(&pause, NULL);
		rc = 0;
	}
	return rc < 0 ? rc : wait_for_job(session, reply, "StartTransientUnit", is_started, err);
}

/* runtime: until the next boot, under /run; a scope does not outlive that anyway. */
static int set(struct session *session, struct error *err)
{
	__attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	int r = new_call(session, "SetUnitProperties", &call);

	if (r >= 0)
		r = sd_bus_message_append(call, "sb", session->request->unit, /* runtime= */ 1);
	if (r >= 0)
		r = message_append_set(call, session->request);
	if (r >= 0)
		r = ask(session, call, &error, NULL);
	return r < 0 ? failed(err, -r, &error, "SetUnitProperties") : 0;
}

static int stop(struct session *session, struct error *err)
{
	__attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	int rc = subscribe(session, err), r;

	if (rc < 0)
		return rc;
	r = new_call(session, "StopUnit", &call);
	if (r >= 0)
		r = sd_bus_message_append(call, "ss", session->request->unit, "replace");
	if (r >= 0)
		r = ask(session, call, &error, &reply);
	if (r < 0 && sd_bus_error_has_name(&error, SYSTEMD ".NoSuchUnit"))
		return 0;
	if (r < 0)
		return failed(err, -r, &error, "StopUnit");
	rc = wait_for_job(session, reply, "StopUnit", is_gone, err);
	reset_failed(session);
	return rc;
}

int bus_carry_out(const struct request *request, struct error *err)
{
	struct session session = { .request = request,
				   .deadline_us = clock_us() + request->timeout_us,
				   .away_us = clock_us() + AWAY_US };
	int rc = open_bus(&session, err);

	if (rc == 0) {
		switch (request->verb) {
		case REQUEST_START:
			rc = start(&session, err);
			break;
		case REQUEST_SET:
			rc = set(&session, err);
			break;
		case REQUEST_STOP:
			rc = stop(&session, err);
			break;
		}
	}
	sd_bus_close_unref(session.bus);
	return rc;
}
