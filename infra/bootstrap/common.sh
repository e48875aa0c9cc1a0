set -euo pipefail

say() { echo "storaged install: $*"; }

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
