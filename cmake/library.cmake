# cellos_library(<name> <sources>): a static library with our warnings.
function(cellos_library name)
  if(NOT ARGN)
    set(ARGN "${PROJECT_SOURCE_DIR}/cmake/empty.cpp")
  endif()
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC cellos_options PRIVATE cellos_warnings)
endfunction()

set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY
  CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/rooms.txt")

# cellos_room(<folder>): the library of a room, cellos_<last part of the folder's name>, of all sources in it but main.cpp,
# linked to the rooms that cmake/rooms.txt lets it include from. Other libraries are linked where the room is named.
function(cellos_room folder)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  cmake_path(GET folder FILENAME name)
  cellos_library(cellos_${name} ${sources})
  file(STRINGS "${PROJECT_SOURCE_DIR}/cmake/rooms.txt" row REGEX "^${folder}:")
  if(NOT row)
    message(FATAL_ERROR "${folder} has no row in cmake/rooms.txt")
  endif()
  string(REGEX REPLACE "^[^:]*:" "" others "${row}")
  separate_arguments(others)
  foreach(other ${others})
    cmake_path(GET other FILENAME other_name)
    target_link_libraries(cellos_${name} PUBLIC cellos_${other_name})
  endforeach()
endfunction()

# cellos_program(<name> <sources> <libraries>): an executable in bin/.
function(cellos_program name sources)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE cellos_options cellos_warnings ${ARGN})
  cellos_precompile(${name})
endfunction()

# cellos_suites_program(<name> <sources> <libraries>): the same of test suites, which are not optimised.
function(cellos_suites_program name sources)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE cellos_options cellos_warnings ${ARGN})
  target_compile_options(${name} PRIVATE ${CELLOS_SUITE_OPTIONS})
  cellos_precompile_suites(${name})
endfunction()
