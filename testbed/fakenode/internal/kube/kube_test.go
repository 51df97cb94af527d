package kube

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// open serves handler by TLS and returns a client for it, made from a kubeconfig file.
func open(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: main\ncontexts:\n- {name: other, context: {cluster: x, user: y}}\n"+
		"- name: main\n  context: {cluster: c, user: u}\nclusters:\n- name: c\n  cluster:\n    server: %s\n    certificate-authority-data: %s\n"+
		"users:\n- name: u\n  user: {token: secret}\n", server.URL, base64.StdEncoding.EncodeToString(ca))
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	client, got, err := Open(path)
	if err != nil || string(got) != string(ca) {
		t.Fatalf("%v, CA %q", err, got)
	}
	return client
}

func TestARequestCarriesItsBodyAndCredentials(t *testing.T) {
	client := open(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"metadata":{"name":%q}}`, strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}, " "))
	})
	var out Pod
	if err := client.Do(context.Background(), "PATCH", "/api/v1/x", MergePatch, map[string]int{"a": 1}, &out); err != nil {
		t.Fatal(err)
	}
	if want := `PATCH /api/v1/x Bearer secret application/merge-patch+json {"a":1}`; out.Metadata.Name != want {
		t.Errorf("the server saw %q, want %q", out.Metadata.Name, want)
	}
}

func TestARefusalKeepsItsCodeAndMessage(t *testing.T) {
	client := open(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(404)
		io.WriteString(w, `{"kind":"Status","reason":"NotFound","message":"pods \"x\" not found","code":404}`)
	})
	err := client.Do(context.Background(), "GET", "/x", "", nil, nil)
	if Code(err) != 404 || !strings.Contains(err.Error(), `pods "x" not found`) {
		t.Errorf("%v, code %d", err, Code(err))
	}
	if Code(io.EOF) != 0 {
		t.Error("an error that is no refusal has a code")
	}
}

func TestAWatchDeliversEventsUntilItsEnd(t *testing.T) {
	client := open(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"type":"ADDED","object":{"metadata":{"name":"a"}}}`+"\n"+`{"type":"DELETED","object":{"metadata":{"name":"a"}}}`+"\n")
	})
	var seen []string
	err := client.Watch(context.Background(), "/watch", func(e Event) error {
		var pod Pod
		seen = append(seen, e.Type)
		return json.Unmarshal(e.Object, &pod)
	})
	if err != nil || fmt.Sprint(seen) != "[ADDED DELETED]" {
		t.Errorf("%v, %v", seen, err)
	}
}

func TestAContextThatLeadsNowhereIsSaid(t *testing.T) {
	if _, err := resolve([]byte("current-context: gone\n")); err == nil || !strings.Contains(err.Error(), `"gone"`) {
		t.Errorf("%v", err)
	}
}
