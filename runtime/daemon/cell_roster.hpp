#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "actors/interfaces.hpp"
#include "runtime/configuration/configuration.hpp"

namespace cellos {

/// The configuration file as a user of the HOST SUPERVISOR: admits, replaces and retires cells so that those the file
/// names are served. Cells admitted by anybody else are left alone.
class cell_roster {
 public:
  struct result {
    std::size_t admitted = 0;
    /// Could not be bound, or are in conflict; each has been told about. Tried again by the next call.
    std::size_t refused = 0;
  };

  cell_roster(caf::actor_system& system, host_supervisor_actor host) : system_(system), host_(std::move(host)) {}

  /// Blocks until every cell is answered for.
  result serve(const std::vector<cell_configuration>& cells);
  /// Cells that are not the file's: admits them and does not answer for them afterwards.
  result serve_once(const std::vector<cell_configuration>& cells);

  /// Blocks until they are retired, or were not there.
  void retire(const std::vector<std::string>& cell_ids);

  /// Whether the file names this cell, bound or not. Any thread.
  bool names(const std::string& cell_id) const;
  /// Any thread.
  std::vector<std::string> named() const;

 private:
  using specifications = std::map<std::string, cell_specification>;

  /// All at once: their answers are waited for together.
  std::set<std::string> admit(const specifications& cells);

  caf::actor_system& system_;
  host_supervisor_actor host_;
  specifications served_;
  mutable std::mutex mutex_;
  std::set<std::string> named_;
};

}  // namespace cellos
