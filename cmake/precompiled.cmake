# One precompiled header for all that use CAF: parsing caf/all.hpp is most of what such a translation unit costs.
if(CELLOS_PCH)
  add_library(cellos_precompiled STATIC cmake/empty.cpp)
  # -Wpedantic changes what is predefined, so the warnings must be the users' own.
  target_link_libraries(cellos_precompiled PRIVATE cellos_options cellos_warnings CAF::core)
  target_precompile_headers(cellos_precompiled PRIVATE <caf/all.hpp>)
endif()

function(cellos_precompile target)
  if(CELLOS_PCH)
    target_precompile_headers(${target} REUSE_FROM cellos_precompiled)
  endif()
endfunction()
