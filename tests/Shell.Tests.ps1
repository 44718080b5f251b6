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
            $null = Get-AgentId
            Start-Sleep -Milliseconds 200
            $shell
        }
        # The process id of the planted agent, once it wrote it.
        function Get-AgentId {
            Wait-Until { Get-Content $TestDrive/record.pid -ErrorAction Ignore } | Should -BeTrue
            [int] (Get-Content $TestDrive/record.pid)
        }
    }
    BeforeEach { Remove-Item $TestDrive/record* -ErrorAction Ignore }

    It 'leaves no agent behind when it is killed' {
        $shell = Start-Shell "Start-BeylaTrace -AgentPath '$Agents/spans' | Out-Null"
        Test-Alive (Get-AgentId) | Should -BeTrue
        $shell.Kill()
        Wait-Until { -not (Test-Alive (Get-AgentId)) } | Should -BeTrue
    }

    It 'leaves no agent of a job behind when it ends' {
        $shell = Start-Shell "`$job = Start-BeylaTrace -AgentPath '$Agents/spans' -AsJob; Start-Sleep 2"
        Test-Alive (Get-AgentId) | Should -BeTrue
        $shell.WaitForExit(30000) | Should -BeTrue
        Wait-Until { -not (Test-Alive (Get-AgentId)) } | Should -BeTrue
    }

    It 'leaves no agent behind when it is terminated' {
        $shell = Start-Shell "Start-BeylaTrace -AgentPath '$Agents/spans' | Out-Null"
        kill -TERM $shell.Id
        Wait-Until { -not (Test-Alive (Get-AgentId)) } | Should -BeTrue
        if (-not $shell.WaitForExit(30000)) { $shell.Kill() }
    }

    Describe 'in a terminal' {
        BeforeEach {
            $terminal = $null
            if (-not (Get-Command tmux -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'tmux is not installed' }
            $terminal = Start-Terminal @{ RECORD = "$TestDrive/record" }
        }
        AfterEach { if ($terminal) { Clear-Terminal $terminal } }

        It 'shows the spans as they come and returns to the prompt after Ctrl+C' {
            Send-Key $terminal "Start-BeylaTrace -AgentPath $Agents/spans", Enter
            Wait-Until { (Get-Screen $terminal) -match '(?m)(^03:04:05\.\d+ +Server.*\s+){10}' } | Should -BeTrue
            $id = Get-AgentId
            Test-Alive $id | Should -BeTrue
            Send-Key $terminal C-c
            Wait-Until { -not (Test-Alive $id) } | Should -BeTrue
            Send-Key $terminal "'prompt' + ' is back'", Enter
            Wait-Until { (Get-Screen $terminal) -match 'prompt is back' } | Should -BeTrue
        }

        It 'keeps what came in the variable of -OutVariable, and not in an assignment, when Ctrl+C ends it' {
            $ways = @(
                @{ Command = 'Start-BeylaTrace {0} -OutVariable kept'; Count = 10 }
                @{ Command = '$kept = Start-BeylaTrace {0}'; Count = 0 }
            )
            foreach ($way in $ways) {
                Remove-Item $TestDrive/record* -ErrorAction Ignore
                Send-Key $terminal ('Remove-Variable kept -ErrorAction Ignore; ' + ($way.Command -f "-AgentPath $Agents/spans")), Enter
                $id = Get-AgentId
                if ($way.Count) {
                    Wait-Until { (Get-Screen $terminal) -match '(?m)(^03:04:05\.\d+ +Server.*\s+){10}' } 20 | Should -BeTrue
                } else {
                    Start-Sleep 2
                }
                Send-Key $terminal C-c
                Wait-Until { -not (Test-Alive $id) } 10 | Should -BeTrue
                Send-Key $terminal "clear; 'kept ' + @(`$kept | Where-Object Path).Count + ' spans'", Enter
                Wait-Until { (Get-Screen $terminal) -match "kept $($way.Count) spans" } 10 | Should -BeTrue -Because (Get-Screen $terminal)
            }
        }

        It 'does not lose a job to Ctrl+C' {
            Send-Key $terminal "`$job = Start-BeylaTrace -AgentPath $Agents/spans -AsJob; Start-Sleep 100", Enter
            $id = Get-AgentId
            Start-Sleep -Milliseconds 300
            Send-Key $terminal C-c
            Start-Sleep -Milliseconds 700
            Test-Alive $id | Should -BeTrue
            Send-Key $terminal "'state ' + `$job.State", Enter
            Wait-Until { (Get-Screen $terminal) -match 'state Running' } | Should -BeTrue
        }

        It 'leaves no agent behind when the terminal is closed' {
            Send-Key $terminal "Start-BeylaTrace -AgentPath $Agents/spans", Enter
            $id = Get-AgentId
            Test-Alive $id | Should -BeTrue
            Close-Terminal $terminal
            $gone = Wait-Until { -not (Test-Alive $id) }
            $state = ps -o 'pid,ppid,pgid,sid,tty,stat,ignored,blocked,pending,args' -p "$id,$($terminal.ShellId)"
            $gone | Should -BeTrue -Because ($state -join "`n")
        }
    }
}
