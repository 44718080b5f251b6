using Beyla.Live.Tests.Clients;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Servers;

namespace Beyla.Live.Tests.Keeper;

/// <summary>
/// The worker speaks with the network though it is closed in: user nobody, Landlock and the filter of system calls. Each way that the
/// framework has to a receiver, for an agent of root, one that stays root, and one of an ordinary user.
/// </summary>
public sealed class NetworkTests
{
    private const string Tracing = "cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search", User = "65534";

    /// <summary>How the agent is started; the user of the worker follows from it.</summary>
    public enum Caller
    {
        Root, RootThatStays, OrdinaryUser,
    }

    public enum Way
    {
        Http, Grpc, SystemRoots, OwnRoots, GrpcOwnRoots, ClientCertificate,
    }

    public static TheoryData<Caller, Way> Cases
    {
        get
        {
            TheoryData<Caller, Way> cases = [];
            foreach (Caller caller in Enum.GetValues<Caller>())
            {
                foreach (Way way in Enum.GetValues<Way>())
                {
                    cases.Add(caller, way);
                }
            }

            return cases;
        }
    }

    [LiveTheory("nginx", "setcap", "setpriv", "unshare", "openssl", "chown"), MemberData(nameof(Cases))]
    public async Task Spans_arrive(Caller caller, Way way)
    {
        await using Receiver receiver = await Receiver.StartAsync();
        await using TestServer server = await Nginx.StartAsync();
        using CapableAgent binary = await CapableAgent.CreateAsync(caller == Caller.OrdinaryUser ? Tracing + "+ep" : "");
        AgentSettings settings = To(receiver, way, AgentSettings.ForPorts(server.Port).With("OTEL_BSP_SCHEDULE_DELAY", "100"));
        settings = caller switch
        {
            Caller.OrdinaryUser => binary.Run(settings),
            Caller.RootThatStays => settings with { Prefix = ["setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-all"] },
            _ => settings,
        };
        if (way == Way.ClientCertificate && caller == Caller.OrdinaryUser)
        {
            await Tool.RunAsync("chown", User, receiver.Certificate, receiver.Key);
        }
        else if (way == Way.SystemRoots)
        {
            // In a mount namespace of its own the system trusts the receiver's root.
            string mount = $"mount --bind {await receiver.RootDirectoryAsync()} /etc/ssl/certs && exec \"$@\"";
            settings = settings with { Prefix = ["unshare", "-m", "sh", "-c", mount, "sh", .. settings.Prefix] };
        }

        await using AgentProcess agent = await AgentProcess.StartAsync(settings);
        int worker = agent.WorkerPid;
        Assert.Equal("2", Halves.Status(worker, "Seccomp"));
        Assert.Equal(caller == Caller.RootThatStays ? "0" : User, Halves.Status(worker, "Uid").Split('\t')[0]);
        await HttpRequests.SendAsync(server.Port, 5);
        await agent.WaitForServerSpansAsync(5);
        string expected = Expected(receiver, way);
        Assert.True(
            await Wait.UntilAsync(() => receiver.Requests.Any(line => Matches(line, expected)), TimeSpan.FromSeconds(15)),
            $"{expected} is not in:\n{string.Join('\n', receiver.Requests)}\nLog of the agent:\n{agent.Errors}");

        // What TLS needs is loaded by the first connection that is encrypted, and not by the others.
        bool loaded = (await File.ReadAllTextAsync($"/proc/{worker}/maps")).Contains("/libssl.so", StringComparison.Ordinal);
        Assert.Equal(way is not (Way.Http or Way.Grpc), loaded);
        await agent.StopAsync();
    }

    /// <summary>Only the caller's rights count, and the keeper says what it could not read before anything is loaded.</summary>
    [LiveFact("nginx", "setcap", "setpriv")]
    public async Task A_file_that_the_caller_may_not_read_is_a_wrong_configuration()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        using CapableAgent binary = await CapableAgent.CreateAsync(Tracing + ",cap_dac_override+ep");
        AgentSettings settings = binary.Run(To(receiver, Way.ClientCertificate, AgentSettings.For("BEYLA_OPEN_PORT", "1")));
        await using AgentProcess agent = AgentProcess.Launch(settings);
        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        foreach ((string variable, string path) in ((string, string)[])[
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", receiver.Certificate), ("OTEL_EXPORTER_OTLP_CLIENT_KEY", receiver.Key)])
        {
            Assert.Contains(agent.ErrorLines, line => line.Contains(variable, StringComparison.Ordinal)
                && line.Contains(path, StringComparison.Ordinal) && line.Contains("EACCES", StringComparison.Ordinal));
        }
    }

    [LiveFact("nginx")]
    public async Task A_file_without_a_certificate_is_a_wrong_configuration()
    {
        await using Receiver receiver = await Receiver.StartAsync();
        AgentSettings settings = To(receiver, Way.OwnRoots, AgentSettings.For("BEYLA_OPEN_PORT", "1"))
            .With("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/hosts");
        await using AgentProcess agent = AgentProcess.Launch(settings);
        Assert.Equal(2, await agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains(agent.ErrorLines, line => line.Contains("certificate", StringComparison.Ordinal));
    }

    private static AgentSettings To(Receiver receiver, Way way, AgentSettings settings)
    {
        settings = way switch
        {
            Way.Http => settings.With("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://localhost:{receiver.Http}"),
            Way.Grpc => settings.With("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://localhost:{receiver.Http2}"),
            Way.ClientCertificate => settings.With("OTEL_EXPORTER_OTLP_ENDPOINT", $"https://localhost:{receiver.MutualTls}"),
            _ => settings.With("OTEL_EXPORTER_OTLP_ENDPOINT", $"https://localhost:{receiver.Tls}"),
        };
        settings = settings.With("OTEL_EXPORTER_OTLP_PROTOCOL", way is Way.Grpc or Way.GrpcOwnRoots ? "grpc" : "http/protobuf");
        settings = way is Way.OwnRoots or Way.GrpcOwnRoots or Way.ClientCertificate
            ? settings.With("OTEL_EXPORTER_OTLP_CERTIFICATE", receiver.Root) : settings;
        return way != Way.ClientCertificate ? settings : settings.With("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", receiver.Certificate)
            .With("OTEL_EXPORTER_OTLP_CLIENT_KEY", receiver.Key).With("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    }

    /// <summary>Port, method, path, version, status and client of a request that is right.</summary>
    private static string Expected(Receiver receiver, Way way) => way switch
    {
        Way.Http => $"{receiver.Http} POST /v1/traces HTTP/1.1 200",
        Way.Grpc => $"{receiver.Http2} POST /opentelemetry.proto.collector.trace.v1.TraceService/Export HTTP/2.0 200",
        Way.GrpcOwnRoots => $"{receiver.Tls} POST /opentelemetry.proto.collector.trace.v1.TraceService/Export HTTP/2.0 200",
        Way.ClientCertificate => $"{receiver.MutualTls} POST /v1/traces HTTP/1.1 200 CN=beyla-client",
        _ => $"{receiver.Tls} POST /v1/traces HTTP/1.1 200",
    };

    /// <summary>Apart from the length, which comes before the client's name.</summary>
    private static bool Matches(string line, string expected)
    {
        string[] words = line.Split(' ');
        string[] wanted = expected.Split(' ');
        return words.Take(5).SequenceEqual(wanted.Take(5)) && words[5] != "-" && (wanted.Length == 5 || words[6] == wanted[5]);
    }
}
