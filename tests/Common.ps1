# What the Pester files share. Dot-sourced in BeforeAll.
$Root = Split-Path $PSScriptRoot
$Module = Join-Path $Root out/modules/Beyla
$Agents = Join-Path $PSScriptRoot agents
$RealAgent = Join-Path $Module bin/beyla
$PSStyle.OutputRendering = 'PlainText'
Import-Module $Module -Force

# Defaults of an earlier file of the same run would send this one's cmdlets to its planted agent.
foreach ($key in @($global:PSDefaultParameterValues.Keys | Where-Object { $_ -like '*-Beyla*' })) {
    $global:PSDefaultParameterValues.Remove($key)
}

# Waits until the condition holds; the last value decides. Only what hangs takes so long: how long things take is measured by the
# benchmarks.
function Wait-Until([scriptblock] $Condition, [double] $Seconds = 30) {
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
    foreach ($name in 'COUNT', 'PROCESSES', 'LOST', 'STATUS', 'SPAN_PATH', 'FILE', 'ENDS', 'RECORD', 'MODE', 'ALLOWED') {
        Set-Item "env:$name" $null
    }
    Get-ChildItem env:BEYLA_*, env:OTEL_* | Remove-Item
}

# PowerShell with the module in a terminal of its own. A tmux server for each, since one that is about to end still takes sessions and
# drops them.
function Start-Terminal([hashtable] $Environment = @{}) {
    $name = "beyla-$PID-$((New-Guid).ToString('N').Substring(0, 8))"
    $variables = @($Environment.GetEnumerator() | ForEach-Object { '-e', "$($_.Key)=$($_.Value)" })
    $shell = 'pwsh', '-NoProfile', '-NoLogo', '-NoExit', '-Command', "Import-Module '$Module'; 'ready'"
    tmux -L $name -f /dev/null new-session -d -x 100 -y 40 @variables @shell
    $id, $socket = (tmux -L $name display-message -p '#{pane_pid} #{socket_path}') -split ' ', 2
    $terminal = [pscustomobject]@{ Name = $name; ShellId = [int] $id; Socket = $socket }
    if (-not (Wait-Until { (Get-Screen $terminal) -match 'ready[\s\S]*PS ' } 30)) {
        $screen = Get-Screen $terminal
        Clear-Terminal $terminal
        throw "no prompt in the terminal: $screen"
    }
    $terminal
}

function Send-Key($Terminal, [string[]] $Keys) { tmux -L $Terminal.Name send-keys -t 0 @Keys }

function Get-Screen($Terminal) { (tmux -L $Terminal.Name capture-pane -p -J -t 0) -join "`n" }

# Closes the terminal as a window is closed: the shell gets SIGHUP.
function Close-Terminal($Terminal) {
    tmux -L $Terminal.Name kill-server
    if ($LASTEXITCODE) { throw "tmux kill-server ended with $LASTEXITCODE" }
}

# Leaves nothing of a terminal, whatever state it is in.
function Clear-Terminal($Terminal) {
    tmux -L $Terminal.Name kill-server 2> $null
    if (-not (Wait-Until { -not (Test-Alive $Terminal.ShellId) } 5)) { kill -KILL $Terminal.ShellId }
    Remove-Item $Terminal.Socket -ErrorAction Ignore
}

# The eBPF programs, maps and links that a process holds, as bpftool names them: 'prog 12'.
function Get-KernelObject([int] $Id) {
    Get-Content "/proc/$Id/fdinfo/*" -ErrorAction Ignore |
        ForEach-Object { if ($_ -match '^(prog|map|link)_id:\s+(\d+)') { "$($Matches[1]) $($Matches[2])" } } |
        Sort-Object -Unique
}

# Those of them that the kernel still has.
function Select-InKernel([string[]] $Objects) {
    foreach ($object in $Objects) {
        $kind, $number = -split $object
        bpftool $kind show id $number *> $null
        if ($LASTEXITCODE -eq 0) { $object }
    }
}
