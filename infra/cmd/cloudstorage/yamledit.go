package main

import (
	"fmt"
	"strings"
)

// setValue replaces the value of section.key in an environment's text and leaves everything else, comments too, as
// it is. The value is written on the key's line; a block list that it replaces goes.
func setValue(text, section, key, value string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	in := false
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		indent := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		case indent == 0:
			in = strings.HasPrefix(trimmed, section+":")
		case in && strings.HasPrefix(trimmed, key+":"):
			lines[i] = line[:indent] + key + ": " + value + comment(trimmed) + lineEnd(line)
			end := i + 1
			for end < len(lines) && continues(lines[end], indent) {
				end++
			}
			return strings.Join(append(lines[:i+1:i+1], lines[end:]...), ""), nil
		}
	}
	return "", fmt.Errorf("found no line %q below %q", key+":", section+":")
}

// continues tells whether a line still belongs to the value of a key at indent.
func continues(line string, indent int) bool {
	trimmed := strings.TrimLeft(line, " ")
	deep := len(line) - len(trimmed)
	return deep > indent && strings.TrimSpace(line) != "" || deep == indent && strings.HasPrefix(trimmed, "- ")
}

// comment is the comment at the end of a line, with the blanks before it.
func comment(line string) string {
	if i := strings.Index(line, " #"); i >= 0 {
		return " " + strings.TrimLeft(line[i:], " ")
	}
	return ""
}

func lineEnd(line string) string {
	if strings.HasSuffix(line, "\n") {
		return "\n"
	}
	return ""
}
