package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestDeletingMoreThanOneIsAskedForOnATerminal(t *testing.T) {
	t.Parallel()
	for answered, deleted := range map[string]bool{"y\n": true, "Yes\n": true, "YES": true, "n\n": false, "\n": false, "": false, "yesterday\n": false} {
		f := newFake(t)
		f.objects = map[string]string{"a/1": "", "a/2": "", "a/\u202e3": "", "b": ""}
		got := where{terminal: true, stdin: answered}.run(t, "rm", "-r", "a", "--ip", f.address())
		if !strings.HasPrefix(got.stderr, `Delete 3 files, from a/1 to a/\u202e3? [y/N] `) || len(f.objects) == 1 != deleted || (got.code == exitDone) != deleted {
			t.Errorf("%q: %+v, left %v", answered, got, f.objects)
		}
		if !deleted && !strings.HasSuffix(got.stderr, "storagectl: nothing was deleted\n") {
			t.Errorf("%q: stderr %q", answered, got.stderr)
		}
	}
}

func TestNothingIsAskedWhereOneIsDeletedOrYesIsSaid(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.objects = map[string]string{"a/1": "", "a/2": "", "b/1": "", `*`: ""}
	where{terminal: true}.run(t, "rm", "-r", "b", "--ip", f.address()).want(t, "Deleted b/1\n")
	where{terminal: true}.run(t, "rm", `\*`, "--ip", f.address()).want(t, "Deleted *\n")
	where{}.run(t, "rm", "a/*", "--ip", f.address()).wantFailure(t, exitUsage, "say --yes")
	if len(f.objects) != 2 {
		t.Fatalf("left %v", f.objects)
	}
	where{terminal: true}.run(t, "rm", "a/*", "--yes", "--quiet", "--ip", f.address()).want(t, "")
	where{}.run(t, "rm", "--raw", "*", "--json", "--ip", f.address()).want(t, `{"key":"*"}`+"\n")
}

func TestManyFilesAreCountedAndDeletedWithoutHoldingThemAll(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for i := range maxCount + 2 {
		f.objects[fmt.Sprintf("a/%05d", i)] = ""
	}
	got := where{terminal: true, stdin: "y\n"}.run(t, "rm", "a/**", "--quiet", "--ip", f.address())
	if got.code != exitDone || !strings.HasPrefix(got.stderr, "Delete more than 10000 files, from a/00000 to a/09999? ") || len(f.objects) != 0 {
		t.Errorf("%+v, left %d", got, len(f.objects))
	}
}

func TestWhatCannotBeDeletedHindersNoOther(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.objects = map[string]string{"a": "", "bad\x1bname": "", "c": ""}
	got := where{}.run(t, "rm", "**", "--yes", "--ip", f.address())
	if got.code != exitFailed || got.stdout != "Deleted a\nDeleted c\n" || !strings.Contains(got.stderr, `bad\x1bname: the file name has the control character`) ||
		!strings.HasSuffix(got.stderr, "storagectl: 1 of 3 failed\n") || len(f.objects) != 1 {
		t.Errorf("%+v, left %v", got, f.objects)
	}
	f.refuse = func(w http.ResponseWriter, _ *http.Request) { answer(w, 401, "no key", nil) }
	where{}.run(t, "rm", "x", "y", "--yes", "--ip", f.address()).wantFailure(t, exitFailed, "401")
	where{}.run(t, "rm", "x*", "--yes", "--ip", f.address()).wantFailure(t, exitFailed, "401")
}

func TestNamesAreEscapedWhereATerminalShowsThem(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.objects = map[string]string{"exe\u202efdp.": "", "d\x1b[2J": ""}
	where{}.run(t, "ls", "--ip", f.address()).want(t, "d\x1b[2J\nexe\u202efdp.\n")
	where{terminal: true}.run(t, "ls", "--ip", f.address()).want(t, `d\x1b[2J`+"\n"+`exe\u202efdp.`+"\n")
	where{}.run(t, "ls", "-l", "--ip", f.address()).want(t, `         -  -                 d\x1b[2J`+"\n"+`         -  -                 exe\u202efdp.`+"\n")
	where{}.run(t, "ls", "--json", "--ip", f.address()).want(t, `{"key":"d\u001b[2J"}`+"\n"+"{\"key\":\"exe\u202efdp.\"}\n")
	where{}.run(t, "rm", "exe\u202efdp.", "--ip", f.address()).want(t, `Deleted exe\u202efdp.`+"\n")
}
