package main

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"cloudstorage/infra/config"
	"cloudstorage/infra/naming"
)

// initializer edits one file's text, by the answers of flags and of a person.
type initializer struct {
	*asker
	text    string
	digits  string
	changes []string
	notes   []string
}

func (i *initializer) account(path string, o initOptions) error {
	a, err := config.ParseAccount(path, []byte(i.text))
	if err != nil {
		return err
	}
	if err := i.bucket("state", "bucket", a.State.Bucket); err != nil {
		return err
	}
	return i.email("budget", "the alert on costs above "+fmt.Sprint(a.Budget.LimitUSD)+" USD a month", a.Budget.Email, o)
}

func (i *initializer) environment(p *project, name string, o initOptions) error {
	e, err := config.Parse(name, p.environmentFile(name), []byte(i.text))
	if err != nil {
		return err
	}
	if o.from != "" {
		i.changes = append(i.changes, "project_name: "+e.ProjectName)
	}
	for _, bucket := range []struct{ key, name string }{
		{"bucket", e.Storage.Bucket}, {"releases_bucket", e.Storage.ReleasesBucket}, {"state_bucket", e.Storage.StateBucket}, {"logs_bucket", e.Storage.LogsBucket},
	} {
		if err := i.bucket("storage", bucket.key, bucket.name); err != nil {
			return err
		}
	}
	if err := i.address(e.Traffic, o); err != nil {
		return err
	}
	if e.SSH != nil {
		if err := i.blocks("ssh", "Address blocks that may connect with ssh", e.SSH.Allow, o); err != nil {
			return err
		}
	}
	if err := i.blocks("api", "Address blocks that may call the API", e.API.Allow, o); err != nil {
		return err
	}
	if e.Observe != nil {
		if err := i.email("observe", "the alarms", e.Observe.Email, o); err != nil {
			return err
		}
	} else if o.email != "" {
		i.notes = append(i.notes, name+" sends no e-mail (it has no section observe): the address is not used")
	}
	return i.state(p, e, o)
}

// bucket gives a placeholder fresh digits. A name that is somebody's already is kept unless they say otherwise:
// files may live there.
func (i *initializer) bucket(section, key, current string) error {
	if current == "" {
		return nil
	}
	if !naming.PlaceholderBucket(current) {
		answer, err := i.answer(fmt.Sprintf("%s.%s is %s, and files may live there. keep or new?", section, key, current), "keep")
		if err != nil {
			return err
		}
		if answer != "new" {
			return nil
		}
	}
	return i.set(section, key, lastDigits.ReplaceAllString(current, i.digits))
}

var lastDigits = regexp.MustCompile(`[0-9]+$`)

// address says what the API is called: by a certificate that there is, or by a name in a zone of the account.
func (i *initializer) address(current config.Traffic, o initOptions) error {
	if o.certificate != "" {
		i.remove("traffic", "domain")
		i.remove("traffic", "hosted_zone")
		return i.put("traffic", "certificate_arn", o.certificate)
	}
	domain, zone := o.domain, o.zone
	if domain == "" {
		if zone != "" {
			return errors.New("a zone is given and no domain in it: give both")
		}
		if current.Domain == "" {
			return nil
		}
		var err error
		if domain, err = i.answer("The API's own name, in a Route 53 zone of the account", unlessPlaceholder(current.Domain)); err != nil || domain == "" {
			return err
		}
		if zone, err = i.answer("That zone", zoneOf(domain, current)); err != nil {
			return err
		}
	}
	if zone == "" {
		zone = zoneOf(domain, current)
	}
	if domain == current.Domain && zone == current.HostedZone {
		return nil
	}
	i.remove("traffic", "certificate_arn")
	// The zone first: what is added comes first in its section.
	if err := i.put("traffic", "hosted_zone", zone); err != nil {
		return err
	}
	return i.put("traffic", "domain", domain)
}

func unlessPlaceholder(domain string) string {
	if config.PlaceholderDomain(domain) {
		return ""
	}
	return domain
}

// zoneOf is the zone that a domain is probably in: the one that the file names, or all behind the first label.
func zoneOf(domain string, current config.Traffic) string {
	if zone := unlessPlaceholder(current.HostedZone); zone != "" && strings.HasSuffix(domain, "."+zone) {
		return zone
	}
	_, zone, _ := strings.Cut(domain, ".")
	return zone
}

func (i *initializer) email(section, what, current string, o initOptions) error {
	email := o.email
	if email == "" {
		def := current
		if def == config.PlaceholderEmail {
			def = ""
		}
		var err error
		if email, err = i.answer("E-mail address for "+what, def); err != nil {
			return err
		}
	}
	if email == "" || email == current {
		return nil
	}
	return i.set(section, "email", email)
}

func (i *initializer) blocks(section, question string, current []netip.Prefix, o initOptions) error {
	answer := strings.Join(o.cidrs, ",")
	if answer == "" {
		var shown []string
		for _, block := range current {
			if block != config.PlaceholderBlock {
				shown = append(shown, block.String())
			}
		}
		var err error
		answer, err = i.answer(question+" (such as 198.51.100.7/32; several with commas)", strings.Join(shown, ","))
		if err != nil {
			return err
		}
	}
	if answer == "" {
		return nil
	}
	blocks, err := parseBlocks(answer)
	if err != nil {
		return err
	}
	if blocks == join(current) {
		return nil
	}
	return i.set(section, "allow", "["+blocks+"]")
}

// answer asks; where nobody sits, the answer is empty.
func (i *initializer) answer(question, def string) (string, error) {
	answer, err := i.ask(question, def)
	if errors.Is(err, errNoAnswer) {
		return "", nil
	}
	return answer, err
}

func (i *initializer) set(section, key, value string) error {
	return i.edit(setValue, section, key, value)
}

func (i *initializer) put(section, key, value string) error {
	return i.edit(putValue, section, key, value)
}

func (i *initializer) edit(how func(text, section, key, value string) (string, error), section, key, value string) error {
	text, err := how(i.text, section, key, value)
	if err != nil {
		return err
	}
	i.text = text
	i.changes = append(i.changes, fmt.Sprintf("%s.%s: %s", section, key, value))
	return nil
}

func (i *initializer) remove(section, key string) {
	if text := removeKey(i.text, section, key); text != i.text {
		i.text = text
		i.changes = append(i.changes, fmt.Sprintf("%s.%s: removed", section, key))
	}
}

// parseBlocks reads address blocks; a single address means itself.
func parseBlocks(answer string) (string, error) {
	var blocks []netip.Prefix
	for text := range strings.SplitSeq(answer, ",") {
		text = strings.TrimSpace(text)
		if address, err := netip.ParseAddr(text); err == nil {
			blocks = append(blocks, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		block, err := netip.ParsePrefix(text)
		if err != nil {
			return "", fmt.Errorf("%q is neither an address nor a block such as 198.51.100.0/24", text)
		}
		blocks = append(blocks, block)
	}
	return join(blocks), nil
}

func join(blocks []netip.Prefix) string {
	var texts []string
	for _, block := range blocks {
		texts = append(texts, block.String())
	}
	return strings.Join(texts, ", ")
}
