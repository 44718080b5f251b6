# What the tests of shell scripts share: a folder of their own ($work), a line per check ("ok NAME" or "FAIL NAME: why"), and the closing line
# "N passed, N failed, N skipped". Sourced.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
good=0 bad=0

check() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then
        echo "ok $1"
        good=$((good + 1))
    else
        echo "FAIL $1: expected '$2', got '$3'" | tr '\n' ' '
        echo
        bad=$((bad + 1))
    fi
}

finish() {
    echo "$good passed, $bad failed, 0 skipped"
    [ "$bad" = 0 ]
}
