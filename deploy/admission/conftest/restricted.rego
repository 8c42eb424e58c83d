package brig.ci.restricted

import data.brig.manifest

deny contains msg if some msg in manifest.isolated

deny contains msg if some msg in manifest.restricted

warn contains msg if some msg in manifest.advice
