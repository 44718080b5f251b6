# Runs the Pester tests of the module and ends with one line: N passed, N failed, N skipped.
param([string] $Filter = '*')

$ErrorActionPreference = 'Stop'
Import-Module Pester
$configuration = New-PesterConfiguration
$configuration.Run.Path = @(
    Get-ChildItem $PSScriptRoot -Filter '*.Tests.ps1' | Where-Object BaseName -like $Filter | ForEach-Object FullName)
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Detailed'
$configuration.Output.RenderMode = 'Plaintext'
$result = Invoke-Pester -Configuration $configuration

foreach ($test in $result.Failed) { "FAIL $($test.ExpandedPath): $($test.ErrorRecord | Select-Object -First 1)" -replace '\s+', ' ' }
foreach ($container in $result.FailedContainers + $result.FailedBlocks) {
    $failure = $container.ErrorRecord | Select-Object -First 1
    "FAIL $($container.Item ?? $container.ExpandedPath): $failure" -replace '\s+', ' '
}
foreach ($test in $result.Skipped) { "SKIP $($test.ExpandedPath): $($test.ErrorRecord | Select-Object -First 1)" -replace '\s+', ' ' }
$failed = $result.FailedCount + $result.FailedContainersCount + $result.FailedBlocksCount
"$($result.PassedCount) passed, $failed failed, $($result.SkippedCount) skipped"
exit [int]($failed -gt 0)
