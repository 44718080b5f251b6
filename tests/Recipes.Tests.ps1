# Runs each recipe of docs/recipes.md as printed, on a host of its own: two network namespaces with a service on 8080 that hands requests on, a
# database on 5432, a cache on 6379, and callers that send a known number of requests once the agent says that it is attached. So the numbers that a
# recipe shows can be compared with the truth.
Describe 'Recipes' -Tag Live {
    BeforeDiscovery {
        $text = Get-Content $PSScriptRoot/../docs/recipes.md -Raw
        $recipes = @([regex]::Matches($text, '(?ms)^([^\n]+):\n\n```powershell\n(.*?)\n```') |
            ForEach-Object { @{ title = $_.Groups[1].Value; code = $_.Groups[2].Value } })
    }
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $reason = if ((id -u) -ne 0) { 'this needs root' }
        elseif (-not (Test-Path $RealAgent)) { 'the agent is not built' }
        elseif (@(Get-Command ip, python3 -ErrorAction Ignore).Count -ne 2) { 'ip or python3 is not installed' }
        $count = [regex]::Matches((Get-Content $Root/docs/recipes.md -Raw), '(?m)^```powershell').Count
        if ($reason) { return }

        $here = "beyla-r$PID"; $there = "beyla-s$PID"
        # What selects by name or language sees the whole machine: other suites have a service "shop" of their own.
        $shop = "shop-$PID"; $stock = "stock-$PID"
        ip netns add $here; ip netns add $there
        ip -n $here link add veth0 type veth peer name veth0 netns $there
        ip -n $here addr add 10.77.0.1/24 dev veth0; ip -n $there addr add 10.77.0.2/24 dev veth0
        foreach ($space in $here, $there) { ip -n $space link set lo up; ip -n $space link set veth0 up }

        # Ten requests of /cart, five of /fail that give 503, five of /slow that take 50 ms; each is handed on.
        Set-Content $TestDrive/service.py @'
import http.client, http.server, socketserver, sys, time
address, port, upstream = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status = 503 if "fail" in self.path else 200
        if upstream:
            c = http.client.HTTPConnection("127.0.0.1", upstream, timeout=20)
            c.request("GET", self.path)
            answer = c.getresponse()
            answer.read()
            c.close()
            status = answer.status
        elif "slow" in self.path: time.sleep(0.05)
        self.send_response(status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *args): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True; request_queue_size = 64
Server((address, port), Handler).serve_forever()
'@
        # Lines come back as they are; what begins as PostgreSQL does is answered by its protocol: "missing" is an error, "slow" takes 50 ms.
        Set-Content $TestDrive/database.py @'
import socketserver, struct, time
def message(kind, body): return kind + struct.pack(">i", len(body) + 4) + body
ready = message(b"Z", b"I")
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        if self.rfile.peek(1)[:1] == b"\0": return self.postgres()
        for line in self.rfile: self.wfile.write(line)
    def postgres(self):
        self.rfile.read(struct.unpack(">i", self.rfile.read(4))[0] - 4)
        self.wfile.write(message(b"R", bytes(4)) + message(b"S", b"client_encoding\0UTF8\0") + ready)
        while (kind := self.rfile.read(1)) == b"Q":
            text = self.rfile.read(struct.unpack(">i", self.rfile.read(4))[0] - 4)
            if b"slow" in text: time.sleep(0.05)
            error = b"SERROR\0VERROR\0C42P01\0Mrelation does not exist\0\0"
            self.wfile.write((message(b"E", error) if b"missing" in text else message(b"C", b"SELECT 0\0")) + ready)
class Server(socketserver.ThreadingMixIn, socketserver.TCPServer): daemon_threads = True
Server(("10.77.0.2", 5432), Handler).serve_forever()
'@
        # Commands are arrays of strings: GET of a list is an error, all else is OK.
        Set-Content $TestDrive/cache.py @'
import socketserver
class Cache(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.readline():
            words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(int(head[1:]))]
            wrong = words[0] == b"GET" and words[1].startswith(b"list")
            self.wfile.write(b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n" if wrong else b"+OK\r\n")
class Server(socketserver.ThreadingMixIn, socketserver.TCPServer): daemon_threads = True
Server(("10.77.0.2", 6379), Cache).serve_forever()
'@
        # All wait for a file, send, and say that they have by another one.
        Set-Content $TestDrive/callers.py @'
import http.client, os, sys, time
while True:
    if not os.path.exists(sys.argv[1] + ".http"): time.sleep(0.02); continue
    os.remove(sys.argv[1] + ".http")
    for path in ["/cart", "/fail", "/cart", "/slow"] * 5:
        c = http.client.HTTPConnection("10.77.0.1", 8080, timeout=20); c.request("GET", path); c.getresponse().read(); c.close()
        time.sleep(0.02)
    open(sys.argv[1] + ".http.done", "w").close()
'@
        Set-Content $TestDrive/client.py @'
import os, socket, sys, time
while True:
    if not os.path.exists(sys.argv[1] + ".db"): time.sleep(0.02); continue
    os.remove(sys.argv[1] + ".db")
    for i in range(4):
        with socket.create_connection(("10.77.0.2", 5432), timeout=20) as s:
            s.sendall(b"select 1\n" * 50)
            s.shutdown(socket.SHUT_WR)
            while s.recv(1000): pass
    open(sys.argv[1] + ".db.done", "w").close()
'@
        # Ten statements of orders, five slow ones, five of a table that is missing; eight commands of users, four of sessions, three of a list.
        Set-Content $TestDrive/queries.py @'
import os, socket, struct, sys, time
def string(text): return b"$%d\r\n%s\r\n" % (len(text), text)
def command(*words): return b"*%d\r\n" % len(words) + b"".join(map(string, words))
def ask(s, request, isEnd):
    s.sendall(request)
    response = b""
    while not isEnd(response): response += s.recv(1000) or sys.exit("closed")
while True:
    if not os.path.exists(sys.argv[1] + ".queries"): time.sleep(0.02); continue
    os.remove(sys.argv[1] + ".queries")
    with socket.create_connection(("10.77.0.2", 5432), timeout=20) as s:
        body = struct.pack(">i", 196608) + b"user\0app\0database\0shop\0\0"
        ask(s, struct.pack(">i", len(body) + 4) + body, lambda r: r.endswith(b"I"))
        for i in range(5):
            for text in b"select name from orders where id = 7", b"select slow from items", b"select a from missing", b"select name from orders where id = 8":
                ask(s, b"Q" + struct.pack(">i", len(text) + 5) + text + b"\0", lambda r: r.endswith(b"Z\0\0\0\5I"))
    with socket.create_connection(("10.77.0.2", 6379), timeout=20) as s:
        for words in [(b"GET", b"user:%d" % i) for i in range(8)] + [(b"SET", b"session:%d" % i, b"secret") for i in range(4)] + [(b"GET", b"list")] * 3:
            ask(s, command(*words), lambda r: r.endswith(b"\r\n"))
    open(sys.argv[1] + ".queries.done", "w").close()
'@
        # The real agent; what it logs passes through, and with the line that says that it is attached the callers may begin.
        Set-Content $TestDrive/agent @'
#!/bin/sh
{ "$REAL_AGENT" "$@" 2>&1 >&3 3>&- | while IFS= read -r line; do
    printf '%s\n' "$line" >&2
    case $line in *'Beyla is tracing'*) for caller in $CALLERS; do : > "$READY.$caller"; done ;; esac
done; } 3>&1
'@
        chmod +x "$TestDrive/agent"
        $ready = "$TestDrive/ready"
        $running = foreach ($start in @(
                @{ Space = $here; Name = $stock; Arguments = "$TestDrive/service.py", '127.0.0.1', '9090', '0' }
                @{ Space = $here; Name = $shop; Arguments = "$TestDrive/service.py", '10.77.0.1', '8080', '9090' }
                @{ Space = $there; Name = 'database'; Arguments = , "$TestDrive/database.py" }
                @{ Space = $there; Name = 'cache'; Arguments = , "$TestDrive/cache.py" }
                @{ Space = $there; Name = 'callers'; Arguments = "$TestDrive/callers.py", $ready }
                @{ Space = $here; Name = 'reports'; Arguments = "$TestDrive/client.py", $ready }
                @{ Space = $here; Name = 'queries'; Arguments = "$TestDrive/queries.py", $ready })) {
            $how = @{ Environment = @{ OTEL_SERVICE_NAME = $start.Name }; RedirectStandardError = "$TestDrive/$($start.Name).log" }
            Start-Process ip -ArgumentList (@('netns', 'exec', $start.Space, 'python3') + $start.Arguments) -PassThru @how
        }
        Wait-Until { (ip netns exec $here curl -s -o /dev/null -w '%{http_code}' http://10.77.0.1:8080/ready) -eq '200' } 20 | Should -BeTrue
        foreach ($process in $running) { $process.HasExited | Should -BeFalse -Because (Get-Content $TestDrive/*.log -Raw) }

        # What veth0 carried so far, both ways: flows count no more than that.
        function Get-Carried {
            $s = (ip -n $here -s -j link show veth0 | ConvertFrom-Json).stats64
            @{ Ingress = $s.rx.bytes; Egress = $s.tx.bytes }
        }

        # Runs a recipe. $output is what it wrote, as objects; $text the same as shown.
        function Invoke-Recipe([string] $Code) {
            Remove-Item "$ready*", $TestDrive/output.xml -ErrorAction Ignore
            $script = "`$PSStyle.OutputRendering = 'PlainText'; `$ErrorActionPreference = 'Stop'
Import-Module '$Module'; `$PSDefaultParameterValues['*-Beyla*:AgentPath'] = '$TestDrive/agent'
`$written = @(. {`n$Code`n}); `$written | Export-Clixml -Depth 3 '$TestDrive/output.xml'; `$written | Out-String -Width 200"
            # Recipes for databases see nothing but queries, all others none.
            $callers = if ($Code -match 'Start-BeylaTrace (5432|6379)') { , 'queries' } else { 'http', 'db' }
            $env:REAL_AGENT = $RealAgent; $env:READY = $ready; $env:CALLERS = $callers
            Push-Location $TestDrive
            $script:text = try { (ip netns exec $here pwsh -NoProfile -NonInteractive -Command $script 2>&1) -join "`n" }
            finally { Pop-Location; $env:REAL_AGENT = $env:READY = $env:CALLERS = $null }
            $LASTEXITCODE | Should -Be 0 -Because $text
            $text | Should -Not -Match '(?i)\b(error|exception):'
            $script:output = @(if (Test-Path $TestDrive/output.xml) { Import-Clixml $TestDrive/output.xml })
            # The callers go on when a recipe ends with what it has seen; the next one must not see that.
            if ($Code -match 'Start-BeylaTrace|Get-BeylaFlow') {
                Wait-Until { @($callers | Where-Object { -not (Test-Path "$ready.$_.done") }).Count -eq 0 } 60 | Should -BeTrue -Because $text
            }
        }
        function Get-Count([string] $Name) { ($output | Where-Object Name -eq $Name).Count }

        $truth = @{
            'Twenty requests of a service, as they come' = {
                $output.Count | Should -Be 20
                ($output | Where-Object Path -eq '/cart').Count | Should -Be 10
                @($output | Where-Object Kind -eq Server).Count | Should -Be 20
            }
            'The slowest paths' = {
                # On a busy machine any request may be slow; these five cannot be fast.
                $output.Count | Should -Be 10
                $times = @($output | ForEach-Object { ([timespan] $_.Duration).TotalMilliseconds })
                $times | Should -Be ($times | Sort-Object -Descending)
                $times[4] | Should -BeGreaterOrEqual 50
            }
            'Error rate by service' = {
                $output.Count | Should -Be 1
                $output[0].Name | Should -Be $shop
                $output[0].Count | Should -Be 20
                $output[0].Errors | Should -Be ('{0:p1}' -f 0.25)
            }
            'Which paths fail, and how often' = { $output.Count | Should -Be 1; Get-Count '/fail' | Should -Be 5 }
            'Wait for the first error and show all of it' = {
                $text | Should -Match '(?m)^Status +: 503'
                $text | Should -Match '(?m)^Kind +: Server'
                [regex]::Matches($text, '(?m)^Status +:').Count | Should -Be 1
            }
            'Requests per second' = { ($output | Measure-Object Count -Sum).Sum | Should -Be 20 }
            'Mean, slowest and number by path' = {
                $output.Count | Should -Be 3
                foreach ($row in $output) { $row.Count | Should -Be @{ '/cart' = 10; '/fail' = 5; '/slow' = 5 }[$row.Path] }
                ($output | Where-Object Path -eq '/slow').Mean | Should -BeGreaterOrEqual 50
            }
            'Alert on the 95th percentile' = { [double] [regex]::Match($text, 'p95 is ([\d.]+) ms').Groups[1].Value | Should -BeGreaterOrEqual 50 }
            'Who calls' = { $output.Count | Should -Be 1; Get-Count '10.77.0.2' | Should -Be 20 }
            'Whom the service calls, and how long it waits for them' = {
                $output.Count | Should -Be 1
                Get-Count '127.0.0.1:9090' | Should -Be 20
                $output[0].Mean | Should -BeGreaterOrEqual 12.5
            }
            'Watch, and keep what came when Ctrl+C ends it (an assignment would get nothing then)' = {
                @($output | Where-Object Status -eq 503).Count | Should -Be 5
                Get-Count '/cart' | Should -Be 10; Get-Count '/fail' | Should -Be 5; Get-Count '/slow' | Should -Be 5
            }
            'Spans to CSV' = {
                $rows = Import-Csv $TestDrive/spans.csv
                $rows.Count | Should -Be 40
                @($rows | Where-Object { $_.Kind -eq 'Server' -and $_.Path -eq '/cart' -and $_.Status -eq 200 -and $_.Client -like '10.77.0.2:*' }).Count | Should -Be 10
            }
            'Spans as JSON Lines for another tool' = {
                $rows = Get-Content $TestDrive/spans.jsonl | ConvertFrom-Json
                $rows.Count | Should -Be 40
                @($rows | Where-Object { $_.Kind -eq 'Client' -and $_.Path -eq '/fail' -and $_.Status -eq 503 }).Count | Should -Be 5
            }
            'Spans as OTLP JSON Lines, which collectors of OpenTelemetry read' = {
                $rows = (Get-Content $TestDrive/spans.otlp.jsonl | ConvertFrom-Json -Depth 99).resourceSpans.scopeSpans.spans
                $rows.Count | Should -Be 40
                # Kind 3 is a client's, status 2 an error.
                @($rows | Where-Object { $_.kind -eq 3 -and $_.status.code -eq 2 }).Count | Should -Be 5
            }
            'In the background, while you do something else' = { $output.Count | Should -Be 2; Get-Count '200' | Should -Be 15; Get-Count '503' | Should -Be 5 }
            # Other Python of this machine is seen too, and does not count here. The second trace has the groups.
            'All processes of a name (as `ps` shows it), or every program written in Go or Python' = {
                foreach ($name in $shop, $stock) {
                    @($output | Where-Object ServiceName -eq $name).Count | Should -Be 20
                    Get-Count $name | Should -Be 20
                }
                @($output | Where-Object Kind -eq Client).Count | Should -Be 0
            }
            'The slowest statements' = {
                # On a busy machine any statement may be slow; these five cannot be fast.
                $output.Count | Should -Be 10
                $times = @($output.DurationMs)
                $times | Should -Be ($times | Sort-Object -Descending)
                $times[4] | Should -BeGreaterOrEqual 50
                @($output | Where-Object Statement -eq 'select slow from items').Count | Should -Be 5
                @($output | Where-Object Statement -match '7|8').Count | Should -Be 0
            }
            'Statements that take most of the time, all their executions together' = {
                $output.Count | Should -Be 3
                foreach ($row in $output) { $row.Count | Should -Be @{ 'select orders' = 10; 'select items' = 5; 'select missing' = 5 }[$row.Name] }
                ($output | Where-Object Name -eq 'select items').Total | Should -BeGreaterOrEqual 250
            }
            'Errors by SQLSTATE, and in which statement' = { $output.Count | Should -Be 1 -Because $text; Get-Count '42P01, select missing' | Should -Be 5 }
            'Who sends the statements' = { $output.Count | Should -Be 1 -Because $text; Get-Count '10.77.0.1, shop' | Should -Be 20 }
            'Commands of Redis by the prefix of their key (`user:1` has the prefix `user`)' = {
                $output.Count | Should -Be 3
                Get-Count 'GET user' | Should -Be 8; Get-Count 'SET session' | Should -Be 4; Get-Count 'GET list' | Should -Be 3
            }
            'Commands of Redis that fail, and why' = { $output.Count | Should -Be 1 -Because $text; Get-Count 'WRONGTYPE, list' | Should -Be 3 }
            'Who talks to the database, by connections (a connection has a flow in each direction; for a database on this host, add `-Interface lo`)' = { $output.Count | Should -Be 1; Get-Count 'python3, 10.77.0.2' | Should -Be 4 }
            'Top talkers' = {
                $bytes = ($output | Where-Object Name -eq '10.77.0.2').Bytes
                $bytes | Should -BeGreaterThan $least
                $bytes | Should -BeLessOrEqual ($carried.Ingress + $carried.Egress)
            }
            'New connections per second, by who called whom' = {
                (($output | Where-Object Name -like '*, port 8080') | Measure-Object Count -Sum).Sum | Should -Be 20
                (($output | Where-Object Name -like '*, port 5432') | Measure-Object Count -Sum).Sum | Should -Be 4
            }
            'Watch one process' = { @($output | ForEach-Object { "$($_.LocalPort) $($_.RemotePort)" } | Sort-Object -Unique).Count | Should -Be 24 }
            'Traffic of one network, resolved to names' = { $output.Count | Should -Be 48; ($output | Measure-Object Bytes -Sum).Sum | Should -BeGreaterThan $least }
            'Bytes by interface and direction' = {
                foreach ($way in 'Ingress', 'Egress') {
                    $bytes = ($output | Where-Object Name -eq "veth0, $way").Bytes
                    $bytes | Should -BeGreaterThan (4 * 450)
                    $bytes | Should -BeLessOrEqual $carried[$way]
                }
            }
            'What is missing for tracing, with the remedy' = { $output | Should -BeNullOrEmpty }
            'What would be set, without setting it' = { $text | Should -Match 'What if: .*CAP_BPF' }
        }
        # Twenty requests and answers with their heads, and what four connections sent to the database and got back.
        $least = 20 * 100 + 2 * 4 * 450
    }
    AfterAll {
        # ip netns exec becomes the program, so these are the programs themselves.
        foreach ($process in $running) { kill -TERM $process.Id; $null = $process.WaitForExit(3000) }
        if ($here) { ip netns del $here; ip netns del $there }
    }
    BeforeEach { if ($reason) { Set-ItResult -Skipped -Because $reason } }

    It 'are at least twelve' { $count | Should -BeGreaterOrEqual 12 }

    It 'are all run, and each is compared with the truth' {
        $titles = @([regex]::Matches((Get-Content $Root/docs/recipes.md -Raw), '(?m)^([^\n]+):\n\n```powershell') | ForEach-Object { $_.Groups[1].Value })
        $titles.Count | Should -Be $count
        $titles | Sort-Object | Should -Be ($truth.Keys | Sort-Object)
    }

    It '<title>' -ForEach $recipes {
        $before = Get-Carried
        Invoke-Recipe $code
        $after = Get-Carried
        $carried = @{ Ingress = $after.Ingress - $before.Ingress; Egress = $after.Egress - $before.Egress }
        & $truth[$title]
    }
}
