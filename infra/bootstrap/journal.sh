# The CloudWatch agent ships files, and the journal is none: this one follows it. The cursor says how far it got.
set -euo pipefail
cd "$STATE_DIRECTORY"
while true; do
  # What is renamed was complete a while ago, and the agent finishes a file that it has open.
  [ ! -e journal.log ] || [ "$(stat -c %s journal.log)" -lt 33554432 ] || mv journal.log journal.log.1
  journalctl --quiet --utc --no-hostname --output=short-iso --cursor-file=cursor >>journal.log
  sleep 5
done
