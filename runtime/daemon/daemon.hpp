#pragma once

#include <filesystem>

#include "runtime/configuration/configuration.hpp"
#include "runtime/os/exit_code.hpp"

namespace cellos {

/// Runs the daemon until SIGTERM or SIGINT, then drains it. SIGHUP reads `file` again. Returns the exit code.
///
/// Call from the main thread, before any other thread exists: signals are blocked for all of them.
exit_code run_daemon(const configuration& settings, const std::filesystem::path& file);

}  // namespace cellos
