#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "messages/node_statement.hpp"

namespace cellos {

/// What a collector's own chain says of its hosts so far: what it need not say again.
class recorded_hosts {
 public:
  /// A statement that is in the chain, or goes there next.
  void add(const node_statement& said);
  /// Whether the chain would say a thing for the second time: that a host is there, silent, back; what it witnessed.
  bool has(const node_statement& said) const;

  bool knows(const std::string& host_id) const { return hosts_.contains(host_id); }
  /// By name.
  std::vector<std::string> silent_hosts() const;
  /// The last place that was witnessed of this copy; before every line if none was.
  segment_position witnessed(const std::string& host_id, const std::string& log_id, std::uint32_t fork) const;

 private:
  using copy_key = std::tuple<std::string, std::string, std::uint32_t>;

  /// Whether it is silent.
  std::map<std::string, bool> hosts_;
  std::map<copy_key, segment_position> witnessed_;
};

/// What a line of the chain says of another node's log; nothing where it speaks of something else.
std::optional<node_statement> read_node_statement(std::string_view line);

}  // namespace cellos
