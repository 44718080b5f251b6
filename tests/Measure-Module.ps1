<#
.SYNOPSIS
    Measures what the module costs: spans per second through the pipeline, and the time from a request to its object.
.DESCRIPTION
    Spans per second are those of a planted agent that prints as fast as it can, so that the module is what limits. The time to the
    object is with the real agent and a small server; it needs root and is left out otherwise. Prints rows of a Markdown table, medians
    of the rounds.
.EXAMPLE
    pwsh -NoProfile tests/Measure-Module.ps1 -Rounds 7
#>
param([int] $Rounds = 5, [int] $Count = 200000)

. $PSScriptRoot/Common.ps1
$folder = New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "beyla-measure-$PID")
try {
    $env:COUNT = $Count; $env:ENDS = '0'
    & $Agents/spans 2> $null | Where-Object { $_ -like '*"type":"span"*' } | Set-Content $folder/spans
    Clear-AgentEnvironment
    $env:FILE = "$folder/spans"
    Start-BeylaTrace -AgentPath $Agents/spans -MaximumCount 20000 | Measure-Object | Out-Null
    $rates = 1..$Rounds | ForEach-Object {
        $time = Measure-Command { $script:seen = (Start-BeylaTrace -AgentPath $Agents/spans -MaximumCount $Count | Measure-Object).Count }
        if ($seen -ne $Count) { throw "$seen spans of $Count" }
        $Count / $time.TotalSeconds
    }
    Clear-AgentEnvironment
    '| spans per second through `Start-BeylaTrace \| Measure-Object` | {0:n0} | goal 50,000 |' -f
        ($rates | Sort-Object)[[int] ($Rounds / 2)]

    $script = "(Measure-Command { Import-Module '$Module' }).TotalMilliseconds"
    $imports = 1..(2 * $Rounds) | ForEach-Object { [double] (pwsh -NoProfile -Command $script) }
    '| `Import-Module` in a new shell | {0:0} ms | goal 150 ms |' -f ($imports | Sort-Object)[$Rounds]

    if ((id -u) -ne 0 -or -not (Test-Path $RealAgent)) { return }
    $port = Get-FreePort
    $python = @{
        FilePath = 'python3'
        ArgumentList = '-m', 'http.server', $port, '--bind', '127.0.0.1'
        PassThru = $true
        WorkingDirectory = $folder
        RedirectStandardError = "$folder/log"
        RedirectStandardOutput = "$folder/out"
    }
    $server = Start-Process @python
    $client = [Net.Http.HttpClient]::new()
    $null = Wait-Until { try { $client.GetAsync("http://127.0.0.1:$port/").Wait(); $true } catch { $false } } 20
    foreach ($more in @{}, @{ LowLatency = $true }) {
        $job = Start-BeylaTrace -OpenPort $port -AsJob @more
        $null = Wait-Until { $job.Verbose -match 'Beyla is tracing' } 20
        $times = foreach ($i in 1..(20 * $Rounds)) {
            Start-Sleep -Milliseconds 20
            $before = $job.Output.Count
            $null = $client.GetAsync("http://127.0.0.1:$port/$i").GetAwaiter().GetResult()
            $clock = [Diagnostics.Stopwatch]::StartNew()
            while ($job.Output.Count -eq $before -and $clock.ElapsedMilliseconds -lt 2000) { [Threading.Thread]::Sleep(0) }
            $clock.Elapsed.TotalMilliseconds
        }
        Stop-Job $job; Remove-Job $job
        $sorted = $times | Sort-Object
        '| response to object, {0}, median / 95th percentile | {1:0.0} / {2:0.0} ms | goal 100 ms |' -f
            ($more.Count ? '-LowLatency' : 'default'), $sorted[[int] ($sorted.Count / 2)], $sorted[[int] (0.95 * $sorted.Count) - 1]
    }
    Stop-Process -Id $server.Id
}
finally {
    Clear-AgentEnvironment
    Remove-Item $folder -Recurse
}
