# One precompiled header for all that use CAF: parsing caf/all.hpp is most of what such a translation unit costs. Suites have
# theirs, since they are not optimised and GCC takes only a header that was made with the same optimisation.
function(cellos_add_precompiled name)
  add_library(${name} STATIC cmake/empty.cpp)
  # -Wpedantic changes what is predefined, so the warnings must be the users' own.
  target_link_libraries(${name} PRIVATE cellos_options cellos_warnings CAF::core)
  target_compile_options(${name} PRIVATE ${ARGN})
  target_precompile_headers(${name} PRIVATE <caf/all.hpp>)
endfunction()

# What suites are compiled with: optimising them takes half of their build, and the code they test is optimised all the same.
set(CELLOS_SUITE_OPTIONS -O0)

if(CELLOS_PCH)
  cellos_add_precompiled(cellos_precompiled)
  cellos_add_precompiled(cellos_precompiled_suites ${CELLOS_SUITE_OPTIONS})
endif()

function(cellos_precompile target)
  if(CELLOS_PCH)
    target_precompile_headers(${target} REUSE_FROM cellos_precompiled)
  endif()
endfunction()

function(cellos_precompile_suites target)
  if(CELLOS_PCH)
    target_precompile_headers(${target} REUSE_FROM cellos_precompiled_suites)
  endif()
endfunction()
