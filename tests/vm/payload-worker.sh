# What guest-worker needs: the start with a main of the tests, and who tries to trace it. Sourced by run.sh.
gcc -O1 -static -s -o "$work/payload/agent/halves" "$here/../native/halves.c" "$here"/../../src/Beyla.Cli/native/*.c
gcc -O1 -static -s -o "$work/payload/agent/attach" "$here/../native/attach.c"
