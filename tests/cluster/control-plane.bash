# shellcheck shell=bash
# An API server with etcd, for apiserver and node: both source this in namespaces of their own, which end what is started here.
# CONTROL is their folder for files; the programs are in PATH.

control_url=https://127.0.0.1:6443

# Tries a command until it succeeds, for so many seconds, as long as a process lives.
control_wait() { # SECONDS PID LOG COMMAND...
	local end=$((SECONDS + $1)) pid=$2 log=$3
	shift 3

	until "$@" > /dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ] || ! kill -0 "$pid" 2> /dev/null; then
			echo "$(basename "$log" .log) is not there, waited for: $*; the end of its log:" >&2
			tail -n 30 "$log" >&2
			return 1
		fi
		sleep 0.1
	done
}

# Starts a program in the background, with its output in CONTROL/NAME.log; sets $started.
control_start() { # PROGRAM ARGUMENT...
	"$@" > "$CONTROL/$1.log" 2>&1 < /dev/null &
	started=$!
}

# A kubeconfig with one user, who is known by a token.
control_kubeconfig() { # FILE TOKEN
	cat > "$1" << TEXT
apiVersion: v1
kind: Config
clusters: [{name: tests, cluster: {server: $control_url, certificate-authority: $CONTROL/certificates/apiserver.crt}}]
users: [{name: tests, user: {token: $2}}]
contexts: [{name: tests, context: {cluster: tests, user: tests, namespace: default}}]
current-context: tests
TEXT
	chmod 600 "$1"
}

# What an ordinary user may do: all with workloads in all namespaces, nothing with namespaces, classes, policies or roles.
control_user_role() {
	cat << 'TEXT'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: tests-user}
rules:
- apiGroups: [""]
  resources: [pods, pods/attach, pods/ephemeralcontainers, pods/exec, pods/log, pods/portforward, pods/resize, pods/eviction,
    configmaps, secrets, services, serviceaccounts, serviceaccounts/token, events, persistentvolumeclaims, podtemplates,
    replicationcontrollers, replicationcontrollers/scale]
  verbs: [get, list, watch, create, update, patch, delete, deletecollection]
- apiGroups: [apps, batch]
  resources: ["*"]
  verbs: [get, list, watch, create, update, patch, delete, deletecollection]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: tests-user}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: tests-user}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: user}]
TEXT
}

control_start_etcd() {
	control_start etcd --data-dir "$CONTROL/etcd" --unsafe-no-fsync --listen-client-urls http://127.0.0.1:2379 \
		--advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 \
		--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380
	control_wait 240 "$started" "$CONTROL/etcd.log" grep -q 'ready to serve client requests' "$CONTROL/etcd.log"
}

# The API server, ready, with $KUBECONFIG of an administrator and $KUBECONFIG_USER of an ordinary user.
control_start_apiserver() { # ARGUMENT...
	local name

	mkdir -p "$CONTROL/certificates"
	openssl genrsa -out "$CONTROL/service-account.key" 2048 2> /dev/null
	for name in admin user controllers scheduler node; do
		openssl rand -hex 16 > "$CONTROL/$name.token"
	done
	cat > "$CONTROL/tokens.csv" << TEXT
$(cat "$CONTROL/admin.token"),admin,1,system:masters
$(cat "$CONTROL/user.token"),user,2
$(cat "$CONTROL/controllers.token"),controllers,3,system:masters
$(cat "$CONTROL/scheduler.token"),system:kube-scheduler,4
$(cat "$CONTROL/node.token"),system:node:node,5,system:nodes
TEXT
	chmod 600 "$CONTROL"/tokens.csv "$CONTROL"/*.token
	for name in admin user controllers scheduler node; do
		control_kubeconfig "$CONTROL/$name.kubeconfig" "$(cat "$CONTROL/$name.token")"
	done
	export KUBECONFIG=$CONTROL/admin.kubeconfig KUBECONFIG_USER=$CONTROL/user.kubeconfig KUBECACHEDIR=$CONTROL/kubectl
	control_start kube-apiserver --etcd-servers http://127.0.0.1:2379 --secure-port 6443 --bind-address 127.0.0.1 \
		--advertise-address 127.0.0.1 --endpoint-reconciler-type none --cert-dir "$CONTROL/certificates" \
		--service-account-issuer https://kubernetes.default.svc --service-account-key-file "$CONTROL/service-account.key" \
		--service-account-signing-key-file "$CONTROL/service-account.key" --service-cluster-ip-range 10.96.0.0/16 \
		--authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --token-auth-file "$CONTROL/tokens.csv" --allow-privileged \
		--enable-priority-and-fairness=false "$@"
	control_wait 240 "$started" "$CONTROL/kube-apiserver.log" kubectl get --raw /readyz
	control_wait 240 "$started" "$CONTROL/kube-apiserver.log" kubectl get namespace default kube-system
	control_user_role | kubectl apply -f - > /dev/null
}

# The controllers: default service accounts, Deployments and Jobs, the type checks of policies.
control_start_controllers() { # ARGUMENT...
	control_start kube-controller-manager --kubeconfig "$CONTROL/controllers.kubeconfig" --leader-elect=false \
		--bind-address 127.0.0.1 --secure-port 0 --service-account-private-key-file "$CONTROL/service-account.key" \
		--root-ca-file "$CONTROL/certificates/apiserver.crt" "$@"
	control_wait 240 "$started" "$CONTROL/kube-controller-manager.log" kubectl get serviceaccount default
}
