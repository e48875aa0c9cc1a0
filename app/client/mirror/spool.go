package mirror

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"os"
)

// spool keeps names until all else is done: in a temporary file, since there may
// be millions.
type spool struct {
	file        *os.File // nil until there is a name
	out         *bufio.Writer
	count       int
	first, last string
}

func (s *spool) add(name string) (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "storagectl-*"); err != nil {
			return err
		}
		s.out = bufio.NewWriter(s.file)
		s.first = name
	}
	s.count++
	s.last = name
	_, err = s.out.Write(binary.AppendUvarint(nil, uint64(len(name))))
	if err == nil {
		_, err = s.out.WriteString(name)
	}
	return err
}

// names reads them back, from the first. An error ends it.
func (s *spool) names() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if s.file == nil {
			return
		}
		if err := s.out.Flush(); err != nil {
			yield("", err)
			return
		}
		in := bufio.NewReader(io.NewSectionReader(s.file, 0, 1<<62))
		for {
			size, err := binary.ReadUvarint(in)
			if errors.Is(err, io.EOF) {
				return
			}
			name := make([]byte, size)
			if err == nil {
				_, err = io.ReadFull(in, name)
			}
			if !yield(string(name), err) || err != nil {
				return
			}
		}
	}
}

func (s *spool) remove() {
	if s.file != nil {
		s.file.Close()
		_ = os.Remove(s.file.Name()) // what stays is in the folder for what may go
	}
}
