using System.Text;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Processes;

/// <summary>OTEL_RESOURCE_ATTRIBUTES (OpenTelemetry specification, Resource SDK; W3C Baggage).</summary>
public sealed class ResourceAttributesTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("service.name=a,service.namespace=b", "")]
    [InlineData("service.version=1.2,team=x", "service.version=1.2|team=x")]
    [InlineData(" service.version = 1.2 , service.name=a ,\tteam=x\t", "service.version=1.2|team=x")]
    [InlineData("a=%C3%BC%2C%3D,b%20c=d", "a=ü,=|b c=d")]
    [InlineData("a=b=c", "a=b=c")]
    [InlineData("a=1,b=2,a=3", "a=3|b=2")] // the last one of a key
    [InlineData("a,=b,c=,d=%zz,e=%4,f=%ff,g=1", "g=1")] // what is not valid spoils no other
    [InlineData("service%2Ename=x,a=1", "a=1")]
    public void Others(string variable, string expected)
    {
        var others = ResourceAttributes.Others(Encoding.UTF8.GetBytes(variable));
        Assert.Equal(expected, others is null ? "" : string.Join('|', others.Select(static pair => pair.Key + "=" + pair.Value)));
    }

    [Fact]
    public void Number_and_length_are_bounded()
    {
        var many = string.Join(',', Enumerable.Range(0, 1000).Select(static i => $"k{i}=v{i}")) + ",k5=last";
        var others = ResourceAttributes.Others(Encoding.UTF8.GetBytes(many))!;
        Assert.Equal(ResourceAttributes.MaximumOthers, others.Count);
        Assert.Equal(("k0", "last"), (others[0].Key, others[5].Value));
        var text = new string('x', 1000);
        Assert.Null(ResourceAttributes.Others(Encoding.UTF8.GetBytes($"{text}=1")));
        Assert.Equal(256, Assert.Single(ResourceAttributes.Others(Encoding.UTF8.GetBytes($"a={text}"))!).Value.Length);
    }

    [Fact]
    public void Any_bytes_are_no_exception_and_give_text()
    {
        var random = new Random(6);
        var seed = "service.name=a%20b,team=\"x\",k=%C3%BC"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            byte[] bytes = [.. seed];
            for (var changes = random.Next(5); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            foreach (var (key, value) in ResourceAttributes.Others(bytes) ?? [])
            {
                Assert.True(key.Length > 0 && value.Length > 0 && key is not ("service.name" or "service.namespace"));
            }
        }
    }
}
