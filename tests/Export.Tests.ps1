# Export-BeylaTrace: first with a planted agent, which shows what goes to it and what comes of what it does; then with the real one, which needs
# no capability for this. What the real one traced on this kernel is in Export.Live.Tests.ps1.
Describe 'Export-BeylaTrace' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        # The examples of the page, each with an identity of its own.
        $lines = @(Get-Content $Root/docs/stream.md | Where-Object { $_ -like '{"type":"span"*' } | ForEach-Object { $number = 0 } {
                $_ -replace '"spanId":"\w+"', ('"spanId":"{0:x16}"' -f ++$number)
            })
        Set-Content $TestDrive/lines.jsonl $lines
        $env:FILE = "$TestDrive/lines.jsonl"
        $spans = @(Start-BeylaTrace -AgentPath $Agents/spans -OpenPort 8080 -MaximumCount $lines.Count)
        Clear-AgentEnvironment
        $planted = @{ AgentPath = "$Agents/export" }

        # What a line says, in one form. An object holds hidden characters spelled out.
        function Get-Meaning([string[]] $Line) {
            $Line | ForEach-Object { $_.Replace('\u001b', '\\x1b') | ConvertFrom-Json | ConvertTo-Json -Depth 9 -Compress }
        }
        function Get-Sent { Get-Content "$env:RECORD.in" }
        function Get-Id([scriptblock] $Script) {
            $ErrorActionPreference = 'Continue'
            try { & $Script 2>&1 | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | ForEach-Object FullyQualifiedErrorId }
            catch { "stopped by $($_.FullyQualifiedErrorId)" }
        }
        # A span's attributes as a table, from OTLP.
        function Get-Table($Attributes) {
            $table = @{}
            foreach ($one in $Attributes) { $table[$one.key] = $one.value.PSObject.Properties.Value }
            $table
        }
        function Get-Nanoseconds([DateTime] $Time) { "$(($Time.ToUniversalTime() - [DateTime]::UnixEpoch).Ticks)00" }
    }
    BeforeEach { $env:RECORD = "$TestDrive/$((New-Guid).ToString('N'))" }
    AfterEach { Clear-AgentEnvironment }

    Context 'with a planted agent' {
        It 'gives it the stream that the objects came from' {
            $lines.Count | Should -Be 4
            $spans | Export-BeylaTrace @planted | Should -BeNullOrEmpty
            Get-Meaning (Get-Sent) | Should -Be (Get-Meaning $lines)
        }

        It 'takes what <_> leaves of the objects' -ForEach 'Export-Clixml', 'ConvertTo-Json', 'Export-Csv' {
            switch ($_) {
                Export-Clixml {
                    $spans | Export-Clixml $TestDrive/spans.xml
                    Import-Clixml $TestDrive/spans.xml | Export-BeylaTrace @planted
                }
                ConvertTo-Json { $spans | ConvertTo-Json -Depth 9 | ConvertFrom-Json | Export-BeylaTrace @planted }
                Export-Csv {
                    $spans | Export-Csv $TestDrive/spans.csv
                    Import-Csv $TestDrive/spans.csv | Export-BeylaTrace @planted
                }
            }
            Get-Meaning (Get-Sent) | Should -Be (Get-Meaning $lines)
        }

        It 'tells it where to, and nothing that was not said' {
            Set-Content $TestDrive/beyla.yaml 'otel_traces_export: {protocol: grpc}'
            $spans | Export-BeylaTrace @planted -Endpoint http://127.0.0.1:4318/ -ConfigPath $TestDrive/beyla.yaml -Setting @{ 'a.b' = 1 }
            Get-Content $env:RECORD | Should -Be @(
                'arguments: export --to otlp --set a.b=1', "BEYLA_CONFIG_PATH=$TestDrive/beyla.yaml", 'BEYLA_EXIT_WITH_PARENT=0',
                'BEYLA_LOG_FORMAT=text', 'BEYLA_LOG_LEVEL=INFO', 'OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318/',
                'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=', 'OTEL_TRACES_EXPORTER=otlp')
            $DebugPreference = 'Continue'
            $spans | Export-BeylaTrace @planted -Exporter Prometheus 5> $null
            Get-Content $env:RECORD | Should -Be @(
                'arguments: export --to prometheus', 'BEYLA_EXIT_WITH_PARENT=0', 'BEYLA_LOG_FORMAT=text', 'BEYLA_LOG_LEVEL=DEBUG')
        }

        It 'does not write to an output that nobody sees, whatever the shell says' {
            $env:OTEL_TRACES_EXPORTER = 'OTLP/stdout'
            $spans | Export-BeylaTrace @planted
            Get-Content $env:RECORD | Should -Contain 'OTEL_TRACES_EXPORTER=otlp'
        }

        It 'gives text line by line, safe for a terminal and with the same meaning' {
            $env:FILE = "$TestDrive/out"
            Set-Content $env:FILE "{`"a`":`"x`u{202e}\\y`u{e0041}é`"}", '{"b":2}'
            $json = $spans | Export-BeylaTrace @planted -Exporter OtlpJson
            $json | Should -Be @('{"a":"x\u202e\\y\udb40\udc41é"}', '{"b":2}')
            ($json[0] | ConvertFrom-Json).a | Should -Be "x`u{202e}\y`u{e0041}é"
            Set-Content $env:FILE "a{b=`"\\x`u{202e}`"} 1"
            # A backslash in a label is written twice.
            $spans | Export-BeylaTrace @planted -Exporter Prometheus | Should -Be 'a{b="\\x\\u202e"} 1'
            # What Otlp prints is no result.
            $spans | Export-BeylaTrace @planted | Should -BeNullOrEmpty
        }

        It 'hands the objects on, one by one, where it has no output of its own' {
            $handed = @($spans | Export-BeylaTrace @planted -PassThru)
            $handed.Count | Should -Be 4
            0..3 | ForEach-Object { [object]::ReferenceEquals($handed[$_], $spans[$_]) | Should -BeTrue }
            foreach ($exporter in 'OtlpJson', 'Console', 'Prometheus') {
                Get-Id { $spans | Export-BeylaTrace @planted -Exporter $exporter -PassThru } |
                    Should -Be 'stopped by ConfigurationInvalid,Beyla.PowerShell.Commands.ExportBeylaTraceCommand'
                Get-Id { $spans | Export-BeylaTrace @planted -Exporter $exporter -Endpoint http://127.0.0.1:4318 } |
                    Should -Be 'stopped by ConfigurationInvalid,Beyla.PowerShell.Commands.ExportBeylaTraceCommand'
            }
        }

        It 'starts nothing where nothing comes' {
            @() | Export-BeylaTrace @planted -Verbose 4>&1 | Should -Match 'nothing is done'
            Test-Path $env:RECORD | Should -BeFalse
        }

        It 'says how many were lost, and goes on' {
            $env:LOST = 3
            $spans | Export-BeylaTrace @planted -ErrorAction SilentlyContinue -ErrorVariable problems -WarningVariable warnings 3> $null
            $problems.Count | Should -Be 1
            $problems[0].FullyQualifiedErrorId | Should -BeLike 'SpansLost,*'
            "$($problems[0])" | Should -Be '3 of 4 spans were not exported: 127.0.0.1:4318 refused the connection'
            "$warnings" | Should -Be 'Spans were given up spans=3'
        }

        It 'ends with <Id> where the agent <Mode>' -ForEach @(
            @{ Mode = 'usage'; Id = 'ConfigurationInvalid' }, @{ Mode = 'killed'; Id = 'AgentDied' }
            @{ Mode = 'early'; Id = 'StreamInvalid' }, @{ Mode = 'silent'; Id = 'StreamInvalid' }
        ) {
            $env:MODE = $Mode
            Get-Id { $spans | Export-BeylaTrace @planted } |
                Should -Be "stopped by $Id,Beyla.PowerShell.Commands.ExportBeylaTraceCommand"
        }

        It 'ends a pipeline without end when the agent ends (<_>)' -ForEach 'usage', 'killed', 'early' {
            $env:MODE = $_
            Get-Id { & { while ($true) { $spans } } | Export-BeylaTrace @planted } | Should -BeLike 'stopped by *'
        }

        It 'loses nothing where the agent prints more than anybody takes at once' {
            $env:MODE = 'flood'
            $many = foreach ($i in 1..100) { $spans }
            $printed = $many | Export-BeylaTrace @planted -Exporter OtlpJson
            $printed.Count | Should -Be 400
            ($printed -replace ' .*') | Should -Be (1..400)
            ($printed | ForEach-Object Length | Measure-Object -Minimum).Minimum | Should -BeGreaterThan 100000
        }

        It 'speaks of spans where the agent speaks of the lines that it was given' {
            $env:MODE = 'unreadable'
            $spans | Export-BeylaTrace @planted -WarningVariable warnings 3> $null
            "$warnings" | Should -Be 'A line cannot be read and is left out: no identity span=3'
        }

        It 'waits for an agent that does not read' {
            $env:MODE = 'late'
            $env:ALLOWED = "$TestDrive/allowed"
            $job = Start-ThreadJob {
                param($module, $agent, $spans)
                Import-Module $module
                # More than the pipe and the queue hold.
                1..1000 | ForEach-Object { $spans } | Export-BeylaTrace -AgentPath $agent
            } -ArgumentList $Module, "$Agents/export", $spans
            Wait-Until { Test-Path "$env:RECORD.pid" } | Should -BeTrue
            $job.State | Should -Be Running
            Set-Content $env:ALLOWED 1
            $job | Receive-Job -Wait -AutoRemoveJob -ErrorAction Stop
            (Get-Sent).Count | Should -Be 4000
        }

        It 'ends an agent that tries without end when it is stopped' {
            $env:MODE = 'endless'
            $shell = [powershell]::Create()
            try {
                $null = $shell.AddScript("Import-Module '$Module'; Export-BeylaTrace '$TestDrive/lines.jsonl' -AgentPath '$Agents/export'")
                $running = $shell.BeginInvoke()
                Wait-Until { Test-Path "$env:RECORD.pid" } | Should -BeTrue
                $id = [int] (Get-Content "$env:RECORD.pid")
                Test-Alive $id | Should -BeTrue
                $shell.Stop()
                Wait-Until { $running.IsCompleted } | Should -BeTrue
                Wait-Until { -not (Test-Alive $id) } | Should -BeTrue
            }
            finally { $shell.Dispose() }
        }
    }

    Context 'of a recording' {
        It 'gives the agent the spans of <_>, as they are' -ForEach 'a wildcard', 'a literal path', 'files of the pipeline' {
            $folder = New-Item -ItemType Directory "$TestDrive/$((New-Guid).ToString('N'))"
            # What else stands in a stream; the second file has no header and no line feed at its end.
            Set-Content -LiteralPath "$folder/[1].jsonl" '{"type":"stream","version":2,"agent":"0.1.0"}', $lines[0], $lines[1], '',
                '{"type":"news"}', '{"type":"counters","time":"2026-01-02T03:04:06.000000Z","places":[]}'
            Set-Content -LiteralPath "$folder/[2].jsonl" -NoNewline ($lines[2..3] -join "`r`n")
            switch ($_) {
                'a wildcard' { Export-BeylaTrace "$folder/*.jsonl" @planted }
                'a literal path' { Export-BeylaTrace -LiteralPath "$folder/[1].jsonl", "$folder/[2].jsonl" @planted }
                default { Get-ChildItem $folder | Export-BeylaTrace @planted }
            }
            Get-Sent | Should -Be $lines
        }

        It 'hands on the objects of a recording' {
            $handed = Export-BeylaTrace $TestDrive/lines.jsonl @planted -PassThru
            $handed | ConvertTo-Json -Depth 9 | Should -Be ($spans | ConvertTo-Json -Depth 9)
        }

        It 'says which lines are none, and exports the others' {
            Set-Content $TestDrive/broken.jsonl $lines[0], 'nonsense', '{"type":"span","kind":"server"}', ('x' * 2MB), $lines[1]
            Export-BeylaTrace $TestDrive/broken.jsonl @planted -ErrorAction SilentlyContinue -ErrorVariable problems
            $problems.FullyQualifiedErrorId -replace ',.*' | Should -Be 'StreamLineInvalid', 'StreamLineInvalid', 'StreamLineTooLong'
            "$($problems[0])" | Should -BeLike "Line 2 of '*broken.jsonl': *nonsense*"
            "$($problems[1])" | Should -BeLike 'Line 3 of *start*'
            "$($problems[2])" | Should -BeLike 'Line 4 of *'
            Get-Sent | Should -Be $lines[0, 1]
        }

        It 'gives up what is no recording' {
            Set-Content $TestDrive/list.txt (1..1000 | ForEach-Object { "entry $_" })
            $ids = Get-Id { Export-BeylaTrace $TestDrive/list.txt @planted }
            $ids[-1] | Should -BeLike 'stopped by StreamInvalid,*'
            ($ids -like 'StreamLineInvalid,*').Count | Should -Be 100
            Set-Content $TestDrive/newer.jsonl '{"type":"stream","version":99}', $lines[0]
            Get-Id { Export-BeylaTrace $TestDrive/newer.jsonl @planted } | Should -BeLike 'stopped by StreamVersionNotSupported,*'
        }

        It 'says what is not there, and that there are no spans' {
            $ids = Get-Id { Export-BeylaTrace $TestDrive/absent, $TestDrive/absent* @planted }
            $ids.Count | Should -Be 2
            $ids | Should -BeLike 'RecordingNotFound,*'
            Get-Id { Export-BeylaTrace -LiteralPath $TestDrive/absent* @planted } | Should -BeLike 'RecordingNotFound,*'
            Get-Id { Export-BeylaTrace $TestDrive @planted } | Should -BeLike 'RecordingNotFound,*'
            Get-Id { Export-BeylaTrace env:PATH @planted } | Should -BeLike 'RecordingNotFound,*'
            Set-Content $TestDrive/empty.jsonl '{"type":"stream","version":2,"agent":"0.1.0"}'
            Export-BeylaTrace $TestDrive/empty.jsonl @planted 3>&1 | Should -BeLike '*empty.jsonl* has no spans.'
            Test-Path $env:RECORD | Should -BeFalse
        }
    }

    Context 'with the real agent' {
        BeforeAll { $absent = if (-not (Test-Path $RealAgent)) { 'the agent is not built' } }
        BeforeEach { if ($absent) { Set-ItResult -Skipped -Because $absent } }

        It 'writes OTLP in JSON that says what the objects say' {
            $requests = @($spans | Export-BeylaTrace -Exporter OtlpJson | ConvertFrom-Json -Depth 99)
            $sent = $requests.resourceSpans.scopeSpans.spans
            $sent.Count | Should -Be 4
            # These go out as they are; others depend on the kind of the span, as the conventions have it.
            $exported = 'http.request.method', 'http.response.status_code', 'db.system.name', 'db.query.text', 'db.operation.name',
                'db.collection.name', 'db.response.status_code', 'db.namespace'
            foreach ($span in $spans) {
                $one = $sent | Where-Object spanId -eq $span.SpanId
                $one.traceId | Should -Be $span.TraceId
                "$($one.parentSpanId)" | Should -Be $span.ParentId
                # SpanKind of OTLP
                $one.kind | Should -Be @{ Server = 2; Client = 3 }[$span.Kind]
                $one.startTimeUnixNano | Should -Be (Get-Nanoseconds $span.Start)
                $one.endTimeUnixNano | Should -Be (Get-Nanoseconds $span.End)
                $table = Get-Table $one.attributes
                foreach ($name in $exported) { "$($table[$name])" | Should -Be "$($span.Attributes[$name])" -Because $name }
            }
            $names = $requests.resourceSpans | ForEach-Object { (Get-Table $_.resource.attributes)['service.name'] }
            $names | Sort-Object | Should -Be 'nginx', 'web'
        }

        It 'makes the metrics of the spans' {
            $page = $spans | Export-BeylaTrace -Exporter Prometheus
            $count = { param($name) ($page -match "^${name}_count\b" -replace '.* ' | Measure-Object -Sum).Sum }
            & $count http_client_request_duration_seconds | Should -Be 1
            & $count http_server_request_duration_seconds | Should -Be 1
            $page -match '^target_info' | Should -Not -BeNullOrEmpty
        }

        It 'says what to give where nothing says where to' {
            $problem = try { $spans | Export-BeylaTrace } catch { $_ }
            "$problem" | Should -Be 'Nothing says where to send the spans.'
            $problem.FullyQualifiedErrorId | Should -BeLike 'ConfigurationInvalid,*'
            $problem.ErrorDetails.RecommendedAction | Should -Match '-Endpoint'
        }

        It 'speaks of its parameter where the agent refuses an endpoint' {
            $problem = try { $spans | Export-BeylaTrace -Endpoint ftp://127.0.0.1/ } catch { $_ }
            $problem.FullyQualifiedErrorId | Should -BeLike 'ConfigurationInvalid,*'
            "$problem" | Should -Match '-Endpoint'
            "$problem" | Should -Not -Match 'OTEL_EXPORTER_OTLP_ENDPOINT'
        }

        It 'shows the spans as OpenTelemetry does, with their identities, times and attributes' {
            $text = @(Export-BeylaTrace $TestDrive/lines.jsonl -Exporter Console)
            $ends = 0..($text.Count - 1) | Where-Object { $text[$_] -eq '' }
            $ends.Count | Should -Be 4
            $from = 0
            $shown = @{}
            foreach ($end in $ends) {
                $fields = @{ Lines = $text[$from..$end] }
                foreach ($line in $text[$from..$end]) { if ($line -match '^\s*([\w.]+):\s*(.*)$') { $fields[$Matches[1]] = $Matches[2] } }
                $shown[$fields['Activity.SpanId']] = $fields
                $from = $end + 1
            }
            foreach ($span in $spans) {
                $one = $shown[$span.SpanId]
                $one['Activity.TraceId'] | Should -Be $span.TraceId
                "$($one['Activity.ParentSpanId'])" | Should -Be $span.ParentId
                $one['Activity.TraceFlags'] | Should -Be @('None', 'Recorded')[$span.TraceFlags]
                $one['Activity.Kind'] | Should -Be $span.Kind
                $one['Activity.StartTime'] | Should -Be ('{0:yyyy-MM-ddTHH:mm:ss.fffffffZ}' -f $span.Start.ToUniversalTime())
                [TimeSpan] $one['Activity.Duration'] | Should -Be $span.Duration
                "$($one['StatusCode'])" | Should -Be ($span.ErrorType ? 'Error' : '')
                $one['service.name'] | Should -Be $span.ServiceName
                $one['process.pid'] | Should -Be $span.ProcessId
                foreach ($name in 'http.request.method', 'http.response.status_code', 'db.system.name', 'db.query.text') {
                    $one[$name] | Should -Be $span.Attributes[$name] -Because $name
                }
            }
            $shown['0000000000000003']['Activity.DisplayName'] | Should -Be 'INSERT orders'
            # What a peer sent does not reach the terminal.
            ($text -join '') | Should -Not -Match "`e"
            $text | Should -Contain '    url.path: /upload file\x1b[31m'
        }

        It 'loads OpenTelemetry for the console alone, apart from what others have loaded' {
            # Another module's OpenTelemetry, of a version that would not do. Add-Type gives assemblies names of its own; the compiler that it
            # brings does not.
            Add-Type 'public class Nothing {}'
            $text = '[assembly: System.Reflection.AssemblyVersion("0.1.0.0")] public class Other {}'
            foreach ($name in 'OpenTelemetry', 'OpenTelemetry.Api', 'Microsoft.Extensions.Options') {
                $compilation = [Microsoft.CodeAnalysis.CSharp.CSharpCompilation]::Create($name,
                    [Microsoft.CodeAnalysis.SyntaxTree[]] [Microsoft.CodeAnalysis.CSharp.CSharpSyntaxTree]::ParseText($text),
                    [Microsoft.CodeAnalysis.MetadataReference[]] [Microsoft.CodeAnalysis.MetadataReference]::CreateFromFile([object].Assembly.Location),
                    [Microsoft.CodeAnalysis.CSharp.CSharpCompilationOptions]::new('DynamicallyLinkedLibrary'))
                [Microsoft.CodeAnalysis.FileSystemExtensions]::Emit($compilation, "$TestDrive/$name.dll").Success | Should -BeTrue
            }
            $loaded = {
                [Runtime.Loader.AssemblyLoadContext]::Default.Assemblies | ForEach-Object { $_.GetName() } |
                    Where-Object Name -Match '^(OpenTelemetry|Microsoft\.Extensions)' | ForEach-Object { "$($_.Name) $($_.Version)" } | Sort-Object
            }
            $script = @"
`$loaded = { $loaded }
Import-Module '$Module'
Export-BeylaTrace '$TestDrive/lines.jsonl' -Exporter OtlpJson > `$null
"others `$([AppDomain]::CurrentDomain.GetAssemblies().Where{ `$_.FullName -match '^OpenTelemetry|^Beyla.PowerShell.Console' }.Count)"
"before `$(& `$loaded)"
(Export-BeylaTrace '$TestDrive/lines.jsonl' -Exporter Console) -match '^Activity.SpanId' | Select-Object -First 1
"after `$(& `$loaded)"
foreach (`$name in 'OpenTelemetry', 'OpenTelemetry.Api', 'Microsoft.Extensions.Options') { Add-Type -Path "$TestDrive/`$name.dll" }
(Export-BeylaTrace '$TestDrive/lines.jsonl' -Exporter Console) -match '^Activity.SpanId' | Select-Object -First 1
"beside `$(& `$loaded)"
"@
            pwsh -NoProfile -NonInteractive -Command $script | Should -Be @(
                'others 0', 'before ', 'Activity.SpanId:             0000000000000001', 'after ',
                'Activity.SpanId:             0000000000000001',
                'beside Microsoft.Extensions.Options 0.1.0.0 OpenTelemetry 0.1.0.0 OpenTelemetry.Api 0.1.0.0')
            # And where the other one was there first.
            $script = "foreach (`$name in 'OpenTelemetry', 'OpenTelemetry.Api', 'Microsoft.Extensions.Options') { Add-Type -Path `"$TestDrive/`$name.dll`" }; " +
                "Import-Module '$Module'; @((Export-BeylaTrace '$TestDrive/lines.jsonl' -Exporter Console) -match '^Activity.SpanId').Count"
            pwsh -NoProfile -NonInteractive -Command $script | Should -Be 4
        }

        It 'leaves the console to others, and works in jobs' {
            # The process of a job is ended and leaves its pipes, where its temporary files are.
            $was = $env:TMPDIR
            $env:TMPDIR = $TestDrive
            $lines = try {
                Start-Job { Import-Module $using:Module; Export-BeylaTrace $using:TestDrive/lines.jsonl -Exporter Console } |
                    Receive-Job -Wait -AutoRemoveJob
            }
            finally { $env:TMPDIR = $was }
            @($lines -match '^Activity.SpanId').Count | Should -Be 4
            $script = "Import-Module '$Module'; `$out = [Console]::Out; `$n = 1..8 | ForEach-Object -Parallel { Import-Module '$Module'; " +
                "@((Export-BeylaTrace '$TestDrive/lines.jsonl' -Exporter Console) -match '^Activity.SpanId').Count }; " +
                "`"`$n`"; [object]::ReferenceEquals(`$out, [Console]::Out)"
            pwsh -NoProfile -NonInteractive -Command $script | Should -Be '4 4 4 4 4 4 4 4', 'True'
        }
    }
}
