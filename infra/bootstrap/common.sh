set -euo pipefail
. /etc/storaged/release.env

say() { echo "storaged install: $*"; }
trap 'say "failed in line $LINENO; the API does not serve. See /var/log/cloud-init-output.log"' ERR

# Networks and permissions may take a moment after boot.
retry() {
  local n
  for n in 1 2 3 4 5 6; do
    "$@" && return
    say "attempt $n failed: $*"
    sleep $((n * 5))
  done
  return 1
}

start() {
  install -m 0755 "$1" /usr/local/bin/storaged
  systemctl daemon-reload
  systemctl enable --now storaged.service
  say "started"
}
