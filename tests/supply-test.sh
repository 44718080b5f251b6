#!/usr/bin/env bash
# Tests of what docs/supply.md says: restores are locked, what is built names no folder of this machine, and a release can be checked. Uses what
# ./build.sh build left in out/. Prints one line per check, "ok NAME" or "FAIL NAME: why". The whole comparison is ./build.sh reproduce.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/tests/checks.sh"
cd "$root" || exit 1
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en

# Restores: a copy of a small project, and of all files that a restore reads.
restored() { # FOLDER ARGUMENT...: the codes of its errors, or "restored"
    local folder=$1
    shift
    if dotnet restore "$folder/src/Beyla.PowerShell/Beyla.PowerShell.csproj" "$@" >"$work/restore.log" 2>&1 </dev/null; then
        echo restored
    else
        grep -oE 'error (NU|MSB)[0-9]+' "$work/restore.log" | sort -u | tr '\n' ' '
    fi
}
copy() { # FOLDER
    mkdir -p "$1"
    tar -cf - Directory.* global.json nuget.config bpf/Bpf.targets src/*/*.csproj src/*/*.targets src/*/packages.lock.json | tar -xf - -C "$1"
}
for project in src/*/*.csproj tests/*/*.csproj; do
    [ -e "${project%/*}/packages.lock.json" ] || missing="${missing:-} $project"
done
check "every project has a lock file" "" "${missing:-}"
copy "$work/locked"
check "what is locked is restored" restored "$(restored "$work/locked")"
lock=$work/locked/src/Beyla.PowerShell/packages.lock.json
sed -i 's/"contentHash": ".\{8\}/"contentHash": "AAAAAAAA/' "$lock"
check "another content of the same version is refused" "error NU1403 " "$(restored "$work/locked" --force --no-http-cache)"
cp src/Beyla.PowerShell/packages.lock.json "$lock"
sed -i '/PowerShellStandard.Library/s/5.1.1/5.1.0-preview-06/' "$work/locked/Directory.Packages.props"
check "another version is refused" "error NU1004 " "$(restored "$work/locked")"

# A runtime pack of another content. The build stops before it compiles anything.
check "another pack of the runtime is refused" "error BEYLA0002" "$(dotnet build src/Beyla.Cli/Beyla.Cli.csproj -c Release --no-restore \
    -t:CheckRuntimePack -p:NativeAotPackHash=AAAA 2>&1 </dev/null | grep -oE 'error [A-Z]+[0-9]+' | head -n 1)"
check "the pack of the runtime is the one that is meant" 0 "$(dotnet build src/Beyla.Cli/Beyla.Cli.csproj -c Release --no-restore \
    -t:CheckRuntimePack >/dev/null 2>&1 </dev/null; echo $?)"

# The eBPF programs, compiled once more in another folder: the bytes of those that are in the agent.
elsewhere=$work/elsewhere
mkdir -p "$elsewhere/src"
cp -r bpf Directory.* global.json nuget.config "$elsewhere/"
cp -r src/Beyla.Agent "$elsewhere/src/"
dotnet msbuild "$elsewhere/src/Beyla.Agent/Beyla.Agent.csproj" -t:CompileBpf >"$work/bpf.log" 2>&1 </dev/null || cat "$work/bpf.log"
for source in bpf/*.bpf.c; do
    object=bpf/$(basename "$source" .c).o
    check "$object" "$(sha256sum <"out/$object")" "$(sha256sum <"$elsewhere/out/$object" 2>&1)"
done

# No folder of this machine is in what is shipped: neither in UTF-8 nor in UTF-16.
names() { # FILE TEXT: how many forms of the text it holds
    python3 -c 'import sys; b = open(sys.argv[1], "rb").read(); print(sum(sys.argv[2].encode(e) in b for e in ("utf-8", "utf-16-le")))' "$@"
}
printf %s "$root/" | tee "$work/names" | sed 's/./&\x00/g' >>"$work/names"
check "a file that names the folder in both forms is found" 2 "$(names "$work/names" "$root/")"
for file in out/bin/beyla out/bin/beyla.dbg out/bpf/*.o out/modules/Beyla/*.dll out/modules/Beyla/exporter/Beyla.*.dll; do
    for text in "$root/" "${HOME:-/root}/."; do
        check "$file does not name $text" 0 "$(names "$file" "$text")"
    done
done

# A release, twice from the same files, into folders of its own.
tool="dotnet out/build/bin/Beyla.ModuleBuild/release/Beyla.ModuleBuild.dll"
for folder in one other; do
    $tool pack out/modules/Beyla "$work/$folder" >/dev/null && $tool release . "$work/$folder" >/dev/null
    check "a release is made" 0 $?
done
for file in "$work"/one/*; do
    check "$(basename "$file") is the same when made again" "$(sha256sum <"$file")" "$(sha256sum <"$work/other/$(basename "$file")" 2>&1)"
done
sums() { (cd "$work/one" && sha256sum --strict -c SHA256SUMS 2>/dev/null | grep -c ': OK$'); }
check "sha256sum accepts all three" 3 "$(sums)"
check "which are all that is there" "3 SHA256SUMS" "$(find "$work/one" -type f ! -name SHA256SUMS | wc -l) $(cd "$work/one" && ls SHA256SUMS)"
printf x >>"$work/one/beyla"
check "and not a changed agent" 2 "$(sums)"

# The bill of materials against what other programs say of the same things.
python3 tests/check-bill.py "$work/other"/*.cdx.json "$work/other"/*.nupkg >"$work/bill" 2>&1 || cat "$work/bill"
while IFS=$'\t' read -r name expected actual; do check "$name" "$expected" "$actual"; done < <(grep -P '\t' "$work/bill")
check "the bill was read to its end" 1 "$(grep -c '^end$' "$work/bill")"

SOURCE_DATE_EPOCH=1700000000 $tool release . "$work/other" >/dev/null
check "SOURCE_DATE_EPOCH is its time" 1 "$(grep -c '"timestamp": "2023-11-14T22:13:20Z"' "$work/other"/*.cdx.json)"

# An object of unknown origin: a map of the linker that has one.
mkdir -p "$work/foreign/out/native"
touch "$work/foreign.o"
{ sed "s#$root/#$work/foreign/#g" out/native/beyla.map; echo "LOAD $work/foreign.o"; } >"$work/foreign/out/native/beyla.map"
cp -r out/modules out/bpf "$work/foreign/out/"
cp -r src "$work/foreign/"
said=$($tool release "$work/foreign" "$work/other" 2>&1)
check "what no package owns is refused" "1 1" "$? $(grep -c "no package owns '$work/foreign.o'" <<<"$said")"

finish
