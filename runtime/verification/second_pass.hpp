#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/verification/chain_track.hpp"

namespace cellos::verification {

/// What has to be read again where two logs hold different parts of one chain: each log by itself keeps only the ends
/// of its ranges, and the ends of one may lie within another.
class second_pass {
 public:
  /// MATERIAL of one event. Asking makes it a question; there is an answer once it was read again.
  std::optional<digest> material(std::uint32_t log, std::string_view chain, std::uint64_t sequence);

  /// The range that begins after `after` and ends at `last`, both within one range of that log.
  const chain_range* rest(std::uint32_t log, std::string_view chain, std::uint64_t after, std::uint64_t last);

  /// Whether there is a question that was not asked when lines were last read.
  bool has_questions() const { return asked_; }
  bool concerns(std::uint32_t log) const;

  /// Before lines are read again.
  void begin() { asked_ = false; }
  void take(std::uint32_t log, const line_result& line, line_place at);

 private:
  struct rest_question {
    std::uint64_t after = 0;
    std::uint64_t last = 0;
    chain_track track;
  };
  struct questions {
    std::map<std::uint64_t, std::optional<digest>> materials;
    std::vector<rest_question> rests;
  };
  using key = std::pair<std::uint32_t, std::string>;

  questions& about(std::uint32_t log, std::string_view chain) { return questions_[{log, std::string{chain}}]; }

  std::map<key, questions> questions_;
  bool asked_ = false;
};

}  // namespace cellos::verification
