# Level `isolated`: what every namespace gets that is not exempt. docs/admission.md has a section for each rule.
package brig.isolated

import data.lib.brig

violation contains {"msg": brig.without_settings}

# brig-runtime-class: one of the accepted classes. Without a class a pod runs under the node's default, which is runc.
violation contains {"msg": msg} if {
	brig.applies_to_pod
	class := object.get(brig.spec, "runtimeClassName", "not set")
	not class in brig.setting("runtimeClasses")
	msg := sprintf("brig-runtime-class: spec.runtimeClassName is %s; allowed: %s. %s", [
		class,
		concat(", ", brig.setting("runtimeClasses")),
		brig.see("brig-runtime-class"),
	])
}

# brig-no-privileged: no privileged container, no Windows host process.
privileged(container) if container.securityContext.privileged

privileged(container) if container.securityContext.windowsOptions.hostProcess

violation contains {"msg": msg} if {
	brig.applies
	names := array.concat(
		[container.name | some container in brig.all_containers; privileged(container)],
		["the pod" | brig.applies_to_pod; brig.spec.securityContext.windowsOptions.hostProcess],
	)
	names != []
	msg := sprintf("brig-no-privileged: securityContext.privileged (or windowsOptions.hostProcess) of %s is true; allowed: false. %s", [
		concat(", ", names),
		brig.see("brig-no-privileged"),
	])
}

# brig-no-host-namespaces: no network, process or IPC namespace of the node's.
violation contains {"msg": msg} if {
	brig.applies_to_pod
	fields := [concat("", ["spec.", field]) | some field in ["hostNetwork", "hostPID", "hostIPC"]; brig.spec[field]]
	fields != []
	msg := sprintf("brig-no-host-namespaces: %s is true; allowed: false. %s", [concat(", ", fields), brig.see("brig-no-host-namespaces")])
}

# brig-no-host-path: none at all. A list of forbidden paths always leaves a parent directory or another name of the same socket.
violation contains {"msg": msg} if {
	brig.applies_to_pod
	names := [volume.name | some volume in brig.spec.volumes; volume.hostPath]
	names != []
	msg := sprintf(
		"brig-no-host-path: hostPath of the volume %s; allowed: any other kind of volume, such as emptyDir, configMap, persistentVolumeClaim. %s",
		[concat(", ", names), brig.see("brig-no-host-path")],
	)
}

# brig-no-host-port
violation contains {"msg": msg} if {
	brig.applies
	names := [container.name | some container in brig.containers; ports := [port | some port in container.ports; port.hostPort > 0]; ports != []]
	names != []
	msg := sprintf("brig-no-host-port: ports.hostPort of %s is set; allowed: a Service. %s", [concat(", ", names), brig.see("brig-no-host-port")])
}

# brig-no-host-probes: the kubelet is who connects, from the node's network, beside every rule for the pod's.
handlers(container) := [handler |
	some path in [["livenessProbe"], ["readinessProbe"], ["startupProbe"], ["lifecycle", "postStart"], ["lifecycle", "preStop"]]
	some kind in ["httpGet", "tcpSocket"]
	handler := object.get(container, array.concat(path, [kind]), {})
]

violation contains {"msg": msg} if {
	brig.applies
	names := [container.name |
		some container in brig.containers
		elsewhere := [handler | some handler in handlers(container); object.get(handler, "host", "") != ""]
		elsewhere != []
	]
	names != []
	msg := sprintf("brig-no-host-probes: host of a probe or a lifecycle handler of %s is set; allowed: unset, which is the pod itself. %s", [
		concat(", ", names),
		brig.see("brig-no-host-probes"),
	])
}

# brig-no-node-programs: for these the kubelet runs git, or the driver, as root of the node and on the pod's word.
violation contains {"msg": msg} if {
	brig.applies_to_pod
	names := [volume.name | some volume in brig.spec.volumes; some kind in ["gitRepo", "flexVolume"]; volume[kind]]
	names != []
	msg := sprintf(
		"brig-no-node-programs: the volume %s is gitRepo or flexVolume; allowed: an init container that fetches, a CSI driver. %s",
		[concat(", ", names), brig.see("brig-no-node-programs")],
	)
}
