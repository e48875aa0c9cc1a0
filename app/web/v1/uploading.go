package v1

import (
	"fmt"
	"strconv"
	"strings"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/seal"
	"cloudstorage/app/web/problem"
)

// uploadPurpose keeps the ids of uploads apart from other sealed tokens.
const uploadPurpose seal.Purpose = "upload"

// uploading is what an upload's id says: all that a step must know.
type uploading struct {
	upload.Upload
	digests bool
	size    *int64 // nil where nobody knows it
	plan    upload.Plan
}

// token is the id: sealed, since what it says decides what is signed. No part
// of it has a NUL.
func (u uploading) token(s *seal.Sealer) string {
	size := ""
	if u.size != nil {
		size = strconv.FormatInt(*u.size, 10)
	}
	return s.Seal(uploadPurpose, []byte(strings.Join([]string{
		u.ID, strconv.FormatBool(u.digests), size, strconv.FormatInt(u.plan.Part, 10), string(u.Key),
	}, "\x00")))
}

// upload returns the upload that the path names, if the caller may write its
// file.
func (c *call) upload() (uploading, error) {
	var u uploading
	payload, err := c.api.Sealer.Open(uploadPurpose, c.rest)
	parts := strings.Split(string(payload), "\x00")
	if err != nil || len(parts) != 5 {
		return u, problem.New(problem.NotFound, "there is no such upload: its id was cut or changed, or is of another server")
	}
	u.ID, u.digests, u.Key = parts[0], parts[1] == "true", object.Key(parts[4])
	if size, err := strconv.ParseInt(parts[2], 10, 64); err == nil {
		part, _ := strconv.ParseInt(parts[3], 10, 64) // as it was sealed
		u.size = &size
		if u.plan, err = upload.NewPlan(size, part); err != nil {
			return u, err
		}
	}
	return u, c.caller.May(auth.Write, string(u.Key))
}

func (u uploading) describe(id string) uploadInfo {
	info := uploadInfo{ID: id, Key: string(u.Key), Digests: u.digests}
	if u.size != nil {
		info.Size, info.PartSize, info.Parts, info.Last = u.size, u.plan.Part, u.plan.Count, &u.plan.Last
	}
	return info
}

// length returns how many bytes a part has, nil where nobody knows; asked is what
// the caller says.
func (u uploading) length(field string, number int, asked *int64) (*int64, error) {
	switch {
	case number < 1 || number > upload.MaxParts:
		return nil, wrong(field+".number", fmt.Sprintf("%d: parts have the numbers 1 to %d", number, upload.MaxParts))
	case asked != nil && (*asked < 0 || *asked > upload.MaxPart):
		return nil, wrong(field+".size", fmt.Sprintf("%d: a part has up to %d bytes", *asked, int64(upload.MaxPart)))
	case u.size == nil:
		return asked, nil
	case number > u.plan.Count:
		return nil, wrong(field+".number", fmt.Sprintf("%d: the file has %d parts", number, u.plan.Count))
	}
	_, length := u.plan.Range(number)
	if asked != nil && *asked != length {
		return nil, wrong(field+".size", fmt.Sprintf("%d: part %d of this upload has %d bytes", *asked, number, length))
	}
	return &length, nil
}

// digest reads the SHA-256 of a part, which must be there where the upload has
// digests, and only there.
func (u uploading) digest(field, value string) (d *[32]byte, err error) {
	switch {
	case u.digests && value == "":
		return nil, wrong(field, "it is missing: this upload has digests")
	case !u.digests && value != "":
		return nil, wrong(field, "this upload has no digests: begin one with digests=true")
	}
	return parseDigest(field, value)
}
