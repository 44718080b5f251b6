using Beyla.Agent.Processes;
using Beyla.Agent.Selection;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Spans;

public sealed class ShapedNamesTests
{
    [Fact]
    public void Names_beyond_the_limit_become_one()
    {
        var names = new SpanNameLimit(2);
        Assert.Equal("a"u8, names.Of("", "shop", "a"u8));
        Assert.Equal("b"u8, names.Of("", "shop", "b"u8));
        Assert.Equal("AGGREGATED"u8, names.Of("", "shop", "c"u8));
        Assert.Equal("a"u8, names.Of("", "shop", "a"u8));
        Assert.Equal("c"u8, names.Of("other", "shop", "c"u8));
        Assert.Equal(1, names.Folded);
        Assert.Equal(0, Allocation.Least(_ => names.Of("", "shop", "a"u8)));
        names.Forget("", "shop");
        Assert.Equal("c"u8, names.Of("", "shop", "c"u8));
    }

    [Fact]
    public void Without_a_limit_each_name_is_its_own()
    {
        var names = new SpanNameLimit(0);
        for (var i = 0; i < 500; i++)
        {
            var name = System.Text.Encoding.UTF8.GetBytes("n" + i);
            Assert.Equal(name.AsSpan(), names.Of("", "shop", name));
        }

        Assert.Equal(0, names.Folded);
    }

    [Fact]
    public void A_process_has_the_sampler_of_its_rule()
    {
        var samplers = new Samplers(new SamplerConfiguration(SamplerKind.AlwaysOff, false, 0));
        var own = new ProcessInfo { Pid = 1, Sampler = new SamplerConfiguration(SamplerKind.AlwaysOn, false, 1) };
        Assert.True(samplers.IsSampled(new TraceContext { TraceLow = 1 }, own));
        Assert.False(samplers.IsSampled(new TraceContext { TraceLow = 1 }, new ProcessInfo { Pid = 2 }));
    }

    [Fact]
    public void What_the_agent_was_told_holds_where_the_process_says_nothing()
    {
        var process = new ProcessInfo { Pid = 1, ServiceName = "shop", ResourceAttributes = [new("deployment.environment.name", "test")] };
        var resources = new ServiceResources(
            new HostIdentity("m", "h", "b"), "1", static _ => 7,
            [
                new("deployment.environment.name", "production"), new("cloud.region", "eu"), new("host.name", "named"),
                new("service.name", "agent"), new("service.instance.id", "one"),
            ]);
        var resource = resources.Of(process);
        string Value(string key) => (string)resource.Attributes.Single(attribute => attribute.Key == key).Value;
        Assert.Equal("test", Value("deployment.environment.name"));
        Assert.Equal("eu", Value("cloud.region"));
        Assert.Equal("named", Value("host.name"));
        Assert.Equal("shop", Value("service.name"));
        Assert.NotEqual("one", resource.InstanceId);
    }

    [Fact]
    public void The_host_is_called_as_said()
    {
        var host = HostIdentity.Read("other", "name");
        Assert.Equal(("other", "name"), (host.Id, host.Name));
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), host.Boot);
        Assert.Equal(Environment.MachineName, HostIdentity.Read().Name);
    }
}
