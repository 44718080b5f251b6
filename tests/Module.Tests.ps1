Describe 'The module' {
    BeforeAll { . $PSScriptRoot/Common.ps1 }

    It 'has a valid manifest with everything the gallery asks for' {
        $manifest = Test-ModuleManifest $Module/Beyla.psd1
        $manifest.CompatiblePSEditions | Should -Be 'Core'
        $manifest.PowerShellVersion | Should -Be '7.4'
        $manifest.Tags | Should -Contain 'Linux'
        $manifest.ProjectUri | Should -Not -BeNullOrEmpty
        $manifest.LicenseUri | Should -Not -BeNullOrEmpty
        $manifest.Description | Should -Not -BeNullOrEmpty
        $manifest.Version | Should -Be ([version](Select-Xml -Path $Root/Directory.Build.props -XPath '//Version').Node.InnerText)
    }

    It 'exports exactly five cmdlets and nothing else' {
        $module = Get-Module Beyla
        $module.ExportedCommands.Keys | Sort-Object |
            Should -Be 'Export-BeylaTrace', 'Get-BeylaFlow', 'Set-BeylaCapability', 'Start-BeylaTrace', 'Test-BeylaCapability'
        $module.ExportedCommands.Values.CommandType | Should -Not -Contain 'Function'
    }

    It 'imports from the top of the repository too, with help' {
        $script = @"
Import-Module '$Root/Beyla.psd1'
(Get-Command Start-BeylaTrace).Module.Name
(Get-Help Start-BeylaTrace).examples.example.Count -ge 3
[Beyla.Span]::new([Beyla.Contracts.Span]::new()) | Format-Table | Out-String | Should -Match Duration
"@
        pwsh -NoProfile -Command $script | Should -Be 'Beyla', 'True'
    }

    It 'is found by name where PSModulePath says so' {
        $script = "`$env:PSModulePath = '$Root/out/modules'; (Get-Command Get-BeylaFlow).ModuleName"
        pwsh -NoProfile -Command $script | Should -Be 'Beyla'
    }

    It 'starts nothing when it is imported' {
        # In how much time is measured by Measure-Module.ps1.
        $script = "Import-Module '$Module'; [Beyla.PowerShell.Agent.LiveAgents]::Count; @(Get-Content /proc/self/task/*/children) -ne ''"
        @(pwsh -NoProfile -Command $script) | Should -Be @('0')
    }

    It 'can be removed and imported again' {
        $script = "Import-Module '$Module'; Remove-Module Beyla; [bool] (Get-Module Beyla); " +
            "Import-Module '$Module'; [bool] (Get-Module Beyla)"
        pwsh -NoProfile -Command $script | Should -Be 'False', 'True'
    }

    It 'comes as a package that imports when it is unpacked, with an agent that can be executed' {
        $tool = "$Root/out/build/bin/Beyla.ModuleBuild/release/Beyla.ModuleBuild.dll"
        if (-not (Test-Path $tool) -or -not (Test-Path $RealAgent)) {
            Set-ItResult -Skipped -Because 'the release build or the agent is not there'
        }
        $package = dotnet $tool pack $Module $TestDrive/packages
        $package | Should -BeLike '*/Beyla.*.nupkg'
        [IO.Compression.ZipFile]::ExtractToDirectory($package, "$TestDrive/unpacked/Beyla")
        ([xml] (Get-Content $TestDrive/unpacked/Beyla/Beyla.nuspec)).package.metadata.tags |
            Should -Match 'PSModule.*PSCmdlet_Start-BeylaTrace'
        $script = "Import-Module '$TestDrive/unpacked/Beyla'; @(Test-BeylaCapability -Scenario Network -WarningAction Ignore).Count -gt 3"
        pwsh -NoProfile -Command $script | Should -Be 'True'
    }

    It 'is imported by name after the install step, from the <source>' -ForEach @(@{ source = 'build' }, @{ source = 'package' }) {
        $tool = "$Root/out/build/bin/Beyla.ModuleBuild/release/Beyla.ModuleBuild.dll"
        if (-not (Test-Path $tool) -or -not (Test-Path $RealAgent)) {
            Set-ItResult -Skipped -Because 'the release build or the agent is not there'
        }
        $data = "$TestDrive/data of $source"
        $version = (Test-ModuleManifest $Module/Beyla.psd1).Version
        $target = "$data/powershell/Modules/Beyla/$version"
        try {
            $env:XDG_DATA_HOME = $data
            if ($source -eq 'package') {
                $package = dotnet $tool pack $Module $TestDrive/packages
                # The task itself, twice: the second time what is there is replaced.
                foreach ($time in 1, 2) {
                    $said = bash $Root/build.sh install --user $package 2>&1
                    $LASTEXITCODE | Should -Be 0 -Because "$said"
                    "$said" | Should -Match ("installed $([regex]::Escape($target)).*no file capabilities.*" +
                        "sudo .*/Beyla/$version/bin/beyla capability set")
                }
            }
            else { dotnet $tool install $Module "$data/powershell/Modules" | Should -Be $target }
            # As a new shell has it: nobody adds a path.
            $script = @'
Import-Module Beyla
(Get-Module Beyla).ModuleBase
@(Test-BeylaCapability -Scenario Network -WarningAction Ignore).Count -gt 3
(Get-Help Start-BeylaTrace).Synopsis.Length -gt 9
'@
            env -u PSModulePath pwsh -NoProfile -Command $script | Should -Be $target, 'True', 'True'
        }
        finally { $env:XDG_DATA_HOME = $null }
        Get-ChildItem $target -Recurse -File |
            ForEach-Object { $_.UnixMode | Should -Be ($_.Name -eq 'beyla' ? '-rwxr-xr-x' : '-rw-r--r--') }
        Get-ChildItem $data/powershell/Modules/Beyla -Force | Should -HaveCount 1
        ((Get-ChildItem $target -Recurse -File).FullName | ForEach-Object { [IO.Path]::GetRelativePath($target, $_) } | Sort-Object) |
            Should -Be (
                (Get-ChildItem $Module -Recurse -File).FullName | ForEach-Object { [IO.Path]::GetRelativePath($Module, $_) } | Sort-Object)
    }

    It 'has a page for each cmdlet and a whole synopsis for each topic' {
        foreach ($command in (Get-Module Beyla).ExportedCommands.Values) {
            $command.HelpUri | Should -BeLike "$((Get-Module Beyla).ProjectUri)*"
        }
        # Get-Help takes one line of it.
        foreach ($file in Get-ChildItem $Module/en-US/about_*.help.txt) {
            (Get-Content $file -Raw) | Should -Match '(?m)^SHORT DESCRIPTION\n    \S[^\n]*\.\n\n'
        }
    }

    Describe 'Help of <_>' -ForEach 'Export-BeylaTrace', 'Get-BeylaFlow', 'Set-BeylaCapability', 'Start-BeylaTrace', 'Test-BeylaCapability' {
        It 'has synopsis, description and three examples' {
            $help = Get-Help $_ -Full
            $help.Synopsis | Should -Not -BeNullOrEmpty
            $help.description.Text | Should -Not -BeNullOrEmpty
            $help.examples.example.Count | Should -BeGreaterOrEqual 3
            $help.returnValues.returnValue.type.name | Should -Not -BeNullOrEmpty
        }

        It 'describes every parameter' {
            $common = [Management.Automation.PSCmdlet]::CommonParameters
            foreach ($name in (Get-Command $_).Parameters.Keys | Where-Object { $_ -notin $common }) {
                (Get-Help $_ -Parameter $name).description.Text | Should -Not -BeNullOrEmpty -Because "-$name is a parameter of $_"
            }
        }

        It 'has examples that are valid commands of this module' {
            foreach ($example in (Get-Help $_ -Full).examples.example) {
                $errors = $null
                $ast = [Management.Automation.Language.Parser]::ParseInput($example.code, [ref] $null, [ref] $errors)
                $errors | Should -BeNullOrEmpty
                $commands = $ast.FindAll({ param($node) $node -is [Management.Automation.Language.CommandAst] }, $true) |
                    Where-Object { $_.GetCommandName() -like '*-Beyla*' }
                foreach ($command in $commands) {
                    $known = (Get-Command $command.GetCommandName()).Parameters.Keys
                    $command.CommandElements |
                        Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] } |
                        ForEach-Object { $_.ParameterName | Should -BeIn $known }
                }
            }
        }
    }

    It 'has <_>' -ForEach 'about_Beyla', 'about_Beyla_Capabilities' {
        $text = pwsh -NoProfile -Command "Import-Module '$Module'; Get-Help $_ | Out-String"
        ($text -join "`n") | Should -Match 'LONG DESCRIPTION'
        (Get-Content $Module/en-US/$_.help.txt | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 80
    }

    It 'names every error of the module in about_Beyla' {
        $text = Get-Content $Module/en-US/about_Beyla.help.txt -Raw
        foreach ($name in [Enum]::GetNames([Beyla.PowerShell.Agent.AgentFault])) { $text | Should -Match "\b$name\b" }
    }
}

