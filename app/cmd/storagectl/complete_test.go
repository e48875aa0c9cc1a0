package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestNamesInTheBucketAreCompletedFolderByFolder(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.objects = map[string]string{"photos/1.jpg": "", "photos/old/2.jpg": "", "photos.txt": "", "other": "", "pho*": "", "pho\x1b": "", "pho\\*": "", "-rf": ""}
	for _, r := range "$`;&|<>" { // bash would run what a name says
		f.objects["run"+string(r)+"(reboot)"] = ""
	}
	const noFiles, noSpace, folders = 4, 2, 16
	for line, want := range map[string]string{
		"cat pho":                         fmt.Sprintf("photos.txt\nphotos/\n:%d\n", noFiles|noSpace),
		"get photos/":                     fmt.Sprintf("photos/1.jpg\nphotos/old/\n:%d\n", noFiles|noSpace),
		"rm other photos/1":               fmt.Sprintf("photos/1.jpg\n:%d\n", noFiles),
		"stat run":                        fmt.Sprintf(":%d\n", noFiles),
		"stat -- -":                       fmt.Sprintf(":%d\n", noFiles),
		"stat none":                       fmt.Sprintf(":%d\n", noFiles),
		"share create photos.":            fmt.Sprintf("photos.txt\n:%d\n", noFiles),
		"share create photos.txt photos.": fmt.Sprintf(":%d\n", noFiles),
		"sync here :":                     fmt.Sprintf(":photos/\n:%d\n", noFiles|noSpace),
		"sync :photos/":                   fmt.Sprintf(":photos/old/\n:%d\n", noFiles|noSpace),
		"sync ph":                         fmt.Sprintf(":%d\n", folders),
		"sync a b c":                      fmt.Sprintf(":%d\n", noFiles),
	} {
		args := append([]string{"__complete", "--ip", f.address()}, strings.Fields(line)...)
		if got := (where{}).run(t, args...); got.code != exitDone || got.stdout != want {
			t.Errorf("%s: %+v, want %q", line, got, want)
		}
	}
	f.refuse = func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusUnauthorized, "no key", nil) }
	if got := (where{}).run(t, "__complete", "--ip", f.address(), "cat", "p"); got.code != exitDone || got.stdout != ":4\n" {
		t.Errorf("not let in: %+v", got)
	}
}
