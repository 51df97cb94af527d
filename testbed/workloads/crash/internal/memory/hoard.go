// Package memory takes more than its limit.
package memory

import (
	"fmt"
	"io"
	"time"
)

const (
	step = 4 << 20
	// Slow enough that the log shows the growth, fast enough for a test.
	pace = 20 * time.Millisecond
	// A container without a limit must not eat the machine.
	ceiling = 1 << 30
)

var hoard [][]byte

// Hoard allocates and touches memory until the kernel ends the process, or
// until it has a GiB, which means that the container had no limit.
func Hoard(log io.Writer) {
	for held := 0; held < ceiling; held += step {
		hoard = append(hoard, touched(step))
		fmt.Fprintf(log, "cache holds %d MiB\n", (held+step)>>20)
		time.Sleep(pace)
	}
	panic("nobody stopped the allocation at 1 GiB: the container has no memory limit")
}

// touched writes to every page: memory that was only reserved costs nothing.
func touched(size int) []byte {
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	return block
}
