#!/usr/bin/env bash
# The main job on real traffic: four services on loopback, a few clients, and the agent beside them for a few seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d /tmp/beyla-demo.XXXXXX)
running=()
clean() {
    local pid
    for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT

start() { # start NAME COMMAND...: a service; its port lands in $port
    OTEL_SERVICE_NAME=$1 "${@:2}" >"$work/$1.port" &
    running+=($!)
    local i
    for i in $(seq 300); do
        port=$(cat "$work/$1.port" 2>/dev/null) || port="" # the service makes it
        [ -n "$port" ] && return
        sleep 0.1
    done
    echo "demo: the $1 service did not start" >&2
    exit 1
}

source tests/demo/dashboard.sh
start_dashboard
start supplier perl tests/demo/supplier.pl
supplier=$port
warehouse=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
OTEL_SERVICE_NAME=warehouse SUPPLIER=http://127.0.0.1:$supplier php -S "127.0.0.1:$warehouse" tests/demo/warehouse.php >/dev/null 2>"$work/warehouse" &
running+=($!)
start stock node tests/demo/stock.js "http://127.0.0.1:$warehouse"
stock=$port
start shop python3 tests/demo/shop.py "http://127.0.0.1:$stock"
shop=$port
ports=$shop,$stock,$warehouse,$supplier
curl -s -o /dev/null --retry 50 --retry-connrefused --retry-delay 0 --retry-max-time 30 "http://127.0.0.1:$warehouse/shelf/teapot" ||
    { echo "demo: the warehouse service did not start" >&2; cat "$work/warehouse" >&2; exit 1; }

# An ordinary user, with exactly the capabilities that the documentation asks for on a copy of the agent.
chmod 755 "$work"
cp out/bin/beyla "$work/beyla"
set_of=cap_bpf,cap_dac_read_search,cap_perfmon,cap_sys_ptrace
user="setpriv --reuid=65534 --regid=65534 --clear-groups"
if ! { command -v setcap && setcap "$set_of+ep" "$work/beyla" && $user "$work/beyla" --version; } >/dev/null 2>&1; then
    user=""
fi
who=${user:+an ordinary user with file capabilities}
who=${who:-root}

cat <<TEXT

Four services run on this machine: shop (Python, port $shop), which asks stock (node, port $stock), which asks warehouse (PHP, port
$warehouse), which asks supplier (Perl, port $supplier). None of them has a line of tracing in it, none is restarted. Now, as $who:

    BEYLA_OPEN_PORT=$ports BEYLA_TRACE_PRINTER=text out/bin/beyla

TEXT

trace() { # trace PRINTER FILE LOG [VARIABLE=VALUE...]: the agent; its process lands in $agent
    env BEYLA_OPEN_PORT="$ports" BEYLA_TRACE_PRINTER="$1" "${@:4}" $user "$work/beyla" >"$work/$2" 2>"$work/$3" &
    agent=$!
    running+=("$agent")
    local i
    for i in $(seq 600); do
        grep -qs 'msg="Beyla is tracing"' "$work/$3" && return
        kill -0 "$agent" 2>/dev/null || { cat "$work/$3" >&2; exit 1; }
        sleep 0.05
    done
    echo "demo: the agent does not trace" >&2
    cat "$work/$3" >&2
    exit 1
}

trace text spans log

sent=0
visit() { curl -s -o /dev/null --max-time 5 "$@"; sent=$((sent + 1)); }
for round in 1 2 3 4; do
    visit "http://127.0.0.1:$shop/"
    visit "http://127.0.0.1:$shop/item/teapot?session=4f3c9a&page=$round"
    visit "http://127.0.0.1:$shop/item/kettle"
    visit "http://127.0.0.1:$shop/item/unicorn"
    visit -d '{"item":"teapot"}' "http://127.0.0.1:$shop/order"
done
sleep 0.5
kill -TERM "$agent"
wait "$agent" || { cat "$work/log" >&2; exit 1; }

cat "$work/spans"
served=$(grep -c ' HTTP(subType=0) .*svc=\[shop ' "$work/spans" || true)
all=$(wc -l <"$work/spans")
failed=$(grep -cE ' HTTP\(subType=0\) 5[0-9][0-9] ' "$work/spans" || true)
slow=$(grep -cE ' \(([0-9]{3,}(\.[0-9]+)?ms|[0-9.]+s)\[[^]]*\]\) HTTP\(' "$work/spans" || true)
total=$sent
# The dashboard gets what this run sees, too.
trace json stream second ${dashboard:+"OTEL_EXPORTER_OTLP_ENDPOINT=$receiver"}
for item in teapot kettle unicorn; do visit "http://127.0.0.1:$shop/item/$item"; done
sleep 0.5
kill -TERM "$agent"
wait "$agent" || { cat "$work/second" >&2; exit 1; }

cat <<TEXT

$total requests were sent to shop; $served spans of it as a server were seen, $all spans with all calls and the other services.
$failed responses failed (unicorns are out of stock), $slow took 100 ms or more (kettles, for which all wait for the warehouse). The value \
of session was redacted.

What the agent counted on the way:
$(grep -vE '^time=' "$work/log" || true)

Which span led to which (docs/context.md), of three more requests with BEYLA_TRACE_PRINTER=json; no byte on the wire was changed for it.
Node works on many requests in one thread, so that which one a call of it belongs to is marked as probable:

$(python3 tests/demo/tree.py <"$work/stream")
TEXT
python3 tests/demo/tree.py <"$work/stream" | grep -c '^                   └─ supplier serves' | grep -qx 3 ||
    { echo "demo: three requests are not three traces" >&2; cat "$work/stream" >&2; exit 1; }
[ "$served" = "$total" ] || { echo "demo: $total requests were sent and $served seen" >&2; cat "$work/log" >&2; exit 1; }

if [ -n "$dashboard" ]; then
    read -r id count < <(python3 tests/demo/slowest_trace.py <"$work/stream")
    arrived "$id" "$count"
    cat <<TEXT

The same three requests were sent to a backend by OTEL_EXPORTER_OTLP_ENDPOINT=$receiver, here the dashboard of .NET Aspire:
    $dashboard/traces/detail/$id
        the request for a kettle: one trace, $count spans of four services
    $dashboard/metrics/resource/shop?meter=beyla&instrument=http.server.request.duration&duration=5&view=Table
        how long the requests to shop took
TEXT
fi

cat <<TEXT

Try next:
    BEYLA_OPEN_PORT=8080 BEYLA_TRACE_PRINTER=json out/bin/beyla      the same as objects, one per line
    out/bin/beyla config                                             what is set, and where it comes from
    out/bin/beyla --help                                             everything else
TEXT

# Whoever sits at a terminal wants to look at it; it listens on this machine alone.
if [ -n "$dashboard" ] && [ -t 0 ] && [ -t 1 ]; then
    echo "The services and the dashboard run until you press Enter."
    read -r _ || true
fi
