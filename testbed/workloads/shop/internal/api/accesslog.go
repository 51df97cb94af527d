package api

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// AccessLog writes one line in the common log format, and how long it took,
// for each request except the probes.
func AccessLog(out io.Writer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		seen := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		if r.URL.Path == "/healthz" {
			return
		}
		fmt.Fprintf(out, "%s - - [%s] \"%s %s %s\" %d %d %s\n",
			host(r.RemoteAddr), begin.Format("02/Jan/2006:15:04:05 -0700"),
			r.Method, r.URL.RequestURI(), r.Proto, seen.status, seen.bytes,
			time.Since(begin).Round(time.Microsecond))
	})
}

func host(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// recorder remembers what the access log tells of the answer.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(body []byte) (int, error) {
	n, err := r.ResponseWriter.Write(body)
	r.bytes += n
	return n, err
}
