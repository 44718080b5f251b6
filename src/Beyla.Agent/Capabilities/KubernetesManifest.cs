using System.Text;

namespace Beyla.Agent.Capabilities;

/// <summary>
/// A Kubernetes ConfigMap with the settings, and a DaemonSet that runs the agent on every node with exactly its capabilities.
/// </summary>
internal static class KubernetesManifest
{
    /// <summary>The manifest as YAML, to be passed to <c>kubectl apply -f</c>.</summary>
    internal static string Write(CapabilityRequest request, CapabilitySet set, DeploymentSettings settings, string image)
    {
        var text = new StringBuilder();
        text.Append($"""
            # {CapabilityExport.Purpose(request, settings)}
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: beyla
            data:

            """);
        foreach (var (name, value) in settings.Variables)
        {
            text.Append("  ").Append(name).Append(": ").Append(Quoted(value)).Append('\n');
        }

        text.Append("""
            ---
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
        if (CapabilityExport.UsesNetwork(request))
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
                      image: {Quoted(image)}
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
            text.Append("                - ").Append(CapabilityExport.ContainerName(capability)).Append('\n');
        }

        return text.ToString();
    }

    private static string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
