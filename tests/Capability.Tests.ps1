Describe 'Test-BeylaCapability' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $PSDefaultParameterValues['*-Beyla*:AgentPath'] = "$Agents/capability"
        $PSDefaultParameterValues['*-Beyla*:WarningAction'] = 'SilentlyContinue'
        function Get-Call([scriptblock] $Command) {
            (& $Command 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] -and $_ -like 'called: *' }).Message
        }
    }
    AfterEach { Clear-AgentEnvironment }

    It 'gives a row for each capability' {
        $rows = Test-BeylaCapability -OpenPort 80
        $rows.Count | Should -Be 3
        $rows[2].Capability | Should -Be ([Beyla.Capability]::Bpf)
        $rows[2].State | Should -Be 'Missing'
        $rows[2].Needed | Should -BeTrue
        $rows[2].UsedBy | Should -Be 'Every tracer', 'Watcher'
        $rows[2].Fix | Should -Match '^sudo setcap'
    }

    It 'has rows that are found by either spelling' {
        (Test-BeylaCapability -OpenPort 80 | Where-Object Name -eq CAP_BPF).Capability | Should -Be ([Beyla.Capability]::Bpf)
        (Test-BeylaCapability -OpenPort 80 | Where-Object Capability -eq Bpf).Name | Should -Be 'CAP_BPF'
        (Test-BeylaCapability -OpenPort 80 | Out-String -Width 80) | Should -Match '(?m)^Name +State'
    }

    It 'speaks of parameters when the configuration asks for nothing' {
        $caught = try { Test-BeylaCapability -AgentPath $RealAgent -Setting @{ log_level = 'INFO' } } catch { $_ }
        $caught.FullyQualifiedErrorId | Should -Match '^ConfigurationInvalid,'
        $caught.Exception.Message + $caught.ErrorDetails.RecommendedAction | Should -Not -Match 'BEYLA_|--'
        $caught.ErrorDetails.RecommendedAction | Should -Match '-OpenPort.*-Network'
    }

    It 'asks the agent: <text>' -ForEach @(
        @{ text = ''; call = 'capability test --json --scenario application' }
        @{ text = '-OpenPort 80'; call = 'capability test --json' }
        @{ text = '-Scenario NetworkTrafficControl'; call = 'capability test --json --scenario network-tc' }
        @{ text = '-Scenario ApplicationPropagation -Probe'; call = 'capability test --json --probe --scenario application-propagation' }
        @{ text = "-OpenPort 80 -Setting @{ 'a.b' = 1 }"; call = 'capability test --json --set a.b=1' }
    ) {
        Get-Call { Invoke-Expression "Test-BeylaCapability $text -Verbose" } | Should -Be "called: $call"
    }

    It 'takes the configuration of the environment' {
        $env:BEYLA_OPEN_PORT = '8080'
        Get-Call { Test-BeylaCapability -Verbose } | Should -Be 'called: capability test --json'
    }

    It 'warns of settings of the host, with the remedy' {
        Test-BeylaCapability -OpenPort 80 -WarningVariable warnings | Out-Null
        $warnings.Message | Should -Match 'perf_event_paranoid = 4: perf events are refused\. Fix: sysctl'
    }

    It 'is a Boolean with -Quiet' {
        $answer = Test-BeylaCapability -OpenPort 80 -Quiet
        $answer | Should -BeOfType bool
        $answer | Should -BeFalse
    }

    It 'fails with StreamInvalid for an agent that gives no report' {
        { Test-BeylaCapability -AgentPath (Get-Command true).Source } | Should -Throw -ErrorId 'StreamInvalid,*'
    }
}

