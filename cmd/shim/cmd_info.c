#include <stdlib.h>

#include "config.h"

#include "base/buffer.h"
#include "brig-version.h"
#include "cmd/shim/cmd.h"
#include "cmd/shim/stream.h"
#include "container/brig.h"
#include "shim/bootstrap/answer.h"

/* No container and no root are needed for it: CRI asks once, when it first meets the handler. */
int cmd_info(struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer input = { 0 };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer features = { 0 };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer answer = { 0 };
	const struct brig brig = { .root = BRIG_ROOT_DEFAULT };
	struct answer_info info = { .name = CMD_RUNTIME_NAME, .version = PACKAGE_VERSION, .revision = BRIG_COMMIT };
	int r = stream_read_input(BOOTSTRAP_STDIN_MAX, &input, err) ?: brig_features(&brig, &features, err);

	if (r < 0)
		return r;
	info.options = bootstrap_any_decode((struct wire_bytes){ (const uint8_t *)input.data, input.length });
	info.features = features.data;
	info.features_length = features.length;
	answer_info(&info, &answer);
	return stream_write_answer(&answer, err);
}

int cmd_features(struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer features = { 0 };
	const struct brig brig = { .root = BRIG_ROOT_DEFAULT };
	int r = brig_features(&brig, &features, err);

	return r < 0 ? r : stream_write_answer(&features, err);
}

int cmd_version(struct error *err)
{
	static char text[] = "containerd-shim-brig-v2:\n  Version:  " PACKAGE_VERSION "\n  Revision: " BRIG_COMMIT "\n";
	const struct buffer version = { .data = text, .length = sizeof(text) - 1 };

	return stream_write_answer(&version, err);
}
