# Debian's libcaf-dev ships neither a CMake package nor a .pc file.
# Defines CAF::core, CAF::io and CAF::openssl; CAF_VERSION comes from caf/config.hpp.
include(FindPackageHandleStandardArgs)

find_path(CAF_INCLUDE_DIR caf/config.hpp)
foreach(component core io openssl)
  find_library(CAF_${component}_LIBRARY caf_${component})
  mark_as_advanced(CAF_${component}_LIBRARY)
endforeach()
mark_as_advanced(CAF_INCLUDE_DIR)

if(CAF_INCLUDE_DIR)
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" caf_version_line REGEX "^#define CAF_VERSION [0-9]+$")
  # major * 10000 + minor * 100 + patch
  if(caf_version_line MATCHES "([0-9]+)$")
    math(EXPR caf_major "${CMAKE_MATCH_1} / 10000")
    math(EXPR caf_minor "${CMAKE_MATCH_1} / 100 % 100")
    math(EXPR caf_patch "${CMAKE_MATCH_1} % 100")
    set(CAF_VERSION "${caf_major}.${caf_minor}.${caf_patch}")
  endif()
endif()

find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_core_LIBRARY CAF_io_LIBRARY CAF_openssl_LIBRARY CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION)

function(cellos_import_caf component)
  if(TARGET CAF::${component})
    return()
  endif()
  add_library(CAF::${component} UNKNOWN IMPORTED)
  set_target_properties(CAF::${component} PROPERTIES
    IMPORTED_LOCATION "${CAF_${component}_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()

if(CAF_FOUND)
  find_package(Threads REQUIRED)
  find_package(OpenSSL REQUIRED)
  cellos_import_caf(core Threads::Threads)
  cellos_import_caf(io CAF::core)
  cellos_import_caf(openssl CAF::io OpenSSL::SSL OpenSSL::Crypto)
endif()
