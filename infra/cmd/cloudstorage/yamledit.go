package main

import (
	"fmt"
	"slices"
	"strings"
)

// The edits of an environment's text. They leave everything else, comments too, as it is. A section is a key at the
// line's start; "" stands for the file itself.

// setValue replaces the value of section.key. The value is written on the key's line; a block list that it replaces goes.
func setValue(text, section, key, value string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	start, end, ok := find(lines, section, key)
	if !ok {
		return "", fmt.Errorf("found no line %q below %q", key+":", section+":")
	}
	line := lines[start]
	lines[start] = line[:indentOf(line)] + key + ": " + value + comment(strings.TrimSpace(line)) + lineEnd(line)
	return strings.Join(slices.Delete(lines, start+1, end), ""), nil
}

// putValue is setValue that adds what is not there: the key first in its section, the section behind what the file
// says of itself.
func putValue(text, section, key, value string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	if _, _, ok := find(lines, section, key); ok {
		return setValue(text, section, key, value)
	}
	if start, _, ok := find(lines, "", section); ok {
		if line := strings.TrimSpace(lines[start]); strings.TrimSpace(strings.TrimSuffix(line, comment(line))) != section+":" {
			return "", fmt.Errorf("%s is written on one line: give each of its keys a line of its own", section)
		}
		return strings.Join(slices.Insert(lines, start+1, "  "+key+": "+value+"\n"), ""), nil
	}
	behind := 0
	for _, own := range []string{"project_name", "region", "account_id"} {
		if _, end, ok := find(lines, "", own); ok {
			behind = max(behind, end)
		}
	}
	return strings.Join(slices.Insert(lines, behind, "\n", section+":\n", "  "+key+": "+value+"\n"), ""), nil
}

// removeKey removes section.key with its value, where it is there.
func removeKey(text, section, key string) string {
	lines := strings.SplitAfter(text, "\n")
	start, end, ok := find(lines, section, key)
	if !ok {
		return text
	}
	return strings.Join(slices.Delete(lines, start, end), "")
}

// find returns the lines of section.key and its value: from start to before end.
func find(lines []string, section, key string) (start, end int, ok bool) {
	in := section == ""
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		indent := indentOf(line)
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		case indent == 0 && section != "":
			in = strings.HasPrefix(trimmed, section+":")
		case in && (indent == 0) == (section == "") && strings.HasPrefix(trimmed, key+":"):
			end = i + 1
			for end < len(lines) && continues(lines[end], indent) {
				end++
			}
			return i, end, true
		}
	}
	return 0, 0, false
}

// continues tells whether a line still belongs to the value of a key at indent.
func continues(line string, indent int) bool {
	trimmed := strings.TrimLeft(line, " ")
	deep := len(line) - len(trimmed)
	return deep > indent && strings.TrimSpace(line) != "" || deep == indent && strings.HasPrefix(trimmed, "- ")
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

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
