#!/usr/bin/env python3
"""Lists the crates of the library, from Cargo.lock and the sources of the crates.

third-party.py notices  prints THIRD-PARTY.md: the licenses of the code inside the library
third-party.py sbom     prints the bill of materials as CycloneDX JSON; SOURCE_DATE_EPOCH is its time
third-party.py debian   prints what debian/copyright has for the crates in vendor/
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Conditions of dependencies that no library meets: the models of the tests, and a system that is
# not supported.
NEVER = ("cfg(loom)", "cfg(windows)")
TITLES = ("MIT License", "The MIT License (MIT)")

HEADING = """\
# Third-party code in the library

Both libraries, `libqueues.so` and `libqueues.a`, contain code of the crates below and of Rust's
standard library. They use it under the MIT license, whose text is at the end.
`packaging/third-party.py notices` writes this file.

| crate | version | its license | its notice | where |
|---|---|---|---|---|
"""

STANDARD_LIBRARY = """
## Rust's standard library

`std`, `core`, `alloc` and what they contain, of the version of the compiler that built the library:
copyright The Rust Project Developers, MIT OR Apache-2.0. The compiler comes with the full list,
`COPYRIGHT-library.html`. It contains code of these crates: addr2line, adler2, cfg-if,
compiler_builtins, gimli, hashbrown, libc, memchr, miniz_oxide, object, rustc-demangle. All of them
may be used under the MIT license; parts of compiler_builtins, which come from LLVM, under
Apache-2.0 with the LLVM exception.
"""


def fail(message):
    print("third-party: " + message, file=sys.stderr)
    sys.exit(2)


class Crates:
    """The graph of the crates in Cargo.lock, as `cargo metadata` reports it."""

    def __init__(self):
        command = shlex.split(os.environ.get("CARGO", "cargo")) + [
            "metadata", "--frozen", "--all-features", "--format-version=1", "--manifest-path",
            str(ROOT / "Cargo.toml"),
        ]  # fmt: skip
        result = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT)
        if result.returncode != 0:
            fail("cargo metadata fails: if crates are missing, `make setup` fetches them")
        metadata = json.loads(result.stdout)
        self.packages = {package["id"]: package for package in metadata["packages"]}
        self.edges = {node["id"]: node["deps"] for node in metadata["resolve"]["nodes"]}
        self.library = metadata["resolve"]["root"]
        self.linked = self.reachable(lambda target: target is None)
        self.elsewhere = self.reachable(lambda target: target not in NEVER) - self.linked
        lock = (ROOT / "Cargo.lock").read_text()
        entry = re.compile(r'name = "(.*)"\nversion = "(.*)"\nsource = .*\nchecksum = "(.*)"')
        self.checksums = {(name, version): sum_ for name, version, sum_ in entry.findall(lock)}

    def is_macro(self, id):
        return any("proc-macro" in target["kind"] for target in self.packages[id]["targets"])

    def reachable(self, follows):
        """The crates whose code the library contains if `follows` holds for the target."""
        found, pending = set(), [self.library]
        while pending:
            for edge in self.edges[pending.pop()]:
                kinds = [kind["target"] for kind in edge["dep_kinds"] if kind["kind"] is None]
                id = edge["pkg"]
                if any(map(follows, kinds)) and id not in found and not self.is_macro(id):
                    found.add(id)
                    pending.append(id)
        return found

    def sorted(self, ids):
        return sorted((self.packages[id] for id in ids), key=lambda p: (p["name"], p["version"]))


def notice(package):
    """The copyright lines of the crate's MIT license, and the words of that license."""
    folder = Path(package["manifest_path"]).parent
    if "MIT" not in re.split(r"[ /]+", package["license"] or ""):
        fail("%(name)s is not under MIT: decide how to use it under %(license)s" % package)
    files = {path.stem.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    path = files.get("license-mit") or files.get("license") or fail("no license file in " + str(folder))
    lines = [line.strip() for line in path.read_text().splitlines()]
    copyright = [line for line in lines if line.startswith("Copyright")]
    rest = [line for line in lines if not line.startswith("Copyright") and line not in TITLES]
    return copyright, " ".join(rest).split()


def notices():
    crates = Crates()
    text = HEADING
    mit = [line for line in (ROOT / "LICENSE-MIT").read_text().splitlines() if line not in TITLES]
    mit = "\n".join(line for line in mit if not line.startswith("Copyright")).strip()
    for package in crates.sorted(crates.linked | crates.elsewhere):
        where = "everywhere" if package["id"] in crates.linked else "some systems other than Linux"
        copyright, words = notice(package)
        if words != mit.split():
            fail("the MIT license of %(name)s %(version)s has other words than LICENSE-MIT" % package)
        cells = package["name"], package["version"], package["license"], "; ".join(copyright), where
        text += "| %s |\n" % " | ".join(cells)
    return text + STANDARD_LIBRARY + "\n## The MIT license\n\n```text\n" + mit + "\n```\n"


def component(package, kind="library"):
    purl = "pkg:cargo/%(name)s@%(version)s" % package
    result = {"type": kind, "bom-ref": purl, "name": package["name"], "version": package["version"]}
    if package["description"]:
        result["description"] = " ".join(package["description"].split())
    if package["license"]:
        result["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    result["purl"] = purl
    return result


def sbom():
    crates = Crates()
    components, dependencies = [], []
    for package in crates.sorted(crates.packages):
        item = component(package)
        edges = sorted(component(crates.packages[edge["pkg"]])["bom-ref"] for edge in crates.edges[package["id"]])
        dependencies.append({"ref": item["bom-ref"], "dependsOn": edges})
        if package["id"] == crates.library:
            continue
        # excluded: needed to build or to test, and not part of the library
        item["scope"] = (
            "required" if package["id"] in crates.linked
            else "optional" if package["id"] in crates.elsewhere
            else "excluded"
        )  # fmt: skip
        sha256 = crates.checksums.get((package["name"], package["version"]))
        if sha256:
            item["hashes"] = [{"alg": "SHA-256", "content": sha256}]
        components.append(item)
    now = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "component": component(crates.packages[crates.library]),
        },
        "components": components,
        "dependencies": dependencies,
    }
    digest = hashlib.sha256(json.dumps(bom, sort_keys=True).encode()).digest()
    bom["serialNumber"] = "urn:uuid:" + str(uuid.UUID(bytes=digest[:16], version=4))
    return json.dumps(bom, indent=1) + "\n"


