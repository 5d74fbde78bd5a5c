#include "tests/soak/log_follower.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

#include "messages/cloud_event.hpp"
#include "tests/soak/numbered_frames.hpp"

namespace cellos::soak {

namespace {

constexpr std::chrono::milliseconds pause_at_the_end{5};

/// The text between `key` and the next quote; empty if `key` is not there.
std::string_view value_of(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + key.size());
  return line.substr(0, line.find('"'));
}

std::uint64_t count_of(std::string_view digits) {
  std::uint64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

}  // namespace

log_follower::log_follower(std::filesystem::path dir, std::function<void(std::uint64_t)> read_up_to)
    : reader_(std::move(dir), segment_position{1, 0}), read_up_to_(std::move(read_up_to)), thread_([this] { run(); }) {}

log_follower::~log_follower() {
  finishing_ = true;
  if (thread_.joinable()) thread_.join();
}

log_follower::cells log_follower::finish() {
  finishing_ = true;
  thread_.join();
  if (reader_.failure()) throw std::runtime_error(reader_.failure()->explanation);
  return std::move(cells_);
}

void log_follower::run() {
  std::uint64_t segment = 0;
  while (!reader_.failure()) {
    // Asked before reading: what was written until then is read below.
    const bool last_round = finishing_;
    while (const auto line = reader_.next()) {
      if (line->begin.segment != segment) {
        segment = line->begin.segment;
        read_up_to_(segment);
      }
      take(line->text);
      ++lines_;
    }
    if (last_round) return;
    std::this_thread::sleep_for(pause_at_the_end);
  }
}

void log_follower::take(std::string_view line) {
  followed_cell& cell = cells_[std::string{value_of(line, R"("subject":"urn:cellos:cell:)")}];
  const std::uint64_t sequence = count_of(value_of(line, R"(","sequence":")"));
  if (sequence != cell.last_sequence + 1) ++cell.sequence_faults;
  cell.last_sequence = sequence;
  if (const std::uint64_t number = numbered_frames::number_in(line); number != 0) {
    ++cell.declarations;
    if (number <= cell.last_number) {
      ++cell.repeated;
    } else {
      cell.missing += number - cell.last_number - 1;
      cell.last_number = number;
    }
    return;
  }
  const std::string_view type = value_of(line, event_type_prefix);
  if (type == event_type::run_ended) cell.ended = true;
  if (type == event_type::telemetry_dropped && value_of(line, R"("reason":")") == "quarantined") {
    cell.quarantined_frames += count_of(value_of(line, R"("frames":")"));
    ++cell.quarantined_chunks;
  }
}

}  // namespace cellos::soak
