Describe 'Get-BeylaFlow' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $PSDefaultParameterValues['*-Beyla*:AgentPath'] = "$Agents/flows"
        function Get-Recorded { Get-Content $TestDrive/record }
    }
    AfterEach { Clear-AgentEnvironment }

    It 'passes <text> to the agent' -ForEach @(
        @{ text = ''; variable = 'BEYLA_NETWORK_METRICS=1' }
        @{ text = ''; variable = 'BEYLA_TRACE_PRINTER=json' }
        @{ text = '-Source TrafficControl'; variable = 'BEYLA_NETWORK_SOURCE=tc' }
        @{ text = '-Source SocketFilter'; variable = 'BEYLA_NETWORK_SOURCE=socket_filter' }
        @{ text = '-Interface lo, eth0'; variable = 'BEYLA_NETWORK_INTERFACES=lo,eth0' }
        @{ text = '-Interface l*, /^br-/, eth?'; variable = 'BEYLA_NETWORK_INTERFACES=/^l.*$/,/^br-/,/^eth.$/' }
        @{ text = '-Protocol Tcp, IcmpV6'; variable = 'BEYLA_NETWORK_PROTOCOLS=TCP,ICMPV6' }
        @{ text = '-Direction Egress'; variable = 'BEYLA_NETWORK_DIRECTION=egress' }
        @{ text = '-Cidr 10.0.0.0/8, fd00::/8'; variable = 'BEYLA_NETWORK_CIDRS=10.0.0.0/8,fd00::/8' }
        @{ text = '-ResolveName'; variable = 'BEYLA_REVERSE_DNS_TYPE=local' }
        @{ text = '-Follow'; variable = 'BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT=1000ms' }
        @{ text = '-Follow -Interval 250ms'; variable = 'BEYLA_NETWORK_CACHE_ACTIVE_TIMEOUT=250ms' }
        @{ text = '-Id 4242'; variable = 'BEYLA_NETWORK_REQUIRE_PROCESS=1' }
        @{ text = '-EnforceCapability'; variable = 'BEYLA_ENFORCE_SYS_CAPS=1' }
        @{ text = "-ConfigPath $PSCommandPath"; variable = "BEYLA_CONFIG_PATH=$PSCommandPath" }
        @{ text = "-Setting @{ 'network.sampling' = 10 }"; variable = 'arguments: --set network.sampling=10' }
    ) {
        $env:RECORD = "$TestDrive/record"
        $null = Invoke-Expression "Get-BeylaFlow -Duration 100ms -MaximumCount 1 $text"
        Get-Recorded | Should -Contain $variable
    }

    It 'does not trace applications, whatever the environment says' {
        $env:RECORD = "$TestDrive/record"; $env:BEYLA_OPEN_PORT = '80'
        Get-BeylaFlow -Duration 100ms | Out-Null
        Get-Recorded | Where-Object { $_ -like 'BEYLA_OPEN_PORT=?*' } | Should -BeNullOrEmpty
    }

    It 'adds up what one direction of a conversation sent' {
        $flows = Get-BeylaFlow -Duration 300ms
        $flows.Count | Should -Be 3
        $flows[0].Bytes | Should -Be 2000
        $flows[0].Packets | Should -Be 4
        $flows[0].FirstSeen.Second | Should -Be 10
        $flows[0].LastSeen.Second | Should -Be 11
        $flows[1].Bytes | Should -Be 4000
    }

    It 'emits each report with -Follow' {
        (Get-BeylaFlow -Follow -MaximumCount 5).Count | Should -Be 5
        (Get-BeylaFlow -Follow -MaxEvents 5).Count | Should -Be 5
        (Get-BeylaFlow -Follow | Select-Object -First 2).Count | Should -Be 2
    }

    It 'filters: <text>' -ForEach @(
        @{ text = '-Port 40001'; count = 1 }
        @{ text = '-Port 53, 40000-40009'; count = 3 }
        @{ text = '-Cidr fd00::/16'; count = 1 }
        @{ text = '-Cidr 10.0.0.2/32'; count = 2 }
        @{ text = '-Id 4242'; count = 2 }
        @{ text = '-Id 1'; count = 0 }
    ) {
        @(Invoke-Expression "Get-BeylaFlow -Duration 300ms $text").Count | Should -Be $count
    }

    It 'gives nothing, and not everything, when no process came from the pipeline' {
        @() | Get-BeylaFlow -Duration 300ms | Should -BeNullOrEmpty
        [pscustomobject]@{ Id = 4242 } | Get-BeylaFlow -Duration 300ms -WarningAction Ignore | Should -HaveCount 2
        Get-BeylaFlow -Duration 300ms | Get-BeylaFlow -Duration 300ms -WarningAction Ignore | Should -HaveCount 2
    }

    It 'refuses <text>' -ForEach @(
        @{ text = '-Id 0' }, @{ text = '-Cidr nowhere' }, @{ text = '-Protocol HTTP' }, @{ text = '-Source kprobe' }, @{ text = '-Port 0' }
    ) {
        { Invoke-Expression "Get-BeylaFlow $text" } | Should -Throw
    }

    It 'shows how far it is, and not with -Follow' {
        $shell = [powershell]::Create().AddScript(
            'param($module, $agent, $follow) Import-Module $module; Get-BeylaFlow -AgentPath $agent -Duration 600ms -Follow:$follow')
        $null = $shell.AddArgument($Module).AddArgument("$Agents/flows").AddArgument($false)
        $shell.Invoke().Count | Should -Be 3
        $shell.Streams.Progress.Count | Should -BeGreaterThan 1
        $shell.Streams.Progress[-1].RecordType | Should -Be 'Completed'
        $shell.Streams.Progress.Clear()
        $shell.Commands.Clear()
        $shell.AddScript("Get-BeylaFlow -AgentPath '$Agents/flows' -Duration 600ms -Follow").Invoke().Count | Should -Be 5
        $shell.Streams.Progress.Count | Should -Be 0
        $shell.Dispose()
    }

    It 'runs as a job' {
        $job = Get-BeylaFlow -Duration 300ms -AsJob
        $flows = $job | Receive-Job -Wait -AutoRemoveJob
        $flows.Count | Should -Be 3
        $flows[0] | Should -BeOfType Beyla.Flow
    }
}
