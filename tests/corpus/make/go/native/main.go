// native crashes in C, called through cgo.
package main

/*
#include <stdlib.h>
static int read_lane(int *lane) { return *lane; }
static void give_up(void) { abort(); }
*/
import "C"

import (
	"log"
	"os"
)

func lane() int {
	return int(C.read_lane(nil)) // culprit: cgo-segv
}

func giveUp() {
	C.give_up() // culprit: cgo-abort
}

func main() {
	log.Printf("lanes 1.0 starting")
	if os.Args[1] == "abort" {
		giveUp()
	}
	log.Printf("lane %d", lane())
}
