package v1

import (
	"net/url"

	"cloudstorage/app/object"
)

// fileAddress is where a file is: a path of this server.
func fileAddress(k object.Key) string { return address("/files/", k) }

// undoAddress is where a POST undoes what made the version; "" where the store
// keeps none.
func undoAddress(k object.Key, version string) string {
	if version == "" {
		return ""
	}
	return address("/versions/", k) + "?before=" + url.QueryEscape(version)
}

func address(route string, k object.Key) string {
	return (&url.URL{Path: Path + route + string(k)}).EscapedPath()
}

// linkUndo tells how to undo what made the version.
func (c *call) linkUndo(k object.Key, version string) {
	if undo := undoAddress(k, version); undo != "" {
		c.w.Header().Add("Link", "<"+undo+`>; rel="urn:cloudstorage:undo"`)
	}
}
