package baked

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web/problem"
)

// Store is what the server works on.
type Store interface {
	object.Store
	Stat(ctx context.Context, k object.Key, version string) (object.Info, error)
	SignRead(ctx context.Context, k object.Key, ttl time.Duration, o file.ReadOptions) (object.Signed, error)
	SignWrite(ctx context.Context, k object.Key, ttl time.Duration, o file.WriteOptions) (object.Signed, error)
}

// operation is what a method does to the file called name, or to the list of all.
type operation struct {
	verb   auth.Verb
	params string // that it takes
	do     func(c *call, k object.Key, q url.Values) error
}

var (
	listOperations = map[string]operation{"GET": {auth.List, "prefix, delimiter, limit, cursor", (*call).list}}
	fileOperations = map[string]operation{
		"GET":    {auth.Read, "version, expires_in", (*call).read},
		"PUT":    {auth.Write, "sign", (*call).sign},
		"DELETE": {auth.Delete, "", (*call).delete},
	}
)

// files answers what is below /v1.
func (c *call) files() error {
	name, named := strings.CutPrefix(c.r.URL.Path, prefix+"/files/")
	operations, allow := listOperations, "GET, HEAD"
	if named {
		operations, allow = fileOperations, "DELETE, GET, HEAD, PUT"
	} else if c.r.URL.Path != prefix+"/files" {
		return problem.New(problem.NoSuchRoute, "this server has /v1/files only")
	}
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op, found := operations[method]
	if !found {
		return &problem.Error{Kind: problem.MethodNotAllowed, Detail: "this route takes " + allow, Header: http.Header{"Allow": {allow}}}
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return invalid("the query cannot be read: percent-encode its values")
	}
	for name, values := range q {
		if len(values) > 1 || !utf8.ValidString(values[0]) || !slices.Contains(strings.Split(op.params, ", "), name) {
			return invalid("%q cannot be so: the query takes %q, once each, in UTF-8", name, op.params)
		}
	}
	if !named {
		return op.do(c, "", q)
	}
	k, err := c.key(name, op.verb)
	if err != nil {
		return err
	}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Unmodified-Since"} {
		// The storage answers a read's, which clients send to where they are redirected.
		if c.r.Header[name] != nil && op.verb != auth.Read {
			return invalid("nobody checks %s here: send the request without it", name)
		}
	}
	return op.do(c, k, q)
}

// number reads a parameter from 1 to high; def stands for one that is not given.
func number(q url.Values, name string, high, def int) (int, error) {
	if !q.Has(name) {
		return def, nil
	}
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < 1 || n > high {
		return 0, invalid("%s=%q: give a number from 1 to %d", name, q.Get(name), high)
	}
	return n, nil
}

func (c *call) list(_ object.Key, q url.Values) error {
	limit, err := number(q, "limit", object.MaxPage, 0)
	if err != nil {
		return err
	}
	o := object.ListOptions{Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), Cursor: q.Get("cursor"), Limit: limit}
	if err := c.caller.May(auth.List, o.Prefix); err != nil {
		return err
	}
	page, err := c.Store.List(c.r.Context(), o)
	if err != nil {
		return err
	}
	type info struct {
		Key      object.Key `json:"key"`
		Size     int64      `json:"size"`
		ETag     string     `json:"etag"`
		Modified time.Time  `json:"modified"`
	}
	answer := struct {
		Files    []info   `json:"files"`
		Prefixes []string `json:"prefixes"`
		Next     string   `json:"next_cursor,omitempty"`
	}{[]info{}, append([]string{}, page.Prefixes...), page.Next}
	for _, i := range page.Items {
		answer.Files = append(answer.Files, info{i.Key, i.Size, i.ETag, i.Modified.UTC()})
	}
	if page.Next != "" {
		q.Set("cursor", page.Next)
		c.set("Link", "<"+prefix+"/files?"+q.Encode()+`>; rel="next"`)
	}
	return c.answer(http.StatusOK, typeJSON, answer)
}

