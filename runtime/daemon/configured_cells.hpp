#pragma once

#include <caf/scoped_actor.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/interfaces.hpp"

namespace cellos {

/// The configuration file as a user of the HOST SUPERVISOR: admits, replaces and retires cells so that those the file
/// names are served. Cells admitted by anybody else are left alone.
class configured_cells {
 public:
  struct result {
    std::size_t admitted = 0;
    /// Could not be bound, or are in conflict; each has been reported. Tried again by the next call.
    std::size_t refused = 0;
  };

  configured_cells(caf::actor_system& system, host_supervisor_actor host) : system_(system), host_(std::move(host)) {}

  /// Blocks until every cell is answered for.
  result serve(const std::vector<cell_specification>& cells);
  /// Admissions that have been asked for, in the HOST SUPERVISOR's mailbox before whatever is asked later.
  class admissions {
   public:
    admissions(caf::actor_system& system, const host_supervisor_actor& host,
               const std::map<std::string, cell_specification>& cells);
    /// Blocks until each is answered; those that are admitted. Once.
    std::set<std::string> wait();

   private:
    caf::scoped_actor self_;
    using pending = decltype(self_->request(std::declval<const host_supervisor_actor&>(), std::chrono::seconds{},
                                            admit_atom::value, cell_specification{}));
    std::vector<std::pair<std::string, pending>> asked_;
  };

  /// For cells that are not the file's, and that are not answered for afterwards. Does not block.
  std::unique_ptr<admissions> ask_for(const std::vector<cell_specification>& cells);

  /// Whether the file names this cell, bound or not. Any thread.
  bool names(const std::string& cell_id) const;
  /// Those of the file that are to be served: all, but for those that somebody removed since it was read. Any thread.
  std::vector<std::string> expected() const;
  /// Any thread.
  void set_removed(const std::string& cell_id, bool removed);

 private:
  using specifications = std::map<std::string, cell_specification>;

  /// Blocks until they are retired, or were not there.
  void retire(const std::vector<std::string>& cell_ids);

  caf::actor_system& system_;
  host_supervisor_actor host_;
  specifications served_;
  mutable std::mutex mutex_;
  std::set<std::string> named_;
  std::set<std::string> removed_;
};

}  // namespace cellos
