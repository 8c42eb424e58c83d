# Level `restricted`: what namespaces with the label brig.dev/isolation: restricted get on top of `isolated`.
package brig.restricted

import data.lib.brig

violation contains {"msg": brig.without_settings}

safe_sysctls := {
	"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
}

# A rule about containers: the sentence, with the names of those that break it.
message(rule, sentence, names) := sprintf("%s: %s %s", [rule, sprintf(sentence, [concat(", ", names)]), brig.see(rule)]) if {
	brig.applies
	names != []
}

# brig-run-as-non-root
starts_as_root(container) if not brig.context(container, "runAsNonRoot", false) == true

starts_as_root(container) if brig.context(container, "runAsUser", 1) == 0

violation contains {"msg": msg} if {
	names := [container.name | some container in brig.all_containers; starts_as_root(container)]
	msg := message("brig-run-as-non-root", "securityContext.runAsNonRoot of %s is not true, or runAsUser is 0; allowed: runAsNonRoot: true.", names)
}

# brig-drop-all-capabilities
keeps_capabilities(container) if not "ALL" in object.get(container, ["securityContext", "capabilities", "drop"], [])

keeps_capabilities(container) if {
	some added in container.securityContext.capabilities.add
	added != "NET_BIND_SERVICE"
}

violation contains {"msg": msg} if {
	names := [container.name | some container in brig.all_containers; keeps_capabilities(container)]
	msg := message("brig-drop-all-capabilities", "securityContext.capabilities of %s; allowed: drop: [ALL], and add: [NET_BIND_SERVICE].", names)
}

# brig-no-privilege-escalation
violation contains {"msg": msg} if {
	names := [container.name |
		some container in brig.all_containers
		object.get(container, ["securityContext", "allowPrivilegeEscalation"], true) != false
	]
	msg := message("brig-no-privilege-escalation", "securityContext.allowPrivilegeEscalation of %s is not false; allowed: false.", names)
}

# brig-read-only-root: not of ephemeral containers, since `kubectl debug --profile=restricted` does not set it, and they end with the pod.
violation contains {"msg": msg} if {
	names := [container.name |
		some container in brig.containers
		object.get(container, ["securityContext", "readOnlyRootFilesystem"], false) != true
	]
	msg := message(
		"brig-read-only-root",
		"securityContext.readOnlyRootFilesystem of %s is not true; allowed: true, with an emptyDir where the program writes.", names,
	)
}

# brig-seccomp: unset is not enough, since without it a node may run the container without any filter.
has_seccomp(container) if brig.context(container, "seccompProfile", {}).type == "RuntimeDefault"

has_seccomp(container) if {
	profile := brig.context(container, "seccompProfile", {})
	profile.type == "Localhost"
	brig.begins_with_one(profile.localhostProfile, brig.setting("seccompProfiles"))
	not contains(profile.localhostProfile, "..")
}

violation contains {"msg": msg} if {
	names := [container.name | some container in brig.all_containers; not has_seccomp(container)]
	allowed := concat(", ", brig.setting("seccompProfiles"))
	msg := message("brig-seccomp", concat("", [
		"securityContext.seccompProfile of %s; allowed: type RuntimeDefault, or Localhost with a profile that begins with ",
		allowed, ".",
	]), names)
}

# brig-apparmor: unset is enough, it is the runtime's own profile wherever AppArmor is on. The annotation is how older manifests say it.
has_apparmor_field(container) if brig.context(container, "appArmorProfile", {"type": "RuntimeDefault"}).type == "RuntimeDefault"

has_apparmor_field(container) if {
	profile := brig.context(container, "appArmorProfile", {})
	profile.type == "Localhost"
	brig.begins_with_one(profile.localhostProfile, brig.setting("apparmorProfiles"))
}

apparmor_annotation(container) := object.get(
	brig.template,
	["metadata", "annotations", concat("", ["container.apparmor.security.beta.kubernetes.io/", container.name])],
	"runtime/default",
)

has_apparmor_annotation(container) if apparmor_annotation(container) in {"", "runtime/default"}

has_apparmor_annotation(container) if {
	startswith(apparmor_annotation(container), "localhost/")
	brig.begins_with_one(trim_prefix(apparmor_annotation(container), "localhost/"), brig.setting("apparmorProfiles"))
}

has_apparmor(container) if {
	has_apparmor_field(container)
	has_apparmor_annotation(container)
}

violation contains {"msg": msg} if {
	names := [container.name | some container in brig.all_containers; not has_apparmor(container)]
	allowed := concat(", ", brig.setting("apparmorProfiles"))
	msg := message("brig-apparmor", concat("", [
		"securityContext.appArmorProfile of %s; allowed: none, type RuntimeDefault, or Localhost with a profile that begins with ",
		allowed, ".",
	]), names)
}

