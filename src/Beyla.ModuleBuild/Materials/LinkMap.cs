namespace Beyla.ModuleBuild.Materials;

/// <summary>
/// Reads the map that the linker wrote of the agent (<c>ld -Map</c>): the record of what is in it, by whatever way it got there.
/// </summary>
internal static class LinkMap
{
    private const string Members = "Archive member included to satisfy reference by file (symbol)", Loaded = "LOAD ";

    /// <summary>
    /// The files that gave code to the executable: objects, and archives of which a member was taken. Shared libraries and linker scripts
    /// are none, nor are archives that were looked through in vain. In the order of the map, each once.
    /// </summary>
    /// <exception cref="InvalidDataException">It is no such map.</exception>
    public static IReadOnlyList<string> Sources(IEnumerable<string> lines)
    {
        var sources = new List<string>();
        var started = false;
        var inMembers = false;
        foreach (var line in lines)
        {
            if (line == Members)
            {
                started = inMembers = true;
            }
            else if (line.StartsWith(Loaded, StringComparison.Ordinal) && line.EndsWith(".o", StringComparison.Ordinal))
            {
                sources.Add(line[Loaded.Length..]);
            }
            else if (inMembers && line.Length > 0 && !char.IsWhiteSpace(line[0]))
            {
                // "ARCHIVE(MEMBER)", and indented what asked for it, on the same line or the next; the section ends at the next heading.
                var member = line.IndexOf(".a(", StringComparison.Ordinal);
                inMembers = member >= 0;
                if (inMembers)
                {
                    sources.Add(line[..(member + 2)]);
                }
            }
        }

        return started ? [.. sources.Distinct()]
            : throw new InvalidDataException("the map of the linker does not say what it took of archives");
    }
}
