using Beyla.Agent.Tests.Documents;

namespace Beyla.Agent.Tests.Capabilities;

public class CapabilityDocumentTests
{
    /// <summary>docs/capabilities.md is what the table makes; BEYLA_UPDATE_DOCS=1 writes it.</summary>
    [Fact]
    public void The_document_is_made_from_the_table() => Page.IsMade("capabilities.md", static _ => CapabilityDocument.Write());
}
