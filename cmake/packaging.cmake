# What is installed, where, and the Debian package of it. `./dev package` builds the package.
include(GNUInstallDirs)

set(CELLOS_DEBIAN_REVISION 1 CACHE STRING "Revision of the Debian package of this version")
set(CELLOS_MAINTAINER "cellos-host-telemetry maintainers <maintainers@cellos.dev>" CACHE STRING
  "Maintainer of the Debian package")

# Both honour SOURCE_DATE_EPOCH.
string(TIMESTAMP changelog_time "%a, %d %b %Y %H:%M:%S +0000" UTC)
string(TIMESTAMP man_page_date "%B %d, %Y" UTC)

set(installed_dir "${PROJECT_BINARY_DIR}/installed")
set(man_dir "${installed_dir}/man")
set(example "${PROJECT_SOURCE_DIR}/config/telemetryd.toml")
set(packaging_files "${PROJECT_SOURCE_DIR}/config/debian")

# cellos_filter(<file made> COMMAND <words> FROM <files>): the file is what the command prints.
function(cellos_filter made)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;FROM")
  string(REPLACE ";" "' '" command "${arg_COMMAND}")
  add_custom_command(OUTPUT "${made}"
    COMMAND sh -c "'${command}' >'${made}.part' && mv '${made}.part' '${made}'"
    DEPENDS ${arg_FROM} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY cellos_installed "${made}")
endfunction()

# cellos_install_compressed(<file> <name> <destination>): as Debian wants it, without the time in it.
function(cellos_install_compressed file name destination)
  set(compressed "${installed_dir}/compressed/${name}.gz")
  cellos_filter("${compressed}" COMMAND gzip -9nc "${file}" FROM "${file}")
  install(FILES "${compressed}" DESTINATION "${destination}")
endfunction()

file(MAKE_DIRECTORY "${man_dir}" "${installed_dir}/compressed" "${installed_dir}/etc")

foreach(program cellos-telemetryd:${CMAKE_INSTALL_SBINDIR} cellos-telemetryctl:${CMAKE_INSTALL_BINDIR}
    cellos-guest-sim:${CMAKE_INSTALL_BINDIR})
  string(REPLACE ":" ";" program "${program}")
  list(GET program 0 name)
  list(GET program 1 destination)
  install(TARGETS ${name} RUNTIME DESTINATION "${destination}")
endforeach()

set(toml_page "${man_dir}/telemetryd.toml.5")
set(toml_page_maker "${PROJECT_SOURCE_DIR}/docs/man/telemetryd.toml.awk")
cellos_filter("${toml_page}" COMMAND awk -v "date=${man_page_date}" -f "${toml_page_maker}" "${example}"
  FROM "${toml_page_maker}" "${example}")
file(GLOB pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.[1-8]")
foreach(page ${pages} "${toml_page}")
  cmake_path(GET page FILENAME name)
  cmake_path(GET page EXTENSION LAST_ONLY section)
  string(REPLACE "." "" section "${section}")
  cellos_install_compressed("${page}" "${name}" "${CMAKE_INSTALL_MANDIR}/man${section}")
endforeach()

set(configuration_maker "${packaging_files}/installed_configuration.awk")
cellos_filter("${installed_dir}/etc/telemetryd.toml" COMMAND awk -f "${configuration_maker}" "${example}"
  FROM "${configuration_maker}" "${example}")
install(FILES "${installed_dir}/etc/telemetryd.toml" DESTINATION /etc/cellos-telemetry)
set(collector_example "${PROJECT_SOURCE_DIR}/config/collector.toml")
cellos_filter("${installed_dir}/etc/collector.toml" COMMAND awk -f "${configuration_maker}" "${collector_example}"
  FROM "${configuration_maker}" "${collector_example}")
install(FILES "${installed_dir}/etc/collector.toml" DESTINATION /etc/cellos-telemetry-collector)

set(units "${PROJECT_SOURCE_DIR}/config/systemd")
install(FILES "${units}/cellos-telemetryd.service" "${units}/cellos-telemetry-collector.service" DESTINATION /lib/systemd/system)
install(FILES "${units}/cellos-host-telemetry.sysusers" DESTINATION /usr/lib/sysusers.d RENAME cellos-host-telemetry.conf)
install(FILES "${units}/cellos-host-telemetry.tmpfiles" DESTINATION /usr/lib/tmpfiles.d RENAME cellos-host-telemetry.conf)

set(completions "${PROJECT_SOURCE_DIR}/config/completions")
install(FILES "${completions}/_cellos-host-telemetry" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
foreach(program cellos-telemetryd cellos-telemetryctl cellos-guest-sim)
  # bash-completion looks for a file of the program's name.
  install(FILES "${completions}/cellos-host-telemetry.bash"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME "${program}")
endforeach()

set(shared_dir "${CMAKE_INSTALL_DATADIR}/${PROJECT_NAME}")
install(DIRECTORY "${units}/examples/" DESTINATION "${shared_dir}/systemd")
foreach(folder grafana prometheus schemas)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/config/${folder}" DESTINATION "${shared_dir}" OPTIONAL)
endforeach()
install(PROGRAMS "${PROJECT_SOURCE_DIR}/config/verify/verify-run.sh" DESTINATION "${shared_dir}/verify")
install(PROGRAMS "${PROJECT_SOURCE_DIR}/config/certificates/make_test_authority.sh" DESTINATION "${shared_dir}/certificates")
file(GLOB api_descriptions CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/config/openapi.*")
install(FILES ${api_descriptions} DESTINATION "${shared_dir}")

set(doc_dir "${CMAKE_INSTALL_DATADIR}/doc/${PROJECT_NAME}")
configure_file("${packaging_files}/changelog.in" "${installed_dir}/changelog" @ONLY)
cellos_install_compressed("${installed_dir}/changelog" changelog.Debian "${doc_dir}")
cellos_install_compressed("${PROJECT_SOURCE_DIR}/CHANGELOG.md" changelog "${doc_dir}")
install(FILES "${packaging_files}/copyright" "${PROJECT_SOURCE_DIR}/README.md" DESTINATION "${doc_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" DESTINATION "${doc_dir}" FILES_MATCHING PATTERN "*.md" PATTERN man EXCLUDE)

get_property(installed_files GLOBAL PROPERTY cellos_installed)
add_custom_target(installed_files ALL DEPENDS ${installed_files})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME "${PROJECT_NAME}")
set(CPACK_PACKAGE_CONTACT "${CELLOS_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "host side of the telemetry of microVMs")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"A daemon for hosts that run microVMs. An agent in each VM declares what
happens inside; the daemon attributes it to the VM whose socket it came from,
reports when an agent falls silent, and appends CloudEvents to a local log.

Contains the daemon cellos-telemetryd, the command cellos-telemetryctl and a
simulated agent, cellos-guest-sim.")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "${CELLOS_DEBIAN_REVISION}")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "init-system-helpers (>= 1.54~), systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${packaging_files}/conffiles" "${packaging_files}/postinst" "${packaging_files}/prerm" "${packaging_files}/postrm")
include(CPack)
