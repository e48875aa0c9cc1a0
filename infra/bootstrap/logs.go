package bootstrap

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Where the parts lie that ship the journal.
const (
	ShipPath        = "/usr/local/lib/storaged/ship"    // installs and starts the others
	JournalPath     = "/usr/local/lib/storaged/journal" // keeps the journal in a file
	JournalUnitPath = "/etc/systemd/system/storaged-journal.service"
	AgentPath       = "/etc/storaged/agent.json" // the CloudWatch agent's configuration
)

// journalFile is what JournalPath writes, in the unit's state directory.
const journalFile = "/var/lib/storaged-journal/journal.log"

var (
	//go:embed ship.sh
	shipScript string
	//go:embed journal.sh
	journalScript string
	//go:embed storaged-journal.service
	journalUnit string
)

// Logs ships the machine's journal, the boot's and the API's lines among it, to CloudWatch Logs: a stream for each
// machine, named by its id. The CloudWatch agent does it, from the distribution's own packages, which a machine without
// internet access gets from S3. Agents older than 1.300070 can't read the journal, and a pinned image has an old one,
// so the agent is given a file: source https://github.com/aws/amazon-cloudwatch-agent/releases.
//
// It is installed after the API has been started, whether that succeeded or not, and the API never waits for it.
type Logs struct {
	Group  string // the log group; it exists before the machine
	Region string // the group's region
}

// agent is the agent's configuration: this file and nothing else, no metrics, and not as root.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
func (l Logs) agent() (string, error) {
	type object map[string]any
	text, err := json.Marshal(object{
		"agent": object{"region": l.Region, "run_as_user": "cwagent"},
		"logs": object{"logs_collected": object{"files": object{"collect_list": []object{{
			"file_path":       journalFile,
			"log_group_name":  l.Group,
			"log_stream_name": "{instance_id}",
			// The offset that follows is spelled differently by newer journals; it is always UTC.
			"timestamp_format": "%Y-%m-%dT%H:%M:%S",
			"timezone":         "UTC",
		}}}}},
	})
	if err != nil {
		return "", fmt.Errorf("render the CloudWatch agent's configuration: %w", err)
	}
	return string(text) + "\n", nil
}

func (l Logs) files() ([]file, error) {
	if l.Group == "" || l.Region == "" {
		return nil, fmt.Errorf("ship logs to group %q in region %q: give both", l.Group, l.Region)
	}
	agent, err := l.agent()
	if err != nil {
		return nil, err
	}
	return []file{
		{AgentPath, "0644", agent},
		{JournalUnitPath, "0644", journalUnit},
		{JournalPath, "0755", script(journalScript)},
		{ShipPath, "0755", script(commonScript, shipScript)},
	}, nil
}
