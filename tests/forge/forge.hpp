#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/verification/finding.hpp"
#include "tests/forge/forge_home.hpp"
#include "tests/forge/history.hpp"
#include "tests/forge/rewrite.hpp"

/// The adversary: real daemons write a log, somebody without a key rewrites it, another daemon lives over the result
/// and is stopped, and the verifier has to see it.
namespace cellos::forge {

struct forge_options {
  /// Only this rewrite; empty: all, alone and combined.
  std::string rewrite{};
  /// The verifier is made blind for this: attempts that nothing else gives away must come to light.
  std::optional<verification::finding_cause> blind{};
  /// Where directories of failed attempts go; empty: nowhere.
  std::filesystem::path keep{};
};

struct attempt {
  std::uint64_t seed = 0;
  /// Names of the rewrites; empty: the log was left as it was.
  std::vector<std::string> rewrites;
  /// What each of them did.
  std::vector<std::string> actions;
  expectation expected = expectation::harmless;
  /// There was nothing that the rewrite could be done to.
  bool idle = false;
  /// Causes of the findings, or why the daemon refused.
  std::string outcome;
  /// What must not be; empty.
  std::vector<std::string> violations;
  std::vector<std::string> story;
};

/// Makes attempts, several on one history. One process, one thread.
class adversary {
 public:
  /// Seeds of one history follow each other.
  static constexpr std::uint64_t attempts_on_one_history = 8;

  explicit adversary(forge_options options);

  attempt attack(std::uint64_t seed);

 private:
  struct aftermath {
    /// Empty, or why there is nothing to verify.
    std::string refusal;
    bool hung = false;
    std::vector<std::string> findings;
    std::string causes;
  };

  void prepare(std::uint64_t seed);
  void carry_out(attempt& made);
  void apply(attempt& made, evidence_image& image, const rewrite& chosen, randomness& random);
  void choose(attempt& made, evidence_image& image, randomness& random);
  expectation expectation_of(const attempt& made, const evidence_image& image) const;
  bool lacks_events(const evidence_image& image) const;
  bool has_forgotten_rewritten(const evidence_image& image, const evidence_image& before) const;
  aftermath live_over(randomness& random);
  aftermath look(const verification::earlier_ends& earlier) const;
  void check(attempt& made, const aftermath& seen, bool lacks) const;
  void keep(const attempt& made, const evidence_image& image) const;

  forge_options options_;
  forge_home home_;
  evidence_image other_host_;
  std::optional<history> history_;
};

}  // namespace cellos::forge
