Describe 'Completion' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        function Complete([string] $Line) {
            [Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches
        }
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        $port = $listener.LocalEndpoint.Port
    }
    AfterAll { $listener.Stop() }

    It 'offers ports on which something listens, with the process as tooltip: <_>' -ForEach @(
        'Start-BeylaTrace -OpenPort ', 'Get-BeylaFlow -Port ', 'Test-BeylaCapability -OpenPort '
    ) {
        $match = Complete $_ | Where-Object CompletionText -eq "$port"
        $match.ToolTip | Should -Match "pwsh \($PID\)"
    }

    It 'offers ports after a comma' {
        (Complete 'Start-BeylaTrace -OpenPort 80,').CompletionText | Should -Contain "$port"
    }

    It 'offers processes by number and by name' {
        (Complete 'Start-BeylaTrace -Id ').CompletionText | Should -Contain "$PID"
        (Complete 'Get-BeylaFlow -Id pwsh' | Where-Object CompletionText -eq "$PID").ToolTip | Should -Match 'pwsh'
    }

    It 'offers executables that run' {
        (Complete 'Start-BeylaTrace -Executable pwsh').CompletionText | Should -Contain '*/pwsh'
    }

    It 'offers interfaces' {
        (Complete 'Get-BeylaFlow -Interface l' | Where-Object CompletionText -eq lo).ToolTip | Should -Match '127\.0\.0\.1'
    }

    It 'offers scenarios' {
        $found = Complete 'Test-BeylaCapability -Scenario '
        $found.CompletionText | Sort-Object | Should -Be 'Application', 'ApplicationPropagation', 'Network', 'NetworkTrafficControl'
    }

    It 'offers the values of <line>' -ForEach @(
        @{ line = 'Start-BeylaTrace -Language N'; value = 'NodeJs' }
        @{ line = 'Get-BeylaFlow -Source T'; value = 'TrafficControl' }
        @{ line = 'Get-BeylaFlow -Direction E'; value = 'Egress' }
        @{ line = 'Get-BeylaFlow -Protocol Sc'; value = 'Sctp' }
        @{ line = 'Start-BeylaTrace -ContextPropagation H'; value = 'Headers' }
    ) { (Complete $line).CompletionText | Should -Contain $value }

    It 'offers properties of what is emitted, and not of a job: <line>' -ForEach @(
        @{
            line = 'Start-BeylaTrace | Where-Object '
            some = 'Kind', 'Status', 'DurationMs', 'Start', 'Duration', 'RemoteAddress', 'Client'
        }
        @{ line = 'Start-BeylaTrace 8080 -AsJob:$false | Sort-Object '; some = 'Kind', 'DurationMs', 'Path' }
        @{ line = 'Get-BeylaFlow | Where-Object '; some = 'RemotePort', 'Bytes', 'FirstSeen', 'Local', 'ProcessName' }
        @{ line = 'Get-BeylaFlow | Group-Object '; some = 'RemoteAddress', 'Transport' }
        @{ line = 'Test-BeylaCapability | Where-Object '; some = 'Capability', 'State', 'Fix' }
        @{ line = 'Set-BeylaCapability -Scenario Network -PassThru | Where-Object '; some = 'Capability', 'State', 'Fix' }
    ) {
        $found = (Complete $line).CompletionText
        foreach ($name in $some) { $found | Should -Contain $name }
        foreach ($name in 'HasMoreData', 'ChildJobs', 'PSJobTypeName', 'StatusMessage', 'Output') { $found | Should -Not -Contain $name }
    }

    It 'offers what is meant and no file: <line>' -ForEach @(
        @{ line = 'Start-BeylaTrace -Duration '; some = '30s', '5m' }
        @{ line = 'Start-BeylaTrace -Duration 15'; some = '15s', '15ms', '15m', '15h' }
        @{ line = 'Start-BeylaTrace -Duration 1.5'; some = '1.5s', '1.5h' }
        @{ line = 'Start-BeylaTrace -Duration 10m'; some = '10m', '10ms' }
        @{ line = 'Start-BeylaTrace -RequestTimeout '; some = '30s' }
        @{ line = 'Get-BeylaFlow -Duration '; some = '30s', '5m' }
        @{ line = 'Get-BeylaFlow -Follow -Interval '; some = '500ms', '10s' }
        @{ line = 'Get-BeylaFlow -Cidr '; some = '127.0.0.0/8', '10.0.0.0/8', 'fc00::/7' }
        @{ line = 'Get-BeylaFlow -Cidr 10.0.0.0/8, 192'; some = '192.168.0.0/16' }
        @{ line = 'Get-BeylaFlow -MaximumCount '; some = '10', '1000' }
        @{ line = 'Start-BeylaTrace -MaximumCount 7'; some = @() }
        @{ line = 'Start-BeylaTrace -Duration zz'; some = @() }
        @{ line = 'Start-BeylaTrace -OpenPort zz'; some = @() }
    ) {
        foreach ($name in '7things', '15things', 'zzfile') { Set-Content $TestDrive/$name 'x' }
        Push-Location $TestDrive
        try { $found = @(Complete $line) } finally { Pop-Location }
        foreach ($text in $some) { $found.CompletionText | Should -Contain $text }
        foreach ($one in $found) { $one.ResultType | Should -Be ParameterValue; $one.ToolTip | Should -Not -BeNullOrEmpty }
        if (-not $some) { $found.Count | Should -Be 0 }
    }

    It 'needs no privilege and starts no agent' {
        if ((id -u) -ne 0) { Set-ItResult -Skipped -Because 'this runs as an ordinary user already' }
        # setpriv keeps the program and drops the user; the module must be readable for everyone.
        $script = @"
Import-Module '$Module'
([Management.Automation.CommandCompletion]::CompleteInput('Start-BeylaTrace -OpenPort ', 27, `$null)).CompletionMatches.CompletionText
[Beyla.PowerShell.Agent.LiveAgents]::Count
"@
        $env:HOME = '/tmp'
        $found = setpriv --reuid 65534 --regid 65534 --clear-groups pwsh -NoProfile -Command $script
        $env:HOME = (getent passwd 0).Split(':')[5]
        $found | Should -Contain "$port"
        $found[-1] | Should -Be 0
    }
}
