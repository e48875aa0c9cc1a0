// Command storaged-exercise is storaged with the exercise's routes and no
// others, small enough to travel as source in a machine's user-data.
package main

import (
	"os"

	"cloudstorage/app/daemon"
)

func main() { os.Exit(daemon.Main(daemon.Exercise())) }
