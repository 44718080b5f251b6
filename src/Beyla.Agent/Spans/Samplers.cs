using Beyla.Agent.Processes;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Spans;

/// <summary>The samplers of all services: that of the rule that selected the process, else the general one. One thread.</summary>
/// <param name="general">For processes whose rule has none.</param>
public sealed class Samplers(SamplerConfiguration general)
{
    private readonly Sampler common = new(general);

    // As many as there are rules.
    private readonly Dictionary<SamplerConfiguration, Sampler> own = new(ReferenceEqualityComparer.Instance);

    /// <summary>Whether a span of the process is exported. Allocates nothing for a process whose rule was seen.</summary>
    public bool IsSampled(TraceContext context, ProcessInfo process)
    {
        if (process.Sampler is not { } configuration)
        {
            return common.IsSampled(in context);
        }

        if (!own.TryGetValue(configuration, out var sampler))
        {
            own.Add(configuration, sampler = new Sampler(configuration));
        }

        return sampler.IsSampled(in context);
    }
}