# Where the text of a license is that a crate in vendor/ names: a file that Debian installs, or a file
# of a crate.
TEXTS = {
    "BSD-2-Clause": "zerocopy-*/LICENSE-BSD",
    "Apache-2.0": "/usr/share/common-licenses/Apache-2.0",
    "Apache-2.0 with LLVM exception": "/usr/share/common-licenses/Apache-2.0",
    "LGPL-2.1-or-later": "/usr/share/common-licenses/LGPL-2.1",
    "MPL-2.0": "/usr/share/common-licenses/MPL-2.0",
    "MIT": "libc-*/LICENSE-MIT",
    "Unicode-3.0": "unicode-ident-*/LICENSE-UNICODE",
    "Unlicense": "memchr-*/UNLICENSE",
}


def indented(text):
    return "".join(" %s\n" % (line.strip() or ".") for line in text.strip().splitlines())


def debian():
    vendor = ROOT / "vendor"
    result, used = "", {"MIT", "Apache-2.0"}
    for folder in sorted(vendor.iterdir()):
        manifest = (folder / "Cargo.toml").read_text()
        field = lambda name: re.search(r"^%s = (\[[^]]*\]|\".*\")" % name, manifest, re.M)
        authors = field("authors") and re.findall(r'"(.*?)"', field("authors").group(1))
        found = field("license") or fail(folder.name + ": Cargo.toml names no license")
        license = re.sub(r"(\S) ?/ ?(\S)", r"\1 OR \2", found.group(1).strip('"'))
        license = license.replace(" OR ", " or ").replace(" AND ", " and ")
        license = license.replace(" WITH LLVM-exception", " with LLVM exception")
        license = re.sub(r"^\((.*?)\) and (.*)$", r"\1, and \2", license)
        used.update(re.split(r" or |,? and ", license))
        result += "Files: vendor/%s/*\nCopyright: %s\nLicense: %s\n\n" % (
            folder.name, "\n ".join(authors or ["the authors of " + folder.name]), license
        )  # fmt: skip
    for name in sorted(used):
        where = TEXTS.get(name) or fail("the text of the license %s is not known" % name)
        if where.startswith("/"):
            exception = " That of the exception is in the crate." if " with " in name else ""
            result += "License: %s\n On Debian systems the text is in %s.%s\n\n" % (name, where, exception)
        else:
            text = next(vendor.glob(where)).read_text()
            text = "\n".join(line for line in text.splitlines() if not line.startswith("Copyright (c)"))
            result += "License: %s\n%s\n" % (name, indented(text))
    return result


ACTIONS = {"notices": notices, "sbom": sbom, "debian": debian}
if len(sys.argv) != 2 or sys.argv[1] not in ACTIONS:
    fail("usage: third-party.py notices|sbom|debian")
sys.stdout.write(ACTIONS[sys.argv[1]]())
