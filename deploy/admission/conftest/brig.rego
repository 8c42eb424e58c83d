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

# A manifest is what is going to be made, or a list of them, or of lists. Its namespace may be missing, it can be given on the command line.
reviews contains {
	"review": {"object": object.union({"metadata": {"namespace": "default"}}, manifest), "operation": "CREATE"},
	"parameters": data.data,
} if {
	walk(input, [path, manifest])
	manifest.kind in kinds
	every step in path {
		is_item(step)
	}
}

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
