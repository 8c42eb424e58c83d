#!/usr/bin/env bats
# The installer's manifests: kustomize and Helm say the same, in every preset, and nothing that they do needs more than it has.

# shellcheck disable=SC2154 # status, output: of expect
load deploy.bash

setup_file() {
	need kubectl helm
}

CHART=deploy/install/helm/brig-installer

kustomized() { # FOLDER
	kubectl kustomize "$DEPLOY/install/kustomize/$1" > "$BATS_TEST_TMPDIR/kustomized.yaml"
}

templated() { # OPTION...
	helm template brig "$SOURCE/$CHART" --namespace brig-system "$@" > "$BATS_TEST_TMPDIR/templated.yaml"
}

# check FILE... : Python on the standard input, with what the files have in `documents` as {kind/name: document}.
check() {
	local script

	script=$(cat)
	python3 -c "
import sys, yaml
def load(name):
    return {d['kind'] + '/' + d['metadata']['name']: d for d in yaml.safe_load_all(open(name)) if d}
documents = [load(name) for name in sys.argv[1:]]
$script" "$@"
}

@test "helm: lint finds nothing, and wrong values are refused by name" {
	expect 0 helm lint --strict "$SOURCE/$CHART"
	expect 1 helm lint "$SOURCE/$CHART" --set preset=openshift
	[[ $output == *preset* ]]
	expect 1 helm template "$SOURCE/$CHART" --set nodeSelectors.x=y
	[[ $output == *nodeSelectors* ]]
	expect 1 helm template "$SOURCE/$CHART" --set image.digest=sha256:short
	expect 1 helm template "$SOURCE/$CHART" --set policy=../strict
	[[ $output == *policy* ]]
	expect 0 helm template "$SOURCE/$CHART" --set policy=strict
	[[ $output == *'value: "strict"'* ]]
}

@test "helm: each value changes what is rendered; what values.yaml has not, or of another type, is refused by name" {
	python3 - "$SOURCE/$CHART" << 'PYTHON'
import copy, json, subprocess, sys, yaml
chart = sys.argv[1]
values = yaml.safe_load(open(chart + '/values.yaml'))
schema = json.load(open(chart + '/values.schema.json'))
# Another value for those that may not be just anything.
OTHER = {'image.digest': 'sha256:' + 'a' * 64, 'image.pullPolicy': 'Never', 'imagePullSecrets': [{'name': 'x'}], 'preset': 'k3s',
         'command': 'uninstall', 'tolerations': [{'key': 'x', 'operator': 'Exists'}], 'maxUnavailable': '20%'}

def template(changed):
    done = subprocess.run(['helm', 'template', 'b', chart, '--values', '-'], input=json.dumps(changed), capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr

def paths(part, of, path=()):
    for key, value in part.items():
        below = of['properties'].get(key, {})
        if 'properties' in below:
            yield from paths(value, below, path + (key,))
        else:
            yield path + (key,), value

def having(path, value):
    changed = {}
    here = changed
    for key in path[:-1]:
        here = here.setdefault(key, {})
    here[path[-1]] = value
    return changed

status, plain, errors = template({})
assert status == 0, errors
found = list(paths(values, schema))
assert len(found) >= 13, found
for path, value in found:
    name = '.'.join(path)
    other = OTHER.get(name, {**value, 'x': 'y'} if isinstance(value, dict) else 'other')
    status, text, errors = template(having(path, other))
    assert status == 0 and text != plain, f'{name} changes nothing: {errors}'
    wrong = 'text' if isinstance(value, (dict, list)) else ['list']
    status, text, errors = template(having(path, wrong))
    assert status != 0 and path[-1] in errors, f'{name} may be {wrong}: {errors}'
    status, text, errors = template(having(path[:-1] + ('unknown-key',), 'x'))
    assert status != 0 and 'unknown-key' in errors, f'{path[:-1]} may have other keys: {errors}'
for path, value in ((('maxUnavailable',), 0), (('maxUnavailable',), 'some'), (('nodeSelector', 'x'), True), (('tolerations',), ['x']), (('image', 'repository'), ''),
                    (('image', 'tag'), 1.0), (('command',), 'rollback')):
    status, text, errors = template(having(path, value))
    assert status != 0 and path[0] in errors, f'{path} may be {value!r}: {errors}'
# On all nodes of Linux, as whoever wants that would write it.
status, text, errors = template({'nodeSelector': None})
daemon = next(d for d in yaml.safe_load_all(text) if d['kind'] == 'DaemonSet')
assert daemon['spec']['template']['spec']['nodeSelector'] == {'kubernetes.io/os': 'linux'}, (daemon, errors)
PYTHON
}

@test "kustomize and helm say the same, for each preset and for the removal" {
	for preset in none k3s rke2 k0s microk8s uninstall; do
		case $preset in
		none) kustomized base && templated ;;
		uninstall) kustomized overlays/uninstall && templated --set command=uninstall ;;
		*) kustomized "overlays/$preset" && templated --set "preset=$preset" ;;
		esac
		check "$BATS_TEST_TMPDIR/kustomized.yaml" "$BATS_TEST_TMPDIR/templated.yaml" << PYTHON
