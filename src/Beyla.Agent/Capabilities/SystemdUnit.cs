namespace Beyla.Agent.Capabilities;

/// <summary>A systemd service that runs the agent as a dynamic user with exactly its capabilities (systemd.exec(5)).</summary>
internal static class SystemdUnit
{
    /// <summary>The unit file (systemd.service(5)).</summary>
    internal static string Write(CapabilityRequest request, CapabilitySet set, DeploymentSettings settings, string agent)
    {
        var names = string.Join(' ', set.Members().Select(capability => capability.Name()));
        var families = "AF_UNIX AF_INET AF_INET6 AF_NETLINK" + (set.Contains(Capability.NetRaw) ? " AF_PACKET" : "");
        var environment = string.Join("\n",
            settings.Variables.Select(variable => $"Environment={Assignment(variable.Name, variable.Value)}"));
        return $"""
            # {CapabilityExport.Purpose(request, settings)}
            # systemd before 247 does not know CAP_BPF and drops it silently. What /etc/beyla/environment says wins over Environment=.
            [Unit]
            Description=Beyla, zero-code observability
            Documentation=man:capabilities(7)
            After=network.target

            [Service]
            ExecStart={Word(agent)}
            {environment}
            EnvironmentFile=-/etc/beyla/environment
            Restart=on-failure
            DynamicUser=yes
            AmbientCapabilities={names}
            CapabilityBoundingSet={names}
            NoNewPrivileges=yes
            ProtectSystem=strict
            ProtectHome=yes
            PrivateTmp=yes
            PrivateDevices=yes
            ProtectClock=yes
            ProtectControlGroups=yes
            ProtectHostname=yes
            ProtectKernelLogs=yes
            ProtectKernelModules=yes
            ProtectKernelTunables=yes
            RestrictAddressFamilies={families}
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            LockPersonality=yes
            MemoryDenyWriteExecute=yes
            RemoveIPC=yes
            UMask=0077
            SystemCallArchitectures=native
            SystemCallFilter=@system-service bpf capset
            SystemCallFilter=seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
            SystemCallErrorNumber=EPERM

            [Install]
            WantedBy=multi-user.target

            """;
    }

    // A path in ExecStart= (systemd.service(5)): quoted, with the specifier and escape characters doubled.
    private static string Word(string path) =>
        path.All(character => char.IsAsciiLetterOrDigit(character) || "/._-+".Contains(character, StringComparison.Ordinal))
            ? path
            : "\"" + path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("%", "%%", StringComparison.Ordinal)
                .Replace("$", "$$", StringComparison.Ordinal) + "\"";

    // Environment= (systemd.exec(5)) knows the same quotes and specifiers; a dollar sign has no meaning there.
    private static string Assignment(string name, string value) =>
        "\"" + $"{name}={value}"
            .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("%", "%%", StringComparison.Ordinal)
        + "\"";
}
