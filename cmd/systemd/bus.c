#include "cmd/systemd/bus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/systemd/message.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define EXISTS_PAUSE_NS (20 * 1000 * 1000)
#define EXISTS_TRIES 100 /* two seconds: a scope that is about to go */

DEFINE_CLEANUP(sd_bus_message *, sd_bus_message_unref);

/* A job of systemd's that is waited for. */
struct job {
	char path[256];
	char result[64]; /* "" until it is over */
};

struct session {
	sd_bus *bus;
	const struct request *request;
	uint64_t deadline_us;
	struct job job;
};

static int failed(struct error *err, int errnum, const sd_bus_error *error, const char *what)
{
	const char *text = error && error->message ? error->message : strerrordesc_np(errnum);

	if (errnum == ETIMEDOUT)
		return error_set(err, ERROR_TIMEOUT, errnum,
				 "%s: no answer in time; look whether systemd and its bus are well (systemctl status)",
				 what);
	return error_set(err, ERROR_SYSTEM, errnum, "%s: %s", what, text);
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
	int r = sd_bus_match_signal(session->bus, NULL, SYSTEMD, MANAGER_PATH, MANAGER, "JobRemoved", on_job_removed,
				    &session->job);

	if (r >= 0)
		r = sd_bus_call_method(session->bus, SYSTEMD, MANAGER_PATH, MANAGER, "Subscribe", &error, NULL, NULL);
	return r < 0 ? failed(err, -r, &error, "ask systemd for its signals") : 0;
}

static int wait_for_job(struct session *session, sd_bus_message *reply, const char *what, struct error *err)
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
			r = sd_bus_wait(session->bus, session->deadline_us - now);
		if (r < 0)
			return failed(err, -r, NULL, what);
	}
	if (strcmp(session->job.result, "done") == 0)
		return 0;
	return error_set(err, ERROR_SYSTEM, EIO, "%s: systemd's job ended as \"%s\"; see systemctl status %s", what,
			 session->job.result, session->request->unit);
}

static int new_call(struct session *session, const char *method, sd_bus_message **ret)
{
	return sd_bus_message_new_method_call(session->bus, ret, SYSTEMD, MANAGER_PATH, MANAGER, method);
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
		r = sd_bus_call(session->bus, call, session->request->timeout_us, &error, ret_reply);
	if (r < 0 && sd_bus_error_has_name(&error, SYSTEMD ".UnitExists"))
		return error_set(
			err, ERROR_EXISTS, EEXIST,
			"systemd has a unit of that name already, which is running; end it (systemctl stop %s), or choose "
			"another linux.cgroupsPath",
			session->request->unit);
	return r < 0 ? failed(err, -r, &error, "StartTransientUnit") : 0;
}

/* A unit of the same name that has failed, or is about to go, is no obstacle. */
static int start(struct session *session, struct error *err)
{
	const struct timespec pause = { .tv_nsec = EXISTS_PAUSE_NS };
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	int rc = subscribe(session, err);

	for (int i = 0; rc == 0 && i < EXISTS_TRIES; i++) {
		rc = try_start(session, &reply, err);
		if (rc != -EEXIST || i + 1 == EXISTS_TRIES)
			break;
		reset_failed(session);
		nanosleep(&pause, NULL);
		rc = 0;
	}
	return rc < 0 ? rc : wait_for_job(session, reply, "StartTransientUnit", err);
}

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
		r = sd_bus_call(session->bus, call, session->request->timeout_us, &error, NULL);
	return r < 0 ? failed(err, -r, &error, "SetUnitProperties") : 0;
}

static int stop(struct session *session, struct error *err)
{
	__attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	int rc = subscribe(session, err), r;

	if (rc < 0)
		return rc;
	r = sd_bus_call_method(session->bus, SYSTEMD, MANAGER_PATH, MANAGER, "StopUnit", &error, &reply, "ss",
			       session->request->unit, "replace");
	if (r < 0 && sd_bus_error_has_name(&error, SYSTEMD ".NoSuchUnit"))
		return 0;
	if (r < 0)
		return failed(err, -r, &error, "StopUnit");
	rc = wait_for_job(session, reply, "StopUnit", err);
	reset_failed(session);
	return rc;
}

int bus_carry_out(const struct request *request, struct error *err)
{
	struct session session = { .request = request, .deadline_us = clock_us() + request->timeout_us };
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
