# Certificates and kubeconfigs of one run, all from one CA of its own. To be sourced after lib.sh.

PKI=$ST/pki
DNS_NAMES=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/$1.key"; }

make_ca() {
  new_key ca
  openssl req -x509 -new -key "$PKI/ca.key" -subj /CN=testbed-ca -days 3650 -out "$PKI/ca.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,digitalSignature
}

# certificate NAME SUBJECT USAGE [SUBJECT-ALTERNATIVE-NAMES]
certificate() {
  local name=$1 subject=$2 usage=$3 names=${4-}
  new_key "$name"
  openssl req -new -key "$PKI/$name.key" -subj "$subject" |
    openssl x509 -req -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -set_serial "0x$(openssl rand -hex 16)" -days 3650 \
      -extfile <(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s\n' "$usage" "${names:+subjectAltName=$names}") \
      -out "$PKI/$name.crt" 2>/dev/null
}

# kubeconfig NAME: a file that needs no other, so that it can be handed on.
kubeconfig() {
  local name=$1
  cat >"$PKI/$name.kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: testbed
contexts: [{name: testbed, context: {cluster: testbed, user: $name}}]
clusters:
  - name: testbed
    cluster: {server: "https://$NODE_IP:6443", certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")}
users:
  - name: $name
    user: {client-certificate-data: $(base64 -w0 "$PKI/$name.crt"), client-key-data: $(base64 -w0 "$PKI/$name.key")}
YAML
}

make_pki() {
  local name
  (umask 077 && mkdir -p "$PKI")
  make_ca
  certificate apiserver /CN=kube-apiserver serverAuth "$DNS_NAMES,IP:127.0.0.1,IP:$NODE_IP,IP:10.96.0.1"
  # 127.0.0.1 is where the fake nodes' server listens, with the same certificate.
  certificate kubelet "/CN=$NODE" serverAuth "DNS:$NODE,IP:$NODE_IP,IP:127.0.0.1"
  certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  certificate admin /O=system:masters/CN=admin clientAuth
  certificate coredns /O=system:masters/CN=coredns clientAuth
  certificate node "/O=system:nodes/CN=system:node:$NODE" clientAuth
  for name in controller-manager scheduler proxy; do certificate $name /CN=system:kube-$name clientAuth; done
  for name in admin coredns node controller-manager scheduler proxy; do kubeconfig $name; done
  new_key sa
  openssl ec -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
}