a, b = documents
del a['Namespace/brig-system']
settings = a.pop(next(k for k in a if k.startswith('ConfigMap/')))
assert settings['data'] == {'preset': '$preset' if '$preset' != 'uninstall' else 'none', 'policy': 'none'}, settings
# kustomize takes them from the ConfigMap, with its digest in its name.
for env in a['DaemonSet/brig-installer']['spec']['template']['spec']['containers'][0]['env']:
    key = env['name'].lower()
    assert env.pop('valueFrom')['configMapKeyRef'] == {'name': settings['metadata']['name'], 'key': key}
    env['value'] = settings['data'][key]
for container in b['DaemonSet/brig-installer']['spec']['template']['spec']['containers']:
    assert container.pop('imagePullPolicy') == 'IfNotPresent'
assert a.keys() == b.keys(), (a.keys(), b.keys())
for key in a:
    assert a[key] == b[key], f'{key}:\n{a[key]}\n{b[key]}'
PYTHON
	done
}

@test "who touches the node has no token, and who has the token can't touch the node" {
	kustomized base
	check "$BATS_TEST_TMPDIR/kustomized.yaml" << 'PYTHON'
d = documents[0]
pod = d['DaemonSet/brig-installer']['spec']['template']['spec']
node, label = pod['containers']
assert pod['automountServiceAccountToken'] is False and d['ServiceAccount/brig-installer']['automountServiceAccountToken'] is False
assert node['securityContext']['privileged'] and {m['name'] for m in node['volumeMounts']} == {'host', 'signals'}
assert {m['name'] for m in label['volumeMounts']} == {'token', 'signals'}
s = label['securityContext']
assert s['runAsNonRoot'] and s['readOnlyRootFilesystem'] and s['allowPrivilegeEscalation'] is False and s['capabilities'] == {'drop': ['ALL']}
assert 'privileged' not in s
assert d['ClusterRole/brig-installer']['rules'] == [{'apiGroups': [''], 'resources': ['nodes'], 'verbs': ['get', 'patch']}]
for c in pod['containers']:
    assert 'memory' in c['resources']['limits']
assert d['DaemonSet/brig-installer']['spec']['updateStrategy'] == {'type': 'RollingUpdate', 'rollingUpdate': {'maxUnavailable': 1}}
assert pod['nodeSelector']['node-restriction.kubernetes.io/brig-install'] == 'true'
PYTHON
}

@test "what containers execute is what install.sh has" {
	kustomized overlays/k3s
	for container in 0 1; do
		line=$(check "$BATS_TEST_TMPDIR/kustomized.yaml" <<< "print(documents[0]['DaemonSet/brig-installer']['spec']['template']['spec']['containers'][$container]['args'][0])")
		# A word of an option or command that install.sh does not know would be refused by it.
		words=$(sed 's/ && .*//; s/^brig-install //; s/"\$PRESET"/none/; s/"\$POLICY"/none/; s/"\$NODE_NAME"/n1/; s#/host#/nowhere/host#; s#/signals#/nowhere/signals#' <<< "$line")
		# shellcheck disable=SC2086
		REPORT_SECONDS=0 expect 1 "$DEPLOY/install/install.sh" $words
		[[ $output != *'unknown'* && $output != *'one command'* ]]
	done
}

@test "the payload: what the image needs, static programs alone" {
	expect 0 "$DEPLOY/install/payload" "$BRIG_BUILD" "$BATS_TEST_TMPDIR/context"
	while read -r source; do
		[ -e "$BATS_TEST_TMPDIR/context/$source" ]
	done < <(sed -n 's/^COPY \(--[^ ]* \)\?\([^ ]*\) .*/\2/p' "$DEPLOY/install/Containerfile")
	[ "$(cat "$BATS_TEST_TMPDIR/context/payload/VERSION")" = "$("$BRIG" --version | sed -n '1s/^brig version //p')" ]
	# What it can install is what deploy/ has.
	cmp "$BATS_TEST_TMPDIR/context/payload/policy/strict.json" "$DEPLOY/policy/strict.json"
	cmp "$BATS_TEST_TMPDIR/context/payload/apparmor/brig-apparmor.service" "$DEPLOY/apparmor/brig-apparmor.service"
	[ "$(cd "$BATS_TEST_TMPDIR/context/payload/policy" && echo *)" = 'gpu.json strict.json' ]
	mkdir "$BATS_TEST_TMPDIR/dynamic"
	cp /bin/true "$BATS_TEST_TMPDIR/dynamic/brig"
	cp /bin/true "$BATS_TEST_TMPDIR/dynamic/containerd-shim-brig-v2"
	expect 1 "$DEPLOY/install/payload" "$BATS_TEST_TMPDIR/dynamic" "$BATS_TEST_TMPDIR/other" 1.0
	[[ $output == *'not static'* ]]
}

