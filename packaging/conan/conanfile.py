"""The Conan recipe of this tree: `conan create packaging/conan`.

Exports the sources beside it, those of the crates too if it is in the tree of a source package. A
recipe for a public repository would fetch that source package in source() instead.
"""

import re
import shutil
from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, load, rm, rmdir


class QueuesConan(ConanFile):
    name = "queues"
    description = "Bounded concurrent queues for C, C++, Go and Rust"
    license = "MIT OR Apache-2.0"
    topics = ("queue", "concurrency", "lock-free", "mpmc", "spsc")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True]}
    default_options = {"shared": False, "fPIC": True}
    languages = "C"

    @property
    def _tree(self):
        return Path(self.recipe_folder).parent.parent

    def set_version(self):
        manifest = load(self, self._tree / "Cargo.toml")
        self.version = re.search(r'^version = "(.*)"', manifest, re.M).group(1)

    def export_sources(self):
        for name in ("Cargo.toml", "Cargo.lock", "Makefile", "build.rs", "*.md", "LICENSE-*"):
            copy(self, name, self._tree, self.export_sources_folder, excludes="*/*")
        copy(self, "*.1", self._tree / "docs", Path(self.export_sources_folder) / "docs")
        for folder in (".cargo", "bindings/cpp/include", "build", "cmake", "debug", "docs/man",
                       "examples/rust", "include", "scripts", "src", "vendor"):  # fmt: skip
            if (self._tree / folder).is_dir():
                copy(self, "*", self._tree / folder, Path(self.export_sources_folder) / folder)

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("queues is built and tested on Linux only")

    def validate_build(self):
        for tool in ("cargo", "make", "bash"):
            if not shutil.which(tool):
                raise ConanInvalidConfiguration(tool + " is missing: install it")

    # The library has a C interface, and is always optimized.
    def package_id(self):
        del self.info.settings.compiler
        del self.info.settings.build_type

    def _make(self, arguments):
        target = Path(self.build_folder) / "target"
        self.run('make %s "CARGO_TARGET_DIR=%s"' % (arguments, target), cwd=self.source_folder)

    def build(self):
        self._make("build")

    def package(self):
        linkage = "" if self.options.shared else " INSTALL_LINKAGE=static"
        self._make('install "PREFIX=%s" DESTDIR=%s' % (self.package_folder, linkage))
        folder = Path(self.package_folder)
        for name in ("LICENSE-*", "THIRD-PARTY.md"):
            copy(self, name, self.source_folder, folder / "licenses")
        if self.options.shared:
            rm(self, "*.a", folder / "lib")
        # Conan generates these.
        for name in ("lib/cmake", "lib/pkgconfig", "share/doc"):
            rmdir(self, folder / name)

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "queues")
        self.cpp_info.set_property("pkg_config_name", "queues")
        library = self.cpp_info.components["library"]
        library.set_property("cmake_target_name", "queues::queues")
        library.libs = ["queues"]
        if not self.options.shared:
            library.system_libs = ["dl", "m", "pthread", "rt", "util"]
        header = self.cpp_info.components["cpp"]
        header.set_property("cmake_target_name", "queues::cpp")
        header.libs, header.libdirs = [], []
        header.requires = ["library"]
