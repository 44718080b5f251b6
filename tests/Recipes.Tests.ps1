# Runs each recipe of docs/recipes.md as printed, on a host of its own: two network namespaces with a service on 8080, a database on 5432 and traffic.
Describe 'Recipes' -Tag Live {
    BeforeDiscovery {
        $text = Get-Content $PSScriptRoot/../docs/recipes.md -Raw
        $recipes = @([regex]::Matches($text, '(?ms)^([^\n]+):\n\n```powershell\n(.*?)\n```') | ForEach-Object { @{ title = $_.Groups[1].Value; code = $_.Groups[2].Value } })
        $quiet = 'What is missing for tracing, with the remedy', 'What would be set, without setting it', 'Spans to CSV', 'Spans as JSON Lines for another tool', 'Alert on the 95th percentile'
        foreach ($recipe in $recipes) { $recipe.quiet = $recipe.title -in $quiet }
    }
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $reason = if ((id -u) -ne 0) { 'this needs root' } elseif (-not (Test-Path $RealAgent)) { 'the agent is not built' } elseif (@(Get-Command ip, python3 -ErrorAction Ignore).Count -ne 2) { 'ip or python3 is not installed' }
        $count = [regex]::Matches((Get-Content $Root/docs/recipes.md -Raw), '(?m)^```powershell').Count
        if ($reason) { return }

        $here = "beyla-r$PID"; $there = "beyla-s$PID"
        ip netns add $here; ip netns add $there
        ip -n $here link add veth0 type veth peer name veth0 netns $there
        ip -n $here addr add 10.77.0.1/24 dev veth0; ip -n $there addr add 10.77.0.2/24 dev veth0
        foreach ($space in $here, $there) { ip -n $space link set lo up; ip -n $space link set veth0 up }

        Set-Content $TestDrive/service.py @'
import http.server, socketserver, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if "slow" in self.path: time.sleep(0.05)
        self.send_response(503 if "fail" in self.path else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *args): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
Server(("10.77.0.1", 8080), Handler).serve_forever()
'@
        Set-Content $TestDrive/database.py @'
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line)
class Server(socketserver.ThreadingMixIn, socketserver.TCPServer): daemon_threads = True
Server(("10.77.0.2", 5432), Handler).serve_forever()
'@
        Set-Content $TestDrive/callers.py @'
import http.client, itertools, time
for i in itertools.count():
    try:
        for path in "/cart", "/fail", "/slow":
            c = http.client.HTTPConnection("10.77.0.1", 8080, timeout=2); c.request("GET", path); c.getresponse().read(); c.close()
    except OSError: pass
    time.sleep(0.05)
'@
        Set-Content $TestDrive/client.py @'
import socket, time
while True:
    try:
        with socket.create_connection(("10.77.0.2", 5432), timeout=2) as s:
            s.sendall(b"select 1\n" * 50); s.recv(100)
    except OSError: pass
    time.sleep(0.1)
'@
        $running = foreach ($start in @($here, 'python3', "$TestDrive/service.py"), @($there, 'python3', "$TestDrive/database.py"), @($there, 'python3', "$TestDrive/callers.py"), @($here, 'python3', "$TestDrive/client.py")) {
            Start-Process ip -ArgumentList (@('netns', 'exec') + $start) -PassThru -RedirectStandardError "$TestDrive/$($start[-1] | Split-Path -Leaf).log"
        }
        Start-Sleep 2
        foreach ($process in $running) { $process.HasExited | Should -BeFalse -Because (Get-Content $TestDrive/*.log -Raw) }
        function Invoke-Recipe([string] $Code) {
            Push-Location $TestDrive
            try { ip netns exec $here pwsh -NoProfile -NonInteractive -Command "`$PSStyle.OutputRendering = 'PlainText'; `$ErrorActionPreference = 'Stop'; Import-Module '$Module'`n$Code" 2>&1 } finally { Pop-Location }
        }
    }
    AfterAll {
        # ip netns exec becomes the program, so these are the programs themselves.
        foreach ($process in $running) { kill -TERM $process.Id; $null = $process.WaitForExit(3000) }
        if ($here) { ip netns del $here; ip netns del $there }
    }
    BeforeEach { if ($reason) { Set-ItResult -Skipped -Because $reason } }

    It 'are at least twelve' { $count | Should -BeGreaterOrEqual 12 }

    It '<title>' -ForEach $recipes {
        $output = Invoke-Recipe $code
        $LASTEXITCODE | Should -Be 0 -Because "$output"
        "$output" | Should -Not -Match '(?i)\b(error|exception):'
        if (-not $quiet) { ($output | Where-Object { "$_".Trim() }).Count | Should -BeGreaterThan 2 }
    }

    It 'leave files that can be read' {
        (Import-Csv $TestDrive/spans.csv).Count | Should -BeGreaterThan 10
        (Get-Content $TestDrive/spans.jsonl | ConvertFrom-Json).Path | Should -Contain '/slow'
    }
}
