# Export-BeylaTrace of what the agent traces on this kernel. Needs root, to load programs.
Describe 'Export-BeylaTrace of real spans' -Tag Live {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $reason = if ((id -u) -ne 0) { 'this needs root' }
        elseif (-not (Test-Path $RealAgent)) { 'the agent is not built' }
        elseif (-not (Get-Command python3 -ErrorAction Ignore)) { 'python3 is not installed' }
        if ($reason) { return }

        # GET serves; POST /v1/traces keeps what comes: OTLP in JSON, a request in each line, written before it is answered.
        Set-Content $TestDrive/both.py @'
import http.server, socketserver, sys, threading
lock = threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self): self.answer(503 if "fail" in self.path else 200)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock, open(sys.argv[2], "ab") as file: file.write(body + b"\n")
        self.answer(200 if self.path == "/v1/traces" else 404)
    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *args): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'@
        $ports = 1..2 | ForEach-Object { Get-FreePort }
        $servers = $ports | ForEach-Object { Start-Process python3 -ArgumentList "$TestDrive/both.py", $_, "$TestDrive/received" -PassThru }
        $client = [Net.Http.HttpClient]::new()
        function Send-Request([string] $Path) { $client.GetAsync("http://127.0.0.1:$($ports[0])$Path").GetAwaiter().GetResult().Dispose() }
        foreach ($port in $ports) {
            Wait-Until { try { $client.GetStringAsync("http://127.0.0.1:$port/ready").Wait(); $true } catch { $false } } | Should -BeTrue
        }
        function Get-Received { (Get-Content $TestDrive/received | ConvertFrom-Json -Depth 99).resourceSpans.scopeSpans.spans }
        function Get-Identity($Spans) { $Spans | ForEach-Object { "$($_.traceId) $($_.spanId)" } | Sort-Object }
        $there = @{ Endpoint = "http://127.0.0.1:$($ports[1])"; Setting = @{ 'otel_traces_export.protocol' = 'http/json' } }
    }
    AfterAll {
        $servers | ForEach-Object { Stop-Process -Id $_.Id }
        if ($client) { $client.Dispose() }
    }
    BeforeEach {
        if ($reason) { Set-ItResult -Skipped -Because $reason }
        Remove-Item $TestDrive/received -ErrorAction Ignore
    }
    AfterEach { Clear-AgentEnvironment }

    It 'sends the objects of a trace with the identities and times that they have' {
        $job = Start-BeylaTrace -OpenPort $ports[0] -Kind Server -AsJob
        Wait-Until { $job.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        1..20 | ForEach-Object { Send-Request "/item/$_" }
        1..3 | ForEach-Object { Send-Request "/fail/$_" }
        Stop-Job $job
        $spans = Receive-Job $job
        Remove-Job $job
        $spans.Count | Should -Be 23

        $spans | Where-Object ErrorType | Export-BeylaTrace @there -PassThru | ForEach-Object Path | Should -Be '/fail/1', '/fail/2', '/fail/3'
        (Get-Received).Count | Should -Be 3
        Remove-Item $TestDrive/received
        $spans | Export-BeylaTrace @there
        $received = Get-Received
        $received.Count | Should -Be 23
        Get-Identity $received | Should -Be (Get-Identity ($spans | Select-Object TraceId, SpanId))
        foreach ($span in $spans) {
            $one = $received | Where-Object spanId -eq $span.SpanId
            $one.startTimeUnixNano | Should -Be "$(($span.Start.ToUniversalTime() - [DateTime]::UnixEpoch).Ticks)00"
            ([long] $one.endTimeUnixNano - [long] $one.startTimeUnixNano) / 100 | Should -Be $span.Duration.Ticks
            ($one.attributes | Where-Object key -eq url.path).value.stringValue | Should -Be $span.Path
        }
    }

    It 'sends the spans of a pipeline while they come' {
        # Ends when the third is there, so none waits for another.
        $job = Start-ThreadJob {
            param($module, $port, $there)
            Import-Module $module
            Start-BeylaTrace -OpenPort $port -Kind Server -MaximumCount 3 -Verbose 4>&1 | ForEach-Object {
                if ($_ -is [Management.Automation.VerboseRecord]) { Write-Verbose "$_" -Verbose } else { $_ }
            } | Export-BeylaTrace @there -PassThru
        } -ArgumentList $Module, $ports[0], $there
        Wait-Until { $job.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        1..3 | ForEach-Object { Send-Request "/live/$_" }
        $spans = $job | Receive-Job -Wait -AutoRemoveJob 4> $null
        $spans.Count | Should -Be 3
        Get-Identity (Get-Received) | Should -Be (Get-Identity ($spans | Select-Object TraceId, SpanId))
    }

    It 'sends a recording of the agent' {
        $env:BEYLA_OPEN_PORT = $ports[0]
        $env:BEYLA_TRACE_PRINTER = 'json'
        # The shell becomes the agent: what that writes is in the file when it has ended.
        $agent = Start-Process bash -PassThru -ArgumentList '-c',
            "`"exec '$RealAgent' > '$TestDrive/recording.jsonl' 2> '$TestDrive/log'`""
        Clear-AgentEnvironment
        try {
            Wait-Until { (Get-Content $TestDrive/log -ErrorAction Ignore) -match 'Beyla is tracing' } | Should -BeTrue
            1..10 | ForEach-Object { Send-Request "/recorded/$_" }
        }
        finally {
            kill -INT $agent.Id
            Wait-Until { $agent.HasExited } | Should -BeTrue
        }
        $recorded = Get-Content $TestDrive/recording.jsonl | Where-Object { $_ -like '{"type":"span"*' } | ConvertFrom-Json
        ($recorded.attributes.'url.path' -like '/recorded/*').Count | Should -Be 10
        Export-BeylaTrace $TestDrive/recording.jsonl @there
        Get-Identity (Get-Received) | Should -Be (Get-Identity $recorded)
        $page = Export-BeylaTrace $TestDrive/recording.jsonl -Exporter Prometheus
        ($page -match '^http_server_request_duration_seconds_count' -replace '.* ' | Measure-Object -Sum).Sum | Should -Be 10
    }
}
