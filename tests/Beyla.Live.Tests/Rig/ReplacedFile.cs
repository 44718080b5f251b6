namespace Beyla.Live.Tests.Rig;

/// <summary>Puts another file in the place of a program, as a package manager does: whoever runs the old one goes on with it.</summary>
internal static class ReplacedFile
{
    /// <summary>Puts a copy there by rename(2): another inode, without the capabilities of the file before.</summary>
    /// <param name="program">The path.</param>
    /// <param name="other">What is copied; the program itself where null.</param>
    public static void Put(string program, string? other = null)
    {
        File.Copy(other ?? program, program + ".new");
        File.Move(program + ".new", program, overwrite: true);
    }
}
