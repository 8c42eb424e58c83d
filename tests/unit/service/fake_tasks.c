#include "tests/unit/service/fake_tasks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

struct fake_tasks fake;

static struct {
	void (*idle)(void *context);
	void *context;
} finishing;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(fake.asked, sizeof(fake.asked), format, arguments);
	va_end(arguments);
}

static const char *full_name(struct task_name name)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%s%s%s", name.id, *name.exec_id ? "/" : "", name.exec_id);
	return text;
}

static int answer(struct task_reply *reply, struct error *err)
{
	if (fake.failure.kind != ERROR_NONE) {
		*err = fake.failure;
		return -err->code;
	}
	if (!reply)
		return 0;
	if (fake.answers_at_once) {
		reply->done(reply, &fake.info, NULL);
		/* The request is the caller's for as long as the call lasts. */
		return 0;
	}
	cr_assert_lt(fake.n_replies, FAKE_REPLIES_MAX);
	fake.replies[fake.n_replies++] = reply;
	return 0;
}

static struct task_reply *take_reply(size_t i)
{
	struct task_reply *reply = fake.replies[i];

	fake.n_replies--;
	memmove(&fake.replies[i], &fake.replies[i + 1], (fake.n_replies - i) * sizeof(*fake.replies));
	return reply;
}

void fake_tasks_reply(const struct error *err)
{
	struct task_reply *reply;

	cr_assert_gt(fake.n_replies, 0, "nobody waits for a reply");
	reply = take_reply(0);
	reply->done(reply, err ? NULL : &fake.info, err);
}

void fake_tasks_event(enum task_event event)
{
	fake.options.event(fake.options.context, event, &fake.info);
}

int tasks_new(const struct tasks_options *options, struct tasks **ret, struct error *err)
{
	(void)err;
	fake.options = *options;
	snprintf(fake.root, sizeof(fake.root), "%s", options->brig.root);
	snprintf(fake.policy, sizeof(fake.policy), "%s", options->brig.policy ?: "");
	fake.n_made++;
	*ret = (struct tasks *)&fake;
	return 0;
}

void tasks_free(struct tasks *tasks)
{
	if (tasks)
		fake.n_freed++;
}

size_t tasks_count(const struct tasks *tasks)
{
	cr_assert_eq((const void *)tasks, &fake);
	return fake.count;
}

int tasks_create(struct tasks *tasks, const struct task_create *request, struct task_reply *reply, struct error *err)
{
	const struct task_streams *streams = &request->streams;

	(void)tasks;
	note("create %s bundle %s streams %s %s %s%s mounts", request->id, request->bundle, streams->in, streams->out,
	     streams->err, streams->terminal ? " terminal" : "");
	for (size_t i = 0; i < request->n_mounts; i++) {
		const struct brig_mount *mount = &request->mounts[i];
		size_t length = strlen(fake.asked);

		snprintf(fake.asked + length, sizeof(fake.asked) - length, " %s:%s:%s", mount->type, mount->source,
			 mount->options && mount->options[0] ? mount->options[0] : "");
	}
	for (size_t i = 0; i < request->n_binds; i++)
		fake.binds[i] = request->binds[i];
	fake.n_binds = request->n_binds;
	return answer(reply, err);
}

int tasks_exec(struct tasks *tasks, const struct task_exec *request, struct error *err)
{
	(void)tasks;
	note("exec %s/%s streams %s %s %s%s process %.*s", request->id, request->exec_id, request->streams.in,
	     request->streams.out, request->streams.err, request->streams.terminal ? " terminal" : "",
	     (int)request->process_length, request->process_json);
	return answer(NULL, err);
}

int tasks_start(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err)
{
	(void)tasks;
	note("start %s", full_name(name));
	return answer(reply, err);
}

int tasks_delete(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err)
{
	(void)tasks;
	note("delete %s", full_name(name));
	return answer(reply, err);
}

int tasks_wait(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err)
{
	int r;

	(void)tasks;
	r = answer(reply, err);
	/* After the reply, as an implementation may: the names have to be there still. */
	note("wait %s", full_name(name));
	return r;
}

void tasks_abandon(struct tasks *tasks, struct task_reply *reply)
{
	(void)tasks;
	for (size_t i = 0; i < fake.n_replies; i++) {
		if (fake.replies[i] != reply)
			continue;
		take_reply(i);
		fake.n_abandoned++;
		return;
	}
	cr_assert_fail("a reply is abandoned that nobody waits for");
}

