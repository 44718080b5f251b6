using Beyla.Agent.Processes;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Spans;

/// <summary>What a process is as a resource (semantic conventions, "Resource", "Service").</summary>
public sealed class ServiceResourcesTests
{
    private static readonly HostIdentity Host =
        new("0123456789abcdef0123456789abcdef", "node1", "9e107d9d-372b-4c1e-9a3b-0d2f6f0c8a11");

    private static readonly ProcessInfo Process = new()
    {
        Pid = 4711, Executable = "/usr/bin/dotnet", ServiceName = "web", ServiceNamespace = "shop", StartTime = 123456,
        Language = ProcessLanguage.Dotnet,
    };

    [Fact]
    public void The_instance_is_a_UUID_of_version_5()
    {
        // Python: uuid.uuid5(uuid.UUID("4d63009a-8d0f-11ee-aad7-4c796ed8e320"), "0123…/9e10…/4711/123456"), and of "//1/0".
        Assert.Equal("49f73083-959f-5c62-841f-64ed1261378b", Host.InstanceOf(4711, 123456));
        Assert.Equal("58693718-e677-5248-b5dd-2f812a30392a", new HostIdentity("", "x", "").InstanceOf(1, 0));
        Assert.NotEqual(Host.InstanceOf(4711, 123456), Host.InstanceOf(4711, 123457));
        Assert.NotEqual(Host.InstanceOf(4711, 123456), Host.InstanceOf(4712, 123456));
    }

    [Fact]
    public void This_host_has_an_identity()
    {
        var host = HostIdentity.Read();
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), host.Boot);
        var expected = File.Exists("/etc/machine-id") ? File.ReadAllText("/etc/machine-id").Trim() : "";
        Assert.True(expected.Length == 0 || expected == host.Id, host.Id);
        Assert.Equal(Environment.MachineName, host.Name);
    }

    [Fact]
    public void A_process_has_the_attributes_of_the_conventions()
    {
        var resource = Resources().Of(Process);
        Assert.Equal(("web", "shop", "49f73083-959f-5c62-841f-64ed1261378b", "shop/web"),
            (resource.ServiceName, resource.ServiceNamespace, resource.InstanceId, resource.Job));
        var attributes = resource.Attributes.ToDictionary();
        Assert.Equal("web", attributes["service.name"]);
        Assert.Equal("shop", attributes["service.namespace"]);
        Assert.Equal("49f73083-959f-5c62-841f-64ed1261378b", attributes["service.instance.id"]);
        Assert.Equal(("beyla", "9.9", "dotnet"),
            (attributes["telemetry.sdk.name"], attributes["telemetry.sdk.version"], attributes["telemetry.sdk.language"]));
        Assert.Equal(("node1", Host.Id, "linux"), (attributes["host.name"], attributes["host.id"], attributes["os.type"]));
        Assert.Equal((4711L, "dotnet", "/usr/bin/dotnet"),
            (attributes["process.pid"], attributes["process.executable.name"], attributes["process.executable.path"]));
    }

    [Fact]
    public void What_a_process_says_of_itself_goes_first()
    {
        var own = Process with
        {
            ResourceAttributes =
            [
                new("service.instance.id", "mine"), new("host.name", "container"), new("service.version", "3"), new("team", "a"),
                new("service.version", "4"),
            ],
        };
        var resource = Resources().Of(own);
        Assert.Equal("mine", resource.InstanceId);
        var attributes = resource.Attributes.ToDictionary(); // each name once
        Assert.Equal(("mine", "container", "3", "a"), (attributes["service.instance.id"], attributes["host.name"],
            attributes["service.version"], attributes["team"]));
        Assert.Equal("web", attributes["service.name"]);
    }

    [Fact]
    public void A_process_without_a_name_is_an_unknown_service()
    {
        // SDK, "Semantic Attributes with SDK-provided Default Value".
        var resource = Resources().Of(Process with { ServiceName = "", ServiceNamespace = "" });
        Assert.Equal(("unknown_service:dotnet", "unknown_service:dotnet"), (resource.ServiceName, resource.Job));
        var attributes = new HostIdentity("", "", "");
        Assert.DoesNotContain(
            new ServiceResources(attributes, "1", static _ => 0).Of(Process with { ServiceNamespace = "", Executable = "" }).Attributes,
            static attribute => attribute.Value is "" || attribute.Key is "host.id" or "service.namespace");
    }

    [Fact]
    public void A_process_is_one_instance_however_it_is_known()
    {
        var resources = Resources();
        var first = resources.Of(Process);
        Assert.Same(first, resources.Of(Process));
        var renamed = resources.Of(Process with { ServiceName = "other" });
        Assert.Equal(("other", first.InstanceId), (renamed.ServiceName, renamed.InstanceId));
        Assert.Equal(first.InstanceId, resources.Of(Process).InstanceId);
        // Where nobody has looked at the start it is asked for.
        Assert.Equal(first.InstanceId, new ServiceResources(Host, "1", static pid => pid == 4711 ? 123456 : 1)
            .Of(Process with { StartTime = 0 }).InstanceId);
        resources.OnEnd(Process);
        var again = resources.Of(Process);
        Assert.NotSame(first, again);
        Assert.Equal(first.InstanceId, again.InstanceId);
    }

    [Fact]
    public void A_known_process_costs_no_memory()
    {
        var resources = Resources();
        var other = Process with { Pid = 1 };
        (_, _) = (resources.Of(Process), resources.Of(other));
        Assert.Equal(0, Allocation.Least(round =>
        {
            for (var i = 0; i < 1000; i++)
            {
                _ = resources.Of(i % 2 == 0 ? Process : other);
            }
        }));
    }

    private static ServiceResources Resources() => new(Host, "9.9", static _ => throw new InvalidOperationException("the start is known"));
}
