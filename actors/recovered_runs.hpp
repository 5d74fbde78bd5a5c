#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/host_stamp.hpp"
#include "messages/recovered_run.hpp"

namespace cellos {

/// The runs that the former process left open and that nothing has gone on with yet.
class recovered_runs {
 public:
  recovered_runs() = default;
  explicit recovered_runs(std::vector<recovered_run> open);

  /// Takes out the one with just this attribution, if there is one.
  std::optional<recovered_run> take(const host_stamp& run);
  void put_back(recovered_run run);
  std::vector<recovered_run> all() const;

 private:
  std::multimap<std::string, recovered_run> by_cell_;
};

}  // namespace cellos
