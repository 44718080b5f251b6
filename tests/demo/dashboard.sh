# Where spans and metrics are looked at: the dashboard of .NET Aspire, if it is in out/tools (build.sh brings it), on free ports of loopback.
# To be sourced by demo.sh, which has $work and $running. Where there is no dashboard, nothing here does anything.
dashboard=""

# Takes three free ports at once, so that they differ.
free_ports() {
    python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(s.getsockname()[1] for s in sockets))'
}

start_dashboard() { # $dashboard: its page; $receiver: where it takes OTLP over HTTP
    local program=$PWD/out/tools/Aspire/Aspire.Dashboard page http grpc i
    [ -x "$program" ] || return 0
    read -r page http grpc < <(free_ports)
    mkdir "$work/dashboard"
    # It looks for its files in the directory that it is started in, and writes below HOME and TMPDIR.
    (
        cd "$(dirname "$program")"
        export HOME=$work/dashboard TMPDIR=$work/dashboard ASPNETCORE_URLS=http://127.0.0.1:$page
        export ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL=http://127.0.0.1:$http ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL=http://127.0.0.1:$grpc
        export ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS=true
        exec ./Aspire.Dashboard
    ) >"$work/dashboard.log" 2>&1 &
    running+=($!)
    for i in $(seq 300); do
        if curl -sf -o /dev/null "http://127.0.0.1:$page/api/telemetry/resources"; then
            dashboard=http://127.0.0.1:$page receiver=http://127.0.0.1:$http
            return 0
        fi
        kill -0 "${running[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "demo: the dashboard did not start, so its part is left out:" >&2
    tail -5 "$work/dashboard.log" >&2
}

# Waits until the dashboard has the whole trace of a request, and metrics of the first service; it takes in what it was sent a moment later.
arrived() { # arrived TRACE COUNT
    local i
    for i in $(seq 300); do
        curl -sf "$dashboard/api/telemetry/resources" >"$work/resources" &&
            curl -sf "$dashboard/api/telemetry/spans?traceId=$1&limit=1000" >"$work/traced" &&
            python3 tests/demo/arrived.py "$work/resources" "$work/traced" shop "$2" && return 0
        sleep 0.1
    done
    echo "demo: the trace $1 with $2 spans and the metrics of shop did not arrive in the dashboard" >&2
    return 1
}
