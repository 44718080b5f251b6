# The real agent on this kernel, with real servers. Needs root, to load programs and to become other users.
Describe 'With the real agent' -Tag Live {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $reason = if ((id -u) -ne 0) { 'this needs root' }
        elseif (-not (Test-Path $RealAgent)) { 'the agent is not built' }
        elseif (-not (Get-Command python3 -ErrorAction Ignore)) { 'python3 is not installed' }
        if ($reason) { return }

        Set-Content $TestDrive/server.py @'
import http.server, socketserver, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if "slow" in self.path: time.sleep(0.3)
        body = b"hello"
        self.send_response(503 if "fail" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'@
        $port = Get-FreePort
        $server = Start-Process python3 -ArgumentList "$TestDrive/server.py", $port -PassThru
        $client = [Net.Http.HttpClient]::new()
        Wait-Until { try { $client.GetStringAsync("http://127.0.0.1:$port/ready").Wait(); $true } catch { $false } } | Should -BeTrue

        function Send-Request([string] $Path) {
            $null = $client.GetAsync("http://127.0.0.1:$port$Path").GetAwaiter().GetResult().Content.ReadAsStringAsync().Wait()
        }
        function Start-Trace([hashtable] $Parameters = @{}) {
            $job = Start-BeylaTrace -OpenPort $port -AsJob @Parameters
            Wait-Until { $job.Verbose -match 'Beyla is tracing' } | Should -BeTrue
            $job
        }
        function Stop-Trace($Job) { Stop-Job $Job; Receive-Job $Job; Remove-Job $Job }
        function Get-TracerId($Job) { [int] ([regex] 'process (\d+)').Match(($Job.Verbose -match '^Agent ')[0].Message).Groups[1].Value }
    }
    AfterAll {
        if ($server) { Stop-Process -Id $server.Id }
        if ($client) { $client.Dispose() }
    }
    BeforeEach { if ($reason) { Set-ItResult -Skipped -Because $reason } }
    AfterEach { Clear-AgentEnvironment }

    It 'n requests give n server spans, with their paths and statuses' {
        $job = Start-Trace
        1..200 | ForEach-Object { Send-Request "/item/$_" }
        1..7 | ForEach-Object { Send-Request "/fail/$_" }
        $spans = Stop-Trace $job | Where-Object Kind -eq Server
        $spans.Count | Should -Be 207
        ($spans.Path | Sort-Object -Unique).Count | Should -Be 207
        ($spans | Where-Object Status -eq 503).Count | Should -Be 7
        $spans | ForEach-Object {
            $_.ProcessId | Should -Be $server.Id
            $_.ServerPort | Should -Be $port
            $_.Language | Should -Be Python
            $_.ResponseBodyLength | Should -Be 5
        }
    }

    It 'traces and observes where the shell sends telemetry to <_>' -ForEach 'otlp/stdout', 'console', 'otlp' {
        # Otlp goes where nobody is: that ends no trace.
        $env:OTEL_TRACES_EXPORTER = $env:OTEL_METRICS_EXPORTER = $_
        $env:OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:$(Get-FreePort)"
        $job = Start-Trace
        1..5 | ForEach-Object { Send-Request "/item/$_" }
        @(Stop-Trace $job | Where-Object Kind -eq Server).Path | Should -Be @(1..5 | ForEach-Object { "/item/$_" })
        { Get-BeylaFlow -Interface lo -Duration 100ms -ErrorAction Stop } | Should -Not -Throw
    }

    It 'measures a slow answer' {
        $job = Start-Trace
        Send-Request '/slow'
        (Stop-Trace $job | Where-Object Kind -eq Server).Duration.TotalMilliseconds | Should -BeGreaterThan 299
    }

    It 'sends to a receiver what it emits as objects' {
        Set-Content $TestDrive/receiver.py @'
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            with open(sys.argv[2], "ab") as file: file.write(body + b"\n")
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'@
        $free = Get-FreePort
        $receiver = Start-Process python3 -ArgumentList "$TestDrive/receiver.py", $free, "$TestDrive/received" -PassThru
        try {
            $env:OTEL_EXPORTER_OTLP_PROTOCOL = 'http/json'
            $job = Start-Trace @{ Endpoint = "http://127.0.0.1:$free" }
            1..20 | ForEach-Object { Send-Request "/item/$_" }
            $spans = Stop-Trace $job
            Wait-Until { Test-Path $TestDrive/received } | Should -BeTrue
            $sent = Get-Content $TestDrive/received | ForEach-Object {
                ($_ | ConvertFrom-Json).resourceSpans.scopeSpans.spans
            }
            $sent.Count | Should -BeGreaterOrEqual 20
            $sent.spanId | Sort-Object | Should -Be ($spans.SpanId | Sort-Object)
        }
        finally { Stop-Process -Id $receiver.Id }
    }

    It 'takes the process from the pipeline' {
        $job = Get-Process -Id $server.Id | Start-BeylaTrace -AsJob
        Wait-Until { $job.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        Send-Request '/by-id'
        (Stop-Trace $job | Where-Object Path -eq /by-id).Count | Should -BeGreaterOrEqual 1
    }

    It 'takes the process by its name' {
        $name = Get-Content "/proc/$($server.Id)/comm"
        $job = Start-BeylaTrace -Name "$name*" -OpenPort $port -Kind Server -AsJob
        Wait-Until { $job.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        1..5 | ForEach-Object { Send-Request "/by-name/$_" }
        $spans = Stop-Trace $job
        $spans.Count | Should -Be 5
        $spans | ForEach-Object { $_.ProcessId | Should -Be $server.Id }
    }

    It 'asks for all that was given: an id and another port are nobody, and that is said once' {
        $other = Get-FreePort
        $job = Start-BeylaTrace -Id $server.Id -OpenPort $other -AsJob
        Wait-Until { $job.Warning.Count -gt 0 } | Should -BeTrue
        Send-Request '/not-traced'
        Stop-Job $job
        $job.Warning.Message | Should -Be "No process matches -OpenPort $other, -Id $($server.Id) yet; one that comes later is traced then."
        $job.Output.Count | Should -Be 0
        Remove-Job $job
    }

    It 'says after a while that nobody matches, and traces who comes then' {
        $late = Get-FreePort
        $job = Start-BeylaTrace $late -Kind Server -AsJob
        try {
            Wait-Until { $job.Warning.Count -gt 0 } | Should -BeTrue
            $job.Warning.Message | Should -Be "No process matches -OpenPort $late yet; one that comes later is traced then."
            $comer = Start-Process python3 -ArgumentList "$TestDrive/server.py", $late -PassThru
            Wait-Until {
                try { $null = $client.GetStringAsync("http://127.0.0.1:$late/late").GetAwaiter().GetResult(); $true } catch { $false }
            } | Should -BeTrue
            Wait-Until { $job.Output.Count -eq 1 } | Should -BeTrue
            $job.Warning.Count | Should -Be 1
        }
        finally { if ($comer) { Stop-Process -Id $comer.Id }; Remove-Job $job -Force }
    }

    It 'reads a glob with a comma beside another one as it was written' {
        Copy-Item (Get-Command sleep).Source "$TestDrive/sl,eep"
        $sleeper = Start-Process "$TestDrive/sl,eep" -ArgumentList 60 -PassThru
        try {
            $job = Start-BeylaTrace -Executable '*/sl,eep', '*/nobody-is-called-so' -AsJob
            Wait-Until { $job.Verbose -match "^Tracing process pid=$($sleeper.Id) " } | Should -BeTrue
            $null = Stop-Trace $job
        }
        finally { Stop-Process -Id $sleeper.Id }
    }

    It 'says that loopback is left out when the traffic is there, and once' {
        $shell = [powershell]::Create().AddScript('Import-Module $args[0]; Get-BeylaFlow -Follow -Port $args[1] -Verbose').
            AddArgument($Module).AddArgument($port)
        $running = $shell.BeginInvoke()
        Wait-Until { $shell.Streams.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        1..30 | ForEach-Object { Send-Request "/loopback/$_" }
        Wait-Until { $shell.Streams.Warning.Count -gt 0 } | Should -BeTrue
        $shell.Stop()
        @($shell.Streams.Warning).Count | Should -Be 1
        $shell.Streams.Warning[0].Message | Should -Match 'loopback interface is left out, and \d+ packets went through it; -Interface lo'
        $shell.Dispose()
        # Whoever names it is told nothing.
        Get-BeylaFlow -Duration 1s -Interface l* -Port $port -WarningVariable warnings -WarningAction SilentlyContinue | Out-Null
        @($warnings).Count | Should -Be 0
    }

    It 'names what a warning is about once' {
        Get-BeylaFlow -Duration 0.2s -Interface nobody9 -WarningVariable warnings -WarningAction SilentlyContinue | Out-Null
        $warnings.Message | Should -Contain 'Flows: no interface matches nobody9 now; it is observed as soon as it comes'
    }

    It 'emits the object of a request while nothing else happens (<text>)' -ForEach @(
        @{ text = 'default'; more = @{} }, @{ text = '-LowLatency'; more = @{ LowLatency = $true } }
    ) {
        # In how much time is measured by Measure-Module.ps1.
        $job = Start-Trace $more
        foreach ($i in 1..5) {
            Send-Request "/alone/$i"
            Wait-Until { @($job.Output | Where-Object Path -eq "/alone/$i").Count -gt 0 } | Should -BeTrue
        }
        $null = Stop-Trace $job
    }

    It 'is gone when the pipeline is stopped, also while nothing happens' {
        $shell = [powershell]::Create().AddScript('Import-Module $args[0]; Start-BeylaTrace -OpenPort $args[1] -Verbose').
            AddArgument($Module).AddArgument($port)
        $running = $shell.BeginInvoke()
        Wait-Until { $shell.Streams.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        $id = [int] ([regex] 'process (\d+)').Match(($shell.Streams.Verbose -match '^Agent ')[0].Message).Groups[1].Value
        Test-Alive $id | Should -BeTrue
        $shell.Stop()
        Test-Alive $id | Should -BeFalse
        $shell.Dispose()
    }

    It 'is gone when PowerShell is killed, also while nothing happens' {
        $start = [Diagnostics.ProcessStartInfo]::new('pwsh')
        '-NoProfile', '-Command', "Import-Module '$Module'; Start-BeylaTrace -OpenPort $port -Verbose" |
            ForEach-Object { $start.ArgumentList.Add($_) }
        $start.RedirectStandardOutput = $true
        $shell = [Diagnostics.Process]::Start($start)
        $id = 0
        while ($line = $shell.StandardOutput.ReadLine()) {
            if ($line -match 'runs as process (\d+)') { $id = [int] $Matches[1] }
            if ($line -match 'Beyla is tracing') { break }
        }
        Test-Alive $id | Should -BeTrue
        $shell.Kill()
        Wait-Until { -not (Test-Alive $id) } | Should -BeTrue
    }

    It 'is gone after <end>, and nothing of it stays in the kernel' -ForEach @(
        @{ end = 'Ctrl+C'; rest = '-Verbose' }
        @{ end = 'Select-Object -First'; rest = '-Verbose | Select-Object -First 1' }
        @{ end = 'an exception downstream'; rest = "-Verbose | ForEach-Object { throw 'downstream' }" }
        @{ end = 'Stop-Job'; rest = '-AsJob' }
        @{ end = 'Remove-Module'; rest = '-AsJob' }
        @{ end = 'exit'; rest = '-AsJob' }
        @{ end = 'SIGTERM to PowerShell'; rest = '-Verbose' }
        @{ end = 'SIGKILL to PowerShell'; rest = '-Verbose' }
        @{ end = 'SIGKILL to PowerShell with a job'; rest = '-AsJob' }
        @{ end = 'the end of the terminal'; rest = '-Verbose' }
        @{ end = 'the end of the terminal with a job'; rest = '-AsJob' }
        @{ end = 'SIGKILL to the agent'; rest = '-Verbose' }
    ) {
        if (@(Get-Command tmux, bpftool, pgrep -ErrorAction Ignore).Count -ne 3) {
            Set-ItResult -Skipped -Because 'tmux, bpftool or pgrep is not installed'
        }
        $terminal = Start-Terminal
        try {
            $command = "Start-BeylaTrace -OpenPort $port $rest"
            $begun = 'Beyla is tracing'
            if ($rest -eq '-AsJob') {
                $command = "`$job = $command; while (-not (`$job.Verbose -match '$begun')) { Start-Sleep -Milliseconds 50 }; " +
                    "'it ' + 'traces'"
                $begun = 'it traces'
            }
            Send-Key $terminal $command, Enter
            Wait-Until { (Get-Screen $terminal) -match $begun } | Should -BeTrue -Because (Get-Screen $terminal)
            $id = [int] (pgrep -x beyla -P $terminal.ShellId)
            $held = Get-KernelObject $id
            $held -match '^prog ' | Should -Not -BeNullOrEmpty
            $held -match '^map ' | Should -Not -BeNullOrEmpty
            Select-InKernel $held | Should -Be $held

            switch -Wildcard ($end) {
                'Ctrl+C' { Send-Key $terminal C-c }
                'Stop-Job' { Send-Key $terminal 'Stop-Job $job', Enter }
                'Remove-Module' { Send-Key $terminal 'Remove-Module Beyla', Enter }
                'exit' { Send-Key $terminal 'exit', Enter }
                'SIGTERM to PowerShell' { kill -TERM $terminal.ShellId }
                'SIGKILL to PowerShell*' { kill -KILL $terminal.ShellId }
                'the end of the terminal*' { Close-Terminal $terminal }
                'SIGKILL to the agent' { kill -KILL $id }
                default { Send-Request '/end' }
            }
            Wait-Until { -not (Test-Alive $id) -and -not (Select-InKernel $held) } |
                Should -BeTrue -Because "alive: $(Test-Alive $id), in the kernel: $(Select-InKernel $held)"
        }
        finally { Clear-Terminal $terminal }
    }

    It 'traces twice at once' {
        $one = Start-Trace; $two = Start-Trace
        1..20 | ForEach-Object { Send-Request "/both/$_" }
        (Stop-Trace $one | Where-Object Kind -eq Server).Count | Should -Be 20
        (Stop-Trace $two | Where-Object Kind -eq Server).Count | Should -Be 20
    }

    It 'refuses a wrong setting by name' {
        { Start-BeylaTrace -OpenPort $port -Setting @{ 'ebpf.ring_syze' = 1 } } |
            Should -Throw '*ebpf.ring_syze*' -ErrorId 'ConfigurationInvalid,*'
    }

    It 'sums agree: produced = emitted + aggregated + filtered + lost + held' {
        $job = Start-Trace
        1..50 | ForEach-Object { Send-Request "/count/$_" }
        Stop-Job $job
        $counters = $job.Information[0].MessageData
        $counters.Places.Count | Should -BeGreaterThan 3
        $counters.Places | ForEach-Object { $_.Balanced | Should -BeTrue -Because $_.Place }
        ($counters.Places | Where-Object { $_.Place -eq 'printer' -and $_.Unit -eq 'spans' }).Emitted | Should -Be $job.Output.Count
        Remove-Job $job
    }

    It 'shows the flows of loopback when it is named, with their process' {
        $job = Get-BeylaFlow -Duration 3s -Interface lo -Port $port -AsJob
        Wait-Until { $job.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        1..20 | ForEach-Object { Send-Request "/flow/$_" }
        $flows = $job | Receive-Job -Wait -AutoRemoveJob
        ($flows | Measure-Object Packets -Sum).Sum | Should -BeGreaterThan 40
        $flows | ForEach-Object { $_.Interface | Should -Be 'lo'; $_.Transport | Should -Be Tcp }
        $flows.OwningProcess | Should -Contain $server.Id
    }

    It 'tells what is needed: <_>' -ForEach 'Network', 'NetworkTrafficControl', 'Application', 'ApplicationPropagation' {
        $rows = Test-BeylaCapability -Scenario $_ -WarningAction Ignore
        $rows.Capability | Should -Contain Bpf
        $rows | Where-Object Needed | ForEach-Object { $_.WithoutIt | Should -Not -BeNullOrEmpty; $_.UsedBy | Should -Not -BeNullOrEmpty }
        ($rows | Out-String -Width 80) -split "`n" | ForEach-Object { $_.TrimEnd().Length | Should -BeLessOrEqual 80 }
    }

    It 'really loads with -Probe' {
        $probes = Test-BeylaCapability -Scenario Network -Probe -Verbose 4>&1 | Where-Object { "$_" -match ': Yes$' }
        $probes.Count | Should -BeGreaterOrEqual 2
    }

    Describe 'as an ordinary user' {
        BeforeAll {
            if ($reason) { return }
            # A copy, so that the capabilities of the build are left alone.
            $home65534 = "$TestDrive/user"
            Copy-Item $Module $home65534/Beyla -Recurse
            $agent = "$home65534/Beyla/bin/beyla"
            chmod -R a+rX $TestDrive
            for ($folder = "$TestDrive"; $folder -ne '/tmp' -and $folder -ne '/'; $folder = Split-Path $folder) { chmod a+x $folder }
            $caught = 'catch { $_.FullyQualifiedErrorId; $_.ErrorDetails.RecommendedAction }'
            function Invoke-AsUser([string] $Script) {
                $own = "`$PSStyle.OutputRendering = 'PlainText'; Import-Module '$home65534/Beyla'; $Script"
                setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=$home65534 pwsh -NoProfile -Command $own 2>&1
            }
            chown 65534:65534 $home65534
        }
        BeforeEach {
            if ($reason) { Set-ItResult -Skipped -Because $reason }
            elseif (-not (Get-Command setpriv -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'setpriv is not installed' }
        }

        It 'without capabilities the answer is no, with reasons, and nothing is set' {
            Set-BeylaCapability -AgentPath $agent -Clear
            @(Invoke-AsUser "Test-BeylaCapability -OpenPort $port -Quiet")[-1] | Should -Be 'False'
            "$(Invoke-AsUser "try { Start-BeylaTrace -OpenPort $port -EnforceCapability } catch { `$_.FullyQualifiedErrorId }")" |
                Should -Match 'CapabilityMissing,'
            foreach ($command in "Start-BeylaTrace -OpenPort $port", 'Get-BeylaFlow') {
                $text = (Invoke-AsUser "try { $command -WarningAction Ignore } $caught") -join "`n"
                $text | Should -Match '(?m)^CapabilityMissing,'
                $text | Should -Match "(?m)^Run: sudo setcap .*$agent, or Set-BeylaCapability"
            }
            $text = (Invoke-AsUser "try { Set-BeylaCapability -OpenPort $port } $caught") -join "`n"
            $text | Should -Match '(?m)^CapabilityNotPermitted,'
            $text | Should -Match "(?m)^sudo setcap [a-z_,]*cap_bpf[a-z_,]*=p .*$agent"
        }

        It 'with what was set it traces' {
            Set-BeylaCapability -AgentPath $agent -OpenPort $port
            @(Invoke-AsUser "Test-BeylaCapability -OpenPort $port -Quiet")[-1] | Should -Be 'True'
            $send = @"
`$job = Start-BeylaTrace -OpenPort $port -AsJob
while (-not (`$job.Verbose -match 'is tracing')) { Start-Sleep -Milliseconds 50 }
1..10 | ForEach-Object { `$null = Invoke-WebRequest http://127.0.0.1:$port/user/`$_ }
Start-Sleep -Milliseconds 500
Stop-Job `$job
@(Receive-Job `$job | Where-Object { `$_.Kind -eq 'Server' -and `$_.Path -like '/user/*' }).Count
@(`$job.Warning).Count
"@
            (Invoke-AsUser $send)[-2, -1] | Should -Be 10, 0
        }

        It 'flows of a process fail without CAP_PERFMON, which is named; other flows warn' {
            setcap cap_bpf,cap_net_raw=p $agent
            $script = "try { Get-Process -Id `$PID | Get-BeylaFlow -Duration 300ms -WarningAction Ignore } " +
                "catch { `$_.FullyQualifiedErrorId; `$_.Exception.Message; `$_.ErrorDetails.RecommendedAction }"
            $text = (Invoke-AsUser $script) -join "`n"
            $text | Should -Match '(?m)^CapabilityMissing,'
            $text | Should -Match 'CAP_PERFMON'
            $text | Should -Match "(?m)^Run: sudo setcap cap_net_raw,cap_perfmon,cap_bpf=p .*$agent"
            $script = "Get-BeylaFlow -Duration 300ms -WarningVariable seen -WarningAction Ignore | Out-Null; 'warned: ' + `$seen"
            (Invoke-AsUser $script) -join "`n" | Should -Match 'warned: .*Flows name no process.*CAP_PERFMON'
            setcap cap_bpf,cap_net_raw,cap_perfmon=p $agent
            $script = "Get-Process -Id `$PID | Get-BeylaFlow -Duration 300ms -WarningVariable seen | Out-Null; " +
                "'warned: ' + `$seen + ', errors: ' + `$Error.Count"
            (Invoke-AsUser $script) -join "`n" | Should -Match '(?m)^warned: (?!.*CAP_).*, errors: 0'
        }

        It 'with the minimal set it traces without a warning, and what is enforced stays enforced' {
            Set-BeylaCapability -AgentPath $agent -OpenPort $port -Minimal
            $trace = @"
`$job = Start-BeylaTrace -OpenPort $port -AsJob
while (-not (`$job.Verbose -match 'is tracing')) { Start-Sleep -Milliseconds 50 }
`$null = Invoke-WebRequest http://127.0.0.1:$port/minimal
Start-Sleep -Milliseconds 500
Stop-Job `$job
@(`$job.Output | Where-Object { `$_.Kind -eq 'Server' -and `$_.Path -eq '/minimal' }).Count
@(`$job.Warning).Count
"@
            (Invoke-AsUser $trace)[-2, -1] | Should -Be 1, 0
            "$(Invoke-AsUser "try { Start-BeylaTrace -OpenPort $port -EnforceCapability } catch { `$_.FullyQualifiedErrorId }")" |
                Should -Match 'CapabilityMissing,'
        }

        It 'what is added serves both, and the remedy of one use does not take the other away' {
            Set-BeylaCapability -AgentPath $agent -OpenPort $port -Minimal
            $before = getcap $agent
            $text = (Invoke-AsUser "try { Get-BeylaFlow -WarningAction Ignore } $caught") -join "`n"
            $text | Should -Match '(?m)^CapabilityMissing,'
            $text | Should -Match ('(?m)^Run: sudo setcap ' +
                '(?=\S*cap_net_raw)(?=\S*cap_perfmon)(?=\S*cap_sys_ptrace)(?=\S*cap_dac_read_search)\S+=p ' +
                ".*$agent, or Set-BeylaCapability -Network -Add, as root\.")
            $rows = Set-BeylaCapability -AgentPath $agent -Network -Minimal -Add -PassThru
            # What tracing needs is of use to flows as well: it tells their services.
            ($rows | Where-Object State -eq Granted).Name |
                Should -Be 'CAP_DAC_READ_SEARCH', 'CAP_NET_RAW', 'CAP_SYS_PTRACE', 'CAP_PERFMON', 'CAP_BPF'
            getcap $agent | Should -Not -Be $before
            $script = "Test-BeylaCapability -OpenPort $port -Quiet -Minimal; Test-BeylaCapability -Network -Quiet -Minimal"
            @(Invoke-AsUser $script)[-2, -1] | Should -Be 'True', 'True'
        }

        It 'root sees with -PassThru what the file has, and not what root has' {
            $rows = Set-BeylaCapability -AgentPath $agent -Network -Minimal -PassThru
            ($rows | Where-Object State -eq Granted).Name | Should -Be 'CAP_NET_RAW', 'CAP_BPF'
            $rows = Test-BeylaCapability -AgentPath $agent -OpenPort $port -WarningAction Ignore |
                Where-Object Name -eq CAP_BPF |
                Set-BeylaCapability -AgentPath $agent -PassThru
            $rows.Name | Should -Be 'CAP_BPF'
            $rows.State | Should -Be 'Granted'
            (Set-BeylaCapability -AgentPath $agent -Clear -PassThru | Where-Object State -eq Granted) | Should -BeNullOrEmpty
        }

        It 'what the rows of a report name is set, and no more' {
            Test-BeylaCapability -AgentPath $agent -Scenario Network |
                Where-Object Capability -in Bpf, NetRaw |
                Set-BeylaCapability -AgentPath $agent
            getcap $agent | Should -Match 'cap_net_raw,cap_bpf=p|cap_bpf,cap_net_raw=p'
        }
    }
}
