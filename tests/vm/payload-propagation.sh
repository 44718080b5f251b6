# Sourced by run.sh for propagation.sh: the services that call each other.
gcc -O1 -static -s -o "$work/payload/agent/relay" "$here/../native/relay.c"
