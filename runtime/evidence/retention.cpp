#include "runtime/evidence/retention.hpp"

#include <algorithm>
#include <utility>

#include "runtime/segments/segment_reader.hpp"

namespace cellos {

namespace {

constexpr int most_removals_at_once = 64;
// About what a record takes. Chosen here.
constexpr std::uint64_t bytes_of_part = 1500;
constexpr std::uint64_t bytes_of_chain = 330;

}  // namespace

std::vector<segment_range> missing_segments(const std::vector<segment_on_disk>& present, std::uint64_t first_expected) {
  std::vector<segment_range> missing;
  std::uint64_t expected = first_expected;
  for (const segment_on_disk& each : present) {
    // One that was about to be removed when the process died.
    if (each.segment < first_expected) continue;
    if (each.segment > expected) missing.push_back({expected, each.segment - 1});
    expected = each.segment + 1;
  }
  // There is always one that the log writes to.
  if (expected == first_expected && first_expected > 1) missing.push_back({expected, expected});
  return missing;
}

retention::retention(surroundings around, retention_state state, journal_mac_ptr mac)
    : around_(std::move(around)),
      file_(around_.log.directory()),
      mac_(std::move(mac)),
      first_segment_(state.first_segment),
      removed_(std::move(state.chains)) {}

bool retention::work() {
  report_disturbed();
  std::error_code failure = record_said();
  // A log that is smaller than what is to be said of it would be removed and recorded for ever.
  for (int removals = 0; removals < most_removals_at_once && !failure; ++removals) {
    if (!under_way_) {
      const auto due = around_.log.due_for_removal(record_bytes_);
      if (!due) break;
      failure = begin(*due);
    }
    if (!failure) failure = finish();
  }
  if (failure && !std::exchange(failed_, true)) around_.events.evidence_not_removed(failure);
  if (!failure) failed_ = false;
  return static_cast<bool>(failure);
}

void retention::report_disturbed() {
  for (const disturbed_segment& each : around_.log.take_disturbed()) {
    const std::string file = segment_file_name(each.segment);
    switch (each.condition) {
      case segment_file::condition::as_left: break;
      case segment_file::condition::displaced:
        around_.events.evidence_disturbed(file, "moved, removed or replaced");
        say(missing_range{each.segment, each.segment});
        break;
      case segment_file::condition::cut:
        around_.events.evidence_disturbed(file, "cut");
        say(truncated_file{file, each.bytes_missing});
        break;
      case segment_file::condition::grown: around_.events.evidence_disturbed(file, "written to"); break;
    }
  }
  const bool displaced = around_.log.is_displaced();
  if (displaced && !displaced_) around_.events.evidence_disturbed(".", "moved, removed or replaced");
  displaced_ = displaced;
}

void retention::say(host_statement statement) {
  auto said = std::make_shared<joint_append>();
  said->behind.push_back(std::move(statement));
  said->from_reserve = true;
  said->origin = "retention";
  said->number = ++last_number_;
  said_.push_back(std::move(said));
}

std::error_code retention::record_said() {
  while (!said_.empty()) {
    if (const auto failure = around_.record(said_.front())) return failure;
    said_.pop_front();
  }
  return {};
}

std::error_code retention::read_segment(std::uint64_t segment, std::uint64_t& bytes) {
  const auto path = around_.log.directory().segment_path(segment);
  segment_reader reader{std::vector{path}};
  while (const auto line = reader.next()) {
    bytes += line->text.size() + 1;
    removed_.take(line->text);
  }
  if (!reader.failure()) return {};
  // What no reader reads can only go.
  if (reader.failure()->code == std::errc::message_size) return {};
  if (reader.failure()->code != std::errc::no_such_file_or_directory) return reader.failure()->code;
  // Somebody was faster.
  around_.events.segments_missing(segment, segment);
  say(missing_range{segment, segment});
  return {};
}

std::error_code retention::begin(const segment_range& due) {
  removal_under_way next{due, 0, false};
  for (std::uint64_t segment = due.first; segment <= due.last; ++segment) {
    // What was taken of it is taken again, and is the same.
    if (const auto failure = read_segment(segment, next.bytes)) return failure;
  }
  under_way_ = next;
  evidence_removal removal{due.first, due.last, next.bytes, removed_.listing(around_.open)};
  record_bytes_ = host_projection::parts_of(removal) * bytes_of_part + removal.chains.size() * bytes_of_chain;
  say(std::move(removal));
  return {};
}

std::error_code retention::finish() {
  const removal_under_way& doing = *under_way_;
  if (const auto failure = record_said()) return failure;
  if (const auto failure = around_.log.commit()) return failure;
  if (!under_way_->recorded) {
    // What is on record need not be on record again.
    removed_.forget_ended();
    first_segment_ = doing.segments.last + 1;
    under_way_->recorded = true;
  }
  if (const auto failure = file_.write(state(), *mac_)) return failure;
  if (const auto failure = around_.log.remove_up_to(doing.segments.last)) return failure;
  around_.events.evidence_removed(doing.segments.first, doing.segments.last, doing.bytes);
  under_way_.reset();
  return {};
}

}  // namespace cellos
