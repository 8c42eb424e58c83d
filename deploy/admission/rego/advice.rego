# What is warned about at the level `restricted`, and never refused.
package brig.advice

import data.lib.brig

violation contains {"msg": brig.without_settings}

# brig-image-digest: a tag can mean another image tomorrow.
has_no_digest(image) if not regex.match(`@sha256:[0-9a-f]{64}$`, image)

violation contains {"msg": msg} if {
	brig.applies
	names := array.concat(
		[container.name | some container in brig.all_containers; has_no_digest(object.get(container, "image", ""))],
		[concat(" ", ["the volume", volume.name]) |
			brig.applies_to_pod
			some volume in brig.spec.volumes
			has_no_digest(object.get(volume.image, "reference", ""))
		],
	)
	names != []
	msg := sprintf("brig-image-digest: image of %s has no digest; better: NAME@sha256:... %s", [concat(", ", names), brig.see("brig-image-digest")])
}

# brig-no-token: where nothing is said, the token is mounted. The mutating variant says false.
violation contains {"msg": msg} if {
	brig.applies_to_pod
	object.get(brig.spec, "automountServiceAccountToken", "unset") == "unset"
	msg := sprintf("brig-no-token: spec.automountServiceAccountToken is not set; better: false. %s", [brig.see("brig-no-token")])
}