@test "the label and the taint are the ones of the RuntimeClass" {
	grep -q '^LABEL=node-restriction.kubernetes.io/brig-ready .*TAINT=brig.dev/not-ready$' "$DEPLOY/install/install.sh"
	for class in brig brig-baseline; do
		check "$DEPLOY/runtimeclass/$class.yaml" << PYTHON
assert documents[0]['RuntimeClass/$class']['scheduling']['nodeSelector'] == {'node-restriction.kubernetes.io/brig-ready': 'true'}
PYTHON
	done
	grep -q '"node-restriction.kubernetes.io/brig-ready"' "$DEPLOY/install/kustomize/base/guard.yaml"
	grep -q '"brig.dev/not-ready"' "$DEPLOY/install/kustomize/base/guard.yaml"
}

@test "a real API server takes them; a labeller's token is good for its own node's label alone, a node's for none of brig's" {
	BATS_TEST_TIMEOUT=180 expect 0 timeout 170 "$SOURCE/tests/cluster/apiserver" run -- "$SOURCE/tests/deploy/guard"
}

@test "what is to be deleted is the installer, and not the namespace with the settings of the admission policies" {
	local preset

	kubectl kustomize "$DEPLOY/install/kustomize/overlays/remove" > "$BATS_TEST_TMPDIR/remove.yaml"
	for preset in base overlays/k3s overlays/rke2 overlays/k0s overlays/microk8s overlays/uninstall; do
		kustomized "$preset"
		# The DaemonSet goes by its name; of its settings each overlay has a ConfigMap, by the digest of what is in it.
		check "$BATS_TEST_TMPDIR/remove.yaml" "$BATS_TEST_TMPDIR/kustomized.yaml" << 'PYTHON'
removed, installed = ({k for k in d if not k.startswith('ConfigMap/')} for d in documents)
assert installed - removed == {'Namespace/brig-system'} and removed <= installed, (installed, removed)
PYTHON
	done
}

@test "network: what is let out by the annotation is let out by the policies, and brig reads it" {
	kubectl kustomize "$DEPLOY/network/example" > "$BATS_TEST_TMPDIR/network.yaml"
	check "$BATS_TEST_TMPDIR/network.yaml" << 'PYTHON'
d = documents[0]
deny = d['NetworkPolicy/brig-deny']['spec']
assert deny == {'podSelector': {}, 'policyTypes': ['Ingress', 'Egress']}, deny
assert all(x['metadata'].get('namespace', 'plugins') == 'plugins' for x in d.values())
pod = d['Pod/plugin']
listed = pod['metadata']['annotations']['brig.dev/egress'].split(',')
for name, port in (('api', 8443), ('bucket', 443)):
    policy = d['NetworkPolicy/brig-egress-' + name]['spec']
    assert policy['podSelector']['matchLabels'].items() <= pod['metadata']['labels'].items()
    assert policy['policyTypes'] == ['Egress'] and len(policy['egress']) == 1
    assert [p['port'] for p in policy['egress'][0]['ports']] == [port]
    assert any(entry.endswith(f':{port}/tcp') for entry in listed), (name, listed)
cidr = d['NetworkPolicy/brig-egress-bucket']['spec']['egress'][0]['to'][0]['ipBlock']['cidr']
assert cidr.removesuffix('/32') + ':443/tcp' in listed
assert [p['port'] for p in d['NetworkPolicy/brig-dns']['spec']['egress'][0]['ports']] == [53, 53] and any(e.startswith('dns=') for e in listed)
assert pod['spec']['runtimeClassName'] == 'brig' and pod['spec']['automountServiceAccountToken'] is False
print(pod['metadata']['annotations']['brig.dev/egress'])
PYTHON
	mkdir -p "$BATS_TEST_TMPDIR/bundle/rootfs"
	(cd "$BATS_TEST_TMPDIR/bundle" && "$BRIG" spec)
	list=$(check "$BATS_TEST_TMPDIR/network.yaml" <<< "print(documents[0]['Pod/plugin']['metadata']['annotations']['brig.dev/egress'])")
	jq --arg list "$list" '.annotations["brig.dev/egress"] = $list' "$BATS_TEST_TMPDIR/bundle/config.json" > "$BATS_TEST_TMPDIR/config.json"
	mv "$BATS_TEST_TMPDIR/config.json" "$BATS_TEST_TMPDIR/bundle/config.json"
	expect 0 "$BRIG" --policy conformant plan --bundle "$BATS_TEST_TMPDIR/bundle"
	[[ $output == *192.0.2.10* ]]
}
