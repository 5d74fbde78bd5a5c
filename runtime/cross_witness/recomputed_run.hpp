#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "messages/contradiction.hpp"
#include "messages/event_line.hpp"
#include "messages/event_types.hpp"
#include "runtime/cross_witness/cross_witness.hpp"
#include "runtime/cross_witness/witness_line_reader.hpp"

namespace cellos {

/// What comes of comparing declarations and readings of a run's chain once more, from its lines alone, beside what the
/// daemon put on record of that. Lines in their order; that they are the chain's, and unchanged, is for `verify`. A
/// line whose place was passed is a copy's, and says nothing; what is found behind a line that is missing is not
/// compared.
class recomputed_run {
 public:
  recomputed_run();
  ~recomputed_run();
  recomputed_run(recomputed_run&&) noexcept;
  recomputed_run& operator=(recomputed_run&&) noexcept;

  void take(const event_line& line);

  /// Whether its first line was there: without it, what was learnt before is not known.
  bool has_beginning() const { return began_; }
  /// Lines between others that were not there.
  std::uint64_t lines_missing() const { return lines_missing_; }
  /// Whether what is found can be held against what is on record.
  bool is_whole() const { return began_ && lines_missing_ == 0; }
  /// Whether its daemon compared anything.
  bool was_compared() const { return compared_; }
  const std::vector<recorded_contradiction>& found() const { return found_; }
  const std::vector<recorded_contradiction>& recorded() const { return recorded_; }
  /// Found and not on record: what was changed, or found by the last lines before a crash.
  std::vector<recorded_contradiction> unrecorded() const;
  /// On record and not found.
  std::vector<recorded_contradiction> unfounded() const;
  /// Windows of which nothing can be said.
  std::uint64_t uncompared() const { return uncompared_; }

 private:
  struct scratch;

  bool is_next(const event_line& line);
  void compare(const event_line& line, event_type type);
  void begin(const event_line& line);
  void record(const event_line& line);
  bool is_of_crash(const event_line& line);

  void end();

  bool began_ = false;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t lines_missing_ = 0;
  bool ended_ = false;
  bool compared_ = false;
  cross_witness_settings settings_{};
  std::optional<cross_witness> witness_;
  std::unique_ptr<witness_line_reader> reader_;
  std::unique_ptr<scratch> scratch_;
  std::vector<recorded_contradiction> found_;
  std::vector<recorded_contradiction> recorded_;
  std::uint64_t uncompared_ = 0;
};

}  // namespace cellos
