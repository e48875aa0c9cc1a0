package mirror

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// Item is a file of one side.
type Item struct {
	Name     string // below the side's folder, with slashes
	Size     int64  // bytes; notFile where it is something else
	Modified time.Time
	ETag     string // "" of a file here
}

// notFile is the size of what is no file, so that it is no file's.
const notFile = -1

// resolution is that of the storage's times.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2
const resolution = time.Second

// Verb is what is to be done to a name.
type Verb int

// The verbs.
const (
	Keep    Verb = iota // both sides have it, and it is the same
	Compare             // both sides have it, and only its content tells
	Transfer
	Delete // only the target has it
)

// Reason is why something is transferred, a word for people and programs.
type Reason string

// The reasons.
const (
	New     Reason = "new"     // the target has none
	Size    Reason = "size"    // it has another size
	Time    Reason = "time"    // the source's is newer
	Content Reason = "content" // it has the size, but not the content, as far as that can be told
)

// Action is what is to be done to a name.
type Action struct {
	Verb   Verb
	Reason Reason
	Source Item // of a Delete it is zero
	Target Item // of a new file it is zero
}

// Name is the name that the action is about.
func (a Action) Name() string {
	if a.Verb == Delete {
		return a.Target.Name
	}
	return a.Source.Name
}

// Judge compares two files of one name.
type Judge func(source, target Item) (Verb, Reason)

// ErrOrder is the cause where a side does not list its names in the order of
// their bytes, each once. What only the target has cannot be told then.
var ErrOrder = errors.New("its names are not in the order of their bytes")

// Plan compares two sides, whose names come in the order of their bytes, and says
// what makes the target the same as the source, in that order. An error of a side
// ends it: until the end has come without one, no Delete is certain.
func Plan(source, target iter.Seq2[Item, error], judge Judge) iter.Seq2[Action, error] {
	return func(yield func(Action, error) bool) {
		left, right := pull("source", source), pull("target", target)
		defer left.stop()
		defer right.stop()
		left.advance()
		right.advance()
		for {
			var a Action
			switch {
			case left.err != nil || right.err != nil:
				yield(Action{}, errors.Join(left.err, right.err))
				return
			case left.ended && right.ended:
				return
			case right.ended || !left.ended && left.item.Name < right.item.Name:
				a = Action{Transfer, New, left.item, Item{}}
				left.advance()
			case left.ended || right.item.Name < left.item.Name:
				a = Action{Verb: Delete, Target: right.item}
				right.advance()
			default:
				a = Action{Source: left.item, Target: right.item}
				a.Verb, a.Reason = judge(left.item, right.item)
				left.advance()
				right.advance()
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// side is one of the two streams, at one of its items.
type side struct {
	what  string
	next  func() (Item, error, bool)
	stop  func()
	item  Item
	ended bool
	err   error
}

func pull(what string, items iter.Seq2[Item, error]) *side {
	s := &side{what: what}
	s.next, s.stop = iter.Pull2(items)
	return s
}

func (s *side) advance() {
	before := s.item.Name
	item, err, more := s.next()
	switch {
	case !more:
		s.ended = true
	case err != nil:
		s.err = err
	case item.Name <= before: // no name is ""
		s.err = fmt.Errorf("the %s cannot be compared: %w: %q comes behind %q", s.what, ErrOrder, item.Name, before)
	default:
		s.item = item
	}
}

// Up judges a file here and one in the storage. The storage knows when it got a
// file, not when it was changed: one that is no newer here is what was sent.
func Up(source, target Item) (Verb, Reason) {
	switch {
	case source.Size != target.Size:
		return Transfer, Size
	case !source.Modified.After(target.Modified):
		return Keep, ""
	}
	return Compare, Time
}

// Down judges a file in the storage and one here. What was fetched has the time
// of the storage's, in whole seconds.
func Down(source, target Item) (Verb, Reason) {
	switch {
	case source.Size != target.Size:
		return Transfer, Size
	case target.Modified.Equal(source.Modified.Truncate(resolution)):
		return Keep, ""
	}
	return Compare, Time
}

// Across judges two files in the storage.
func Across(source, target Item) (Verb, Reason) {
	switch {
	case source.Size != target.Size:
		return Transfer, Size
	case source.ETag == target.ETag, !source.Modified.After(target.Modified):
		return Keep, ""
	}
	return Transfer, Time
}

// ByContent judges a file here and one in the storage without their times.
func ByContent(source, target Item) (Verb, Reason) {
	if source.Size != target.Size {
		return Transfer, Size
	}
	return Compare, Content
}

// AcrossByContent judges two files in the storage without their times.
func AcrossByContent(source, target Item) (Verb, Reason) {
	switch {
	case source.Size != target.Size:
		return Transfer, Size
	case source.ETag != target.ETag:
		return Transfer, Content
	}
	return Keep, ""
}