Describe 'Objects and views' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $PSDefaultParameterValues['*-Beyla*:AgentPath'] = "$Agents/spans"
        $env:STATUS = 503
        $span = Start-BeylaTrace -MaximumCount 1
        Clear-AgentEnvironment
        $flow = Get-BeylaFlow -AgentPath $Agents/flows -Duration 0.2s | Select-Object -First 1
        $row = Test-BeylaCapability -AgentPath $Agents/capability -WarningAction Ignore
    }
    AfterAll { Clear-AgentEnvironment }

    It 'have real types' {
        $span.Start | Should -BeOfType DateTime
        $span.Start.Kind | Should -Be Local
        $span.Duration | Should -BeOfType TimeSpan
        $span.ClientAddress | Should -BeOfType string
        $span.Kind | Should -BeOfType string
        $span.Status | Should -BeOfType int
        $span.ResponseBodyLength | Should -BeOfType long
        $flow.Bytes | Should -BeOfType long
        $flow.RemoteAddress | Should -BeOfType string
        $flow.Transport | Should -BeOfType string
        $row[0].Capability | Should -BeOfType Beyla.Capability
        $row[0].State | Should -BeOfType string
    }

    It 'carry the values of the stream' {
        $span.Path | Should -Be '/checkout'
        $span.Query | Should -Be 'id=0'
        $span.Status | Should -Be 503
        $span.Duration | Should -Be ([timespan]::FromMicroseconds(1500))
        $span.Start | Should -Be ([DateTimeOffset] '2026-01-02T03:04:05Z').LocalDateTime
        $span.End - $span.Start | Should -Be $span.Duration
        $span.Server | Should -Be '127.0.0.1:8080'
        $span.Client | Should -Be '127.0.0.1:40000'
        $span.OwningProcess | Should -Be 4242
        $span.ProcessName | Should -Be 'nginx'
        $span.DurationMs | Should -Be 1.5
        $flow.Local | Should -Be '10.0.0.1:40000'
        $flow.Remote | Should -Be '10.0.0.2:5432'
        $flow.Rate | Should -BeGreaterThan 0
    }

    It 'fit 80 columns as a table: <_>' -ForEach 'span', 'flow', 'row' {
        $text = Get-Variable $_ -ValueOnly | Out-String -Width 80
        $text.Trim() -split "`n" | ForEach-Object { $_.TrimEnd().Length | Should -BeLessOrEqual 80 }
        ($text -split "`n" | Where-Object { $_ -match '^-' }) | Should -Not -BeNullOrEmpty -Because 'the default view is a table'
    }

    It 'break no word of what works no more without a capability' {
        $text = Test-BeylaCapability -AgentPath $RealAgent -Scenario Application -WarningAction Ignore | Out-String -Width 80
        $words = (Test-BeylaCapability -AgentPath $RealAgent -Scenario Application -WarningAction Ignore).WithoutIt -split ' '
        foreach ($word in $words | Where-Object { $_.Length -gt 0 }) { $text | Should -Match "(?m)(^| )$([regex]::Escape($word))( |\r?$)" }
    }

    It 'show everything as a list: <name>' -ForEach @(
        @{
            name = 'span'
            derived = 'PeerAddress', 'PeerPort', 'LocalAddress', 'LocalPort', 'RemoteAddress', 'RemotePort',
                'ClientAddress', 'ClientPort', 'ServerAddress', 'ServerPort', 'DurationMs', 'HandlerDurationMs',
                # These are among the attributes.
                'Method', 'Path', 'Query', 'Host', 'ProtocolVersion', 'Route', 'RequestBodyLength', 'ResponseBodyLength'
        }
        @{
            name = 'flow'
            derived = 'LocalAddress', 'LocalPort', 'RemoteAddress', 'RemotePort', 'RemoteName',
                'SourceAddress', 'SourcePort', 'DestinationAddress', 'DestinationPort', 'DurationMs'
        }
        @{ name = 'row'; derived = 'Needed', 'Uses' }
    ) {
        $object = Get-Variable $name -ValueOnly | ForEach-Object { $_ } | Select-Object -First 1
        $text = $object | Format-List | Out-String -Width 120
        foreach ($property in $object.GetType().GetProperties().Name | Where-Object { $_ -notin $derived }) {
            $text | Should -Match "(?m)^$property +:"
        }
    }

    It 'list each attribute of a span' {
        $text = $span | Format-List | Out-String -Width 120
        foreach ($name in $span.Attributes.Keys) { $text | Should -Match "(?m) $([regex]::Escape($name)) = ." }
        $text | Should -Match 'http\.response\.body\.size = 1024'
    }

    It 'show the proxy in the list where there is one' {
        $span | Format-List | Out-String | Should -Not -Match '(?m)^Peer +:'
        $row = $span | ConvertTo-Json | ConvertFrom-Json
        $row.PeerAddress = 'fd00::9'; $row.PeerPort = 4711
        [Beyla.Span] $row | Format-List | Out-String | Should -Match '(?m)^Peer +: \[fd00::9\]:4711'
    }

    It 'show units' {
        $span | Out-String -Width 80 | Should -Match '1\.50 ms'
        $span | Format-List | Out-String | Should -Match '1\.50 ms'
        $flow | Out-String -Width 80 | Should -Match '2\.0 KiB'
    }

    It 'have colour where the terminal has it, and only there' {
        $script = "Import-Module '$Module'; `$env:STATUS = 503; Start-BeylaTrace -AgentPath '$Agents/spans' -MaximumCount 1"
        (pwsh -NoProfile -Command "`$PSStyle.OutputRendering = 'Ansi'; $script") -join '' | Should -Match "`e\[91m503"
        (pwsh -NoProfile -Command "`$PSStyle.OutputRendering = 'PlainText'; $script") -join '' | Should -Not -Match "`e"
    }

    It 'keep escape sequences of captured data from the terminal, whichever way it is shown' {
        $env:SPAN_PATH = '/a\u001b[2J\u009b31m\u202e'
        $evil = Start-BeylaTrace -MaximumCount 1
        $evil.Path | Should -Be '/a\x1b[2J\x9b31m\u202e'
        $shown = @(
            $evil | Out-String
            $evil | Format-List | Out-String
            $evil | Group-Object Path | Out-String
            $evil | Select-Object Path | Out-String
            "$evil"
        )
        foreach ($text in $shown) {
            $text | Should -Not -Match '[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]'
        }
        Clear-AgentEnvironment
    }

    It 'survive ConvertTo-Json: <_>' -ForEach 'span', 'flow', 'row' {
        $object = Get-Variable $_ -ValueOnly | ForEach-Object { $_ } | Select-Object -First 1
        $back = $object | ConvertTo-Json -Depth 3 | ConvertFrom-Json
        foreach ($property in $object.GetType().GetProperties().Name) { $back.PSObject.Properties.Name | Should -Contain $property }
    }

    It 'survive Export-Csv' {
        $back = $span | ConvertTo-Csv | ConvertFrom-Csv
        $back.Path | Should -Be '/checkout'
        $back.ClientAddress | Should -Be '127.0.0.1'
        [timespan] $back.Duration | Should -Be $span.Duration
        ($flow | ConvertTo-Csv | ConvertFrom-Csv).Bytes | Should -Be 2000
    }

    It 'come through a job in another process' {
        $job = Start-Job -ArgumentList $Module, "$Agents/spans" {
            Import-Module $args[0]
            Start-BeylaTrace -AgentPath $args[1] -MaximumCount 3
        }
        $spans = $job | Receive-Job -Wait -AutoRemoveJob
        $spans.Count | Should -Be 3
        $spans[2].Query | Should -Be 'id=2'
    }
}
