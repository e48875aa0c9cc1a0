package bootstrap

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// file is an entry of cloud-init's write_files.
type file struct{ path, mode, content string }

// binaryMode is that of the one file whose content is no text.
const binaryMode = "0600"

const header = "#cloud-config\n"

// cloudConfig writes the files and runs the commands, once in a machine's life; each runs, whether or not those before
// it failed. Texts are literal blocks: whoever reads the user-data can read them.
func cloudConfig(files []file, commands []string) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString(header + "write_files:\n")
	for _, f := range files {
		if f.mode == binaryMode {
			fmt.Fprintf(&text, "- path: %s\n  permissions: '%s'\n  encoding: b64\n  content: %s\n", f.path, f.mode, base64.StdEncoding.EncodeToString([]byte(f.content)))
			continue
		}
		if err := f.literal(); err != nil {
			return nil, err
		}
		fmt.Fprintf(&text, "- path: %s\n  permissions: '%s'\n  content: |\n", f.path, f.mode)
		for line := range strings.Lines(f.content) {
			if line != "\n" {
				text.WriteString("   ")
			}
			text.WriteString(line)
		}
	}
	text.WriteString("runcmd:\n")
	for _, command := range commands {
		fmt.Fprintf(&text, "- [%s]\n", command)
	}
	return text.Bytes(), nil
}

// literal reports what a literal block would not give back byte for byte.
func (f file) literal() error {
	switch {
	case f.content == "" || strings.HasSuffix(f.content, "\n\n") || !strings.HasSuffix(f.content, "\n"):
		return fmt.Errorf("%s does not end in exactly one line break", f.path)
	case f.content[0] == ' ' || f.content[0] == '\t' || f.content[0] == '\n':
		return fmt.Errorf("%s starts with white space", f.path)
	case !utf8.ValidString(f.content):
		return fmt.Errorf("%s is not UTF-8", f.path)
	}
	for _, r := range f.content {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff {
			return fmt.Errorf("%s holds the character %U, which YAML does not keep", f.path, r)
		}
	}
	return nil
}

// Files reads user-data back: what it writes on a machine, by path, with the source unpacked.
func Files(userData []byte) (map[string]string, error) {
	reader, err := gzip.NewReader(bytes.NewReader(userData))
	if err != nil {
		return nil, fmt.Errorf("unpack user-data: %w", err)
	}
	config, err := io.ReadAll(io.LimitReader(reader, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("unpack user-data: %w", err)
	}
	if !bytes.HasPrefix(config, []byte(header)) {
		return nil, fmt.Errorf("user-data does not start with %q", strings.TrimSpace(header))
	}
	var decoded struct {
		WriteFiles []struct{ Path, Content, Encoding string } `yaml:"write_files"`
	}
	if err := yaml.Unmarshal(config, &decoded); err != nil {
		return nil, fmt.Errorf("read user-data: %w", err)
	}
	files := make(map[string]string, len(decoded.WriteFiles))
	for _, f := range decoded.WriteFiles {
		if f.Encoding == "" {
			files[f.Path] = f.Content
			continue
		}
		text, err := base64.StdEncoding.DecodeString(f.Content)
		if err != nil {
			return nil, fmt.Errorf("read user-data: %s: %w", f.Path, err)
		}
		source, err := unpacked(string(text))
		if err != nil {
			return nil, err
		}
		for path, content := range source {
			files[SourcePath+path] = content
		}
	}
	return files, nil
}

// Variables reads the NAME=value lines of SettingsPath or ReleasePath.
func Variables(content string) map[string]string {
	variables := map[string]string{}
	for line := range strings.Lines(content) {
		if name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), "="); found {
			variables[name] = strings.Trim(value, "'")
		}
	}
	return variables
}
