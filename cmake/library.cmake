# cellos_library(<name> <sources>): a static library with our warnings.
function(cellos_library name)
  if(NOT ARGN)
    set(ARGN "${PROJECT_SOURCE_DIR}/cmake/empty.cpp")
  endif()
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC cellos_options PRIVATE cellos_warnings)
endfunction()

# cellos_program(<name> <sources> <libraries>): an executable in bin/.
function(cellos_program name sources)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE cellos_options cellos_warnings ${ARGN})
  cellos_precompile(${name})
endfunction()
