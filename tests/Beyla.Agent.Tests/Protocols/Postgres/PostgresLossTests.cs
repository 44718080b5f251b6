using static Beyla.Agent.Tests.Protocols.Postgres.PostgresWire;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>Bytes that pass unseen: what is still known is told, what is not is never guessed.</summary>
public class PostgresLossTests
{
    private readonly PostgresRig rig = new();

    public PostgresLossTests()
    {
        rig.Client(StartUp("user", "app", "database", "shop"));
        rig.Server(Welcome);
    }

    /// <summary>A result of megabytes in blocks of 8 KB, as the server sends it: rows lie anywhere, the last block ends with Z.</summary>
    [Fact]
    public void MegabytesOfRows()
    {
        rig.Capture = (8191, 4096, 128);
        rig.Client(Query("select a from t"));
        Blocks([.. RowDescription, .. Rows(40_000), .. Complete("SELECT 40000"), .. Ready()]);
        rig.Client(Query("select b from t"));
        rig.Server([.. RowDescription, .. Complete("SELECT 0"), .. Ready()]);
        Expect("Complete|shop|select a from t|||40000", "Complete|shop|select b from t|||0");
    }

    /// <summary>Nothing but the ends is seen of large operations.</summary>
    [Fact]
    public void MegabytesOfRowsAndNoHeads()
    {
        rig.Capture = (100, 0, 128);
        rig.Client(Query("select a from t"));
        Blocks([.. RowDescription, .. Rows(40_000), .. Complete("SELECT 40000"), .. Ready()]);
        rig.Client(Query("select b from t"));
        rig.Server([.. RowDescription, .. Complete("SELECT 0"), .. Ready()]);
        Expect("Complete|shop|select a from t|||40000", "Complete|shop|select b from t|||0");
    }

    [Fact]
    public void AnErrorBehindRowsInATransaction()
    {
        rig.Capture = (100, 0, 20);
        rig.Client(Query("select a from t"));
        Blocks([.. RowDescription, .. Rows(2000), .. Error("22012"), .. Ready('E')]);
        Expect("Complete|shop|select a from t||_OTHER|");
    }

    [Fact]
    public void ALostResponseOfAClientThatWaits()
    {
        rig.Client(Query("select a"));
        rig.Miss(false, 5000);
        rig.Client(Query("select b"));
        rig.Server([.. RowDescription, .. Row("1"), .. Complete("SELECT 1"), .. Ready()]);
        Expect("Unfinished|shop|select a|||", "Complete|shop|select b|||1");
    }

    [Fact]
    public void ALossInsideARowIsNone()
    {
        rig.Client(Query("select a"));
        var response = (byte[])[.. RowDescription, .. Row(new string('x', 5000)), .. Complete("SELECT 1"), .. Ready()];
        rig.Server(response.AsSpan(0, 1000));
        rig.Miss(false, 3000);
        rig.Server(response.AsSpan(4000));
        Expect("Complete|shop|select a|||1");
    }

    [Fact]
    public void ALostPartOfAPipelineIsNotPairedWithAnother()
    {
        rig.Client([.. Query("select a"), .. Query("select b"), .. Query("select c")]);
        rig.Miss(false, 500);
        rig.Server([.. Complete("SELECT 3"), .. Ready()]);
        rig.Client(Query("select d"));
        rig.Server([.. Complete("SELECT 4"), .. Ready()]);
        Expect("Unfinished|shop|select a|||", "Unfinished|shop|select b|||", "Unfinished|shop|select c|||",
            "Complete|shop|select d|||4");
    }

    [Fact]
    public void ALostRequestTakesNamesWithIt()
    {
        rig.Client([.. Parse("p", "select a"), .. Sync]);
        rig.Server([.. ParseComplete, .. Ready()]);

        // Close and Parse of the same name may have been in it.
        rig.Miss(true, 300);
        rig.Server([.. CloseComplete, .. ParseComplete, .. Ready()]);
        rig.Client([.. Bind("", "p"), .. Execute(""), .. Sync]);
        rig.Server([.. BindComplete, .. Complete("SELECT 1"), .. Ready()]);
        Expect("Complete|shop||||1");
        Assert.Equal(300, rig.Protocol.CountUnseen()!.Value.Lost);
    }

    [Fact]
    public void RequestsGoOnAtTheNextOperation()
    {
        rig.Miss(true, 300);
        rig.Client("inside of something");
        rig.Client(Query("select a"));
        rig.Server([.. Complete("SELECT 1"), .. Ready()]);
        Expect("Complete|shop|select a|||1");
    }

    [Fact]
    public void AStaleConnectionEndsUnfinished()
    {
        rig.Client(Query("select a"));
        rig.Stale();
        Assert.Equal(["Unfinished|shop|select a|||"], rig.Spans);
        rig.AssertSettled();
    }

    [Fact]
    public void AnEvictedConnectionIsLost()
    {
        rig.Client(Query("select a"));
        rig.Evict();
        Assert.Empty(rig.Spans);
        Assert.Equal(1, rig.Protocol.Count().Lost);
        rig.AssertSettled();
    }

    private static byte[] Rows(int count)
    {
        List<byte> rows = [];
        for (var i = 0; i < count; i++)
        {
            rows.AddRange(Row($"value {i}"));
        }

        return [.. rows];
    }

    private void Blocks(byte[] data)
    {
        for (var at = 0; at < data.Length; at += 8192)
        {
            rig.Server(data.AsSpan(at, Math.Min(8192, data.Length - at)));
        }
    }

    private void Expect(params string[] spans)
    {
        rig.Close();
        Assert.Equal(spans, rig.Spans);
        rig.AssertSettled();
    }
}
