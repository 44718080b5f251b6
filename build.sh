#!/usr/bin/env bash
# Builds, shows, tests and measures Beyla. Installs the Debian packages that a task needs. build.ps1 has the same tasks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'TEXT'
usage: ./build.sh [TASK]

  build     the agent (out/bin/beyla) and the PowerShell module (out/modules/Beyla); the default
  demo      builds, then shows the agent on real HTTP traffic on this machine          (root)
  test      builds, then runs every test suite                                        (root)
  unit      the tests that need no kernel and no root
  live      the tests on this kernel with real servers                                (root)
  kernels   the tests on Debian's 6.1 and 6.12 kernels under qemu
  pester    the tests of the module in a real PowerShell, where there is one
  bench     measures the costs in paired, alternating rounds; writes docs/benchmarks.md (root); bench SUITE...: only those
            bench context: which request a call was said to belong to, and which it did; writes the table of docs/context.md
            bench soak [--minutes N]: one agent under a steady load for minutes (10), what it reported against what was sent
            bench cost: what a request costs, in instructions (guests) and CPU time (here), beside the record; with --record it
            becomes the record
  pack      what a release has, in out/packages: the module as a .nupkg, the agent, the bill of materials (CycloneDX), SHA256SUMS
  reproduce builds and packs the sources twice, in two folders, and compares all bytes
  lock      writes the lock files anew (packages.lock.json), after a change of Directory.Packages.props or of a project
  install   the module where Import-Module Beyla finds it: for this user, as root or with --system for all;
            install [--user|--system] [PACKAGE.nupkg]
  clean     removes out/
TEXT
}

. tests/suites.sh

die() { say "build.sh: $*"; exit 1; }

BUILD_PACKAGES="clang llvm libbpf-dev libelf-dev zlib1g-dev"
DEMO_PACKAGES="curl nodejs perl-base php-cli python3"
LIVE_PACKAGES="nginx-light haproxy curl wrk nodejs python3 busybox-static iproute2 bpftool libcap2-bin gcc libc6-dev util-linux procps
    tcpdump ethtool iperf3 redis-server redis-tools liburing-dev iputils-ping strace python3-yaml systemd
    postgresql-15 postgresql-client-15 python3-psycopg2 python3-redis npm mariadb-server mariadb-client
    php-cli puma openjdk-17-jdk-headless golang-go"
EXPORT_PACKAGES="prometheus chromium chromium-driver nodejs npm"
KERNEL_PACKAGES="nginx-light qemu-system-x86 busybox-static cpio kmod xz-utils zstd lz4 python3 gcc libc6-dev libcap2-bin bpftool
    liburing-dev redis-server redis-tools postgresql-15 postgresql-client-15 util-linux golang-go"
PESTER_PACKAGES="tmux procps python3 curl iproute2 util-linux libcap2-bin bpftool redis-server postgresql-15 python3-psycopg2
    python3-redis"
BENCH_PACKAGES="nginx-light wrk curl python3 iproute2 iperf3 bpftool gcc libc6-dev"

POWERSHELL_VERSION=7.6.9
PESTER_VERSION=6.2.0
ASPIRE_VERSION=13.6.5

# Installs what is missing of the named Debian packages, quietly, once.
packages() {
    local missing=()
    local package
    for package in "$@"; do
        # A program that is there by other means than its package (a newer node, say) is as good.
        case $package in
            nodejs) command -v node >/dev/null && continue ;;
            npm) command -v npm >/dev/null && continue ;;
            python3) command -v python3 >/dev/null && continue ;;
        esac
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || die "these programs are missing and there is no apt-get to install them: ${missing[*]}"
    [ "$(id -u)" = 0 ] || die "these packages are missing: ${missing[*]}. Run this task as root, or: sudo apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    mkdir -p out
    (
        apt-get update -q
        # Servers come to be started by the tests, each on a free port of its own, not by their packages.
        printf '#!/bin/sh\nexit 101\n' >out/policy-rc.d
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            install -m 755 out/policy-rc.d /usr/sbin/policy-rc.d
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
        if cmp -s out/policy-rc.d /usr/sbin/policy-rc.d; then rm -f /usr/sbin/policy-rc.d; fi
    ) >out/packages.log 2>&1 </dev/null || die "installing ${missing[*]} did not work, see out/packages.log"
}

# Finds the .NET SDK, also where sudo has cut PATH.
sdk() {
    local home
    home=$(getent passwd "${SUDO_USER:-$(id -un)}" | cut -d: -f6)
    local place
    for place in "${DOTNET_ROOT:-}" "$home/.dotnet" /usr/share/dotnet /usr/lib/dotnet /opt/dotnet; do
        if ! command -v dotnet >/dev/null && [ -n "$place" ] && [ -x "$place/dotnet" ]; then export PATH=$place:$PATH DOTNET_ROOT=$place; fi
    done
    if ! command -v dotnet >/dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
        die "the .NET 10 SDK is missing. Debian has no package of it; install it as described at
  https://learn.microsoft.com/dotnet/core/install/linux-debian  (package dotnet-sdk-10.0), or
  https://dot.net/v1/dotnet-install.sh  with  --channel 10.0"
    fi
    export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
}

