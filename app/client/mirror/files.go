package mirror

import (
	"context"
	"iter"
	"strings"

	"cloudstorage/app/client"
)

// files lists what is in the storage below a prefix. What stands for a folder, as
// some tools have it, does not count.
func files(ctx context.Context, c *client.Client, prefix string, filter Filter) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for e, err := range c.Files(ctx, client.FilesOptions{Prefix: prefix}) {
			if err != nil {
				yield(Item{}, err)
				return
			}
			name := strings.TrimPrefix(string(e.Key), prefix)
			switch {
			case e.Size == client.UnknownSize:
				yield(Item{}, errOlder)
				return
			case name == "", strings.HasSuffix(name, "/") && e.Size == 0, !filter.Match(name):
				continue
			}
			if !yield(Item{name, e.Size, e.Modified, e.ETag}, nil) {
				return
			}
		}
	}
}
