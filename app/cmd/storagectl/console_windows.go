package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// obeys says whether a terminal understands how lines are redrawn, and asks it to.
// Source: https://learn.microsoft.com/windows/console/setconsolemode
func obeys(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return true
	}
	var mode uint32
	console := windows.Handle(f.Fd())
	return windows.GetConsoleMode(console, &mode) == nil && windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
