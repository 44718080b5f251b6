using System.Runtime.CompilerServices;
using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class CapabilityDocumentTests
{
    /// <summary>docs/capabilities.md is what the table makes; BEYLA_UPDATE_DOCS=1 writes it.</summary>
    [Fact]
    public void The_document_is_made_from_the_table()
    {
        var path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs/capabilities.md"));
        if (Environment.GetEnvironmentVariable("BEYLA_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, CapabilityDocument.Write());
        }

        Assert.Equal(CapabilityDocument.Write(), File.ReadAllText(path));
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
