# An overlay port of the tree that it is in: vcpkg install queues --overlay-ports=packaging/vcpkg/ports
# A port in a public registry would fetch the source package instead. Needs cargo on PATH.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../../.." ABSOLUTE)
find_program(MAKE NAMES gmake make REQUIRED)
find_program(CARGO NAMES cargo PATHS "$ENV{HOME}/.cargo/bin" REQUIRED)
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
  set(linkage static)
endif()

vcpkg_execute_required_process(
  COMMAND "${MAKE}" -s -C "${SOURCE_PATH}" install "CARGO=${CARGO}"
    "CARGO_TARGET_DIR=${CURRENT_BUILDTREES_DIR}/target" "PREFIX=${CURRENT_PACKAGES_DIR}" DESTDIR=
    "INSTALL_LINKAGE=${linkage}"
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME "install-${TARGET_TRIPLET}")
if(NOT linkage)
  file(REMOVE "${CURRENT_PACKAGES_DIR}/lib/libqueues.a")
endif()

# The library is always optimized: the one for debugging is the same.
if(NOT DEFINED VCPKG_BUILD_TYPE)
  file(COPY "${CURRENT_PACKAGES_DIR}/lib" DESTINATION "${CURRENT_PACKAGES_DIR}/debug")
endif()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/queues)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/doc" "${CURRENT_PACKAGES_DIR}/share/gdb"
  "${CURRENT_PACKAGES_DIR}/share/man")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE-MIT" "${SOURCE_PATH}/LICENSE-APACHE"
  "${SOURCE_PATH}/THIRD-PARTY.md")
