# What the Pester files share. Dot-sourced in BeforeAll.
$Root = Split-Path $PSScriptRoot
$Module = Join-Path $Root out/modules/Beyla
$Agents = Join-Path $PSScriptRoot agents
$RealAgent = Join-Path $Module bin/beyla
$PSStyle.OutputRendering = 'PlainText'
Import-Module $Module -Force

# Defaults of an earlier file of the same run would send this one's cmdlets to its planted agent.
foreach ($key in @($global:PSDefaultParameterValues.Keys | Where-Object { $_ -like '*-Beyla*' })) { $global:PSDefaultParameterValues.Remove($key) }

# Waits until the condition holds; the last value decides.
function Wait-Until([scriptblock] $Condition, [double] $Seconds = 10) {
    $end = [DateTime]::UtcNow.AddSeconds($Seconds)
    while (-not ($holds = & $Condition) -and [DateTime]::UtcNow -lt $end) { Start-Sleep -Milliseconds 50 }
    [bool] $holds
}

# Whether a process is there and not only waits to be collected.
function Test-Alive([int] $Id) {
    $stat = Get-Content "/proc/$Id/stat" -ErrorAction Ignore
    $stat -and ($stat -split '\) ')[-1][0] -ne 'Z'
}

# A port on loopback that nobody has.
function Get-FreePort {
    $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
    $listener.Start()
    $listener.LocalEndpoint.Port
    $listener.Stop()
}

# What the planted agents are told goes by the environment, and must not stay there.
function Clear-AgentEnvironment {
    foreach ($name in 'COUNT', 'LOST', 'STATUS', 'SPAN_PATH', 'FILE', 'ENDS', 'RECORD', 'MODE', 'ALLOWED') { Set-Item "env:$name" $null }
    Get-ChildItem env:BEYLA_* | Remove-Item
}
