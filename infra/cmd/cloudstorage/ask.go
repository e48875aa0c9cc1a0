package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errNoAnswer says that a question could not be asked: nobody is there.
var errNoAnswer = errors.New("no answer")

// asker asks a person questions, a line each.
type asker struct {
	in  *bufio.Reader
	out io.Writer
}

func newAsker(c console) *asker {
	return &asker{in: bufio.NewReader(c.in), out: c.out}
}

// ask returns the answer, or def when it is empty.
func (a *asker) ask(question, def string) (string, error) {
	shown := ""
	if def != "" {
		shown = " [" + def + "]"
	}
	_, _ = fmt.Fprintf(a.out, "%s%s: ", question, shown)
	line, err := a.in.ReadString('\n')
	answer := strings.TrimSpace(line)
	if err != nil && answer == "" {
		_, _ = fmt.Fprintln(a.out)
		return "", errNoAnswer
	}
	if answer == "" {
		return def, nil
	}
	return answer, nil
}

// confirm asks for exactly one word; anything else is a no.
func (a *asker) confirm(question, word string) error {
	answer, err := a.ask(fmt.Sprintf("%s\nType %q to go on", question, word), "")
	if err != nil && !errors.Is(err, errNoAnswer) {
		return err
	}
	if answer != word {
		return errors.New("not confirmed: nothing was done")
	}
	return nil
}