quietly() { # quietly NAME COMMAND...: the output is shown only when the command fails
    mkdir -p out/logs
    local log="out/logs/$1.log"
    shift
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        return 1
    fi
}

root() { [ "$(id -u)" = 0 ] || die "task '$task' loads eBPF programs into the kernel: run it as root (sudo ./build.sh $task)"; }

build() {
    packages $BUILD_PACKAGES
    sdk
    mkdir -p out/logs
    say "building out/bin/beyla"
    quietly publish dotnet publish src/Beyla.Cli/Beyla.Cli.csproj -c Release
    if [ -f src/Beyla.PowerShell/Beyla.PowerShell.csproj ]; then
        say "building out/modules/Beyla"
        quietly module dotnet build src/Beyla.PowerShell/Beyla.PowerShell.csproj -c Release -t:Build,StageModule
    fi
    # A package with a known vulnerability is a warning of the restore: shown, although the build worked.
    { grep -hoE 'warning NU190[1-4]: [^[]*' out/logs/publish.log out/logs/module.log || true; } | sort -u >&2
}

# The module as a package, and what a release has beside it.
pack() {
    build
    quietly pack dotnet build src/Beyla.PowerShell/Beyla.PowerShell.csproj -c Release -t:PackModule
}

# Every project is restored anew, and what was found is written down; the change is then reviewed like any other.
lock() {
    local project
    sdk
    for project in src/*/*.csproj tests/*/*.csproj; do
        quietly lock dotnet restore "$project" --force-evaluate -p:RestoreLockedMode=false
    done
}

built() {
    step "the build"
    build
}

# The tests of this script's own way to run suites, and of the gate on costs.
scripts() {
    packages python3
    script_suite scripts bash tests/suites-test.sh
    script_suite cost-gate bash tests/cost-test.sh
    script_suite supply bash tests/supply-test.sh
}

unit() {
    step "the unit tests"
    dotnet_suite tests/Beyla.Agent.Tests
    [ ! -d tests/Beyla.PowerShell.Tests ] || dotnet_suite tests/Beyla.PowerShell.Tests
}

# The packages of a folder, by the versions of its package-lock.json, into another. Without them the tests that need them are skipped, each
# with that reason.
node_packages() { # node_packages FOLDER TARGET [OPTION...]
    local folder=$1 target=$2
    cmp -s "$folder/package-lock.json" "$target/package-lock.json" && return
    say "installing the packages of $folder into $target"
    rm -rf "$target" "$target.new"
    mkdir -p "$target.new"
    cp "$folder/package.json" "$folder/package-lock.json" "$folder/.npmrc" "$target.new/"
    if quietly npm env -C "$target.new" npm ci "${@:3}"; then mv "$target.new" "$target"; else say "npm cannot install the packages of $folder"; fi
}

# What the live tests export to: an OTLP receiver in node, and the dashboard of .NET Aspire, which its makers build for each architecture.
counterparts() {
    node_packages tests/tools/otlp-receiver out/tools/otlp-receiver --ignore-scripts
    dashboard
}

dashboard() {
    local machine
    case $(uname -m) in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) return ;;
    esac
    downloaded "Aspire.Dashboard.Sdk.linux-$machine" "$ASPIRE_VERSION" tools || { say "the Aspire dashboard cannot be downloaded"; return; }
    ln -sfn "Aspire.Dashboard.Sdk.linux-$machine" out/tools/Aspire
    chmod +x out/tools/Aspire/Aspire.Dashboard
}

live() {
    step "the live tests"
    packages $LIVE_PACKAGES $EXPORT_PACKAGES
    node_packages tests/node out/node
    counterparts
    dotnet_suite tests/Beyla.Live.Tests
}

# An emulated guest takes one processor: two rows of them, of about the same length, are run beside each other.
kernels() {
    step "the guest kernels"
    script_suite kernels bash tests/vm/run.sh
    script_suite kernel-databases bash tests/vm/databases.sh
    script_suite kernel-worker bash tests/vm/worker.sh
    script_suite kernel-go bash tests/vm/go.sh
}

more_kernels() {
    step "the guest kernels"
    script_suite kernel-cost bash tests/vm/cost.sh
    script_suite kernel-capabilities bash tests/vm/capabilities.sh
    script_suite kernel-flows bash tests/vm/flows.sh
    script_suite kernel-propagation bash tests/vm/propagation.sh
    script_suite kernel-go-headers bash tests/vm/go-headers.sh
}

