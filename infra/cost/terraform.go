package cost

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// Stack is a synthesized stack.
type Stack struct {
	Name      string
	resources map[string]map[string]arguments // by type and by name
	region    string
}

// arguments are a resource's, as Terraform's JSON has them.
type arguments map[string]any

// ParseStack reads a stack's cdk.tf.json.
func ParseStack(name string, text []byte) (Stack, error) {
	var document struct {
		Resource map[string]map[string]arguments `json:"resource"`
		Provider struct {
			AWS []struct {
				Region string `json:"region"`
			} `json:"aws"`
		} `json:"provider"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return Stack{}, fmt.Errorf("reading the Terraform of %s: %w", name, err)
	}
	s := Stack{Name: name, resources: document.Resource}
	if len(document.Provider.AWS) > 0 {
		s.region = document.Provider.AWS[0].Region
	}
	return s, nil
}

// reference is how one resource names another: ${type.name.attribute}.
var reference = regexp.MustCompile(`^\$\{(\w+)\.([\w-]+)\.\w+\}$`)

// refers returns the resource of this stack that a value refers to.
func (s Stack) refers(value any, kind string) (arguments, bool) {
	text, _ := value.(string)
	found := reference.FindStringSubmatch(text)
	if len(found) == 0 || found[1] != kind {
		return nil, false
	}
	args, ok := s.resources[kind][found[2]]
	return args, ok
}

// blocks are the nested blocks under a key: Terraform takes one as an object, several as a list.
func (a arguments) blocks(key string) []arguments {
	switch value := a[key].(type) {
	case map[string]any:
		return []arguments{value}
	case []any:
		var blocks []arguments
		for _, each := range value {
			if block, ok := each.(map[string]any); ok {
				blocks = append(blocks, block)
			}
		}
		return blocks
	}
	return nil
}

// block is the only nested block under a key; reading from one that is not there reads nothing.
func (a arguments) block(key string) arguments {
	if blocks := a.blocks(key); len(blocks) > 0 {
		return blocks[0]
	}
	return nil
}

func (a arguments) list(key string) []any {
	list, _ := a[key].([]any)
	return list
}

func (a arguments) text(key string) string {
	text, _ := a[key].(string)
	return text
}

// number reads a number, which Terraform also takes as a string.
func (a arguments) number(key string) (float64, bool) {
	switch value := a[key].(type) {
	case float64:
		return value, true
	case string:
		number, err := strconv.ParseFloat(value, 64)
		return number, err == nil
	}
	return 0, false
}

// is reads a boolean, which Terraform also takes as a string.
func (a arguments) is(key string) bool { return a[key] == true || a[key] == "true" }
