#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/forge/evidence_image.hpp"
#include "tests/forge/history.hpp"
#include "tests/forge/random.hpp"

/// What whoever can write to an evidence directory, and has no key, may do to it while the daemon is down.
namespace cellos::forge {

/// What has to become of it once a daemon has lived over it and was stopped.
enum class expectation : std::uint8_t {
  /// The same evidence in another spelling: clean, also with `--after`.
  harmless,
  /// The directory as it once was as a whole: clean; `--after` finds it, if anything is gone.
  earlier_state,
  /// The same in another spelling or other segments: may be found; if it is clean, `--after` finds what is gone.
  respelled_earlier_state,
  /// May be found; if it is clean, nothing may be gone.
  open,
  /// Never clean.
  tampering,
};

std::string_view to_string(expectation what);

/// What there is to work with.
struct loot {
  const history& past;
  /// Another host's directory, with signatures by a key that the list binds to that host.
  const evidence_image& other_host;
};

struct rewrite {
  /// What was done, or nothing where there is nothing that it could be done to.
  using action = std::optional<std::string> (*)(evidence_image&, const loot&, randomness&);

  std::string_view name;
  expectation expected{};
  action apply = nullptr;
};

/// Each family in a file of its own.
const std::vector<rewrite>& cutting_rewrites();
const std::vector<rewrite>& forging_rewrites();
const std::vector<rewrite>& listing_rewrites();
const std::vector<rewrite>& directory_rewrites();
const std::vector<rewrite>& journal_rewrites();
const std::vector<rewrite>& harmless_rewrites();

/// All of them.
const std::vector<rewrite>& every_rewrite();

}  // namespace cellos::forge
