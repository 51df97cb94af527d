// Package kube talks to an API server: just what a fake node needs, without the weight of a whole client library.
package kube

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"sigs.k8s.io/yaml"
)

// kubeconfig is the part of such a file that is used here.
type kubeconfig struct {
	CurrentContext string `json:"current-context"`
	Contexts       []struct {
		Name    string `json:"name"`
		Context struct {
			Cluster string `json:"cluster"`
			User    string `json:"user"`
		} `json:"context"`
	} `json:"contexts"`
	Clusters []struct {
		Name    string `json:"name"`
		Cluster struct {
			Server string `json:"server"`
			CA     string `json:"certificate-authority"`
			CAData string `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		Name string `json:"name"`
		User struct {
			Cert     string `json:"client-certificate"`
			CertData string `json:"client-certificate-data"`
			Key      string `json:"client-key"`
			KeyData  string `json:"client-key-data"`
			Token    string `json:"token"`
		} `json:"user"`
	} `json:"users"`
}

// credentials is what the current context of a kubeconfig amounts to.
type credentials struct {
	server, token string
	ca, cert, key []byte
}

// Open returns a client for the current context of a kubeconfig file, and its certificate authority in PEM.
func Open(path string) (*Client, []byte, error) {
	c, transport, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	return &Client{server: c.server, token: c.token, http: &http.Client{Transport: transport}}, c.ca, nil
}

// Transport returns the address of the API server of a kubeconfig file, and how to reach it as the user of its client
// certificate. A token is not presented.
func Transport(path string) (*url.URL, http.RoundTripper, error) {
	c, transport, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	server, err := url.Parse(c.server)
	return server, transport, err
}

func openFile(path string) (c credentials, transport *http.Transport, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return c, nil, err
	}
	if c, err = resolve(text); err != nil {
		return c, nil, fmt.Errorf("%s: %w", path, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.ca) {
		return c, nil, fmt.Errorf("%s: its certificate authority is no PEM certificate", path)
	}
	settings := &tls.Config{RootCAs: roots}
	if len(c.cert) > 0 {
		pair, err := tls.X509KeyPair(c.cert, c.key)
		if err != nil {
			return c, nil, fmt.Errorf("%s: client certificate: %w", path, err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	return c, &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true}, nil
}

func resolve(text []byte) (c credentials, err error) {
	var config kubeconfig
	if err := yaml.Unmarshal(text, &config); err != nil {
		return c, err
	}
	for _, context := range config.Contexts {
		if context.Name != config.CurrentContext {
			continue
		}
		for _, cluster := range config.Clusters {
			if cluster.Name == context.Context.Cluster {
				c.server = cluster.Cluster.Server
				if c.ca, err = material(cluster.Cluster.CAData, cluster.Cluster.CA); err != nil {
					return c, err
				}
			}
		}
		for _, user := range config.Users {
			if user.Name == context.Context.User {
				c.token = user.User.Token
				if c.cert, err = material(user.User.CertData, user.User.Cert); err != nil {
					return c, err
				}
				if c.key, err = material(user.User.KeyData, user.User.Key); err != nil {
					return c, err
				}
			}
		}
	}
	if c.server == "" {
		return c, fmt.Errorf("the current context %q leads to no cluster", config.CurrentContext)
	}
	return c, nil
}

// material takes a credential from the kubeconfig itself, or from the file that it names.
func material(data, path string) ([]byte, error) {
	switch {
	case data != "":
		return base64.StdEncoding.DecodeString(data)
	case path != "":
		return os.ReadFile(path)
	}
	return nil, nil
}
