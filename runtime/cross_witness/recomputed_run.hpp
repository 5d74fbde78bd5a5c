#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "messages/contradiction.hpp"
#include "messages/event_line.hpp"
#include "runtime/cross_witness/cross_witness.hpp"
#include "runtime/cross_witness/witness_line_reader.hpp"

namespace cellos {

/// What comes of comparing declarations and readings of a run's chain once more, from its lines alone, beside what the
/// daemon put on record of that. Lines in their order; that they are the chain's, and unchanged, is for `verify`.
class recomputed_run {
 public:
  recomputed_run();
  ~recomputed_run();
  recomputed_run(recomputed_run&&) noexcept;
  recomputed_run& operator=(recomputed_run&&) noexcept;

  void take(const event_line& line);

  /// Whether its first line was there: without it, what was learnt before is not known.
  bool has_beginning() const { return began_; }
  /// Whether its daemon compared anything.
  bool was_compared() const { return witness_.has_value(); }
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

  void begin(const event_line& line);
  void record(const event_line& line);
  bool is_of_crash(const event_line& line);

  bool began_ = false;
  cross_witness_settings settings_{};
  std::optional<cross_witness> witness_;
  std::unique_ptr<witness_line_reader> reader_;
  std::unique_ptr<scratch> scratch_;
  std::vector<recorded_contradiction> found_;
  std::vector<recorded_contradiction> recorded_;
  std::uint64_t uncompared_ = 0;
};

}  // namespace cellos
