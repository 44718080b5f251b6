using System.Text;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>
/// Tells the language of a process from outside: libraries that only one runtime maps, then the file of the executable, then its name.
/// What files say is remembered by device, inode and time of change, so that a process that is started often is looked at once.
/// </summary>
internal sealed class LanguageDetector(ProcReader proc, IFileGate? gate = null, int maximumCached = 1024)
{
    private readonly ExecutableCache<ElfMarks> executables =
        new(proc, gate, maximumCached, (file, _) => ElfFile.Read(file, proc.Budget));

    /// <summary>Executables whose content was read and not remembered.</summary>
    internal long FilesRead => executables.FilesRead;

    /// <summary>Executables whose marks are remembered.</summary>
    internal int Remembered => executables.Remembered;

    /// <param name="pid">The process.</param>
    /// <param name="executable">Its path, as far as it is known.</param>
    internal ProcessLanguage Detect(int pid, string executable)
    {
        var mapped = new Mapped();
        proc.VisitMaps(pid, static (line, ref mapped) => mapped.Take(line), ref mapped);
        if (mapped.Runtime != ProcessLanguage.Generic)
        {
            return mapped.Runtime;
        }

        var marks = executables.Read(pid);
        // What the file is comes before how it is called: a Go program may be named node.
        if (marks.HasFlag(ElfMarks.Go))
        {
            return ProcessLanguage.Go;
        }

        if (marks.HasFlag(ElfMarks.DotnetNative))
        {
            return ProcessLanguage.Dotnet;
        }

        if (marks.HasFlag(ElfMarks.JavaNative))
        {
            return ProcessLanguage.Java;
        }

        if (marks.HasFlag(ElfMarks.Node))
        {
            return ProcessLanguage.NodeJs;
        }
        // Runtimes carry parts in Rust (node, python), so their names come before that mark.
        var named = FromName(executable.AsSpan(executable.LastIndexOf('/') + 1));
        if (named != ProcessLanguage.Generic)
        {
            return named;
        }

        if (marks.HasFlag(ElfMarks.Rust))
        {
            return ProcessLanguage.Rust;
        }

        return mapped.HasCppRuntime ? ProcessLanguage.Cpp : ProcessLanguage.Generic;
    }

    /// <summary>
    /// The language of a runtime by the file name of its executable, versions included: <c>python3.12</c>, <c>php-fpm8.2</c>.
    /// </summary>
    internal static ProcessLanguage FromName(ReadOnlySpan<char> name)
    {
        var stem = name.TrimEnd("0123456789.-");
        return stem switch
        {
            "java" => ProcessLanguage.Java,
            "dotnet" => ProcessLanguage.Dotnet,
            "node" or "nodejs" or "deno" => ProcessLanguage.NodeJs,
            "python" or "pypy" => ProcessLanguage.Python,
            "ruby" or "jruby" or "truffleruby" => ProcessLanguage.Ruby,
            "php" or "php-fpm" or "php-cgi" => ProcessLanguage.Php,
            _ => ProcessLanguage.Generic,
        };
    }

    /// <summary>What the mapped files of a process say.</summary>
    private struct Mapped
    {
        public ProcessLanguage Runtime;
        public bool HasCppRuntime;

        public bool Take(ReadOnlySpan<byte> line)
        {
            var path = MapsLine.Path(line);
            if (path.IsEmpty)
            {
                return true;
            }

            var name = path[(path.LastIndexOf((byte)'/') + 1)..];
            Runtime = FromLibrary(name);
            HasCppRuntime |= name.StartsWith("libstdc++.so"u8) || name.StartsWith("libc++.so"u8);
            return Runtime == ProcessLanguage.Generic;
        }

        private static ProcessLanguage FromLibrary(ReadOnlySpan<byte> name)
        {
            if (!name.StartsWith("lib"u8))
            {
                return ProcessLanguage.Generic;
            }

            if (name.StartsWith("libcoreclr.so"u8))
            {
                return ProcessLanguage.Dotnet;
            }

            if (name.StartsWith("libjvm.so"u8))
            {
                return ProcessLanguage.Java;
            }

            if (name.StartsWith("libnode.so"u8))
            {
                return ProcessLanguage.NodeJs;
            }

            if (name.IndexOf(".so"u8) < 0)
            {
                return ProcessLanguage.Generic;
            }

            if (name.StartsWith("libpython"u8))
            {
                return ProcessLanguage.Python;
            }

            if (name.StartsWith("libruby"u8))
            {
                return ProcessLanguage.Ruby;
            }

            return name.StartsWith("libphp"u8) ? ProcessLanguage.Php : ProcessLanguage.Generic;
        }
    }
}

/// <summary>A line of /proc/PID/maps: <c>address perms offset device inode path</c>.</summary>
internal static class MapsLine
{
    /// <summary>Path of the mapped file, without the mark of a deleted one; empty for memory without a file.</summary>
    internal static ReadOnlySpan<byte> Path(ReadOnlySpan<byte> line)
    {
        var slash = line.IndexOf((byte)'/');
        return slash < 0 ? default : ProcReader.WithoutDeletedMark(line[slash..]);
    }

    /// <summary>
    /// Path of the executable, told by the maps: the lowest file that is mapped for execution, as libraries lie above.
    /// PERFMON alone shows maps, where the link exe asks for SYS_PTRACE.
    /// </summary>
    internal static string? Executable(ProcReader proc, int pid)
    {
        string? found = null;
        proc.VisitMaps(pid, static (line, ref found) =>
        {
            var permissions = line.IndexOf((byte)' ');
            if (permissions < 0 || line.Length < permissions + 5 || line[permissions + 3] != 'x'
                || Path(line) is not { IsEmpty: false } path)
            {
                return true;
            }

            found = Encoding.UTF8.GetString(path);
            return false;
        }, ref found);
        return found;
    }
}
