# One ctest for each CAF suite, found by scanning the sources.

# A suite name that matches nothing ends with "suites:  0" and "success: 100%".
set(no_suite_ran "suites: +0")

# -r 0: ctest's TIMEOUT is the only deadline, not also CAF's own of 30 s.
set(unit_test_flags -n -v 4 -r 0)

set(sanitizer_environment "")
set(sanitizer_slowdown 1)
if(CELLOS_SANITIZE MATCHES "address")
  set(sanitizer_environment "UBSAN_OPTIONS=print_stacktrace=1" "ASAN_OPTIONS=detect_stack_use_after_return=1")
  set(sanitizer_slowdown 3)
elseif(CELLOS_SANITIZE MATCHES "thread")
  set(sanitizer_environment "TSAN_OPTIONS=second_deadlock_stack=1")
  set(sanitizer_slowdown 6)
endif()

# cellos_add_suites(<executable> LABEL <label> TIMEOUT <seconds> SOURCES <files>)
#
# A source may set ctest properties of its suite in a line of its own: `// ctest: TIMEOUT 300 RUN_SERIAL ON`.
function(cellos_add_suites executable)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_SOURCES})
  foreach(source ${arg_SOURCES})
    file(STRINGS "${source}" suite_lines REGEX "^#define CAF_SUITE ")
    file(STRINGS "${source}" property_lines REGEX "^// ctest: ")
    list(TRANSFORM property_lines REPLACE "^// ctest: " "")
    list(JOIN property_lines " " properties)
    separate_arguments(properties)
    foreach(line ${suite_lines})
      string(REGEX REPLACE "^#define CAF_SUITE +([A-Za-z0-9_]+).*$" "\\1" suite "${line}")
      add_test(NAME ${suite} COMMAND ${executable} ${unit_test_flags} -s "^${suite}$")
      set_tests_properties(${suite} PROPERTIES
        LABELS ${arg_LABEL}
        TIMEOUT ${arg_TIMEOUT}
        FAIL_REGULAR_EXPRESSION "${no_suite_ran}"
        ENVIRONMENT "${sanitizer_environment}"
        ${properties})
      get_test_property(${suite} TIMEOUT seconds)
      math(EXPR seconds "${seconds} * ${sanitizer_slowdown}")
      set_tests_properties(${suite} PROPERTIES TIMEOUT ${seconds})
    endforeach()
  endforeach()
endfunction()
