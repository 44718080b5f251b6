using System.Text;

namespace Beyla.Agent.Capabilities;

/// <summary>Writes what a deployment needs to give the agent exactly its capabilities: a systemd unit, a Kubernetes DaemonSet, a docker command.</summary>
public static class CapabilityExport
{
    /// <summary>The formats by name.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["systemd", "kubernetes", "docker"];

    /// <summary>Writes one format.</summary>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="request">The configuration.</param>
    /// <param name="set">The capabilities to give.</param>
    /// <param name="agent">The path of the agent on the target.</param>
    /// <param name="image">The container image.</param>
    /// <exception cref="ArgumentException">No such format.</exception>
    public static string Write(string format, CapabilityRequest request, CapabilitySet set, string agent, string image) => format switch
    {
        "systemd" => Systemd(request, set, agent),
        "kubernetes" => Kubernetes(request, set, image),
        "docker" => Docker(request, set, image),
        _ => throw new ArgumentException($"no format '{format}'", nameof(format)),
    };

    private static string Systemd(CapabilityRequest request, CapabilitySet set, string agent)
    {
        var names = string.Join(' ', set.Members().Select(capability => capability.Name()));
        var families = "AF_UNIX AF_INET AF_INET6 AF_NETLINK" + (set.Contains(Capability.NetRaw) ? " AF_PACKET" : "");
        return $"""
            # {Purpose(request)}
            # systemd before 247 does not know CAP_BPF and drops it silently.
            [Unit]
            Description=Beyla, zero-code observability
            Documentation=man:capabilities(7)
            After=network.target

            [Service]
            ExecStart={UnitWord(agent)}
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
            SystemCallErrorNumber=EPERM

            [Install]
            WantedBy=multi-user.target

            """;
    }

    private static string Kubernetes(CapabilityRequest request, CapabilitySet set, string image)
    {
        var text = new StringBuilder();
        text.Append($"""
            # {Purpose(request)}
            # Containers of users other than root get no ambient capabilities, so it runs as user 0 with nothing else of root's.
            apiVersion: apps/v1
            kind: DaemonSet
            metadata:
              name: beyla
              labels:
                app.kubernetes.io/name: beyla
            spec:
              selector:
                matchLabels:
                  app.kubernetes.io/name: beyla
              template:
                metadata:
                  labels:
                    app.kubernetes.io/name: beyla
                spec:
                  hostPID: true

            """);
        if (UsesNetwork(request))
        {
            text.Append("""
                      hostNetwork: true
                      dnsPolicy: ClusterFirstWithHostNet

                """);
        }

        text.Append($"""
                  automountServiceAccountToken: false
                  containers:
                    - name: beyla
                      image: {YamlString(image)}
                      envFrom:
                        - configMapRef:
                            name: beyla
                      securityContext:
                        runAsUser: 0
                        readOnlyRootFilesystem: true
                        allowPrivilegeEscalation: false
                        appArmorProfile:
                          type: Unconfined
                        seccompProfile:
                          type: RuntimeDefault
                        capabilities:
                          drop:
                            - ALL
                          add:

            """);
        foreach (var capability in set)
        {
            text.Append("                - ").Append(ContainerName(capability)).Append('\n');
        }

        return text.ToString();
    }

    private static string Docker(CapabilityRequest request, CapabilitySet set, string image)
    {
        var words = new List<string> { "docker run --rm --name beyla --pid host" };
        if (UsesNetwork(request))
        {
            words.Add("--network host");
        }

        words.Add("--user 0:0 --read-only --security-opt no-new-privileges --security-opt apparmor=unconfined");
        words.Add("--cap-drop ALL " + string.Join(' ', set.Members().Select(capability => "--cap-add " + ContainerName(capability))));
        words.Add("--env-file beyla.env " + ShellText.Quote(image));
        return $"# {Purpose(request)}\n{string.Join(" \\\n  ", words)}\n";
    }

    private static string Purpose(CapabilityRequest request) =>
        $"Capabilities for: {string.Join(", ", request.Describe())}. Made by beyla capability export; settings go into the environment named below.";

    private static bool UsesNetwork(CapabilityRequest request) =>
        (request.Features & (Feature.NetworkSocketFilter | Feature.NetworkTrafficControl)) != 0;

    private static string ContainerName(Capability capability) => capability.Name()["CAP_".Length..];

    // A path in ExecStart= (systemd.service(5)): quoted, with the specifier and escape characters doubled.
    private static string UnitWord(string path) =>
        path.All(character => char.IsAsciiLetterOrDigit(character) || "/._-+".Contains(character, StringComparison.Ordinal))
            ? path
            : "\"" + path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal)
                .Replace("$", "$$", StringComparison.Ordinal) + "\"";

    private static string YamlString(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
