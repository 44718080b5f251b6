#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Builds, shows, tests and measures Beyla: the same tasks as build.sh.
.DESCRIPTION
    A thin front end of build.sh, which installs what a task needs and drives the one build graph, MSBuild.
.EXAMPLE
    ./build.ps1 -Task Pack

    Makes the package of the module in out/packages.
.EXAMPLE
    ./build.ps1 -Task Install

    Puts the module where Import-Module Beyla finds it, for this user or, as root, for all.
#>
[CmdletBinding()]
param(
    # What to do; Build when nothing is said.
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Demo', 'Test', 'Unit', 'Live', 'Kernels', 'Pester', 'Bench', 'Pack', 'Reproduce', 'Lock', 'Install',
        'Clean')]
    [string] $Task = 'Build',

    # Further arguments of the task.
    [Parameter(Position = 1, ValueFromRemainingArguments)]
    [string[]] $ArgumentList
)

if (-not $IsLinux) { throw 'Beyla is built on Linux.' }
& (Join-Path $PSScriptRoot build.sh) $Task.ToLowerInvariant() @ArgumentList
exit $LASTEXITCODE