int tasks_pause(struct tasks *tasks, const char *id, struct task_reply *reply, struct error *err)
{
	(void)tasks;
	note("pause %s", id);
	return answer(reply, err);
}

int tasks_resume(struct tasks *tasks, const char *id, struct task_reply *reply, struct error *err)
{
	(void)tasks;
	note("resume %s", id);
	return answer(reply, err);
}

int tasks_update(struct tasks *tasks, const struct task_update *request, struct task_reply *reply, struct error *err)
{
	(void)tasks;
	note("update %s %.*s", request->id, (int)request->length, request->resources_json);
	return answer(reply, err);
}

int tasks_checkpoint(struct tasks *tasks, const char *id, const struct brig_images *images, struct task_reply *reply,
		     struct error *err)
{
	(void)tasks;
	note("checkpoint %s to %s%s%s%s%s", id, images->path, images->leave_running ? " and goes on" : "",
	     images->tcp_established ? " tcp" : "", images->file_locks ? " locks" : "", images->work_path ?: "");
	return answer(reply, err);
}

int tasks_kill(struct tasks *tasks, const struct task_kill *request, struct error *err)
{
	(void)tasks;
	note("kill %s %d%s", full_name(request->name), request->signal, request->all ? " all" : "");
	return answer(NULL, err);
}

int tasks_state(const struct tasks *tasks, struct task_name name, struct task_info *ret, struct error *err)
{
	int r = answer(NULL, err);

	(void)tasks;
	note("state %s", full_name(name));
	if (r == 0)
		*ret = fake.info;
	return r;
}

/* lint: parameters: as tasks.h has it */
int tasks_pids(const struct tasks *tasks, const char *id, struct arena *arena, struct task_pid **ret, size_t *ret_n,
	       struct error *err)
{
	(void)tasks;
	(void)arena;
	note("pids %s", id);
	*ret = fake.pids;
	*ret_n = fake.n_pids;
	return answer(NULL, err);
}

int tasks_resize(struct tasks *tasks, struct task_name name, struct task_size size, struct error *err)
{
	(void)tasks;
	note("resize %s %ux%u", full_name(name), size.width, size.height);
	return answer(NULL, err);
}

int tasks_close_in(struct tasks *tasks, struct task_name name, struct error *err)
{
	(void)tasks;
	note("close_in %s", full_name(name));
	return answer(NULL, err);
}

bool tasks_has_unread(const struct tasks *tasks, const char *id)
{
	(void)tasks;
	cr_expect_str_eq(id, fake.info.id);
	return fake.has_unread;
}

int tasks_metrics(const struct tasks *tasks, const char *id, struct arena *arena, struct brig_metrics *ret,
		  struct error *err)
{
	(void)tasks;
	(void)arena;
	note("metrics %s", id);
	*ret = fake.metrics;
	return answer(NULL, err);
}

int publisher_new(const struct publisher_options *options, struct publisher **ret, struct error *err)
{
	(void)options;
	if (fake.publisher_fails)
		return error_set(err, ERROR_SYSTEM, EIO, "no queue");
	*ret = (struct publisher *)&fake;
	return 0;
}

void publisher_free(struct publisher *publisher)
{
	(void)publisher;
}

int publisher_publish(struct publisher *publisher, const struct publisher_event *event, struct error *err)
{
	struct fake_event *kept = &fake.events[fake.n_events];

	(void)publisher;
	(void)err;
	cr_assert_lt(fake.n_events, FAKE_EVENTS_MAX);
	cr_assert_leq(event->length, sizeof(kept->value));
	snprintf(kept->topic, sizeof(kept->topic), "%s", event->topic);
	snprintf(kept->type_url, sizeof(kept->type_url), "%s", event->type_url);
	memcpy(kept->value, event->value, event->length);
	kept->length = event->length;
	fake.n_events++;
	return 0;
}

bool publisher_is_idle(const struct publisher *publisher)
{
	(void)publisher;
	return !fake.has_unsent;
}

void publisher_hurry(struct publisher *publisher)
{
	(void)publisher;
	fake.n_hurried++;
}

void publisher_finish(struct publisher *publisher, uint64_t timeout, void (*idle)(void *context), void *context)
{
	(void)publisher;
	fake.finish_timeout = timeout;
	finishing.idle = idle;
	finishing.context = context;
	if (!fake.publisher_waits)
		fake_publisher_idle();
}

void fake_publisher_idle(void)
{
	cr_assert_not_null(finishing.idle);
	finishing.idle(finishing.context);
}
