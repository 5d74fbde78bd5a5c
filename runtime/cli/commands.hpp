#pragma once

#include <CLI/CLI.hpp>

#include <functional>

#include "runtime/os/exit_code.hpp"

/// The subcommands of cellos-telemetryctl: each adds itself to the command line and says what to run when chosen.
namespace cellos::cli {

using command = std::function<exit_code()>;

/// `add ID`: one more cell, served once this returns.
command add_add(CLI::App& app);
/// `cells`: which there are, and how they stand.
command add_cells(CLI::App& app);
/// `check FILE`: what is wrong with a configuration, without starting.
command add_check(CLI::App& app);
/// `hosts`: those that a collector knows, and how they stand.
command add_hosts(CLI::App& app);
/// `inspect FILE`: the frames of a quarantined chunk, and what the decoder makes of each.
command add_inspect(CLI::App& app);
/// `keygen`: a new signing key, and what a verifier needs of it.
command add_keygen(CLI::App& app);
/// `reload`: the daemon reads its configuration again, and says what it made of it.
command add_reload(CLI::App& app);
/// `remove ID`: drains a cell, ends its run and reports its totals.
command add_remove(CLI::App& app);
/// `status`: the daemon in a few lines.
command add_status(CLI::App& app);
/// `tail`: events as a person reads them, from the daemon or from an evidence log.
command add_tail(CLI::App& app);
/// `top`: the busiest cells, live.
command add_top(CLI::App& app);
/// `verify LOG...`: whether a log is what its hosts wrote, whole and in order.
command add_verify(CLI::App& app);
/// `witness LOG...`: what a log's declarations and its host's readings contradict each other about.
command add_witness(CLI::App& app);

}  // namespace cellos::cli
