#include "cmd/shim/handler_options.h"

#include <fcntl.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"

#define CONFIG_MAX ((size_t)64 * 1024) /* bytes, as of a table that comes on stdin */

/* log_level of the bootstrap: as Go's slog counts. */
enum { SLOG_DEBUG = -4, SLOG_INFO = 0, SLOG_WARNING = 4 };

int handler_options_read(const struct bootstrap *bootstrap, struct arena *arena, struct options *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct options options;
	int r = options_from_any(&bootstrap->options, arena, &options, err);

	if (r < 0)
		return r;
	if (options.config_path) {
		const char *path = options.config_path;

		r = file_read_at(AT_FDCWD, path, CONFIG_MAX, &text, err);
		if (r == 0)
			r = options_from_toml(text.data ?: "", text.length, arena, &options, err);
		if (r < 0)
			return error_prefix(err, "%s", path);
	}
	*ret = options;
	return 0;
}

/* The handler's own word goes before -debug, which is containerd's for all of its shims. */
enum log_level handler_options_log_level(const struct options *options, const struct bootstrap *bootstrap, bool debug)
{
	if (options->has_log_level)
		return options->log_level;
	if (debug || bootstrap->log_level <= SLOG_DEBUG)
		return LOG_LEVEL_DEBUG;
	if (bootstrap->log_level <= SLOG_INFO)
		return LOG_LEVEL_INFO;
	return bootstrap->log_level <= SLOG_WARNING ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR;
}
