package brig.ci.isolated

import data.brig.manifest

deny contains msg if some msg in manifest.isolated
