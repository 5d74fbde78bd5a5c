#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/verification/chain_track.hpp"
#include "runtime/verification/host_statements.hpp"
#include "runtime/verification/report.hpp"
#include "runtime/verification/second_pass.hpp"

namespace cellos::verification {

/// One chain as one log holds it.
struct chain_copy {
  std::uint32_t log = 0;
  chain_track track;
};

/// Puts together what all logs hold of one chain, and says what is wrong with the whole.
class chain_merge {
 public:
  using file_names = std::function<const std::string&(std::uint32_t)>;

  chain_merge(const verification_options& options, bool signatures_checked, const file_names& files,
              const host_statements& said)
      : options_(options), signatures_checked_(signatures_checked), files_(files), said_(said) {}

  /// False if `again` was asked something it cannot answer yet: then `merged` and `findings` are of no use.
  bool merge(const std::string& chain, const std::vector<chain_copy>& copies, second_pass& again, chain_report& merged,
             std::vector<finding>& findings) const;

 private:
  struct piece {
    const chain_range* section = nullptr;
    std::uint32_t log = 0;
  };
  struct course;

  bool take_apart(course& run, const std::vector<chain_copy>& copies, second_pass& again) const;
  void compare_copy(course& run, const piece& copy, const piece& original, const digest& expected) const;
  bool compare_earlier(course& run, second_pass& again) const;
  void walk(course& run) const;
  void join(course& run, const chain_range& before, const chain_range& next) const;
  void check_signing(course& run) const;
  void verify_whole(course& run) const;
  std::string place_of(line_place at) const;

  const verification_options& options_;
  bool signatures_checked_;
  const file_names& files_;
  const host_statements& said_;
};

}  // namespace cellos::verification
