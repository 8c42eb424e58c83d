#include "child/state_json.h"

void state_json_write(struct json_writer *writer, const struct plan *plan, int pid, const char *status)
{
	json_write_object_begin(writer);
	json_write_member(writer, "ociVersion", plan->oci_version);
	json_write_member(writer, "id", plan->id);
	json_write_member(writer, "status", status);
	json_write_member_int(writer, "pid", pid);
	json_write_member(writer, "bundle", plan->bundle);
	json_write_key(writer, "annotations");
	json_write_object_begin(writer);
	for (size_t i = 0; i < plan->n_annotations; i++)
		json_write_member(writer, plan->annotations[i].name, plan->annotations[i].value);
	json_write_object_end(writer);
	json_write_object_end(writer);
}
