#!/usr/bin/env python3
"""Checks a bill of materials: its form against the rules of CycloneDX 1.6 (required fields, enumerations, patterns of the schema), and its
content against the package, dpkg and the lock files. Prints NAME<tab>EXPECTED<tab>ACTUAL for each check, and "end"."""
import glob
import hashlib
import json
import re
import subprocess
import sys
import zipfile

bill = json.load(open(sys.argv[1], encoding="utf-8"))
package = sys.argv[2]


def check(name, expected, actual):
    print(f"{name}\t{expected}\t{actual}")


# https://cyclonedx.org/schema/bom-1.6.schema.json
check("bill: format", "CycloneDX 1.6 1", f"{bill.get('bomFormat')} {bill.get('specVersion')} {bill.get('version')}")
check("bill: serial number", True, bool(re.fullmatch(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", bill.get("serialNumber", ""))))
check("bill: nothing but what the schema has", set(), set(bill) - {
    "$schema", "bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"} or set())
check("bill: no time unless told", False, "timestamp" in bill["metadata"])
components = bill["components"] + [bill["metadata"]["component"]]
FIELDS = {"type", "bom-ref", "name", "version", "scope", "hashes", "licenses", "purl", "properties"}
LENGTHS = {"SHA-256": 64, "SHA-512": 128}
PURL = re.compile(r"pkg:[a-z]+(/[A-Za-z0-9._-]+)+@[A-Za-z0-9.:~%_-]+(\?[a-z]+=[A-Za-z0-9._-]+(&[a-z]+=[A-Za-z0-9._-]+)*)?")
wrong = []
for c in components:
    good = set(c) <= FIELDS and c.get("name") and c.get("type") in ("application", "library", "file")
    good = good and c.get("scope", "required") in ("required", "optional", "excluded")
    good = good and all(re.fullmatch("[0-9a-f]+", h["content"]) and len(h["content"]) == LENGTHS[h["alg"]] for h in c.get("hashes", []))
    good = good and ("purl" not in c or PURL.fullmatch(c["purl"])) and len(c.get("licenses", [])) == 1
    good = good and (c["type"] == "file" or c.get("version") and "purl" in c)
    if not good:
        wrong.append(c.get("name"))
check("bill: every component has its form", [], wrong)
references = [c["bom-ref"] for c in components]
check("bill: references are unique", len(references), len(set(references)))
used = {r for d in bill["dependencies"] for r in [d["ref"], *d["dependsOn"]]}
check("bill: dependencies are components", set(), used - set(references) or set())
check("bill: what is shipped is a dependency", set(),
      {c["bom-ref"] for c in bill["components"] if c.get("scope") != "excluded"} - used or set())

# The package: every file of it, by its own hash.
named = {c["name"]: c["hashes"][0]["content"] for c in components if c["type"] == "file"}
with zipfile.ZipFile(package) as archive:
    shipped = [n for n in archive.namelist() if n not in ("Beyla.nuspec", "[Content_Types].xml", "_rels/.rels")]
    check("bill: the files of the package", sorted(shipped), sorted(n for n in named if not n.startswith("bpf/")))
    check("bill: their hashes", [], [n for n in shipped if named.get(n) != hashlib.sha256(archive.read(n)).hexdigest()])
check("bill: the package", hashlib.sha256(open(package, "rb").read()).hexdigest(), bill["metadata"]["component"]["hashes"][0]["content"])
check("bill: the programs", sorted("bpf/" + re.sub(r".*/|\.c$", "", f) + ".o" for f in glob.glob("bpf/*.bpf.c")),
      sorted(n for n in named if n.startswith("bpf/")))

# What is linked in: NOTICE says which libraries, dpkg and the lock files which versions.
by_name = {c["name"]: c for c in components}
for library in ("libbpf-dev", "libelf-dev", "zlib1g-dev", "libc6-dev"):
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", library], capture_output=True, text=True, check=True).stdout
    check(f"bill: {library}", version, by_name.get(library, {}).get("version"))
locked = json.load(open("src/Beyla.Cli/packages.lock.json", encoding="utf-8"))["dependencies"]["net10.0"]
check("bill: YamlDotNet", f"{locked['YamlDotNet']['resolved']} required",
      " ".join(by_name.get("YamlDotNet", {}).get(k, "?") for k in ("version", "scope")))
compiler = locked["Microsoft.DotNet.ILCompiler"]["resolved"]
check("bill: the runtime is that of the compiler", compiler,
      by_name.get("Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64", {}).get("version"))
# What lies in the exporter's folder of the module: each file belongs to the package of its name, in the version that is locked, with its licence.
exporter = json.load(open("src/Beyla.PowerShell.Console/packages.lock.json", encoding="utf-8"))["dependencies"]["net8.0"]
needs = {d["ref"]: d["dependsOn"] for d in bill["dependencies"]}
foreign = sorted(n for n in shipped if n.startswith("exporter/") and n not in ("exporter/NOTICE", "exporter/Beyla.PowerShell.Console.dll"))
check("bill: the exporter's packages", sorted(f"exporter/{n}.dll" for n in exporter if n != "Microsoft.NET.ILLink.Tasks"), foreign)
check("bill: the owners of the exporter's files", {},
      {n: needs.get(f"file:{n}") for n in foreign if needs.get(f"file:{n}") != [f"pkg:nuget/{n[9:-4]}@{exporter[n[9:-4]]['resolved']}"]})
check("bill: their licences", {"Apache-2.0": True, "MIT": True},
      {licence: all(by_name[n]["licenses"] == by_name[n[9:-4]]["licenses"] == [{"expression": licence}] for n in foreign
                    if n.startswith("exporter/OpenTelemetry") == (licence == "Apache-2.0")) for licence in ("Apache-2.0", "MIT")})
check("bill: the exporter is no part of the agent", set(), set(needs["file:bin/beyla"]) & {f"pkg:nuget/{n}@{exporter[n]['resolved']}" for n in exporter} or set())
check("bill: no package of a test", [], [c["name"] for c in components if re.match("xunit|Npgsql|Microsoft.NET.Test", c["name"])])
check("bill: PowerShell's reference is not shipped", "excluded", by_name.get("PowerShellStandard.Library", {}).get("scope"))
print("end")
