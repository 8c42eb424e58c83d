# What is warned about at the level `restricted`, and never refused.
package brig.advice

import data.lib.brig

# brig-image-digest: a tag can mean another image tomorrow.
violation contains {"msg": msg} if {
	brig.applies
	names := [container.name |
		some container in brig.all_containers
		not regex.match(`@sha256:[0-9a-f]{64}$`, object.get(container, "image", ""))
	]
	names != []
	msg := sprintf("brig-image-digest: image of %s has no digest; better: NAME@sha256:... %s", [concat(", ", names), brig.see("brig-image-digest")])
}

# brig-no-token: where nothing is said, the token is mounted. The mutating variant says false.
violation contains {"msg": msg} if {
	brig.applies_to_pod
	object.get(brig.spec, "automountServiceAccountToken", "unset") == "unset"
	msg := sprintf("brig-no-token: spec.automountServiceAccountToken is not set; better: false. %s", [brig.see("brig-no-token")])
}
