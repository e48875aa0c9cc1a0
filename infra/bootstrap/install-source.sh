# The compiler wants more memory than the smallest machines have.
if [ "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)" -lt 2000000 ] && [ ! -e /swapfile ]; then
  dd if=/dev/zero of=/swapfile bs=1M count=1536 status=none
  chmod 600 /swapfile
  mkswap /swapfile
  swapon /swapfile || say "no swap here: the build may run out of memory"
fi

command -v go || retry dnf -y -q install golang git

export HOME=/root GOPATH=/var/tmp/storaged-go GOCACHE=/var/tmp/storaged-go/build
export GOTOOLCHAIN=local GOFLAGS=-mod=readonly CGO_ENABLED=0
have=$(go env GOVERSION)
printf '%s\n' "$RELEASE_GO" "${have#go}" | sort -C -V || {
  say "this image's Go is ${have#go}, the API needs $RELEASE_GO: use a newer image, or the binary delivery"
  false
}
# Unset, the distribution's own module proxy is used. go.sum decides what is accepted either way.
[ -z "$RELEASE_GOPROXY" ] || export GOPROXY="$RELEASE_GOPROXY"

cd /usr/local/src/storaged
retry go mod download
go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$GOPATH/storaged" ./app/cmd/storaged-exercise
start "$GOPATH/storaged"
chmod -R u+w "$GOPATH"
rm -r "$GOPATH"
