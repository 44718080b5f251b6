namespace Beyla.Agent.Export.Prometheus;

/// <summary>What is answered at a path.</summary>
public interface IPage
{
    /// <summary>Writes the whole page. Called on the thread of the responder.</summary>
    /// <param name="page">Empty.</param>
    /// <param name="format">What was agreed on.</param>
    void Write(PageBuffer page, PageFormat format);
}
