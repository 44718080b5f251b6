# What ends PowerShell itself must end the agent: a planted one, so that no privilege is needed.
Describe 'A shell with a running trace' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        function Start-Shell([string] $Command) {
            $start = [Diagnostics.ProcessStartInfo]::new('pwsh')
            '-NoProfile', '-Command', "Import-Module '$Module'; $Command" | ForEach-Object { $start.ArgumentList.Add($_) }
            $start.RedirectStandardOutput = $start.RedirectStandardError = $start.RedirectStandardInput = $true
            $start.Environment['RECORD'] = "$TestDrive/record"
            $shell = [Diagnostics.Process]::Start($start)
            Wait-Until { Test-Path $TestDrive/record.pid } 30 | Should -BeTrue
            Start-Sleep -Milliseconds 200
            $shell
        }
        function Get-AgentId { [int] (Get-Content $TestDrive/record.pid) }
    }
    BeforeEach { Remove-Item $TestDrive/record* -ErrorAction Ignore }

    It 'leaves no agent behind when it is killed' {
        $shell = Start-Shell "Start-BeylaTrace -AgentPath '$Agents/spans' | Out-Null"
        Test-Alive (Get-AgentId) | Should -BeTrue
        $shell.Kill()
        Wait-Until { -not (Test-Alive (Get-AgentId)) } 2 | Should -BeTrue
    }

    It 'leaves no agent of a job behind when it ends' {
        $shell = Start-Shell "`$job = Start-BeylaTrace -AgentPath '$Agents/spans' -AsJob; Start-Sleep 2"
        Test-Alive (Get-AgentId) | Should -BeTrue
        $shell.WaitForExit(20000) | Should -BeTrue
        Wait-Until { -not (Test-Alive (Get-AgentId)) } 2 | Should -BeTrue
    }

    It 'leaves no agent behind when it is terminated' {
        $shell = Start-Shell "Start-BeylaTrace -AgentPath '$Agents/spans' | Out-Null"
        kill -TERM $shell.Id
        Wait-Until { -not (Test-Alive (Get-AgentId)) } 4 | Should -BeTrue
        if (-not $shell.WaitForExit(5000)) { $shell.Kill() }
    }

    Describe 'in a terminal' {
        BeforeAll {
            $terminal = "beyla-tests-$PID"
            $hasTerminal = [bool] (Get-Command tmux -ErrorAction Ignore)
            function Send([string[]] $Keys) { tmux -L $terminal send-keys -t 0 @Keys }
            function Get-Screen { (tmux -L $terminal capture-pane -p -t 0) -join "`n" }
        }
        BeforeEach {
            if (-not $hasTerminal) { Set-ItResult -Skipped -Because 'tmux is not installed' }
            tmux -L $terminal -f /dev/null new-session -d -x 100 -y 40 -e "RECORD=$TestDrive/record" pwsh -NoProfile -NoLogo -NoExit -Command "Import-Module '$Module'; 'ready'"
            Wait-Until { (Get-Screen) -match 'ready[\s\S]*PS ' } 30 | Should -BeTrue
        }
        AfterEach { if ($hasTerminal) { tmux -L $terminal kill-server 2> $null } }

        It 'shows the spans as they come and returns to the prompt within 2 s of Ctrl+C' {
            Send "Start-BeylaTrace -AgentPath $Agents/spans", Enter
            Wait-Until { (Get-Screen) -match '(?m)(^03:04:05\.\d+ +Server.*\s+){10}' } 20 | Should -BeTrue
            $id = Get-AgentId
            Test-Alive $id | Should -BeTrue
            Send C-c
            Wait-Until { -not (Test-Alive $id) } 2 | Should -BeTrue
            Send "'prompt' + ' is back'", Enter
            Wait-Until { (Get-Screen) -match 'prompt is back' } 5 | Should -BeTrue
        }

        It 'does not lose a job to Ctrl+C' {
            Send "`$job = Start-BeylaTrace -AgentPath $Agents/spans -AsJob; Start-Sleep 100", Enter
            Wait-Until { Test-Path $TestDrive/record.pid } 20 | Should -BeTrue
            Start-Sleep -Milliseconds 300
            Send C-c
            Start-Sleep -Milliseconds 700
            Test-Alive (Get-AgentId) | Should -BeTrue
            Send "'state ' + `$job.State", Enter
            Wait-Until { (Get-Screen) -match 'state Running' } 5 | Should -BeTrue
        }

        It 'leaves no agent behind when the terminal is closed' {
            Send "Start-BeylaTrace -AgentPath $Agents/spans", Enter
            Wait-Until { Test-Path $TestDrive/record.pid } 20 | Should -BeTrue
            $id = Get-AgentId
            tmux -L $terminal kill-server
            Wait-Until { -not (Test-Alive $id) } 4 | Should -BeTrue
        }
    }
}