# brig-selinux: types that confine as container_t does; the level is free.
selinux_types := {"", "container_t", "container_init_t", "container_kvm_t"}

other_selinux(container) if not object.get(brig.context(container, "seLinuxOptions", {}), "type", "") in selinux_types

other_selinux(container) if {
	some field in ["user", "role"]
	object.get(brig.context(container, "seLinuxOptions", {}), field, "") != ""
}

violation contains {"msg": msg} if {
	names := [container.name | some container in brig.all_containers; other_selinux(container)]
	msg := message("brig-selinux", concat(" ", [
		"securityContext.seLinuxOptions of %s; allowed: no user, no role, and no type but",
		"container_t, container_init_t, container_kvm_t.",
	]), names)
}

# brig-limits: of the container, or of the pod as a whole; zero is none. Ephemeral containers can't have any.
has_limit(container, _, resource) if is_limit(container.resources.limits[resource])

has_limit(_, spec, resource) if is_limit(spec.resources.limits[resource])

is_limit(quantity) if not regex.match(`^[+-]?0*[.]?0*([^0-9.].*)?$`, sprintf("%v", [quantity]))

# Those that had a limit before. What had none stays as it is.
resized(needed) := [container.name |
	brig.is_resize
	some container in array.concat(brig.spec.containers, object.get(brig.spec, "initContainers", []))
	before := brig.old.spec
	some old in array.concat(before.containers, object.get(before, "initContainers", []))
	old.name == container.name
	lost := [resource | some resource in needed; has_limit(old, before, resource); not has_limit(container, brig.spec, resource)]
	lost != []
]

violation contains {"msg": msg} if {
	needed := brig.setting("requiredLimits")
	names := array.concat(
		[container.name |
			some container in brig.containers
			missing := [resource | some resource in needed; not has_limit(container, brig.spec, resource)]
			missing != []
		],
		resized(needed),
	)
	msg := message("brig-limits", concat("", ["resources.limits of %s; needed: ", concat(", ", needed), "."]), names)
}

# brig-no-token: whoever asks for it is refused; that nothing is said is a warning, in advice.rego.
violation contains {"msg": msg} if {
	brig.applies_to_pod
	brig.spec.automountServiceAccountToken == true
	msg := sprintf("brig-no-token: spec.automountServiceAccountToken is true; allowed: false. %s", [brig.see("brig-no-token")])
}

# brig-no-unsafe-sysctls
violation contains {"msg": msg} if {
	brig.applies_to_pod
	names := [sysctl.name | some sysctl in brig.spec.securityContext.sysctls; not sysctl.name in safe_sysctls]
	msg := message("brig-no-unsafe-sysctls", "spec.securityContext.sysctls has %s; allowed: those that Kubernetes calls safe.", names)
}

# brig-proc-mount
violation contains {"msg": msg} if {
	names := [container.name |
		some container in brig.all_containers
		object.get(container, ["securityContext", "procMount"], "Default") != "Default"
	]
	msg := message("brig-proc-mount", "securityContext.procMount of %s is not Default; allowed: Default.", names)
}

# brig-no-projected-tokens. A certificate of the pod's is as good as a token. The volume kube-api-access-... is the API server's own way to mount
# what is automounted: brig-no-token is about that one.
has_token(volume) if {
	some source in volume.projected.sources
	source.podCertificate
	not object.get(source.podCertificate, "signerName", "") in brig.setting("tokenAudiences")
}

has_token(volume) if {
	some source in volume.projected.sources
	source.serviceAccountToken
	not object.get(source.serviceAccountToken, "audience", "") in brig.setting("tokenAudiences")
	not is_automounted(volume, source)
}

is_automounted(volume, source) if {
	brig.kind == "Pod"
	object.get(brig.spec, "automountServiceAccountToken", "unset") == "unset"
	startswith(volume.name, "kube-api-access-")
	object.get(source.serviceAccountToken, "audience", "unset") == "unset"
}

violation contains {"msg": msg} if {
	brig.applies_to_pod
	names := [volume.name | some volume in brig.spec.volumes; has_token(volume)]
	msg := message(
		"brig-no-projected-tokens",
		"projected.sources.serviceAccountToken or podCertificate of the volume %s; allowed: an audience or a signer of the settings (tokenAudiences).",
		names,
	)
}

# brig-volume-types: those that the level isolated refuses are named there. One without a source is an emptyDir.
volume_types := {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}

refused_elsewhere := {"hostPath", "gitRepo", "flexVolume"}

violation contains {"msg": msg} if {
	brig.applies_to_pod
	names := [volume.name |
		some volume in brig.spec.volumes
		sources := object.keys(volume) - {"name"}
		sources != set()
		sources & (volume_types | refused_elsewhere) == set()
	]
	msg := message(
		"brig-volume-types",
		"the volume %s; allowed: configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret.",
		names,
	)
}
