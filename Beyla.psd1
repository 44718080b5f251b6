# The manifest of the module. It imports here after a build; staging puts it beside its files, without the folder in front of their names.
@{
    # Nested and not the root, so that its help is found beside it wherever this manifest lies.
    NestedModules          = @('out/modules/Beyla/Beyla.PowerShell.dll')
    ModuleVersion          = '0.1.0'
    GUID                   = 'd3f6f6c5-7c0b-4c1b-9f5c-2f4f5d0c9a61'
    Author                 = 'The Beyla authors'
    CompanyName            = 'The Beyla authors'
    Copyright              = 'Copyright The Beyla authors. Apache-2.0.'
    Description            = 'Sees what the services of a Linux host say to each other, without touching them: HTTP requests as spans, network conversations as flows, and the Linux capabilities that this takes, as objects.'
    PowerShellVersion      = '7.4'
    CompatiblePSEditions   = @('Core')
    # Before the types, which name classes of theirs.
    RequiredAssemblies     = @('out/modules/Beyla/Beyla.Contracts.dll', 'out/modules/Beyla/Beyla.PowerShell.dll')
    FormatsToProcess       = @('out/modules/Beyla/Beyla.Format.ps1xml')
    TypesToProcess         = @('out/modules/Beyla/Beyla.Types.ps1xml')
    CmdletsToExport        = @('Export-BeylaTrace', 'Get-BeylaFlow', 'Set-BeylaCapability', 'Start-BeylaTrace', 'Test-BeylaCapability')
    FunctionsToExport      = @()
    VariablesToExport      = @()
    AliasesToExport        = @()
    PrivateData            = @{
        PSData = @{
            Tags         = @('Linux', 'PSEdition_Core', 'eBPF', 'Observability', 'Tracing', 'HTTP', 'Network', 'Capabilities', 'OpenTelemetry')
            LicenseUri   = 'https://www.apache.org/licenses/LICENSE-2.0'
            ProjectUri   = 'https://github.com/beyla/beyla-powershell'
            ReleaseNotes = 'See CHANGELOG.md.'
        }
    }
}
