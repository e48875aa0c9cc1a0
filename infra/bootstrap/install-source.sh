command -v go || retry dnf -y -q install golang git

export HOME=/root GOPATH=/var/tmp/storaged-go GOCACHE=/var/tmp/storaged-go/build
# One compiler at a time wants 310 MB at most, which the smallest machines have.
export GOTOOLCHAIN=local GOFLAGS='-mod=readonly -p=1' CGO_ENABLED=0
have=$(go env GOVERSION)
printf '%s\n' "$RELEASE_GO" "${have#go}" | sort -C -V || {
  say "this image's Go is ${have#go}, the API needs $RELEASE_GO: use a newer image, or the binary delivery"
  false
}
# Unset, the distribution's own module proxy is used. Checksums decide what is accepted either way.
[ -z "$RELEASE_GOPROXY" ] || export GOPROXY="$RELEASE_GOPROXY"

cd /usr/local/src/unpack
retry go mod download
go run . <../storaged.br | (mkdir -p ../storaged && cd ../storaged && bash -e)

cd ../storaged
program=./app/cmd/storaged-baked
# go.sum does not compress, so its checksum travels in its place: nothing is built before it is the same.
GOFLAGS=-mod=mod GOSUMDB=off retry go list -deps $program >/dev/null
grep -v /go.mod go.sum | sha256sum -c <(echo "$RELEASE_GOSUM  -") || {
  say "the modules are not those that the source was built with"
  false
}
go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$GOPATH/storaged" $program
start "$GOPATH/storaged"
chmod -R u+w "$GOPATH"
rm -r "$GOPATH"
