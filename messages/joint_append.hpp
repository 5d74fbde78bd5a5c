#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "messages/chain_head.hpp"
#include "messages/host_statement.hpp"

namespace cellos {

/// Lines of runs and what the host's chain says of them: one append, so that neither is ever in the log without the
/// other. Either may be empty.
struct joint_append {
  std::vector<host_statement> before{};
  std::string lines{};
  /// Of the lines.
  std::vector<chain_head> heads{};
  std::vector<host_statement> behind{};
  /// It puts on record what makes the log smaller, and may take what the log keeps for that.
  bool from_reserve = false;
  /// Who asks for it, and a number that grows with each of theirs: asked for again, it is not appended again. 0: asked
  /// for once.
  std::string origin{};
  std::uint64_t number = 0;
};

using joint_append_ptr = std::shared_ptr<const joint_append>;

/// What became of it: on an error nothing of it happened.
struct append_outcome {
  std::error_code refused{};
};

}  // namespace cellos
