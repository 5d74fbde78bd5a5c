# What every target of ours is compiled with. Third-party headers come in as SYSTEM and are not checked.
add_library(cellos_warnings INTERFACE)
target_compile_options(cellos_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 takes std::string's small buffer for an overflow when it moves one inside an optional or a vector.
  target_compile_options(cellos_warnings INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()

add_library(cellos_options INTERFACE)
target_include_directories(cellos_options INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
if(CELLOS_SANITIZE)
  set(sanitize_flags "-fsanitize=${CELLOS_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(cellos_options INTERFACE ${sanitize_flags})
  target_link_options(cellos_options INTERFACE ${sanitize_flags})
  # Instrumented code hides from GCC that something was written; std::regex alone gives a dozen false alarms.
  target_compile_options(cellos_warnings INTERFACE -Wno-maybe-uninitialized)
endif()
