# The real agent on a service that asks PostgreSQL and Redis, on this kernel. Needs root, to load programs and to become other users.
Describe 'With databases' -Tag Live {
    BeforeAll {
        . $PSScriptRoot/Common.ps1
        $postgres = Get-Item /usr/lib/postgresql/*/bin -ErrorAction Ignore | Sort-Object { [int] $_.Parent.Name } | Select-Object -Last 1
        $reason = if ((id -u) -ne 0) { 'this needs root' }
        elseif (-not (Test-Path $RealAgent)) { 'the agent is not built' }
        elseif (-not $postgres) { 'PostgreSQL is not installed (apt-get install postgresql-15)' }
        elseif (-not (Get-Command redis-server -ErrorAction Ignore)) { 'Redis is not installed (apt-get install redis-server)' }
        elseif ((Test-Path /usr/lib/python3/dist-packages/psycopg2, /usr/lib/python3/dist-packages/redis) -contains $false) {
            'Python has no clients (apt-get install python3-psycopg2 python3-redis)'
        }
        if ($reason) { return }

        # PostgreSQL refuses to run as root. setpriv becomes it, so that a signal reaches the server itself.
        $files = "/tmp/beyla-pester-$PID"
        $user = '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'
        install -d -o postgres -m 700 $files/data
        setpriv @user $postgres/initdb --pgdata $files/data --username postgres --auth trust --locale C --no-sync > $null
        $ports = 1..3 | ForEach-Object { Get-FreePort }
        $settings = "listen_addresses=127.0.0.1 port=$($ports[0]) unix_socket_directories= fsync=off" -split ' ' | ForEach-Object { '-c', $_ }
        $servers = @(
            Start-Process setpriv -ArgumentList ($user + "$postgres/postgres", '-D', "$files/data" + $settings) -PassThru `
                -RedirectStandardError $files/postgres.log
            Start-Process redis-server -ArgumentList '--port', $ports[1], '--bind', '127.0.0.1', '--save', '""', '--dir', $files -PassThru `
                -RedirectStandardOutput $files/redis.log
        )
        $psql = '-X', '-q', '-h', '127.0.0.1', '-p', $ports[0], '-U', 'postgres'
        Wait-Until { & $postgres/psql @psql -c 'CREATE DATABASE shop' 2> $null; $LASTEXITCODE -eq 0 } | Should -BeTrue
        & $postgres/psql @psql -d shop -c "CREATE TABLE item AS SELECT i AS id, 'item ' || i AS name FROM generate_series(1, 100) i"
        Wait-Until { (redis-cli -p $ports[1] PING) -eq 'PONG' } | Should -BeTrue

        $shop = Start-Process /usr/bin/python3 -PassThru -ArgumentList '-I',
            "$PSScriptRoot/Beyla.Live.Tests/Servers/Scripts/shop.py", $ports[2], $ports[0], $ports[1]
        $servers += $shop
        $client = [Net.Http.HttpClient]::new()
        function Get-Item42 { $client.GetStringAsync("http://127.0.0.1:$($ports[2])/item/42").GetAwaiter().GetResult() }
        Wait-Until { try { (Get-Item42) -eq 'item 42' } catch { $false } } | Should -BeTrue
    }
    AfterAll {
        if ($client) { $client.Dispose() }
        foreach ($server in $servers) {
            kill -QUIT $server.Id 2> $null # PostgreSQL ends at once and leaves no shared memory
            if (-not (Wait-Until { $server.HasExited } 10)) { kill -KILL $server.Id 2> $null }
        }
        if ($files) { Remove-Item $files -Recurse -Force -ErrorAction Ignore }
    }
    BeforeEach { if ($reason) { Set-ItResult -Skipped -Because $reason } }

    It 'shows the requests of a service and what it asks of PostgreSQL and Redis for each' {
        $job = Start-BeylaTrace -OpenPort $ports[2] -AsJob
        Wait-Until { $job.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        1..50 | ForEach-Object { Get-Item42 | Should -Be 'item 42' }
        Wait-Until { $job.Output.Count -ge 200 } | Should -BeTrue
        Stop-Job $job
        $spans = Receive-Job $job
        Remove-Job $job

        $groups = $spans | Group-Object Protocol, Kind -NoElement | Sort-Object Name | ForEach-Object { "$($_.Name) $($_.Count)" }
        $groups | Should -Be 'http, Server 50', 'postgresql, Client 50', 'redis, Client 100'
        $spans | ForEach-Object { $_.ProcessId | Should -Be $shop.Id; $_.Outcome | Should -Be Complete; $_.ErrorType | Should -BeNullOrEmpty }

        $queries = $spans | Where-Object Protocol -eq postgresql
        $queries | ForEach-Object {
            $_.Name, $_.Operation, $_.Target | Should -Be 'SELECT item', 'SELECT', 'item'
            $_.Attributes['db.query.text'] | Should -Be 'SELECT name FROM item WHERE id = ?'
            $_.Attributes['db.response.returned_rows'] | Should -Be 1
            $_.ServerPort | Should -Be $ports[0]
        }
        $spans | Where-Object Protocol -eq redis | Group-Object Operation | Sort-Object Name | ForEach-Object { "$($_.Name) $($_.Count)" } |
            Should -Be 'INCRBY 50', 'SET 50'
        ($spans | Where-Object Operation -eq SET | Select-Object -First 1).Attributes['db.query.text'] | Should -Be 'SET item:42 ?'
    }

    It 'shows the servers'' side of the same, and errors by their status' {
        $job = Start-BeylaTrace -OpenPort $ports[0], $ports[1] -AsJob
        Wait-Until { $job.Verbose -match 'Beyla is tracing' } | Should -BeTrue
        & $postgres/psql @psql -d shop -c 'SELECT * FROM missing' 2> $null
        redis-cli -p $ports[1] SET text x > $null
        redis-cli -p $ports[1] INCR text > $null
        Wait-Until { $job.Output.Count -ge 3 } | Should -BeTrue
        Stop-Job $job
        $spans = Receive-Job $job
        Remove-Job $job

        $spans | ForEach-Object { $_.Kind | Should -Be Server }
        $failed = $spans | Where-Object ErrorType
        $failed | Sort-Object Protocol | ForEach-Object { "$($_.Protocol) $($_.Operation) $($_.Status) $($_.ErrorType)" } |
            Should -Be 'postgresql SELECT 42P01 42P01', 'redis INCR ERR ERR'
        { $spans | Where-Object Status -ge 500 } | Should -Not -Throw
    }
}
