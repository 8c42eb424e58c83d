# The rules for conftest, on manifests in CI, before anything reaches a cluster:
#
#   conftest test --policy deploy/admission/rego --policy deploy/admission/conftest --data deploy/admission/settings/settings.yaml \
#       --namespace brig.ci.restricted MANIFEST...
#
# brig.ci.isolated is for namespaces of the level isolated, brig.ci.restricted for those of the level restricted.
package brig.manifest

kinds := {
	"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController",
}

# Of --data. Without it each manifest is refused by brig-settings.
default settings := {}

settings := data.data

# A manifest is what is going to be made, or a list of them, or of lists. Its namespace may be missing, it can be given on the command line.
reviews contains {
	"review": {"object": object.union({"metadata": {"namespace": "default"}}, spelt(manifest, kind)), "operation": "CREATE"},
	"parameters": settings,
} if {
	walk(input, [path, manifest])
	every step in path {
		is_item(step)
	}
	kind := kind_of(path, manifest)
	kind in kinds
}

has_kind(manifest) if count(manifest.kind) > 0

kind_of(_, manifest) := manifest.kind if has_kind(manifest)

# In a PodList what has no kind is a Pod, for kubectl as well.
kind_of(path, manifest) := trim_suffix(list.kind, "List") if {
	is_object(manifest)
	not has_kind(manifest)
	list := object.get(input, array.slice(path, 0, count(path) - 2), {})
}

# YAML 1.1, which conftest and kubectl read, has n for false, and YAML 1.2 has it for a name: so a name that is false is n here, and nothing is
# undefined, whatever client comes after conftest.
spelt(manifest, kind) := object.union(json.patch(manifest, misread(manifest)), {"kind": kind})

misread(manifest) := [{"op": "replace", "path": path, "value": word(value)} |
	walk(manifest, [path, value])
	path[count(path) - 1] in {"name", "image", "reference"}
	type_name(value) in {"boolean", "number"}
]

word(true) := "y"

word(false) := "n"

word(number) := json.marshal(number) if is_number(number)

is_item(step) if step == "items"

is_item(step) if is_number(step)

isolated contains violation.msg if {
	some review in reviews
	some violation in data.brig.isolated.violation with input as review
}

restricted contains violation.msg if {
	some review in reviews
	some violation in data.brig.restricted.violation with input as review
}

advice contains violation.msg if {
	some review in reviews
	some violation in data.brig.advice.violation with input as review
}