# PowerShell and Pester: those of the machine, else from NuGet into out/tools, so that nothing of the system changes.
powershell() {
    local tools=$PWD/out/tools
    export POWERSHELL_TELEMETRY_OPTOUT=1 POWERSHELL_UPDATECHECK=Off
    if ! command -v pwsh >/dev/null; then
        # The program of the package itself: the command that "dotnet tool" makes of it starts it as a child, which outlives it.
        downloaded PowerShell "$POWERSHELL_VERSION" tools/net10.0/any/unix || return 1
        chmod +x "$tools/PowerShell/pwsh"
        export PATH=$tools/PowerShell:$PATH
    fi
    has_pester && return
    downloaded Pester "$PESTER_VERSION" tools || return 1
    export PSModulePath=$tools${PSModulePath:+:$PSModulePath}
    has_pester
}

downloaded() { # downloaded PACKAGE VERSION FOLDER: the folder of the package is out/tools/PACKAGE
    [ -e "out/tools/$1" ] && return
    mkdir -p out/logs out/tools
    dotnet package download "$1@$2" --output out/tools/packages >"out/logs/$1.log" 2>&1 </dev/null || return 1
    ln -s "packages/${1,,}/$2/$3" "out/tools/$1"
}

has_pester() {
    pwsh -NoProfile -Command \
        'exit [int](-not (Get-Module -ListAvailable Pester | Where-Object { $_.Version.Major -ge 5 }))' </dev/null
}

# The guests keep processors busy, the others mostly wait: they go well together.
live_and_beside() {
    start_beside kernels
    start_beside more_kernels
    start_beside pester
    live
    step "pester and the guest kernels"
    join_beside
}

pester() {
    step "pester"
    if ! powershell; then
        say "Pester did not run: PowerShell or its module Pester is not on this machine and cannot be installed," \
            "see out/logs/{PowerShell,Pester}.log."
        count 0 0 1
    else
        packages $PESTER_PACKAGES
        # It runs beside other suites, so ignoring SIGINT; the shells and agents that it starts must not.
        script_suite pester timeout -k 10 1500 env --default-signal=INT,QUIT pwsh -NoProfile -NonInteractive -File tests/Invoke-Suite.ps1
    fi
}

# Where PowerShell looks for modules: about_PSModulePath.
install_module() { # install_module [--user|--system] [PACKAGE]
    local place source=out/modules/Beyla argument
    if [ "$(id -u)" = 0 ]; then place=system; else place=user; fi
    for argument; do
        case $argument in
            --user | --system) place=${argument#--} ;;
            *.nupkg) source=$argument ;;
            *) die "install: '$argument' is neither --user, --system nor a package" ;;
        esac
    done
    [ -e "$source" ] || [ "$source" = out/modules/Beyla ] || die "install: there is no $source"
    if [ "$place" = system ]; then
        place=/usr/local/share/powershell/Modules
    else
        place=${XDG_DATA_HOME:-$HOME/.local/share}/powershell/Modules
    fi
    if [ "$source" = out/modules/Beyla ]; then build; else sdk; fi
    quietly tool dotnet build src/Beyla.ModuleBuild/Beyla.ModuleBuild.csproj -c Release
    local target
    target=$(dotnet out/build/bin/Beyla.ModuleBuild/release/Beyla.ModuleBuild.dll install "$source" "$place") || exit 1
    say "installed $target: Import-Module Beyla finds it now"
    say "The agent in it has no file capabilities; a copy takes none along. Root needs none; for other users, to trace:"
    say "  sudo $(printf %q "$target/bin/beyla") capability set --minimal --scenario application"
}

task=${1:-build}
case $task in
    build) build ;;
    demo) root; packages $BUILD_PACKAGES $DEMO_PACKAGES; build; dashboard; exec bash tests/demo.sh ;;
    test)
        root
        begin_suites packages
        packages $BUILD_PACKAGES $LIVE_PACKAGES $EXPORT_PACKAGES $KERNEL_PACKAGES $PESTER_PACKAGES
        built
        scripts
        unit
        live_and_beside
        finish_suites
        ;;
    unit) begin_suites build; built; scripts; unit; finish_suites ;;
    live) root; begin_suites build; built; live; finish_suites ;;
    kernels) begin_suites build; packages $KERNEL_PACKAGES; built; start_beside more_kernels; kernels; join_beside; finish_suites ;;
    pester) begin_suites build; built; pester; finish_suites ;;
    bench)
        root
        if [ "${2:-}" = context ]; then
            packages $BUILD_PACKAGES $LIVE_PACKAGES
            build
            BEYLA_CONTEXT_TABLE=1 exec dotnet test tests/Beyla.Live.Tests -c Release --filter ContextTable
        fi
        packages $BUILD_PACKAGES $BENCH_PACKAGES $KERNEL_PACKAGES
        build
        powershell || true
        exec dotnet run --project tests/Beyla.Benchmarks -c Release -- "${@:2}"
        ;;
    pack) pack; ls out/packages ;;
    reproduce) packages $BUILD_PACKAGES; sdk; exec bash tests/reproduce.sh ;;
    lock) lock; if command -v git >/dev/null; then git status --short -- '*packages.lock.json'; fi ;;
    install) install_module "${@:2}" ;;
    clean) rm -rf out ;;
    -h | --help | help) usage ;;
    *) usage >&2; die "no task '$task'" ;;
esac
