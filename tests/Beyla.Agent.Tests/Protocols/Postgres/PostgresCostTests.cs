using static Beyla.Agent.Tests.Protocols.Postgres.PostgresWire;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>The path of events allocates nothing, once buffers and objects are there.</summary>
public class PostgresCostTests
{
    [Fact]
    public void NothingIsAllocated()
    {
        var rig = new PostgresRig { OnlyCounts = true };
        rig.Client(StartUp("user", "app", "database", "shop"));
        rig.Server(Welcome);
        rig.Client([.. Parse("named", "select a from t where b = $1"), .. Sync]);
        rig.Server([.. ParseComplete, .. Ready()]);
        var simple = Query("select a from t where b = 'x'");
        byte[] unnamed = [.. Parse("", "select a from t where b = $1"), .. Bind("", ""), .. Describe(""), .. Execute(""), .. Sync];
        byte[] prepared = [.. Bind("", "named"), .. Execute(""), .. Sync];
        byte[] rows = [.. RowDescription, .. Row("1"), .. Row("2"), .. Complete("SELECT 2"), .. Ready()];
        byte[] extended = [.. ParseComplete, .. BindComplete, .. rows];
        byte[] bound = [.. BindComplete, .. rows];
        byte[] failed = [.. ParseComplete, .. Error("22012"), .. Ready()];
        Repeat(1000);
        Assert.Equal(0, Allocation.Least(_ => Repeat(200)));
        Assert.Equal(10_000, rig.Count);
        rig.Close();
        rig.AssertSettled();

        void Repeat(int times)
        {
            for (var i = 0; i < times; i++)
            {
                Exchange(rig, simple, rows);
                Exchange(rig, unnamed, extended);
                Exchange(rig, prepared, bound);
                Exchange(rig, unnamed, failed);

                // In pieces, so that bodies are kept.
                rig.Client(simple.AsSpan(0, 12));
                Exchange(rig, simple.AsSpan(12), rows);
            }
        }
    }

    private static void Exchange(PostgresRig rig, ReadOnlySpan<byte> request, ReadOnlySpan<byte> response)
    {
        rig.Client(request);
        rig.Server(response);
    }
}
