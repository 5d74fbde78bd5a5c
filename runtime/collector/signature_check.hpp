#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/signing/key_list.hpp"
#include "runtime/signing/sha256.hpp"
#include "runtime/verification/line_verifier.hpp"

namespace cellos {

/// Whether a host's lines are signed as they should be, before they are kept. Of each line: that it is an event of a
/// chain with digests, says one thing of its origin, carries a signature where its kind always has one, and that every
/// signature on it is over its content and by a key of the list that signs for its host. Of the lines of a chain that
/// follow each other: that each names the digest of the one before, so that the next signature covers them all.
///
/// What no signature covers yet is let through; so is the beginning of what this object sees of a chain. For one
/// connection, in order.
class signature_check {
 public:
  /// Chains that are followed; with more, all begin anew. Chosen here: more than a host has open at a time.
  static constexpr std::size_t most_chains = 65'536;

  /// `keys` must outlive it.
  explicit signature_check(const key_list& keys) : verifier_(&keys) {}

  /// Whole lines. What is wrong with the first that is wrong, as a sentence; else nothing, and the next follow these.
  std::optional<std::string> refuse(std::string_view lines);

 private:
  struct link {
    std::uint64_t sequence = 0;
    digest material{};
  };

  std::optional<std::string> refuse_line(std::string_view line);

  verification::line_verifier verifier_;
  std::unordered_map<std::string, link> chains_;
};

}  // namespace cellos
