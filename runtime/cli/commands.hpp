#pragma once

#include <CLI/CLI.hpp>

#include <functional>

#include "runtime/exit_code.hpp"

/// The subcommands of cellos-telemetryctl: each adds itself to the command line and says what to run when chosen.
namespace cellos::cli {

using command = std::function<exit_code()>;

/// `check FILE`: what is wrong with a configuration, without starting.
command add_check(CLI::App& app);
/// `keygen`: a new signing key, and what a verifier needs of it.
command add_keygen(CLI::App& app);
/// `tail`: the evidence log as a person reads it, live.
command add_tail(CLI::App& app);
/// `verify LOG...`: whether a log is what its hosts wrote, whole and in order.
command add_verify(CLI::App& app);

}  // namespace cellos::cli
