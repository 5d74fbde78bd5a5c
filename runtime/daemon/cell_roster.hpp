#pragma once

#include <map>
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

 private:
  bool admit(const cell_specification& cell);
  void retire(const std::string& cell_id);

  caf::actor_system& system_;
  host_supervisor_actor host_;
  std::map<std::string, cell_specification> served_;
};

}  // namespace cellos
