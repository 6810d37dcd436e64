# Runs for `cmake --install`: `make install` of one component, with the paths that CMake was given.
get_filename_component(prefix "${CMAKE_INSTALL_PREFIX}" ABSOLUTE)
set(destdir "$ENV{DESTDIR}")
if(destdir)
  get_filename_component(destdir "${destdir}" ABSOLUTE)
endif()
# The defaults, unless the project has set other folders, for example by GNUInstallDirs.
if(libdir STREQUAL "")
  set(libdir lib)
endif()
if(includedir STREQUAL "")
  set(includedir include)
endif()
get_filename_component(libdir "${libdir}" ABSOLUTE BASE_DIR "${prefix}")
get_filename_component(includedir "${includedir}" ABSOLUTE BASE_DIR "${prefix}")

file(WRITE "${manifest}" "")
execute_process(
  COMMAND ${make} install "PREFIX=${prefix}" "LIBDIR=${libdir}" "INCLUDEDIR=${includedir}"
    "DESTDIR=${destdir}" "INSTALL_COMPONENT=${component}" "INSTALL_LINKAGE=${linkage}" "INSTALL_MANIFEST=${manifest}"
  COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS "${manifest}" files)
list(APPEND CMAKE_INSTALL_MANIFEST_FILES ${files})
