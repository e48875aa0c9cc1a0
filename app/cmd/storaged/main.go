// Command storaged serves the storage API.
package main

import (
	"os"

	"cloudstorage/app/daemon"
	"cloudstorage/app/service"
)

func main() { os.Exit(daemon.Main(service.Program())) }
