// Command bare is a service in an image that holds nothing else: no shell with which to signal it.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	fmt.Println("ready")
	for range signals {
		fmt.Println("signal USR1")
	}
}