// read answers HEAD with what is known of a file, and GET with a URL that has it.
func (c *call) read(k object.Key, q url.Values) error {
	seconds, err := number(q, "expires_in", int(c.MaxTTL/time.Second), int(c.TTL/time.Second))
	if err != nil {
		return err
	}
	o := file.ReadOptions{Version: q.Get("version"), Disposition: "attachment; filename*=UTF-8''" +
		strings.ReplaceAll(url.QueryEscape(string(k[strings.LastIndexByte(string(k), '/')+1:])), "+", "%20")}
	info, err := c.Store.Stat(c.r.Context(), k, o.Version)
	if err != nil {
		return err
	}
	if c.r.Method == http.MethodHead {
		c.set("ETag", info.ETag, "Last-Modified", info.Modified.UTC().Format(http.TimeFormat), "X-Version-Id", info.Version, "Content-Type", info.Type,
			"Content-Length", strconv.FormatInt(info.Size, 10), "Content-Disposition", o.Disposition, "X-Checksum-Sha256", info.SHA256)
		c.begin(http.StatusOK, "private, no-cache")
		return nil
	}
	signed, err := c.Store.SignRead(c.r.Context(), k, time.Duration(seconds)*time.Second, o)
	if err != nil {
		return err
	}
	c.set("Vary", "Accept")
	if strings.HasPrefix(c.r.Header.Get("Accept"), typeJSON) {
		return c.signed(signed)
	}
	c.set("Location", signed.URL)
	c.begin(http.StatusTemporaryRedirect, "")
	return nil
}

func (c *call) signed(s object.Signed) error {
	headers := map[string]string{}
	for name := range s.Header {
		headers[name] = s.Header.Get(name)
	}
	return c.answer(http.StatusOK, typeJSON, struct {
		URL     string            `json:"url"`
		Method  string            `json:"method"`
		Headers map[string]string `json:"headers"`
		Expires time.Time         `json:"expires_at"`
	}{s.URL, s.Method, headers, s.Expires.UTC()})
}

// sign answers with the request that writes a file on the terms of the JSON.
func (c *call) sign(k object.Key, q url.Values) error {
	if q.Get("sign") != "1" || c.r.Header.Get("Content-Type") != typeJSON {
		return problem.New(problem.UnsupportedMediaType, "no file passes through this server: sign the upload (?sign=1, Content-Type: application/json)")
	}
	t := struct {
		Type    string `json:"type"`
		Size    *int64 `json:"size"`
		SHA256  string `json:"sha256"`
		IfNew   bool   `json:"if_new"`
		IfMatch string `json:"if_match"`
		Expires int    `json:"expires_in"`
	}{Expires: int(c.TTL / time.Second)}
	decoder := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, 64<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&t); err != nil || decoder.More() {
		return invalid("the JSON cannot be read: %v", err)
	}
	sum, err := hex.DecodeString(t.SHA256)
	fit := func(value, part string) bool { // and no character that a field does not take
		return value == "" || strings.Contains(value, part) && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
	}
	limit := int(c.MaxTTL / time.Second)
	if err != nil || t.SHA256 != "" && len(sum) != sha256.Size || !fit(t.Type, "/") || !fit(t.IfMatch, `"`) || t.IfNew && t.IfMatch != "" || t.Expires < 1 || t.Expires > limit {
		return invalid("type is such as text/plain, sha256 64 hexadecimal digits, if_match an etag in quotes and without if_new, expires_in 1 to %d seconds", limit)
	}
	o := file.WriteOptions{Type: t.Type, Size: t.Size, IfNew: t.IfNew, IfMatch: t.IfMatch}
	if len(sum) > 0 {
		o.SHA256 = (*[sha256.Size]byte)(sum)
	}
	signed, err := c.Store.SignWrite(c.r.Context(), k, time.Duration(t.Expires)*time.Second, o)
	if err != nil {
		return err
	}
	c.changed("file.sign-put", k, "")
	return c.signed(signed)
}

func (c *call) delete(k object.Key, _ url.Values) error {
	marker, err := c.remove(k)
	if err != nil {
		return err
	}
	if marker != "" {
		undo := url.URL{Path: prefix + "/versions/" + string(k)}
		c.set("Link", "<"+undo.EscapedPath()+"?before="+url.QueryEscape(marker)+`>; rel="urn:cloudstorage:undo"`)
	}
	c.begin(http.StatusNoContent, "")
	return nil
}

func invalid(format string, args ...any) error {
	return problem.New(problem.InvalidRequest, fmt.Sprintf(format, args...))
}
