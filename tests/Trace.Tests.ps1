Describe 'Start-BeylaTrace' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $PSDefaultParameterValues['*-Beyla*:AgentPath'] = "$Agents/spans"
        function Get-Recorded { Get-Content $TestDrive/record }
    }
    AfterEach { Clear-AgentEnvironment }

    Describe 'passes its parameters to the agent' {
        BeforeEach { $env:RECORD = "$TestDrive/record"; $env:ENDS = '0' }

        It '<text>' -ForEach @(
            @{ text = '-OpenPort 8080'; variable = 'BEYLA_OPEN_PORT=8080' }
            @{ text = '8080,9000-9010'; variable = 'BEYLA_OPEN_PORT=8080,9000-9010' }
            @{ text = '-Executable */nginx'; variable = 'BEYLA_AUTO_TARGET_EXE=*/nginx' }
            @{ text = '-Executable */nginx, */node'; variable = 'BEYLA_AUTO_TARGET_EXE={*/nginx,*/node}' }
            @{ text = "-Executable 'a,b', '*/x'"; variable = 'BEYLA_AUTO_TARGET_EXE={a\,b,*/x}' }
            @{ text = '-Id 12, 34'; variable = 'BEYLA_TARGET_PID=12,34' }
            @{ text = '-PID 12'; variable = 'BEYLA_TARGET_PID=12' }
            @{ text = '-OwningProcess 12'; variable = 'BEYLA_TARGET_PID=12' }
            # Ids alone would rule, whatever else is given: together they are the fields of one entry.
            @{
                text = "-Id 12, 34 -OpenPort 80, 90-99 -Executable '*/a`"b' -Language Go"
                variable = 'arguments: --set discovery.instrument=' +
                    '[{target_pids: "12,34", open_ports: "80,90-99", exe_path: "*/a\"b", languages: "go"}]'
            }
            @{ text = '-Id 12 -OpenPort 80'; variable = 'BEYLA_OPEN_PORT=' }
            @{ text = '-Id 12 -OpenPort 80'; variable = 'BEYLA_TARGET_PID=' }
            @{ text = '-Language go, NodeJs'; variable = 'BEYLA_AUTO_TARGET_LANGUAGE={go,nodejs}' }
            @{ text = '-ContextPropagation Headers'; variable = 'BEYLA_BPF_CONTEXT_PROPAGATION=headers' }
            @{ text = '-EnforceCapability'; variable = 'BEYLA_ENFORCE_SYS_CAPS=1' }
            @{ text = '-RequestTimeout 1.5s'; variable = 'BEYLA_BPF_HTTP_REQUEST_TIMEOUT=1500ms' }
            @{ text = '-Exporter Otlp'; variable = 'OTEL_TRACES_EXPORTER=otlp' }
            @{ text = '-Exporter None'; variable = 'OTEL_TRACES_EXPORTER=none' }
            @{ text = '-Endpoint http://localhost:4317'; variable = 'OTEL_TRACES_EXPORTER=otlp' }
            @{ text = '-Endpoint http://localhost:4317'; variable = 'OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317' }
            @{ text = '-Endpoint http://localhost:4317'; variable = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=' }
            @{ text = '-Endpoint http://localhost:4317'; variable = 'OTEL_METRICS_EXPORTER=none' }
            @{ text = '-LowLatency'; variable = 'BEYLA_BPF_POLL_INTERVAL=1ms' }
            @{ text = ''; variable = 'BEYLA_TRACE_PRINTER=json' }
            @{ text = ''; variable = 'BEYLA_NETWORK_METRICS=0' }
            @{ text = ''; variable = 'BEYLA_EXIT_WITH_PARENT=1' }
            @{ text = ''; variable = 'BEYLA_LOG_FORMAT=text' }
            @{ text = "-ConfigPath $PSCommandPath"; variable = "BEYLA_CONFIG_PATH=$PSCommandPath" }
            @{ text = "-Setting @{ 'ebpf.ring_size' = 64MB }"; variable = 'arguments: --set ebpf.ring_size=67108864' }
            @{ text = "-Setting @{ 'a.b' = `$true }"; variable = 'arguments: --set a.b=true' }
            @{ text = "-Setting @{ 'a.b' = 'x', 'y' }"; variable = 'arguments: --set a.b=x,y' }
        ) {
            $null = Invoke-Expression "Start-BeylaTrace $text 5> `$null"
            Get-Recorded | Should -Contain $variable
        }

        It 'by the pipeline from Get-Process' {
            Get-Process -Id $PID, 1 | Start-BeylaTrace | Out-Null
            Get-Recorded | Should -Contain "BEYLA_TARGET_PID=1,$PID"
        }

        It 'by the pipeline from Get-BeylaFlow, where a flow without a process is passed over' {
            Get-BeylaFlow -AgentPath "$Agents/flows" -Duration 200ms |
                Start-BeylaTrace -ErrorVariable problems -WarningAction Ignore |
                Out-Null
            Get-Recorded | Should -Contain 'BEYLA_TARGET_PID=4242'
            $problems | Should -BeNullOrEmpty
        }

        It 'by a name, which is that of ps, with wildcards' {
            # A copy of sleep by a name of its own: as a process that calls itself otherwise, like a worker of nginx, is.
            $name = "bn$PID"
            Copy-Item (Get-Command sleep).Source $TestDrive/$name
            $command = "`"exec -a '${name}: worker process' $TestDrive/$name 60`""
            $processes = 1..2 | ForEach-Object { Start-Process bash -ArgumentList '-c', $command -PassThru }
            try {
                Wait-Until { @($processes | Where-Object { (Get-Content "/proc/$($_.Id)/comm") -eq $name }).Count -eq 2 } | Should -BeTrue
                Get-Process $name -ErrorAction Ignore | Should -BeNullOrEmpty
                foreach ($pattern in $name, "b?$PID*", $name.ToUpperInvariant()) {
                    Start-BeylaTrace -Name $pattern | Out-Null
                    Get-Recorded | Should -Contain "BEYLA_TARGET_PID=$(($processes.Id | Sort-Object) -join ',')"
                }
                Start-BeylaTrace -Name $name, nobody-is-called-so -WarningVariable warnings -WarningAction SilentlyContinue | Out-Null
                @($warnings).Message | Should -Be "No process is named 'nobody-is-called-so' now."
            }
            finally { $processes | ForEach-Object { kill -KILL $_.Id } }
        }

        It 'and fails when nobody has the name' {
            Remove-Item $TestDrive/record -ErrorAction Ignore
            { Start-BeylaTrace -Name nobody-is-called-so } | Should -Throw "*'nobody-is-called-so'*" -ErrorId 'ProcessNotFound,*'
            Test-Path $TestDrive/record | Should -BeFalse
        }

        It 'and starts none when no process came from the pipeline' {
            Remove-Item $TestDrive/record -ErrorAction Ignore
            @() | Start-BeylaTrace -OpenPort 80 | Should -BeNullOrEmpty
            Test-Path $TestDrive/record | Should -BeFalse
            # A host gives every pipeline an input, and that alone is no sign.
            $shell = [powershell]::Create().AddScript('Import-Module $args[0]').AddArgument($Module)
            $null = $shell.Invoke()
            $shell.Commands.Clear()
            $null = $shell.AddCommand('Start-BeylaTrace').AddParameter('AgentPath', "$Agents/spans")
            $shell.Invoke().Count | Should -Be 10
            $shell.Dispose()
        }

        It 'and warns of a process that is not there' {
            Start-BeylaTrace -Id $PID, 2147483647 -WarningVariable warnings -WarningAction SilentlyContinue | Out-Null
            @($warnings).Message | Should -Be 'There is no process 2147483647 now, or this user may not see it.'
        }

        It 'with the log level that the debug stream asks for' {
            $DebugPreference = 'Continue'
            Start-BeylaTrace 5> $null | Out-Null
            Get-Recorded | Should -Contain 'BEYLA_LOG_LEVEL=DEBUG'
        }

        It 'and lets the environment configure the rest' {
            $env:BEYLA_OPEN_PORT = '81'; $env:BEYLA_BPF_RING_SIZE = '8192'
            Start-BeylaTrace -OpenPort 82 | Out-Null
            Get-Recorded | Should -Contain 'BEYLA_OPEN_PORT=82'
            Get-Recorded | Should -Contain 'BEYLA_BPF_RING_SIZE=8192'
        }

        It 'and keeps the output for itself where the shell gives it to <said>' -ForEach @(
            @{ said = 'otlp/stdout'; left = 'none' }
            @{ said = 'console, OTLP/stdout'; left = 'console' }
            @{ said = 'otlp'; left = 'otlp' }
        ) {
            $env:OTEL_TRACES_EXPORTER = $env:OTEL_METRICS_EXPORTER = $said
            Start-BeylaTrace | Out-Null
            Get-Recorded | Should -Contain "OTEL_TRACES_EXPORTER=$left"
            Get-Recorded | Should -Contain "OTEL_METRICS_EXPORTER=$left"
            Start-BeylaTrace -Exporter Otlp | Out-Null
            Get-Recorded | Should -Contain 'OTEL_TRACES_EXPORTER=otlp'
        }

        It 'relative to the current location' {
            Push-Location $TestDrive
            Set-Content beyla.yml 'open_port: 80'
            Start-BeylaTrace -ConfigPath ./beyla.yml | Out-Null
            Pop-Location
            Get-Recorded | Should -Contain "BEYLA_CONFIG_PATH=$TestDrive/beyla.yml"
        }
    }

    Describe 'refuses' {
        It '<text>' -ForEach @(
            @{ text = '-OpenPort http'; part = "'http' is neither a port" }
            @{ text = '-OpenPort 70000'; part = 'between 1 and 65535' }
            @{ text = '-OpenPort 90-80'; part = 'ends before it begins' }
            @{ text = '-Duration soon'; part = "'soon' is not a duration" }
            @{ text = '-Duration 0'; part = 'above zero' }
            @{ text = '-MaximumCount 0'; part = 'MaximumCount' }
            @{ text = '-Id 0'; part = 'Id' }
            @{ text = '-Kind Proxy'; part = 'Kind' }
            @{ text = "-Executable 'a\', 'b'"; part = 'backslash' }
            @{ text = '-Language cobol'; part = 'cobol' }
        ) {
            { Invoke-Expression "Start-BeylaTrace $text" } | Should -Throw "*$part*"
        }
    }

    Describe 'ends' {
        BeforeEach { $env:RECORD = "$TestDrive/record" }
        AfterEach {
            [Beyla.PowerShell.Agent.LiveAgents]::Count | Should -Be 0
            Test-Alive (Get-Content $TestDrive/record.pid) | Should -BeFalse
        }

        It 'after -MaximumCount' {
            (Start-BeylaTrace -MaximumCount 4).Count | Should -Be 4
            (Start-BeylaTrace -MaxEvents 4).Count | Should -Be 4
        }

        It 'after so many spans of a kind' {
            $line = '{{"type":"span","kind":"{0}","start":"2026-01-02T03:04:05Z","durationUSec":1,"path":"/{1}","pid":1}}'
            1..6 | ForEach-Object { $line -f ($_ % 3 ? 'client' : 'server'), $_ } | Set-Content $TestDrive/kinds
            $env:FILE = "$TestDrive/kinds"
            (Start-BeylaTrace -Kind Server -MaximumCount 2).Path | Should -Be '/3', '/6'
            (Start-BeylaTrace -Kind Client -MaximumCount 4).Path | Should -Be '/1', '/2', '/4', '/5'
        }

        It 'after -Duration' {
            $time = Measure-Command { $script:spans = Start-BeylaTrace -Duration 1s }
            $spans.Count | Should -Be 10
            $time.TotalSeconds | Should -BeGreaterThan 0.99
        }

        It 'when the pipeline has enough' {
            $env:COUNT = 100000
            (Start-BeylaTrace | Select-Object -First 3).Count | Should -Be 3
        }

        It 'when the pipeline throws' {
            { Start-BeylaTrace | ForEach-Object { throw 'downstream' } } | Should -Throw 'downstream'
        }

        It 'when the agent ends' { $env:ENDS = '0'; (Start-BeylaTrace).Count | Should -Be 10 }

        It 'when the pipeline is stopped' {
            $shell = [powershell]::Create().AddScript('Import-Module $args[0]; Start-BeylaTrace -AgentPath $args[1]').
                AddArgument($Module).AddArgument("$Agents/spans")
            $output = [Management.Automation.PSDataCollection[psobject]]::new()
            $running = $shell.BeginInvoke([Management.Automation.PSDataCollection[psobject]]::new(), $output)
            Wait-Until { $output.Count -eq 10 } | Should -BeTrue
            $shell.Stop()
            $shell.Dispose()
        }

        It 'when an agent that ignores everything is stopped' {
            $env:MODE = 'stubborn'
            $span = Start-BeylaTrace -AgentPath $Agents/broken | Select-Object -First 1
            Test-Alive $span.ProcessId | Should -BeFalse
        }

        It 'with the module' {
            $script = @"
Import-Module '$Module'
`$job = Start-BeylaTrace -AgentPath '$Agents/spans' -AsJob
while (`$job.Output.Count -lt 10) { Start-Sleep -Milliseconds 20 }
Remove-Module Beyla
[Beyla.PowerShell.Agent.LiveAgents]::Count
"@
            pwsh -NoProfile -Command $script | Should -Be 0
        }

        It 'with the module, but not with that of another runspace' {
            $script = @"
Import-Module '$Module'
`$job = Start-BeylaTrace -AgentPath '$Agents/spans' -AsJob
while (`$job.Output.Count -lt 10) { Start-Sleep -Milliseconds 20 }
1 | ForEach-Object -Parallel { Import-Module '$Module'; Remove-Module Beyla }
`$job.State
[Beyla.PowerShell.Agent.LiveAgents]::Count
"@
            pwsh -NoProfile -Command $script | Should -Be 'Running', '1'
        }

        It 'while PowerShell still takes its time to end' {
            # A handler of the end that hangs, as a host's may.
            $script = @"
Import-Module '$Module'
`$job = Start-BeylaTrace -AgentPath '$Agents/spans' -AsJob
while (`$job.Output.Count -lt 10) { Start-Sleep -Milliseconds 20 }
Add-Type 'public static class Slow {
    public static void Hook() {
        System.AppDomain.CurrentDomain.ProcessExit += (s, e) => System.Threading.Thread.Sleep(6000);
    }
}'
[Slow]::Hook()
'hooked'
"@
            $start = [Diagnostics.ProcessStartInfo]::new('pwsh', [string[]] @('-NoProfile', '-Command', $script))
            $start.RedirectStandardOutput = $true
            $shell = [Diagnostics.Process]::Start($start)
            $shell.StandardOutput.ReadLine() | Should -Be 'hooked'
            $id = Get-Content $TestDrive/record.pid
            Wait-Until { -not (Test-Alive $id) } 2 | Should -BeTrue
            $shell.HasExited | Should -BeFalse
            $shell.Kill()
        }
    }

    Describe 'fails' {
        BeforeAll { $PSDefaultParameterValues['*-Beyla*:AgentPath'] = "$Agents/broken" }
        AfterAll { $PSDefaultParameterValues['*-Beyla*:AgentPath'] = "$Agents/spans" }

        It 'with <id> when the agent is <mode>' -ForEach @(
            @{ mode = 'garbage'; id = 'StreamInvalid'; category = 'ParserError' }
            @{ mode = 'newer'; id = 'StreamVersionNotSupported'; category = 'InvalidData' }
            @{ mode = 'killed'; id = 'AgentDied'; category = 'ConnectionError' }
            @{ mode = 'failed'; id = 'AgentFailed'; category = 'OpenError' }
            @{ mode = 'usage'; id = 'ConfigurationInvalid'; category = 'InvalidArgument' }
            @{ mode = 'capability'; id = 'CapabilityMissing'; category = 'PermissionDenied' }
            @{ mode = 'nothing'; id = 'AgentSilent'; category = 'OperationTimeout' }
        ) {
            $env:MODE = $mode
            $caught = $null
            try { Start-BeylaTrace | Out-Null } catch { $caught = $_ }
            $caught.FullyQualifiedErrorId | Should -Be "$id,Beyla.PowerShell.Commands.StartBeylaTraceCommand"
            $caught.CategoryInfo.Category | Should -Be $category
            $caught.TargetObject | Should -Not -BeNullOrEmpty
            $caught.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
            $caught.Exception.Message.Length | Should -BeLessThan 1000
        }

        It 'with a recommendation in terms of parameters when nothing was chosen' {
            $env:MODE = 'usage'
            $caught = foreach ($more in @{}, @{ OpenPort = 80 }) { try { Start-BeylaTrace @more } catch { $_ } }
            $caught.FullyQualifiedErrorId | Should -Be (@('ConfigurationInvalid,Beyla.PowerShell.Commands.StartBeylaTraceCommand') * 2)
            $caught[0].ErrorDetails.RecommendedAction | Should -Match '-OpenPort.*-Name'
            $caught[1].ErrorDetails.RecommendedAction | Should -Not -Match '-OpenPort'
        }

        It 'with <id> for <path>' -ForEach @(
            @{ path = '/nonexistent/beyla'; id = 'AgentNotFound' }
            @{ path = '/etc/hostname'; id = 'AgentNotExecutable' }
        ) {
            { Start-BeylaTrace -AgentPath $path } | Should -Throw -ErrorId "$id,Beyla.PowerShell.Commands.StartBeylaTraceCommand"
        }

        It 'with AgentWrongArchitecture for a program of another processor' {
            $bytes = [IO.File]::ReadAllBytes((Get-Command sleep).Source)
            $bytes[18] = 243
            [IO.File]::WriteAllBytes("$TestDrive/riscv", $bytes)
            chmod +x "$TestDrive/riscv"
            { Start-BeylaTrace -AgentPath $TestDrive/riscv } | Should -Throw '*RISC-V*' -ErrorId 'AgentWrongArchitecture,*'
        }

        It 'with AgentNotStarted when the operating system refuses' {
            # A script whose interpreter is missing.
            Set-Content $TestDrive/orphan '#!/nonexistent/interpreter'
            chmod +x "$TestDrive/orphan"
            { Start-BeylaTrace -AgentPath $TestDrive/orphan } | Should -Throw -ErrorId 'AgentNotStarted,*'
        }

        It 'with ConfigurationNotFound' {
            { Start-BeylaTrace -ConfigPath /nonexistent.yml } | Should -Throw -ErrorId 'ConfigurationNotFound,*'
        }

        It 'not at all for a bad line: an error beside the spans (<mode>, <id>)' -ForEach @(
            @{ mode = 'badline'; id = 'StreamLineInvalid'; count = 2 }
            @{ mode = 'half'; id = 'StreamLineInvalid'; count = 1 }
            @{ mode = 'long'; id = 'StreamLineTooLong'; count = 2 }
        ) {
            $env:MODE = $mode
            $spans = @(Start-BeylaTrace -ErrorVariable problems -ErrorAction SilentlyContinue)
            $spans.Count | Should -Be $count
            $problems.Count | Should -Be 1
            $problems[0].FullyQualifiedErrorId | Should -Be "$id,Beyla.PowerShell.Commands.StartBeylaTraceCommand"
            { Start-BeylaTrace -ErrorAction Stop } | Should -Throw
        }
    }

    Describe 'tells beside the spans' {
        It 'loss, once, and the counters at the end' {
            $env:LOST = 7
            $spans = Start-BeylaTrace -MaximumCount 3 -WarningVariable warnings -WarningAction SilentlyContinue -InformationVariable summary
            $spans | ForEach-Object { $_ | Should -BeOfType Beyla.Span }
            @($warnings).Count | Should -Be 1
            $warnings[0].Message | Should -Match 'lost 7 spans at printer'
            $summary.Tags | Should -Be 'Beyla.Summary'
            $summary.MessageData.Lost | Should -Be 7
        }

        It 'that no process matches yet, and what may be meant' {
            $env:COUNT = 0; $env:PROCESSES = 0
            Start-BeylaTrace 8099 -Duration 0.2s -WarningVariable warnings -WarningAction SilentlyContinue | Should -BeNullOrEmpty
            @($warnings).Message | Should -Be 'No process matches -OpenPort 8099 yet; one that comes later is traced then.'
            Start-BeylaTrace -Executable nginx -Duration 0.2s -WarningVariable warnings -WarningAction SilentlyContinue |
                Should -BeNullOrEmpty
            @($warnings).Count | Should -Be 1
            $warnings[0].Message | Should -Match "'\*/nginx' may be meant"
            $env:PROCESSES = 1
            Start-BeylaTrace 8099 -Duration 0.2s -WarningVariable warnings -WarningAction SilentlyContinue | Should -BeNullOrEmpty
            @($warnings).Count | Should -Be 0
        }

        It 'the same warning once' {
            $env:MODE = 'warning'
            Start-BeylaTrace -AgentPath $Agents/broken -Duration 0.5s -WarningVariable warnings -WarningAction SilentlyContinue | Out-Null
            @($warnings).Count | Should -Be 1
        }

        It 'what was started and decided, as verbose' {
            $verbose = Start-BeylaTrace -MaximumCount 1 -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }
            "$verbose" | Should -Match 'Starting BEYLA_.*agents/spans'
            "$verbose" | Should -Match 'Beyla is tracing source=Tracepoints'
        }
    }

    Describe 'works' {
        It 'with a line of a hundred megabytes in little memory' {
            # A shell of its own, in which nothing else allocates.
            $script = "Import-Module '$Module'; `$env:MODE = 'badline'; " +
                "Start-BeylaTrace -AgentPath '$Agents/broken' -MaximumCount 2 -ErrorAction Ignore | Out-Null; " +
                "`$env:MODE = 'long'; `$before = [GC]::GetTotalAllocatedBytes(`$true); " +
                "@(Start-BeylaTrace -AgentPath '$Agents/broken' -MaximumCount 2 -ErrorAction Ignore).Count; " +
                "[GC]::GetTotalAllocatedBytes(`$true) - `$before"
            $count, $allocated = pwsh -NoProfile -Command $script
            $count | Should -Be 2
            [long] $allocated | Should -BeLessThan 32MB
        }

        It 'with 200,000 spans without loss or growth' {
            $env:COUNT = 200000
            $seen = 0L; $sum = 0L
            Start-BeylaTrace -MaximumCount 1000 | Out-Null
            $before = [GC]::GetTotalMemory($true)
            Start-BeylaTrace -MaximumCount 200000 | ForEach-Object { $seen++; $sum += [long] $_.Query.Substring(3) }
            $seen | Should -Be 200000
            $sum | Should -Be (200000L * 199999 / 2)
            [GC]::GetTotalMemory($true) - $before | Should -BeLessThan 16MB
        }
    }
}
