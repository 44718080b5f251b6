Describe 'Completion' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        function Complete([string] $Line) { [Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches }
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        $port = $listener.LocalEndpoint.Port
    }
    AfterAll { $listener.Stop() }

    It 'offers ports on which something listens, with the process as tooltip: <_>' -ForEach 'Start-BeylaTrace -OpenPort ', 'Get-BeylaFlow -Port ', 'Test-BeylaCapability -OpenPort ' {
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

    It 'needs no privilege and starts no agent' {
        if ((id -u) -ne 0) { Set-ItResult -Skipped -Because 'this runs as an ordinary user already' }
        # setpriv keeps the program and drops the user; the module must be readable for everyone.
        $script = "Import-Module '$Module'; ([Management.Automation.CommandCompletion]::CompleteInput('Start-BeylaTrace -OpenPort ', 27, `$null)).CompletionMatches.CompletionText; [Beyla.PowerShell.Agent.LiveAgents]::Count"
        $env:HOME = '/tmp'
        $found = setpriv --reuid 65534 --regid 65534 --clear-groups pwsh -NoProfile -Command $script
        $env:HOME = (getent passwd 0).Split(':')[5]
        $found | Should -Contain "$port"
        $found[-1] | Should -Be 0
    }
}
