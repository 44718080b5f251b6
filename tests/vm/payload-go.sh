# Sourced by run.sh for go.sh: the Go service, without C, so that it needs no library of the guest.

command -v go >/dev/null || { say "skip go: go is missing: apt-get install golang-go"; finish; }
mkdir -p "$work/payload/agent"
GOCACHE=${GOCACHE:-$work/go-cache} GO111MODULE=off GOFLAGS= CGO_ENABLED=0 go build -ldflags '-s -w' -o "$work/payload/agent/nested" \
	"$here/../go/nested.go" || { say "FAIL go: nested.go cannot be built"; finish; }
