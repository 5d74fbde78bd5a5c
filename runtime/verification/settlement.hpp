#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/verification/chain_track.hpp"
#include "runtime/verification/host_statements.hpp"
#include "runtime/verification/report.hpp"
#include "runtime/verification/second_look.hpp"

namespace cellos::verification {

/// One chain as one log holds it.
struct chain_copy {
  std::uint32_t log = 0;
  chain_track track;
};

/// Puts together what all logs hold of one chain, and says what is wrong with the whole.
class settlement {
 public:
  using file_names = std::function<const std::string&(std::uint32_t)>;

  settlement(const verification_options& options, bool signatures_checked, const file_names& files,
             const host_statements& said)
      : options_(options), signatures_checked_(signatures_checked), files_(files), said_(said) {}

  /// False if `again` was asked something it cannot answer yet: then `settled` and `findings` are of no use.
  bool settle(const std::string& chain, const std::vector<chain_copy>& copies, second_look& again,
              chain_report& settled, std::vector<finding>& findings) const;

 private:
  struct piece {
    const chain_stretch* stretch = nullptr;
    std::uint32_t log = 0;
  };
  struct course;

  bool take_apart(course& run, const std::vector<chain_copy>& copies, second_look& again) const;
  void compare_copy(course& run, const piece& copy, const piece& original, const digest& expected) const;
  bool compare_earlier(course& run, second_look& again) const;
  void walk(course& run) const;
  void join(course& run, const chain_stretch& before, const chain_stretch& next) const;
  void judge_signing(course& run) const;
  void judge_whole(course& run) const;
  std::string place_of(line_place at) const;

  const verification_options& options_;
  bool signatures_checked_;
  const file_names& files_;
  const host_statements& said_;
};

}  // namespace cellos::verification
