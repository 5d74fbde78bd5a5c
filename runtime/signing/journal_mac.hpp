#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace cellos {

/// What authenticates one record of the recovery journal together with all before it.
using journal_tag = std::array<std::uint8_t, 32>;

/// Makes the tags of one journal. Immutable and thread-safe. The journal knows no key behind it.
class journal_mac {
 public:
  journal_mac() = default;
  journal_mac(const journal_mac&) = delete;
  journal_mac& operator=(const journal_mac&) = delete;
  virtual ~journal_mac() = default;

  /// `before`: the tag of the record before, zeros for the first.
  virtual journal_tag tag(const journal_tag& before, std::string_view record) const = 0;
};

using journal_mac_ptr = std::shared_ptr<const journal_mac>;

}  // namespace cellos
