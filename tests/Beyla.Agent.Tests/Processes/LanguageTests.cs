using Beyla.Agent.Processes;
using Beyla.Agent.Processes.Inspections;

namespace Beyla.Agent.Tests.Processes;

public sealed class LanguageTests : IDisposable
{
    private readonly FakeProc proc = new();
    private readonly List<string> files = [];
    private readonly AsideThread.Scope aside = AsideThread.Enter();

    [Theory]
    [InlineData("/usr/lib/libpython3.11.so.1.0", ProcessLanguage.Python)]
    [InlineData("/usr/lib/libruby-3.1.so.3.1", ProcessLanguage.Ruby)]
    [InlineData("/usr/lib/libnode.so.108", ProcessLanguage.NodeJs)]
    [InlineData("/usr/lib/dotnet/libcoreclr.so", ProcessLanguage.Dotnet)]
    [InlineData("/usr/lib/jvm/lib/server/libjvm.so (deleted)", ProcessLanguage.Java)]
    [InlineData("/usr/lib/apache2/modules/libphp8.2.so", ProcessLanguage.Php)]
    [InlineData("/usr/lib/libstdc++.so.6.0.30", ProcessLanguage.Cpp)]
    [InlineData("/usr/lib/libc.so.6", ProcessLanguage.Generic)]
    [InlineData("/home/libpython3/app", ProcessLanguage.Generic)]
    public void A_mapped_library_tells(string library, ProcessLanguage expected)
    {
        proc.Add(10, maps: "55d0-55d1 r-xp 00000000 08:01 42 /srv/app\n7f00-7f01 rw-p 00000000 00:00 0 \n"
            + $"7f10-7f11 r-xp 00000000 08:01 43 {library}\n7f20-7f21 rw-p 0 00:00 0 [stack]");
        Assert.Equal(expected, Detect(10, "/srv/app"));
    }

    [Theory]
    [InlineData("node", ProcessLanguage.NodeJs)]
    [InlineData("deno", ProcessLanguage.NodeJs)]
    [InlineData("python3.12", ProcessLanguage.Python)]
    [InlineData("php-fpm8.2", ProcessLanguage.Php)]
    [InlineData("php8.2", ProcessLanguage.Php)]
    [InlineData("ruby3.1", ProcessLanguage.Ruby)]
    [InlineData("java", ProcessLanguage.Java)]
    [InlineData("dotnet", ProcessLanguage.Dotnet)]
    [InlineData("phpstorm", ProcessLanguage.Generic)]
    [InlineData("nginx", ProcessLanguage.Generic)]
    [InlineData("", ProcessLanguage.Generic)]
    public void The_name_of_a_runtime_tells(string name, ProcessLanguage expected) =>
        Assert.Equal(expected, LanguageDetector.FromName(name));

    [Fact]
    public void What_the_file_is_comes_before_its_name_and_its_name_before_parts_in_rust()
    {
        proc.Add(10, Executable("node", (".gopclntab", "x"))).Add(11, Executable("node", (".comment", "rustc version 1")))
            .Add(12, Executable("app", (".comment", "rustc version 1")));
        Assert.Equal(ProcessLanguage.Go, Detect(10, "/srv/node"));
        Assert.Equal(ProcessLanguage.NodeJs, Detect(11, "/srv/node"));
        Assert.Equal(ProcessLanguage.Rust, Detect(12, "/srv/app"));
    }

    [Fact]
    public void A_file_is_read_once_however_many_processes_run_it()
    {
        var go = Executable("app", (".gopclntab", "x"));
        var detector = new LanguageDetector(new ProcReader(proc.Root));
        for (var pid = 10; pid < 40; pid++)
        {
            Assert.Equal(ProcessLanguage.Go, detector.Detect(proc.Add(pid, go) is null ? 0 : pid, go));
        }

        Assert.Equal(1, detector.FilesRead);
        // Another content under the same name is another file.
        File.WriteAllBytes(go, ElfBuilder.Build((".comment", "rustc version 1.0")));
        Assert.Equal(ProcessLanguage.Rust, detector.Detect(10, "/srv/app"));
        Assert.Equal(2, detector.FilesRead);
    }

    [Fact]
    public void Many_files_do_not_make_it_grow()
    {
        var detector = new LanguageDetector(new ProcReader(proc.Root), maximumCached: 8);
        for (var i = 0; i < 30; i++)
        {
            var file = Executable("app" + i, (".gopclntab", "x"));
            proc.Add(10, file);
            Assert.Equal(ProcessLanguage.Go, detector.Detect(10, file));
        }

        Assert.Equal(30, detector.FilesRead);
        Assert.InRange(detector.Remembered, 1, 8);
    }

    [Fact]
    public void What_is_no_regular_file_is_not_read()
    {
        proc.Add(10, "/dev/zero").Add(11, "/");
        Assert.Equal(ProcessLanguage.Generic, Detect(10, "/srv/app"));
        Assert.Equal(ProcessLanguage.Generic, Detect(11, "/srv/app"));
    }

    public void Dispose()
    {
        aside.Dispose();
        proc.Dispose();
        files.ForEach(file => Directory.Delete(Path.GetDirectoryName(file)!, true));
    }

    private ProcessLanguage Detect(int pid, string executable) => new LanguageDetector(new ProcReader(proc.Root)).Detect(pid, executable);

    private string Executable(string name, params (string, string)[] sections)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("beyla-elf-").FullName, name);
        File.WriteAllBytes(file, ElfBuilder.Build(sections));
        files.Add(file);
        return file;
    }
}