Describe 'Set-BeylaCapability' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $PSDefaultParameterValues['*-Beyla*:AgentPath'] = "$Agents/capability"
        $PSDefaultParameterValues['*-Beyla*:WarningAction'] = 'SilentlyContinue'
        function Get-Call([scriptblock] $Command) {
            @(& $Command 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] -and $_ -like 'called: *' })[-1].Message
        }
    }
    BeforeEach { $env:ALLOWED = '1' }
    AfterEach { Clear-AgentEnvironment }

    It 'asks the agent: <text>' -ForEach @(
        @{ text = '-OpenPort 80'; call = 'capability set' }
        @{ text = '-OpenPort 80 -Minimal'; call = 'capability set --minimal' }
        @{ text = '-Scenario Network'; call = 'capability set --scenario network' }
        @{ text = '-Clear'; call = 'capability clear' }
        @{ text = '-Network -Add'; call = 'capability set --add' }
        @{ text = '-OpenPort 80 -Minimal -Add'; call = 'capability set --add --minimal' }
        @{ text = '-Scenario Network -Add'; call = 'capability set --add --scenario network' }
    ) {
        Get-Call { Invoke-Expression "Set-BeylaCapability $text -Verbose" } | Should -Be "called: $call"
    }

    It 'sets what the rows of the pipeline name' {
        Get-Call { Test-BeylaCapability -OpenPort 80 | Set-BeylaCapability -Verbose } |
            Should -Be 'called: capability set --capability cap_sys_ptrace,cap_bpf'
        Get-Call { Test-BeylaCapability -OpenPort 80 | Set-BeylaCapability -Add -Verbose } |
            Should -Be 'called: capability set --add --capability cap_sys_ptrace,cap_bpf'
        Get-Call { Test-BeylaCapability -OpenPort 80 | Set-BeylaCapability -Minimal -Verbose } |
            Should -Be 'called: capability set --capability cap_bpf'
        Get-Call { Test-BeylaCapability -OpenPort 80 | Where-Object Capability -ne SysPtrace | Set-BeylaCapability -Verbose } |
            Should -Be 'called: capability set --capability cap_bpf'
    }

    It 'names the change with -WhatIf and does nothing' {
        $env:ALLOWED = $null
        $text = pwsh -NoProfile -Command "Import-Module '$Module'; Set-BeylaCapability -AgentPath '$Agents/capability' -OpenPort 80 -WhatIf"
        "$text" | Should -Match 'What if:.*CAP_SYS_PTRACE, CAP_BPF.*agents/capability'
        Get-Call { Set-BeylaCapability -OpenPort 80 -WhatIf -Verbose } | Should -Be 'called: capability test --json'
        $script = "Import-Module '$Module'; Set-BeylaCapability -AgentPath '$Agents/capability' -OpenPort 80 -Add -WhatIf"
        $text = pwsh -NoProfile -Command $script
        "$text" | Should -Match 'What if:.*add the file capabilities CAP_SYS_PTRACE, CAP_BPF to those that are there'
    }

    It 'asks with -Confirm' {
        $script = "Import-Module '$Module'; Set-BeylaCapability -AgentPath '$Agents/capability' -OpenPort 80 -Confirm"
        $text = pwsh -NoProfile -NonInteractive -Command $script 2>&1
        "$text" | Should -Match 'NonInteractive'
    }

    It 'emits what was found afterwards with -PassThru' {
        $rows = Set-BeylaCapability -OpenPort 80 -PassThru
        $rows.Count | Should -Be 3
        $rows[0] | Should -BeOfType Beyla.CapabilityRequirement
        Set-BeylaCapability -OpenPort 80 | Should -BeNullOrEmpty
        # Root has every capability: the agent is asked what the file gives, and says itself which file it is.
        Get-Call { Set-BeylaCapability -OpenPort 80 -PassThru -Verbose } | Should -Be 'called: capability test --json --file /opt/beyla'
        @(Set-BeylaCapability -Clear -PassThru).Count | Should -Be 3
        Set-BeylaCapability -OpenPort 80 -PassThru -WhatIf | Should -BeNullOrEmpty
        Set-BeylaCapability -Clear -PassThru -WhatIf | Should -BeNullOrEmpty
        $WhatIfPreference = $true
        Set-BeylaCapability -OpenPort 80 -PassThru | Should -BeNullOrEmpty
    }

    It 'sets nothing when no row is left, whatever the environment configures' {
        $env:BEYLA_OPEN_PORT = '80'
        Test-BeylaCapability | Where-Object Capability -eq Chown | Set-BeylaCapability -Verbose 4>&1 | Should -BeLike 'Nothing came*'
    }

    It 'says what to give when nothing is asked for' {
        $caught = try { Set-BeylaCapability } catch { $_ }
        $caught.FullyQualifiedErrorId | Should -Be 'ConfigurationInvalid,Beyla.PowerShell.Commands.SetBeylaCapabilityCommand'
        $caught.ErrorDetails.RecommendedAction | Should -Match '-Scenario'
    }

    It 'names the exact command where it may not' {
        $env:ALLOWED = $null
        $caught = $null
        try { Set-BeylaCapability -OpenPort 80 } catch { $caught = $_ }
        $caught.FullyQualifiedErrorId | Should -Be 'CapabilityNotPermitted,Beyla.PowerShell.Commands.SetBeylaCapabilityCommand'
        $caught.CategoryInfo.Category | Should -Be 'PermissionDenied'
        $caught.Exception.Message | Should -Match 'Run: sudo setcap cap_bpf=p /opt/beyla$'
        $caught.ErrorDetails.RecommendedAction | Should -Be 'sudo setcap cap_bpf=p /opt/beyla'
    }
}
