#!/usr/bin/env bash
# The recipes for Conan, vcpkg and Homebrew. Conan builds and uses the package, static and shared.
# The port of vcpkg runs with stand-ins for vcpkg's own functions; of the formula only the syntax is
# tested. Run by `make test-packages`.
# shellcheck source-path=SCRIPTDIR/../.. source=tests/check.sh
. "$(dirname "$0")/../check.sh"

conan_creates() {
    export CONAN_HOME=$tmp/conan
    conan profile detect --exist-ok
    conan create "$repo/packaging/conan" --no-remote --build=missing -o "queues/*:shared=$1" \
        -s build_type=Release -s compiler.cppstd=17 -c tools.cmake.cmaketoolchain:user_presets= \
        -c "tools.cmake.cmake_layout:test_folder=$tmp/test_package"
    # It has the one library that was asked for, and the licenses of all that is in it.
    local folder
    folder=$(find "$CONAN_HOME/p" -path '*/p/include/queues.h' -newer "$tmp/asked" | head -1)
    folder=${folder%/include/queues.h}
    same "$(cd "$folder/lib" && find . -name 'libqueues*' -not -name '*.so.*')" "$2"
    same "$(cd "$folder/licenses" && echo *)" "LICENSE-APACHE LICENSE-MIT THIRD-PARTY.md"
}
vcpkg_port() {
    cat >"$tmp/port.cmake" <<'CMAKE'
cmake_minimum_required(VERSION 3.19)
function(vcpkg_execute_required_process)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "WORKING_DIRECTORY;LOGNAME" "COMMAND")
  execute_process(COMMAND ${arg_COMMAND} WORKING_DIRECTORY "${arg_WORKING_DIRECTORY}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH" "")
  file(MAKE_DIRECTORY "${CURRENT_PACKAGES_DIR}/share/queues")
  file(GLOB files "${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/*.cmake")
  if(NOT files)
    message(FATAL_ERROR "no CMake files in ${arg_CONFIG_PATH}")
  endif()
endfunction()
function(vcpkg_fixup_pkgconfig)
endfunction()
function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  foreach(file IN LISTS arg_FILE_LIST)
    file(READ "${file}" text)
    file(APPEND "${CURRENT_PACKAGES_DIR}/share/queues/copyright" "${text}")
  endforeach()
endfunction()
include("${CURRENT_PORT_DIR}/portfile.cmake")
CMAKE
    # Built already, where the port looks.
    mkdir -p "$tmp/trees/target"
    cp -a "$target/dist" "$target/release" "$tmp/trees/target/"
    for linkage in dynamic static; do
        cmake "-DCURRENT_PORT_DIR=$repo/packaging/vcpkg/ports/queues" "-DCURRENT_BUILDTREES_DIR=$tmp/trees" \
            "-DCURRENT_PACKAGES_DIR=$tmp/$linkage" "-DVCPKG_LIBRARY_LINKAGE=$linkage" -DTARGET_TRIPLET=test \
            -P "$tmp/port.cmake"
        test -s "$tmp/$linkage/share/queues/copyright"
    done
    same "$(cd "$tmp/static/lib" && echo libqueues*)" libqueues.a
    same "$(cd "$tmp/dynamic/lib" && find . -name '*.a')" ""
    test -L "$tmp/dynamic/debug/lib/libqueues.so"
    python3 - "$repo/packaging/vcpkg/ports/queues/vcpkg.json" "$version" <<'PYTHON'
import json, sys
assert json.load(open(sys.argv[1]))["version"] == sys.argv[2]
PYTHON
}
formula() {
    ruby -c "$target/packages/queues.rb"
    same "$(grep -o '@[A-Z0-9]*@' "$target/packages/queues.rb")" ""
    grep -F "sha256 \"$(sha256sum "$target/packages/queues-$version.tar.xz" | cut -d' ' -f1)\"" "$target/packages/queues.rb"
}
# The version is in Cargo.toml; these files need it, too.
versions() {
    local soname
    soname=$(readelf -dW "$target/release/libqueues.so" | sed -n 's/.*(SONAME).*\[libqueues.so.\(.*\)\]/\1/p')
    cd "$repo/packaging/debian"
    same "$(sed -n '1s/queues (\(.*\)-.*/\1/p' changelog)" "$version"
    grep -x "Package: libqueues$soname" control
    test -e "libqueues$soname.install"
    same "$(head -1 "libqueues$soname.symbols")" "libqueues.so.$soname libqueues$soname #MINVER#"
}

touch "$tmp/asked"
check "all recipes have the version and the SONAME of the library" versions
if command -v conan >/dev/null && command -v cmake >/dev/null; then
    check "conan create, static" conan_creates False ./libqueues.a
    touch "$tmp/asked"
    check "conan create, shared" conan_creates True ./libqueues.so
else
    skip "conan create" "conan or cmake is missing: \`make setup-packages\` installs it"
fi
if command -v cmake >/dev/null && command -v python3 >/dev/null; then
    check "the port of vcpkg, without vcpkg" vcpkg_port
else
    skip "the port of vcpkg" "cmake or python3 is missing: \`make setup-packages\` installs it"
fi
if command -v ruby >/dev/null && [ -r "$target/packages/queues.rb" ]; then
    check "the syntax of the Homebrew formula" formula
else
    skip "the syntax of the Homebrew formula" "ruby is missing, or \`make dist\` has not run"
fi
all_passed
