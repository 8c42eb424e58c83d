#include "sandbox/sandbox_proxy.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "container/record.h"
#include "sandbox/sandbox_findings.h"

#define RESOLV_CONF_MAX ((size_t)64 * 1024)
/* Of these each is in the result; of all the sum. */
#define REQUESTS_MAX 256

int sandbox_proxy_check(const struct sandbox_request *request, struct error *err)
{
	AUTO_FREE struct allow_list *list = malloc(sizeof(*list));
	int rc;

	if (!list)
		return error_memory(err);
	if (request->egress)
		return error_set(err, ERROR_USAGE, EINVAL,
				 "options --egress and --egress-proxy: one way out is enough: addresses, or names");
	for (size_t i = 0; i < request->n_binds; i++) {
		/* The proxy's socket would be made in a folder of the host's, and stay there. */
		if (path_is_below(SANDBOX_PROXY_PATH, request->binds[i].destination))
			return error_set(err, ERROR_USAGE, EINVAL,
					 "option --egress-proxy: its socket is " SANDBOX_PROXY_PATH
					 ", where option --bind-ro or --bind-rw %s is in the way: bind it elsewhere",
					 request->binds[i].destination);
	}
	rc = allow_list_parse(request->egress_proxy, list, err);
	if (rc < 0) {
		error_prefix(err, "option --egress-proxy");
		if (err)
			err->kind = ERROR_USAGE;
	}
	return rc;
}

static int make_settings(const char *text, const struct plan_egress *site, struct allow_list *list,
			 struct reach_settings *ret, struct error *err)
{
	struct buffer resolv_conf __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	int rc = allow_list_parse(text, list, err), etc_fd;

	if (rc < 0)
		return rc;
	*ret = (struct reach_settings){ .list = list, .has_site = site->enforced, .site = site->list, .n_site = site->n };
	/* Without one the resolver is this host's own, as resolv.conf(5) says. It may be a symbolic link, of root's. */
	etc_fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (etc_fd >= 0)
		rc = fd_read_all(etc_fd, RESOLV_CONF_MAX, &resolv_conf, "/etc/resolv.conf", err);
	close_and_reset(&etc_fd);
	reach_take_resolvers(resolv_conf.data, ret);
	return rc < 0 ? rc : 0;
}

int sandbox_proxy_start(struct sandbox_proxy *proxy, const int *listen_fds, size_t n_listeners, struct error *err)
{
	AUTO_FREE struct allow_list *names = malloc(sizeof(*names));
	struct sandbox_result *result = proxy->result;
	struct reach_settings settings;
	int rc = names ? make_settings(proxy->list, proxy->site, names, &settings, err) : error_memory(err);

	if (rc < 0)
		return rc;
	result->egress = arena_new_of(result->arena, struct sandbox_egress);
	if (!result->egress)
		return error_memory(err);
	*result->egress = (struct sandbox_egress){ .requests = arena_array_of(result->arena, REQUESTS_MAX,
									      struct sandbox_request_out) };
	if (!result->egress->requests)
		return error_memory(err);
	return proxy_start(&settings, listen_fds, n_listeners, &proxy->proxy, err);
}

static void count(struct sandbox_result *result, const struct outcome_report *report)
{
	struct sandbox_egress *egress = result->egress;

	if (report->was_allowed)
		egress->allowed++;
	else
		egress->refused++;
	egress->bytes_out += report->bytes_out;
	egress->bytes_in += report->bytes_in;
	if (egress->n_requests < REQUESTS_MAX)
		egress->requests[egress->n_requests++] =
			(struct sandbox_request_out){ .host = report->host[0] ? arena_strdup(result->arena, report->host)
									      : NULL,
						      .port = report->port,
						      .is_connect = report->is_connect,
						      .is_allowed = report->was_allowed,
						      .outcome = outcome_name(report->outcome),
						      .bytes_out = report->bytes_out,
						      .bytes_in = report->bytes_in };
}

static void take(struct sandbox_proxy *proxy, const struct outcome_report *report)
{
	const struct audit_request request = { .host = report->host[0] ? report->host : NULL,
					       .port = report->port,
					       .is_connect = report->is_connect,
					       .is_allowed = report->was_allowed,
					       .outcome = outcome_name(report->outcome),
					       .bytes_out = report->bytes_out,
					       .bytes_in = report->bytes_in };
	struct error err = { 0 };

	if (report->outcome == OUTCOME_TOO_MANY) {
		sandbox_findings_warn(proxy->result,
				      "the egress proxy has closed after %d requests, which are the most of a sandbox",
				      SERVE_REQUESTS_MAX);
		return;
	}
	count(proxy->result, report);
	/* What can't be recorded is not to happen, where the policy says so: that was the last one. */
	if (record_egress(proxy->brig, proxy->state, &request, &err) < 0) {
		sandbox_findings_warn(proxy->result, "the egress proxy was ended: %s", err.message);
		log_warning("the egress proxy was ended: %s", err.message);
		proxy_stop(&proxy->proxy);
	}
}

void sandbox_proxy_hear(struct sandbox_proxy *proxy)
{
	struct outcome_report report;
	int rc = proxy_hear(&proxy->proxy, &report);

	if (rc > 0)
		take(proxy, &report);
	else if (rc < 0)
		sandbox_findings_warn(proxy->result, "the egress proxy ended before the program");
}

void sandbox_proxy_end(struct sandbox_proxy *proxy)
{
	struct outcome_report report;

	proxy_close(&proxy->proxy);
	while (proxy->proxy.control_fd >= 0 && proxy_hear_last(&proxy->proxy, &report) > 0)
		take(proxy, &report);
	proxy_stop(&proxy->proxy);
}
