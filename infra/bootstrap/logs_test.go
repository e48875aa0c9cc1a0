package bootstrap

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWhoDoesNotObservePaysNoByteForIt(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"binary", "source"} {
		for _, f := range written(t, fixtures()[name]) {
			if strings.Contains(f.path+f.content, "journal.log") || strings.Contains(f.content, "cloudwatch") {
				t.Errorf("%s: %s ships logs", name, f.path)
			}
		}
	}
}

func TestShippingComesAfterTheAPIAndCannotStopIt(t *testing.T) {
	t.Parallel()
	config, err := cloudConfig(written(t, fixtures()["logs"]), []string{InstallPath, ShipPath})
	if err != nil {
		t.Fatal(err)
	}
	_, commands, _ := strings.Cut(string(config), "runcmd:\n")
	if want := "- [" + InstallPath + "]\n- [" + ShipPath + "]\n"; commands != want {
		t.Errorf("runs\n%swant\n%s", commands, want)
	}
	for _, word := range []string{"storaged.service", "release.env", "systemctl stop", "reboot"} {
		if strings.Contains(shipScript, word) {
			t.Errorf("the shipping touches %s", word)
		}
	}
	if strings.Contains(unit, "storaged-journal") || strings.Contains(unit, "cloudwatch") {
		t.Error("the API's unit waits for the shipping")
	}
}

// The agent reads what the unit's user may read, in the file that the script writes, as its own user.
func TestTheAgentReadsWhatTheJournalsUnitWrites(t *testing.T) {
	t.Parallel()
	text, err := Logs{Group: "/demo/machines", Region: "eu-west-3"}.agent()
	if err != nil {
		t.Fatal(err)
	}
	var agent struct {
		Agent struct {
			Region    string `json:"region"`
			RunAsUser string `json:"run_as_user"`
		} `json:"agent"`
		Logs struct {
			LogsCollected struct {
				Files struct {
					CollectList []struct {
						FilePath string `json:"file_path"`
						Group    string `json:"log_group_name"`
						Stream   string `json:"log_stream_name"`
					} `json:"collect_list"`
				} `json:"files"`
			} `json:"logs_collected"`
		} `json:"logs"`
		Metrics any `json:"metrics"`
	}
	if err := json.Unmarshal([]byte(text), &agent); err != nil {
		t.Fatal(err)
	}
	list := agent.Logs.LogsCollected.Files.CollectList
	if len(list) != 1 || list[0].Group != "/demo/machines" || list[0].Stream != "{instance_id}" || agent.Agent.Region != "eu-west-3" || agent.Metrics != nil {
		t.Fatalf("the agent is told %s", text)
	}
	directory, name := filepath.Split(list[0].FilePath)
	for _, want := range []string{
		"StateDirectory=" + filepath.Base(directory) + "\n", "User=" + agent.Agent.RunAsUser + "\n",
		"SupplementaryGroups=systemd-journal\n", "ExecStart=" + JournalPath + "\n",
	} {
		if !strings.Contains(journalUnit, want) {
			t.Errorf("the unit has no %s", want)
		}
	}
	if !strings.Contains(journalScript, ">>"+name+"\n") || filepath.Dir(filepath.Clean(directory)) != "/var/lib" {
		t.Errorf("the script does not write %s", list[0].FilePath)
	}
}

// The real script takes a turn, with a journal of one line and a sleep that ends it.
func TestTheJournalsFileIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 32 << 20
	for name, tc := range map[string]struct {
		before, after int64 // bytes in the file; -1: there is none
		moved         bool
	}{
		"the first turn":  {before: -1, after: 5},
		"within its size": {before: limit - 1, after: limit + 4},
		"at its size":     {before: limit, after: 5, moved: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tc.before >= 0 {
				if err := os.WriteFile(filepath.Join(dir, "journal.log"), make([]byte, tc.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			turn(t, dir)
			info, err := os.Stat(filepath.Join(dir, "journal.log"))
			if err != nil || info.Size() != tc.after {
				t.Errorf("journal.log is not %d bytes long: %v %v", tc.after, info, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "journal.log.1")); (err == nil) != tc.moved {
				t.Errorf("journal.log.1: %v", err)
			}
		})
	}
}

func turn(t *testing.T, state string) {
	t.Helper()
	bin := t.TempDir()
	for program, text := range map[string]string{
		"journalctl": "#!/bin/sh\ncase \"$*\" in *--cursor-file=cursor) echo line ;; *) exit 2 ;; esac\n",
		"sleep":      "#!/bin/sh\nexit 7\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, program), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "bash", "-c", script(journalScript))
	command.Env = append(slices.Clone(os.Environ()), "PATH="+bin+":"+os.Getenv("PATH"), "STATE_DIRECTORY="+state)
	out, err := command.CombinedOutput()
	if command.ProcessState == nil || command.ProcessState.ExitCode() != 7 {
		t.Fatalf("%v: %s", err, out)
	}
}
