package bootstrap

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
)

// Where the source's files are unpacked from, and what unpacks them: a module of its own, whose one dependency go.sum pins.
const (
	PackedPath = "/usr/local/src/storaged.br"
	UnpackPath = "/usr/local/src/unpack/"
)

var (
	//go:embed unpack/main.go.txt
	unpackMain string
	//go:embed unpack/go.mod.txt
	unpackMod string
	//go:embed unpack/go.sum.txt
	unpackSum string
)

const (
	maxUnpacked = 1 << 20 // more than a source has that fits
	packEnd     = "~~"    // the line that ends a file
)

// packed are the files that carry source's, as a shell script that writes them, compressed: Brotli packs this much Go a tenth
// tighter than gzip's own format.
// Source: https://www.rfc-editor.org/rfc/rfc7932
func packed(source map[string]string) ([]file, error) {
	var text bytes.Buffer
	writer := brotli.NewWriterOptions(&text, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: 20})
	for _, name := range slices.Sorted(maps.Keys(source)) {
		content := source[name]
		if !packable.MatchString(name) || !strings.HasSuffix(content, "\n") || strings.Contains("\n"+content, "\n"+packEnd+"\n") || strings.Contains(content, "\x00") {
			return nil, fmt.Errorf("pack the source: %q cannot be written by a shell as it is", name)
		}
		if _, err := fmt.Fprintf(writer, packHead, path.Dir(name), name, packEnd, content, packEnd); err != nil {
			return nil, fmt.Errorf("pack the source: %w", err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("pack the source: %w", err)
	}
	return []file{
		{UnpackPath + "go.mod", "0644", unpackMod},
		{UnpackPath + "go.sum", "0644", unpackSum},
		{UnpackPath + "main.go", "0644", unpackMain},
		{PackedPath, binaryMode, text.String()},
	}, nil
}

const packHead = "mkdir -p %s\ncat >%s <<'%s'\n%s%s\n"

var (
	packable  = regexp.MustCompile(`^[a-z0-9._/-]+$`)
	packStart = regexp.MustCompile(`(?m)^mkdir -p [a-z0-9._/-]+\ncat >([a-z0-9._/-]+) <<'` + packEnd + `'\n`)
)

// unpacked reads back what packed packs.
func unpacked(text string) (map[string]string, error) {
	content, err := io.ReadAll(io.LimitReader(brotli.NewReader(strings.NewReader(text)), maxUnpacked))
	if err != nil {
		return nil, fmt.Errorf("unpack the source: %w", err)
	}
	files := map[string]string{}
	for rest := string(content); rest != ""; {
		head := packStart.FindStringSubmatch(rest)
		if len(head) == 0 || !strings.HasPrefix(rest, head[0]) {
			return nil, errors.New("unpack the source: what is packed does not begin with a file")
		}
		body, after, found := strings.Cut("\n"+rest[len(head[0]):], "\n"+packEnd+"\n")
		if !found {
			return nil, fmt.Errorf("unpack the source: %s has no end", head[1])
		}
		files[head[1]], rest = body[1:]+"\n", after
	}
	return files, nil
}
