// Package traffic writes the ordinary log of a service, and sometimes more
// than it should.
package traffic

import (
	"bufio"
	"fmt"
	"io"
	"time"
)

// Write prints n request lines.
func Write(out io.Writer, n int) {
	for i := range n {
		fmt.Fprint(out, line(i))
	}
}

// Fill prints request lines until about size bytes are written.
func Fill(out io.Writer, size int) error {
	buffered := bufio.NewWriterSize(out, 64<<10)
	for i, written := 0, 0; written < size; i++ {
		n, err := buffered.WriteString(line(i))
		if err != nil {
			return fmt.Errorf("write the log: %w", err)
		}
		written += n
	}
	return buffered.Flush()
}

func line(i int) string {
	return fmt.Sprintf("%s level=info msg=\"request served\" method=GET path=/orders/%d status=200 duration=%dms trace_id=%032x\n",
		time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), 1000+i%500, 1+i%37, i*7919)
}

// Leak logs credentials as careless services do. All of them are made up, and
// put together here so that no scanner takes this file for a leak.
func Leak(out io.Writer) {
	aws := "AKIA" + "Z7QK4M2XN5WJ3RTB"
	jwt := "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJjb3JvbmVyIn0" + ".c2lnbmF0dXJlLW9mLW5vLXVzZQ"
	fmt.Fprintf(out, "connecting to postgres://shop:%s@db:5432/shop?sslmode=disable\n", "s3cr3t-in-dsn")
	fmt.Fprintf(out, "config: {\"user\": \"shop\", \"password\": %q, \"retries\": 3}\n", "s3cr3t-in-json")
	fmt.Fprintf(out, "Authorization: Bearer %s\n", jwt)
	fmt.Fprintf(out, "aws_access_key_id=%s aws_secret_access_key=%s\n", aws, "s3cr3t/in/aws/key/that/is/forty/chars/lng")
	fmt.Fprintf(out, "payment provider answered 401 for api_key=%s\n", "s3cr3t-api-key-0123456789")
}
