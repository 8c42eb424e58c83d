# What the rules share: the pod that is asked for, its containers, the settings. The input is an AdmissionReview as Gatekeeper hands it over;
# conftest's comes by ../conftest/brig.rego. Said the same way as the native policies do: ../vap/base/isolated.yaml tells why.
package lib.brig

# A field that is null says nothing. API servers leave most of them out, and write some: up to 1.33 the creationTimestamp of each template; a manifest
# in CI may have any. An item of a list stays, whatever it is. What is removed from a list is named by a string, too.
cleaned(it) := json.remove(it, [names |
	walk(it, [path, null])
	is_string(path[count(path) - 1])
	names := [sprintf("%v", [step]) | some step in path]
])

thing := cleaned(input.review.object)

# What was there before, of an update.
old := cleaned(input.review.oldObject)

kind := thing.kind

# A setting is a list, one item a line.
items(text) := [item |
	some line in split(text, "\n")
	item := trim_space(line)
	item != ""
	not startswith(item, "#")
]

setting(name) := items(input.parameters[name])

# Those without which a rule would say nothing: a ConfigMap of an older version, a constraint that kustomize did not build, conftest without --data.
missing_settings := [name |
	some name in [
		"runtimeClasses", "exemptNamespaces", "requiredLimits", "tokenAudiences", "seccompProfiles", "apparmorProfiles",
		"documentation",
	]
	not is_string(object.get(input.parameters, name, null))
]

# Each level says so by itself: what can't be judged does not get past. Natively the same is parameterNotFoundAction, and an error of the expression.
without_settings := msg if {
	applies
	missing_settings != []
	msg := sprintf("brig-settings: the settings have no %s; needed: all that settings/settings.yaml has. See docs/admission.md#settings", [
		concat(", ", missing_settings),
	])
}

see(rule) := sprintf("See %s#%s", [trim_space(input.parameters.documentation), rule])

# The pod, or what a controller makes pods from.
template_of(it) := it if it.kind == "Pod"

template_of(it) := it.spec.jobTemplate.spec.template if it.kind == "CronJob"

template_of(it) := it.spec.template if not it.kind in {"Pod", "CronJob"}

template := template_of(thing)

spec := template.spec

is_update if input.review.operation == "UPDATE"

# A part of a pod that is there. kubectl debug: only the ephemeral containers that it adds are looked at, since the rest can't be changed any more.
# A resize: only the limits.
is_part if input.review.subResource in {"ephemeralcontainers", "resize"}

is_resize if input.review.subResource == "resize"

# Never a pod that is there, nor a template that stays as it is, nor what goes: where its webhook is asked about deletions, Gatekeeper hands over
# what was there as if it were made. The pod that Gatekeeper makes of another kind (../gatekeeper/expansion) is new, though the request may be an update:
# nothing was there before it.
is_old if input.review.operation == "DELETE"

is_old if {
	is_update
	kind == "Pod"
	not is_part
	is_object(input.review.oldObject)
}

is_old if {
	is_update
	kind != "Pod"
	template == template_of(old)
}

is_exempt if thing.metadata.namespace in setting("exemptNamespaces")

is_exempt if {
	some line in setting("exemptNamespaces")
	beginning := concat("", [thing.metadata.namespace, " until "])
	startswith(line, beginning)
	date := trim_space(trim_prefix(line, beginning))
	regex.match(`^[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))$`, date)
	date > time.format([time.now_ns(), "UTC", "2006-01-02"])
}

# Whether the rules are asked at all, and those about the pod as a whole.
applies if {
	not is_old
	not is_exempt
}

applies_to_pod if {
	applies
	not is_part
}

containers := [] if is_part

containers := array.concat(spec.containers, object.get(spec, "initContainers", [])) if not is_part

old_ephemeral contains container.name if some container in old.spec.ephemeralContainers

new_ephemeral := [container |
	some container in object.get(spec, "ephemeralContainers", [])
	not is_old_ephemeral(container)
]

is_old_ephemeral(container) if {
	is_part
	container.name in old_ephemeral
}

all_containers := array.concat(containers, new_ephemeral)

# A field of the container's security context, or of the pod's where the container says nothing.
context(container, field, otherwise) := container.securityContext[field]

context(container, field, otherwise) := object.get(spec, ["securityContext", field], otherwise) if {
	object.get(container, ["securityContext", field], "unset") == "unset"
}

begins_with_one(name, beginnings) if {
	some beginning in beginnings
	startswith(name, beginning)
}
