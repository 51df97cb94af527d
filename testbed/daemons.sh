# How each daemon is started. Run inside the testbed's namespaces, where the run's state is /run/testbed and the programs
# are /run/testbed-bin: short fixed paths, so that the files in etc/ need no templates and sockets no luck with the length.
R=/run/testbed
E=$R/etc
P=$R/pki
export PATH=/run/testbed-bin:$PATH KUBECONFIG=$P/admin.kubeconfig KUBECACHEDIR=$R/kubectl-cache

etcd() {
  exec etcd --name testbed --data-dir $R/etcd --log-level warn --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster testbed=http://127.0.0.1:2380
}

containerd() { exec containerd --config $E/containerd.toml; }

kube-apiserver() {
  exec kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
    --bind-address=$NODE_IP --secure-port=6443 --advertise-address=$NODE_IP --service-cluster-ip-range=10.96.0.0/16 \
    --tls-cert-file=$P/apiserver.crt --tls-private-key-file=$P/apiserver.key --client-ca-file=$P/ca.crt \
    --kubelet-client-certificate=$P/apiserver-kubelet.crt --kubelet-client-key=$P/apiserver-kubelet.key \
    --kubelet-certificate-authority=$P/ca.crt --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file=$P/sa.pub --service-account-signing-key-file=$P/sa.key \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --audit-policy-file=$E/audit-policy.yaml --audit-log-path=$R/log/audit.log --audit-log-mode=batch --profiling=false
}

# At its client's usual 20 requests a second, service accounts would come 5 s after everything else.
kube-controller-manager() {
  exec kube-controller-manager --kubeconfig=$P/controller-manager.kubeconfig --bind-address=127.0.0.1 --leader-elect=false \
    --use-service-account-credentials=true --service-account-private-key-file=$P/sa.key --root-ca-file=$P/ca.crt \
    --allocate-node-cidrs=false --kube-api-qps=500 --kube-api-burst=1000
}

kube-scheduler() {
  exec kube-scheduler --kubeconfig=$P/scheduler.kubeconfig --bind-address=127.0.0.1 --leader-elect=false
}

# The bus is there only while a shutdown of the machine is played (see record): otherwise the kubelet finds none, not the machine's.
kubelet() {
  export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$R/bus
  exec kubelet --config=$E/kubelet.yaml --kubeconfig=$P/node.kubeconfig --hostname-override=$NODE --node-ip=$NODE_IP \
    --root-dir=$R/kubelet
}

kube-proxy() { exec kube-proxy --config=$E/kube-proxy.yaml --hostname-override=$NODE; }

coredns() { exec coredns -conf $E/Corefile; }

fakenode() {
  exec fakenode --kubeconfig $P/admin.kubeconfig --nodes "$(cat $R/fake-nodes)" \
    --cert $P/kubelet.crt --key $P/kubelet.key --listen 127.0.0.1:10350 --dir $R/fakenode
}

bus() { exec dbus-daemon --config-file=$E/bus.conf --nofork --nopidfile; }
logind() { exec logind --bus unix:path=$R/bus; }

# A stand-in for Slack, where pods and the machine reach it: nothing here has a route to the real one.
slack() { exec slack --listen $NODE_IP:8065 --file $R/log/slack.jsonl; }

# start DAEMON...
start() {
  local name
  for name; do
    ( exec >>$R/log/$name.log 2>&1 </dev/null 9>&-; $name ) &
    echo $! >$R/pids/$name
  done
}

ready() {
  case $1 in
    kube-apiserver) kubectl get --raw /readyz ;;
    containerd) ctr version ;;
    kubelet) curl -sf http://127.0.0.1:10248/healthz ;;
    bus) test -S $R/bus ;;
    logind) grep -q '^ready$' $R/log/logind.log ;;
    slack) curl -sf http://$NODE_IP:8065/healthz ;;
    *) kill -0 "$(cat $R/pids/$1)" ;;
  esac
}
