# What the objects are worth on every way out of PowerShell and back: the same questions get the same answers live, from a file and from
# another process, with the module and without.
Describe 'Objects' {
    BeforeDiscovery {
        $ways = @(
            @{ way = 'live'; imported = $true }
            @{ way = 'Import-Clixml with the module'; imported = $true }
            @{ way = 'Import-Clixml without the module'; imported = $false }
            @{ way = 'Start-Job, received with the module'; imported = $true }
            @{ way = 'Start-Job, received without the module'; imported = $false }
        )
    }
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $agent = "$Agents/spans"
        # In no order; one of IPv6; two with the same millisecond; one of a minute ago; every field of the stream.
        $recent = [DateTime]::UtcNow.AddSeconds(-60).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'")
        $span = '{{"type":"span","kind":"{0}","protocol":"http","outcome":"{1}","start":"{2}","durationUSec":{3},' +
            '"handlerDurationUSec":{4},"method":"GET","path":"{5}","query":"id=7","status":{6},"host":"shop.example:8080",' +
            '"protocolVersion":"1.1","requestBodyLength":0,"responseBodyLength":1024,"clientAddress":"{7}","clientPort":40000,' +
            '"serverAddress":"{8}","serverPort":8080,"tid":4243,"networkNamespace":4026531840,"connection":"fedcba9876543210",' +
            '"pid":4242,"executable":"/usr/sbin/nginx","serviceName":"shop","serviceNamespace":"live","language":"nodejs",' +
            '"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","parentId":"53995c3f42cd8ad8",' +
            '"parentSource":"agreement","traceFlags":1,"traceState":"rojo=1"}}'
        Set-Content $TestDrive/spans.jsonl @(
            $span -f 'server', 'complete', '2026-01-02T03:04:05.000002Z', 7500, 5001, '/b', 200, '10.0.0.1', '10.0.0.2'
            $span -f 'client', 'closed', '2026-01-02T03:04:05.000001Z', 250001, 3, '/a', 0,
                '2001:db8:1234:5678:9abc:def0:1234:5678', '2001:db8::1'
            $span -f 'server', 'timedOut', $recent, 1, 1, '/recent', 408, '10.0.0.10', '10.0.0.2'
            $span -f 'server', 'complete', '2026-01-02T03:04:04.999999Z', 5, 5, '/first', 503, '10.0.0.1', '10.0.0.2'
        )
        $flow = '{{"type":"flow","first":"{0}","last":"{1}","transport":{2},"direction":"{3}","interface":"eth0",' +
            '"interfaceDirection":"{4}","sourceAddress":"{5}","sourcePort":{6},"destinationAddress":"{7}","destinationPort":{8},' +
            '"bytes":{9},"packets":3,"flags":{10},"agentAddress":"10.0.0.1","pid":4242,"processName":"postgres","serviceName":"db"}}'
        Set-Content $TestDrive/flows.jsonl @(
            $flow -f '2026-01-02T03:04:06.000001Z', '2026-01-02T03:04:07.500000Z', 6, 'request', 'egress',
                '10.0.0.1', 40000, '10.0.0.2', 5432, 1500, 26
            $flow -f '2026-01-02T03:04:05.000001Z', $recent, 6, 'response', 'ingress',
                '2001:db8:1234:5678:9abc:def0:1234:5678', 5432, '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff', 54321, 1048575, 16
            $flow -f '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.000000Z', 143, 'unknown', 'ingress',
                '10.0.0.3', 0, '10.0.0.1', 0, 60, 0
        )
        # The module's own objects, wherever this runs.
        $make = {
            param($module, $agents, $folder)
            Import-Module $module
            $env:FILE = "$folder/spans.jsonl"; $env:ENDS = '0'
            $spans = Start-BeylaTrace -AgentPath $agents/spans
            $env:FILE = "$folder/flows.jsonl"
            $flows = Get-BeylaFlow -AgentPath $agents/spans -Follow
            $env:FILE = $null; $env:ENDS = $null
            $spans; $flows; Test-BeylaCapability -AgentPath $agents/capability -WarningAction Ignore
        }
        # The questions. Each gives one line.
        $ask = {
            param($all)
            $spans = @($all | Where-Object { $_.PSObject.Properties['Method'] })
            $flows = @($all | Where-Object { $_.PSObject.Properties['Packets'] })
            $rows = @($all | Where-Object { $_.PSObject.Properties['WithoutIt'] })
            "spans $($spans.Count), flows $($flows.Count), rows $($rows.Count)"
            "servers $(@($spans | Where-Object Kind -eq Server).Count), " +
                "clients $(@($spans | Where-Object { $_.Kind -eq 'Client' }).Count), " +
                "client: $(($spans | Where-Object Kind -in Client).Path)"
            "timed out $(@($spans | Where-Object Outcome -eq TimedOut).Count), node $(@($spans | Where-Object Language -eq NodeJs).Count)"
            "in order $(($spans | Sort-Object Start).Path), the other way $(($spans | Sort-Object Start -Descending).Path)"
            "of the last hour $(@($spans | Where-Object Start -gt (Get-Date).AddHours(-1)).Path), " +
                "before $(@($spans | Where-Object { $_.Start -lt (Get-Date).AddHours(-1) }).Count)"
            "ended after $(@($spans | Where-Object End -gt ([DateTimeOffset] '2026-01-02T03:04:05.25Z').LocalDateTime).Path)"
            "ticks $(($spans | Where-Object Path -ne /recent | Sort-Object Path).Start | ForEach-Object { $_.ToUniversalTime().Ticks })"
            "minutes $(($spans | Group-Object { $_.Start.ToUniversalTime().ToString('HH:mm') } | Where-Object Name -eq '03:04').Count)"
            "over 5 ms $(($spans | Where-Object DurationMs -gt 5 | Sort-Object DurationMs).Path), " +
                "slowest $(($spans | Sort-Object Duration -Descending)[0].Path), sum $(($spans | Measure-Object DurationMs -Sum).Sum)"
            "span $(($spans | Sort-Object Path)[0].Duration.Ticks) $(@($spans | Where-Object Duration -gt '0:0:0.2').Path) " +
                "$(($spans | Sort-Object Path)[1].HandlerDuration.Ticks)"
            "called by $(@($spans | Where-Object ClientAddress -eq 10.0.0.1).Count), " +
                "remote $(@($spans | Where-Object { $_.RemoteAddress -eq '2001:db8::1' }).Path), " +
                "port $(@($spans | Where-Object RemotePort -eq 8080).Path), from $(($spans | Where-Object Kind -eq Client).Client)"
            "trace $(($spans | Group-Object TraceId).Count) $(($spans | Where-Object ParentSource -eq Agreement).Count) " +
                "$($spans[0].ParentId) $($spans[0].SpanId) $(($spans | Measure-Object TraceFlags -Sum).Sum) $($spans[0].TraceState)"
            "connection $(($spans.Connection | Select-Object -Unique)), " +
                "version $(($spans | Where-Object ProtocolVersion -eq 1.1).Count), " +
                "lengths $(($spans | Measure-Object ResponseBodyLength -Sum).Sum)"
            "tcp $(@($flows | Where-Object Transport -eq Tcp).Count), " +
                "egress $(@($flows | Where-Object InterfaceDirection -eq Egress).Count), " +
                "requests $(@($flows | Where-Object Direction -eq Request).Count), " +
                "other $(($flows | Where-Object Transport -notin Tcp, Udp).Transport)"
            "syn $(@($flows | Where-Object Flags -match Syn).Count), flags $(($flows | Sort-Object FirstSeen).Flags -join '; ')"
            "to $(@($flows | Where-Object RemoteAddress -eq 10.0.0.2).RemotePort), order $(($flows | Sort-Object FirstSeen).Bytes), " +
                "still $(@($flows | Where-Object LastSeen -gt (Get-Date).AddHours(-1)).Count), " +
                "rate $(($flows | Sort-Object Bytes)[1].Rate), took $(($flows | Sort-Object Bytes)[1].Duration.Ticks)"
            "missing $(@($rows | Where-Object State -eq Missing).Count), required $(@($rows | Where-Object Need -eq Required).Fix), " +
                "used by $(@($rows | Where-Object Need -eq Required).UsedBy -join '; ')"
        }
        $answers = @(
            'spans 4, flows 3, rows 3'
            'servers 3, clients 1, client: /a'
            'timed out 1, node 4'
            'in order /first /a /b /recent, the other way /recent /b /a /first'
            'of the last hour /recent, before 3'
            'ended after /a /recent'
            'ticks 639029198450000010 639029198450000020 639029198449999990'
            'minutes 3'
            'over 5 ms /b /a, slowest /a, sum 257.507'
            'span 2500010 /a 50010'
            'called by 2, remote /a, port /a, from [2001:db8:1234:5678:9abc:def0:1234:5678]:40000'
            'trace 4 4 53995c3f42cd8ad8 00f067aa0ba902b7 4 rojo=1'
            'connection fedcba9876543210, version 4, lengths 4096'
            'tcp 2, egress 1, requests 1, other 143'
            'syn 1, flags None; Ack; Syn, Psh, Ack'
            'to 5432, order 60 1048575 1500, still 1, rate 1000.00066666711, took 14999990'
            'missing 2, required sudo setcap cap_bpf=p /opt/beyla, used by Every tracer; Watcher'
        )
        # Asks in a PowerShell of its own, for a module that is imported cannot be forgotten; its zone is another one.
        function Get-Answer([string] $Script, [string] $Zone) {
            Set-Content $TestDrive/ask.ps1 "param(`$module, `$agents, `$folder)`n$Script`n& { $ask } `$all"
            $was = $env:TZ
            try {
                $env:TZ = $Zone
                pwsh -NoProfile -NonInteractive -File $TestDrive/ask.ps1 $Module $Agents $TestDrive
            }
            finally { $env:TZ = $was }
        }
        $all = & $make $Module $Agents $TestDrive
        $spans = @($all | Where-Object { $_ -is [Beyla.Span] })
        $flows = @($all | Where-Object { $_ -is [Beyla.Flow] })
        $rows = @($all | Where-Object { $_ -is [Beyla.CapabilityRequirement] })
        $all | Export-Clixml $TestDrive/all.xml
    }
    AfterAll { Clear-AgentEnvironment }

    It 'answer the same: <way>' -ForEach $ways {
        $load = $imported ? "Import-Module `$module`n" : ''
        $script = switch -Wildcard ($way) {
            'live' { "`$all = & { $make } `$module `$agents `$folder" }
            'Import-Clixml*' { "$load`$all = Import-Clixml `$folder/all.xml" }
            'Start-Job*' {
                "$load`$all = Start-Job { $make } -ArgumentList `$module, `$agents, `$folder | Receive-Job -Wait -AutoRemoveJob"
            }
        }
        $script += "`nif ([bool] (Get-Module Beyla) -ne `$$imported) { throw 'the module is there, or is not' }"
        Get-Answer $script 'Asia/Kolkata' | Should -Be $answers
    }

    It 'have their types again where the module is: <_>' -ForEach 'Import-Clixml', 'Start-Job', 'Serialize' {
        $back = switch ($_) {
            'Import-Clixml' { Import-Clixml $TestDrive/all.xml }
            'Start-Job' { Start-Job $make -ArgumentList $Module, $Agents, $TestDrive | Receive-Job -Wait -AutoRemoveJob }
            'Serialize' { [Management.Automation.PSSerializer]::Deserialize([Management.Automation.PSSerializer]::Serialize($all, 3)) }
        }
        $back.Count | Should -Be $all.Count
        for ($i = 0; $i -lt $all.Count; $i++) {
            $back[$i].GetType() | Should -Be $all[$i].GetType()
            # All that the object knows, in one text.
            $away = ',"(RunspaceId|PSSourceJobInstanceId|PSComputerName|PSShowComputerName)":("[^"]*"|false|true)'
            ($back[$i] | ConvertTo-Json -Compress -Depth 4) -replace $away | Should -Be ($all[$i] | ConvertTo-Json -Compress -Depth 4)
        }
        ($back | Out-String -Width 80) | Should -Be ($all | Out-String -Width 80)
    }

    It 'keep both of the hours that a change of the clock repeats' {
        $script = @"
Import-Module '$Module'
foreach (`$hour in 0, 1) {
    `$start = [DateTimeOffset] `"2026-10-25T0`${hour}:30:00.000001Z`"
    `$span = [Beyla.Span]::new([Beyla.Contracts.Span] @{ Kind = 'Server'; Start = `$start })
    `$back = [Management.Automation.PSSerializer]::Deserialize([Management.Automation.PSSerializer]::Serialize(`$span))
    `$back, `$span | ForEach-Object { `$_.Start.ToString() }
}
"@
        $was = $env:TZ
        try { $env:TZ = 'Europe/Berlin'; $times = pwsh -NoProfile -NonInteractive -Command $script } finally { $env:TZ = $was }
        $times | Should -Be (@('2026-10-25T00:30:00.000001Z') * 2 + @('2026-10-25T01:30:00.000001Z') * 2)
    }

    It 'are names, addresses and times in ISO 8601 to ConvertTo-Json, in little more than a kilobyte' {
        $json = $spans[1] | ConvertTo-Json -Compress
        $json | Should -BeLike '{"Kind":"Client","Protocol":"http","Name":"GET","Outcome":"Closed","Start":"2026-01-02T03:04:05.000001Z",*'
        $json | Should -Match '"ClientAddress":"2001:db8:1234:5678:9abc:def0:1234:5678","ClientPort":40000,"ServerAddress":"2001:db8::1"'
        $json | Should -Match ('"Duration":"00:00:00.2500010","HandlerDuration":"00:00:00.0000030",' +
            '"DurationMs":250.001,"HandlerDurationMs":0.003,')
        $json | Should -Match '"Connection":"fedcba9876543210"'
        $json | Should -Match '"Language":"NodeJs"'
        $json | Should -Match ('"TraceId":"4bf92f3577b34da6a3ce929d0e0e4736","SpanId":"00f067aa0ba902b7","ParentId":"53995c3f42cd8ad8",' +
            '"ParentSource":"Agreement","TraceFlags":1,"TraceState":"rojo=1"')
        # One table within it, of texts and numbers, and no list.
        $json.Substring(1) -replace '"Attributes":\{("[^"]+":("[^"]*"|\d+),?)+\}' | Should -Not -Match '[{\[]"'
        foreach ($span in $spans) { ($span | ConvertTo-Json -Compress).Length | Should -BeLessOrEqual 1536 }

        $json = $flows[0] | ConvertTo-Json -Compress
        $json | Should -BeLike ('{"FirstSeen":"2026-01-02T03:04:06.000001Z","LastSeen":"2026-01-02T03:04:07.500000Z",' +
            '"Transport":"Tcp","Direction":"Request","Interface":"eth0","InterfaceDirection":"Egress","SourceAddress":"10.0.0.1",*')
        $json | Should -Match '"Flags":"Syn, Psh, Ack"'
        ($rows[2] | ConvertTo-Json -Compress) | Should -BeLike ('{"Capability":"Bpf","State":"Missing","Documented":true,' +
            '"Need":"Required",*"UsedBy":`["Every tracer","Watcher"`],*')

        $env:COUNT = 1
        Start-BeylaTrace -AgentPath $agent -MaximumCount 1 -InformationVariable summary | Out-Null
        Clear-AgentEnvironment
        ($summary.MessageData | ConvertTo-Json -Compress) | Should -BeLike ('{"Time":"2026-01-02T03:04:06+00:00",' +
            '"Places":`[{"Place":"printer","Unit":"spans","Produced":1,*')
    }

    It 'are the same texts to Export-Csv' {
        $row = $spans[1] | ConvertTo-Csv | ConvertFrom-Csv
        $row.Start | Should -Be '2026-01-02T03:04:05.000001Z'
        $row.End | Should -Be '2026-01-02T03:04:05.250002Z'
        $row.Duration | Should -Be '00:00:00.2500010'
        $row.DurationMs | Should -Be '250.001'
        $row.Kind, $row.Outcome, $row.Language | Should -Be 'Client', 'Closed', 'NodeJs'
        $row.ClientAddress | Should -Be '2001:db8:1234:5678:9abc:def0:1234:5678'
        ($spans[1] | Select-Object Start, Duration | ConvertTo-Csv)[1] | Should -Be '"2026-01-02T03:04:05.000001Z","00:00:00.2500010"'
        $row = $flows[1] | ConvertTo-Csv | ConvertFrom-Csv
        $row.FirstSeen, $row.Transport, $row.LocalAddress |
            Should -Be '2026-01-02T03:04:05.000001Z', 'Tcp', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff'
        ($rows[2] | ConvertTo-Csv | ConvertFrom-Csv).State | Should -Be 'Missing'
    }

    It 'come back whole from <_>' -ForEach 'JSON', 'CSV' {
        foreach ($one in $spans + $flows) {
            $row = $_ -eq 'CSV' ? ($one | ConvertTo-Csv | ConvertFrom-Csv) : ($one | ConvertTo-Json | ConvertFrom-Json)
            $back = $one -is [Beyla.Span] ? [Beyla.Span] $row : [Beyla.Flow] $row
            $back | ConvertTo-Json | Should -Be ($one | ConvertTo-Json)
        }
    }

    It 'are refused where they make no sense: <why>' -ForEach @(
        @{ why = 'no start'; set = { $_.PSObject.Properties.Remove('Start') } }
        @{ why = 'a start that is no time'; set = { $_.Start = 'yesterday, perhaps' } }
        @{ why = 'a kind that is none'; set = { $_.Kind = 'Proxy' } }
        @{ why = 'an address that is none'; set = { $_.ClientAddress = 'localhost' } }
        @{ why = 'a connection that is no number'; set = { $_.Connection = 'xyz' } }
    ) {
        $row = $spans[0] | ConvertTo-Csv | ConvertFrom-Csv
        $row | ForEach-Object $set
        { [Beyla.Span] $row } | Should -Throw
    }

    It 'stay safe to show when what came from elsewhere is not' {
        $row = $spans[0] | ConvertTo-Csv | ConvertFrom-Csv
        $row.Path = "/a`e[2J`u{202e}`u{200b}`u{e0041}"
        ([Beyla.Span] $row).Path | Should -Be '/a\x1b[2J\u202e\u200b\U000e0041'
        # By a file, too.
        (Get-Content $TestDrive/all.xml -Raw).Replace('>/b<', '>/b_x001B_[2J<') | Set-Content $TestDrive/evil.xml
        (Import-Clixml $TestDrive/evil.xml).Path | Should -Contain '/b\x1b[2J'
    }

    It 'compare with numbers by DurationMs' {
        # A number beside a TimeSpan counts 100 ns: that is PowerShell's, and why there is DurationMs.
        @($spans | Where-Object DurationMs -gt 5).Count | Should -Be 2
        $spans[1].DurationMs | Should -BeOfType double
        $spans[1].Duration.TotalMilliseconds | Should -Be $spans[1].DurationMs
        $flows[0].DurationMs | Should -Be 1499.999
        foreach ($page in 'docs/powershell.md', 'module/en-US/about_Beyla.help.txt', 'docs/recipes.md') {
            Get-Content $Root/$page -Raw | Should -Match 'DurationMs'
        }
        Get-Content $Root/docs/recipes.md -Raw | Should -Not -Match 'DurationMilliseconds'
    }

    Describe 'of several protocols' {
        BeforeAll {
            $line = '{{"type":"span","kind":"client","protocol":"{0}","name":"{1}","outcome":"{2}",{3}' +
                '"start":"2026-01-02T03:04:05.000001Z","durationUSec":1500,"handlerDurationUSec":1200,"clientAddress":"10.0.0.1",' +
                '"clientPort":40000,"serverAddress":"10.0.0.2","serverPort":5432,"tid":4243,"networkNamespace":4026531840,' +
                '"connection":"5","pid":4242,"executable":"/usr/bin/shop","serviceName":"shop","language":"go","attributes":{{{4}}}}}'
            $http = '"http.request.method":"GET","url.path":"/checkout","url.query":"id=7","http.response.status_code":{0}'
            Set-Content $TestDrive/mixed.jsonl @(
                $line -f 'http', 'GET', 'complete', '', ($http -f 200)
                $line -f 'http', 'GET', 'complete', '"errorType":"503",', ($http -f 503)
                $line -f 'postgresql', 'SELECT orders', 'complete', '', ('"db.system.name":"postgresql","db.namespace":"shop",' +
                    '"db.query.summary":"SELECT orders","db.query.text":"SELECT * FROM orders WHERE id = $1",' +
                    '"db.operation.name":"SELECT","db.collection.name":"orders","db.response.returned_rows":3')
                $line -f 'postgresql', 'INSERT orders', 'complete', '"errorType":"23505",', ('"db.system.name":"postgresql",' +
                    '"db.query.summary":"INSERT orders","db.query.text":"INSERT INTO orders VALUES (?)",' +
                    '"db.response.status_code":"23505","new.word":"later","new.number":7')
                $line -f 'redis', 'HGET', 'complete', '', ('"db.system.name":"redis","db.namespace":"0",' +
                    '"db.query.text":"HGET basket:17 item","db.operation.name":"HGET"')
                $line -f 'redis', 'LPUSH', 'complete', '"errorType":"WRONGTYPE",', ('"db.system.name":"redis",' +
                    '"db.query.text":"LPUSH basket:17 ?","db.operation.name":"LPUSH","db.response.status_code":"WRONGTYPE"')
                $line -f 'redis', 'GET', 'closed', '"errorType":"connection_closed",', ('"db.system.name":"redis",' +
                    '"db.query.text":"GET basket:17","db.operation.name":"GET"')
            )
            $env:FILE = "$TestDrive/mixed.jsonl"; $env:ENDS = '0'
            $mixed = @(Start-BeylaTrace -AgentPath $agent)
            Clear-AgentEnvironment
        }

        It 'have the same properties' {
            ($mixed | ForEach-Object { "$($_.Protocol) $($_.Operation) $($_.Target) $($_.Status) $($_.ErrorType)" }) -join '; ' |
                Should -Be ('http GET /checkout 200 ; http GET /checkout 503 503; postgresql SELECT orders  ; ' +
                    'postgresql INSERT orders 23505 23505; redis HGET basket:17 item  ; redis LPUSH basket:17 ? WRONGTYPE WRONGTYPE; ' +
                    'redis GET basket:17  connection_closed')
            $mixed[0].Status | Should -BeOfType int
            $mixed[3].Status | Should -BeOfType string
            $mixed[2].Status | Should -Be $null
            $mixed[2].Attributes['db.query.text'] | Should -Be 'SELECT * FROM orders WHERE id = $1'
            $mixed[2].Attributes.'db.response.returned_rows' | Should -Be 3
            $mixed[3].Attributes['new.number'] | Should -BeOfType long
            $mixed[0].Attributes.Count | Should -Be 4
            $mixed[0].Attributes['db.query.text'] | Should -Be $null
            "$($mixed[2])" | Should -Be 'Client OK SELECT orders 1.5 ms'
        }

        It 'are found by the questions that are asked of HTTP' {
            # Whatever went well is not greater than 500; what failed is found by ErrorType, in all protocols.
            @($mixed | Where-Object Status -ge 500 | Where-Object { -not $_.ErrorType }).Count | Should -Be 0
            @($mixed | Where-Object Status -ge 500)[0].Path | Should -Be '/checkout'
            @($mixed | Where-Object Status -eq 200).Count | Should -Be 1
            @($mixed | Where-Object Status -eq 23505).Count | Should -Be 1
            @($mixed | Where-Object ErrorType).Count | Should -Be 4
            ($mixed | Group-Object Path | ForEach-Object { "$($_.Count) $($_.Name)" }) -join ', ' | Should -Be '5 , 2 /checkout'
            ($mixed | Sort-Object Status, Operation).Count | Should -Be 7
            ($mixed | Group-Object Protocol, Operation).Count | Should -Be 6
            ($mixed | Where-Object { $_.Path.StartsWith('/check') }).Count | Should -Be 2
            $Error.Clear()
            $mixed | Sort-Object Status | Out-Null
            $Error.Count | Should -Be 0
        }

        It 'come back whole by <_>' -ForEach 'JSON', 'CSV', 'Clixml', 'Start-Job' {
            $back = switch ($_) {
                'JSON' { $mixed | ForEach-Object { [Beyla.Span] ($_ | ConvertTo-Json | ConvertFrom-Json) } }
                'CSV' { $mixed | ConvertTo-Csv | ConvertFrom-Csv | ForEach-Object { [Beyla.Span] $_ } }
                'Clixml' { $mixed | Export-Clixml $TestDrive/mixed.xml; Import-Clixml $TestDrive/mixed.xml }
                'Start-Job' { Start-Job { $input } -InputObject $mixed | Receive-Job -Wait -AutoRemoveJob }
            }
            $away = ',"(RunspaceId|PSSourceJobInstanceId|PSComputerName|PSShowComputerName)":("[^"]*"|false|true)'
            for ($i = 0; $i -lt 7; $i++) {
                $back[$i] | Should -BeOfType Beyla.Span
                ($back[$i] | ConvertTo-Json -Compress) -replace $away | Should -Be ($mixed[$i] | ConvertTo-Json -Compress)
            }
        }

        It 'keep their attributes without the module' {
            $mixed | Export-Clixml $TestDrive/mixed.xml
            $script = "`$all = Import-Clixml '$TestDrive/mixed.xml'; `$all[2].Attributes['db.query.text']; `$all[2].Status -eq `$null; " +
                "`$all[3].Status; `$all[4].Target"
            pwsh -NoProfile -NonInteractive -Command $script |
                Should -Be 'SELECT * FROM orders WHERE id = $1', 'True', '23505', 'basket:17 item'
        }

        It 'are refused with attributes that make no sense: <_>' -ForEach '{', '[1]', '{"http.response.status_code":"high"}' {
            $row = $mixed[0] | ConvertTo-Csv | ConvertFrom-Csv
            $row.Attributes = $_
            { [Beyla.Span] $row } | Should -Throw
        }

        It 'fit one table of 80 columns' {
            $lines = ($mixed | Out-String -Width 80).Trim() -split '\r?\n' | ForEach-Object TrimEnd
            $lines.Count | Should -Be 9
            $lines[0] | Should -Match '^Time +Kind +Status +Duration +Service +Operation +Target$'
            foreach ($text in $lines) { $text.Length | Should -BeLessOrEqual 80 }
            ($lines[2..8] -replace '^\S+ ' -replace ' +', ' ') | Should -Be @(
                'Client 200 1.50 ms shop GET /checkout', 'Client 503 1.50 ms shop GET /checkout'
                'Client OK 1.50 ms shop SELECT orders', 'Client 23505 1.50 ms shop INSERT orders'
                'Client OK 1.50 ms shop HGET basket:17 item', 'Client WRONGTYPE 1.50 ms shop LPUSH basket:17 ?'
                'Client Closed 1.50 ms shop GET basket:17')
        }

        It 'have a view each' {
            $sql = ($mixed[2..3] | Format-Table -View Sql | Out-String -Width 120).Trim() -split '\r?\n' -replace ' +', ' '
            $sql[0] | Should -Be 'Time Status Duration Service Database Rows Statement'
            $sql[2] | Should -Match 'OK 1\.50 ms shop shop 3 SELECT \* FROM orders WHERE id = \$1'
            $sql[3] | Should -Match '23505 1\.50 ms shop INSERT INTO orders VALUES \(\?\)'
            $redis = ($mixed[4..6] | Format-Table -View Redis | Out-String -Width 80).Trim() -split '\r?\n' -replace ' +', ' '
            $redis[2] | Should -Match 'OK 1\.50 ms shop 0 HGET basket:17 item'
            $http = ($mixed[0..1] | Format-Table -View Http | Out-String -Width 80).Trim() -split '\r?\n' -replace ' +', ' '
            $http[3] | Should -Match 'Client 503 1\.50 ms shop GET /checkout\?id=7'
        }

        It 'list their attributes' {
            $text = $mixed[3] | Format-List | Out-String -Width 120
            $text | Should -Match '(?m)^Attributes +: db\.system\.name = postgresql$'
            $text | Should -Match '(?m)^ +db\.response\.status_code = 23505$'
            $text | Should -Match '(?m)^ErrorType +: 23505$'
            $mixed[2] | Format-List | Out-String | Should -Not -Match 'ErrorType'
        }

        It 'are safe to show, with the names of attributes' {
            $evil = $mixed[3] | ConvertTo-Json | ConvertFrom-Json
            $evil.Attributes.'db.query.text' = "SELECT `e[2J"
            $evil.Attributes | Add-Member "new`e]0;x`a" 'y'
            $evil.ErrorType = "`e[31m"
            $span = [Beyla.Span] $evil
            $span.Attributes['db.query.text'] | Should -Be 'SELECT \x1b[2J'
            ($span | Format-List | Out-String) + ($span | ConvertTo-Csv) + ($span | Format-Table -View Sql | Out-String) |
                Should -Not -Match '[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]'
        }
    }

    Describe 'in the view of flows' {
        It 'keep ports and names at <width> columns<auto>' -ForEach @(
            @{ width = 80; auto = '' }, @{ width = 80; auto = ' with -AutoSize' },
            @{ width = 120; auto = '' }, @{ width = 120; auto = ' with -AutoSize' }
        ) {
            $text = ($auto ? ($flows | Format-Table -AutoSize) : $flows) | Out-String -Width $width
            $lines = $text.Trim() -split '\r?\n'
            $lines.Count | Should -Be (2 + $flows.Count) -Because "no header and no row is broken in`n$text"
            $lines[0] | Should -Match '^Proto +Local +Remote +Bytes +Packets Process *$'
            foreach ($line in $lines) { $line.Length | Should -BeLessOrEqual $width }
            $lines[2] | Should -Match '^Tcp +10\.0\.0\.1:40000 +-> 10\.0\.0\.2:5432 +1\.5 KiB +3 (postgres|postgr?e?…)'
            $lines[3] | Should -Match '^Tcp +\[2001:d\S*…\S*ff\]:54321 +<- \[2001:db\S*…\S*678\]:5432 +1024 KiB +3 (postgres|postgr?e?…)'
            $lines[4] | Should -Match '^143 +10\.0\.0\.1 +<- 10\.0\.0\.3 +60 B +3 '
        }

        It 'are whole with -View Wide' {
            $lines = ($flows | Format-Table -View Wide | Out-String -Width 140).Trim() -split '\r?\n'
            $lines[3] | Should -Match ('\[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff\]:54321 +<- ' +
                '\[2001:db8:1234:5678:9abc:def0:1234:5678\]:5432 .* postgres')
        }

        It 'cut a name in the middle and not its port' {
            $record = [Beyla.Contracts.Flow] @{
                DestinationName = 'ip-10-1-2-3.eu-central-1.compute.internal'
                DestinationPort = 65535
                InterfaceDirection = 'Egress'
                Transport = 'UdpLite'
            }
            $line = ([Beyla.Flow]::new($record) | Out-String -Width 80).Trim() -split '\r?\n' | Select-Object -Last 1
            $line | Should -Match '-> ip-10-1\S*…\S*nternal:65535 '
        }
    }
}
