using System.Runtime.InteropServices;
using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>Files that settings name: read whole and in order, or refused by key, path and error (errno(3)).</summary>
public sealed partial class NamedFilesTests : IDisposable
{
    private const int Largest = 1024 * 1024;

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("beyla-named-");

    public void Dispose() => directory.Delete(true);

    [Fact]
    public void Contents_come_in_the_order_of_the_settings()
    {
        var large = new string('x', Largest);
        Assert.Equal(
            ["second", "", large, "second"],
            NamedFiles.Read([("A", Write("2", "second")), ("B", Write("0", "")), ("C", Write("1", large)), ("D", Write("2", "second"))]));
        Assert.Empty(NamedFiles.Read([]));
    }

    [Fact]
    public void All_that_cannot_be_read_is_said_at_once()
    {
        var absent = Path.Combine(directory.FullName, "absent");
        var long_ = Write("long", new string('x', Largest + 1));
        var binary = Path.Combine(directory.FullName, "binary");
        File.WriteAllBytes(binary, [0x30, 0x82, 0xff]);
        var pipe = Path.Combine(directory.FullName, "pipe");
        Assert.Equal(0, MakeFifo(pipe, 0x180)); // would wait for a writer
        var failure = Assert.Throws<ConfigurationException>(() => NamedFiles.Read(
        [
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", absent), ("KEY_B", Write("good", "good")), ("KEY_C", long_), ("KEY_D", directory.FullName),
            ("KEY_E", binary), ("KEY_F", pipe), ("KEY_G", "/etc\0/x"), ("KEY_H", Write("file", "") + "/below"),
        ]));
        Assert.Equal(
            [
                $"OTEL_EXPORTER_OTLP_CERTIFICATE: the file \"{absent}\" cannot be opened: ENOENT (No such file or directory)",
                $"KEY_C: the file \"{long_}\" has 1048577 bytes, at most 1048576 are allowed",
                $"KEY_D: the file \"{directory.FullName}\" is not a regular file",
                $"KEY_E: the file \"{binary}\" is not UTF-8 at byte 1",
                $"KEY_F: the file \"{pipe}\" is not a regular file",
                "the path of KEY_G: the file \"/etc\\x00/x\" holds a zero character",
                $"KEY_H: the file \"{directory.FullName}/file/below\" cannot be opened: ENOTDIR (Not a directory)",
            ],
            failure.Problems);
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(directory.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
