# Sourced by run.sh for go.sh and go-headers.sh: the Go services, without C, so that they need no library of the guest.

command -v go >/dev/null || { say "skip go: go is missing: apt-get install golang-go"; finish; }
mkdir -p "$work/payload/agent"
for program in nested headers; do
	GOCACHE=${GOCACHE:-$work/go-cache} GO111MODULE=off GOFLAGS= CGO_ENABLED=0 go build -ldflags '-s -w' -o "$work/payload/agent/$program" \
		"$here/../go/$program.go" || { say "FAIL go: $program.go cannot be built"; finish; }
done
