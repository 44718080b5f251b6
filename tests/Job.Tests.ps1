# Traces beside the shell: as a job of the cmdlet's own, and several at once in the ways that PowerShell has for that.
Describe 'Start-BeylaTrace beside the shell' {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $PSDefaultParameterValues['*-Beyla*:AgentPath'] = "$Agents/spans"
    }
    AfterEach { Clear-AgentEnvironment }

    Describe '-AsJob' {
        It 'gives a job that completes and is received' {
            $job = Start-BeylaTrace -AsJob -MaximumCount 5
            $job | Should -BeOfType Management.Automation.Job
            (Get-Job -Id $job.Id).PSJobTypeName | Should -Be 'BeylaJob'
            $job | Wait-Job -Timeout 20 | Should -Be $job
            $job.State | Should -Be 'Completed'
            (Receive-Job $job).Count | Should -Be 5
            $job.HasMoreData | Should -BeFalse
            Remove-Job $job
            Get-Job | Where-Object Id -eq $job.Id | Should -BeNullOrEmpty
        }

        It 'is received with -Wait and -AutoRemoveJob' {
            (Start-BeylaTrace -AsJob -MaximumCount 6 | Receive-Job -Wait -AutoRemoveJob).Count | Should -Be 6
            Get-Job | Where-Object PSJobTypeName -eq BeylaJob | Should -BeNullOrEmpty
        }

        It 'is stopped, and what came until then can be received' {
            $env:RECORD = "$TestDrive/record"
            $job = Start-BeylaTrace -AsJob
            Wait-Until { $job.Output.Count -eq 10 } | Should -BeTrue
            $job.State | Should -Be 'Running'
            Stop-Job $job
            $job.State | Should -Be 'Stopped'
            Test-Alive (Get-Content $TestDrive/record.pid) | Should -BeFalse
            (Receive-Job $job -Keep).Count | Should -Be 10
            $job.Information[0].MessageData | Should -BeOfType Beyla.AgentCounters
            Remove-Job $job
        }

        It 'is removed by force while it runs' {
            $env:RECORD = "$TestDrive/record"
            $job = Start-BeylaTrace -AsJob
            Wait-Until { $job.Output.Count -eq 10 } | Should -BeTrue
            Remove-Job $job -Force
            Test-Alive (Get-Content $TestDrive/record.pid) | Should -BeFalse
        }

        It 'fails with the error of the agent' {
            $env:MODE = 'failed'
            $job = Start-BeylaTrace -AgentPath $Agents/broken -AsJob
            Wait-Job $job -Timeout 20 | Out-Null
            $job.State | Should -Be 'Failed'
            Receive-Job $job -ErrorVariable problems -ErrorAction SilentlyContinue
            $problems[0].FullyQualifiedErrorId | Should -Match '^AgentFailed'
            Remove-Job $job
        }

        It 'says at once when there is no agent' {
            { Start-BeylaTrace -AgentPath /nonexistent -AsJob } | Should -Throw -ErrorId 'AgentNotFound,*'
        }
    }

    Describe 'works' {
        It 'twice at once' {
            $env:COUNT = 1000
            $jobs = 1..2 | ForEach-Object { Start-BeylaTrace -AsJob -MaximumCount 1000 }
            $jobs | Wait-Job -Timeout 30 | Out-Null
            $jobs | ForEach-Object { (Receive-Job $_).Count | Should -Be 1000 }
            $jobs | Remove-Job
        }

        It 'in Start-ThreadJob, with live objects' {
            $job = Start-ThreadJob { Import-Module $using:Module; Start-BeylaTrace -AgentPath "$using:Agents/spans" -MaximumCount 4 }
            $spans = $job | Receive-Job -Wait -AutoRemoveJob
            $spans.Count | Should -Be 4
            $spans[0].GetType().FullName | Should -Be 'Beyla.Span'
        }

        It 'in ForEach-Object -Parallel' {
            $counts = 1..3 | ForEach-Object -Parallel {
                Import-Module $using:Module
                (Start-BeylaTrace -AgentPath "$using:Agents/spans" -MaximumCount (3 + $_)).Count
            }
            $counts | Sort-Object | Should -Be 4, 5, 6
        }
    }
}
