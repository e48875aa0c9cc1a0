package release

import (
	"bytes"
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
)

// stripComments takes the comments out of a Go file, but for the directives that decide what it
// means: //go:build, //go:embed and the like.
func stripComments(name string, source []byte) ([]byte, error) {
	files := token.NewFileSet()
	file := files.AddFile(name, -1, len(source))
	var failed error
	var s scanner.Scanner
	s.Init(file, source, func(position token.Position, message string) {
		failed = fmt.Errorf("%s: %s", position, message)
	}, scanner.ScanComments)
	var kept bytes.Buffer
	from := 0
	for {
		position, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok != token.COMMENT || len(literal) > 5 && literal[:5] == "//go:" {
			continue
		}
		start := file.Offset(position)
		kept.Write(source[from:start])
		// A comment that spans lines separates statements, as its line breaks did.
		if bytes.ContainsRune([]byte(literal), '\n') {
			kept.WriteByte('\n')
		}
		from = start + len(literal)
	}
	kept.Write(source[from:])
	if failed != nil {
		return nil, fmt.Errorf("read source: %w", failed)
	}
	tidy, err := format.Source(kept.Bytes())
	if err != nil {
		return nil, fmt.Errorf("strip comments of %s: %w", name, err)
	}
	return tidy, nil
}
