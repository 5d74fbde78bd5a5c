#include "tests/soak/log_follower.hpp"

#include <poll.h>

#include <charconv>
#include <ctime>
#include <utility>

#include "messages/event_line.hpp"

namespace cellos::soak {

namespace {

constexpr std::size_t most_faults = 10;
using line_form::before_id;
constexpr std::string_view before_cell = R"("data":{"cellId":")";
// Guest text cannot hold this: its quotes are escaped.
constexpr std::string_view before_number = R"("guestMonotonicNs":")";

std::string_view up_to_quote(std::string_view text) { return text.substr(0, text.find('"')); }

/// The text behind `mark`, up to the next quote; empty if `mark` is not there.
std::string_view behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  return at == std::string_view::npos ? std::string_view{} : up_to_quote(text.substr(at + mark.size()));
}

/// 0 if it is none: nothing here counts from 0.
std::uint64_t number_of(std::string_view decimal) {
  std::uint64_t number = 0;
  std::from_chars(decimal.data(), decimal.data() + decimal.size(), number);
  return number;
}

}  // namespace

log_follower::log_follower(std::filesystem::path dir, segment_log& log, const faulty_decoding& decoding, order demanded)
    : log_(log), decoding_(decoding), demanded_(demanded), reader_(std::move(dir), segment_position{1, 0}) {
  log_.retain_from(segment_);
  thread_ = std::thread{[this] { run(); }};
}

log_follower::~log_follower() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

log_follower::findings log_follower::finish() {
  stopping_ = true;
  thread_.join();
  return std::move(found_);
}

void log_follower::run() {
  constexpr timespec between_looks{0, 1'000'000};
  while (true) {
    const bool last_look = stopping_;
    while (const auto line = reader_.next()) take(*line);
    if (const auto& failed = reader_.failure()) return complain("unreadable", failed->explanation);
    if (last_look) break;
    ::ppoll(nullptr, 0, &between_looks, nullptr);
  }
  for (const unterminated_tail& tail : reader_.unterminated_tails()) complain("a line without end", tail.file);
}

void log_follower::take(const evidence_line& line) {
  if (line.begin.segment != segment_) log_.retain_from(segment_ = line.begin.segment);
  ++found_.lines;
  found_.bytes += line.text.size() + 1;
  if (!line.text.starts_with(before_id)) return complain("not an event", line.text);
  const std::string_view id = up_to_quote(line.text.substr(before_id.size()));
  const std::size_t slash = id.rfind('/');
  if (slash == std::string_view::npos) return complain("not an id", line.text);
  auto known = chains_.find(id.substr(0, slash));
  if (known == chains_.end()) {
    known = chains_.try_emplace(std::string{id.substr(0, slash)}).first;
    known->second.cell_id = behind(line.text, before_cell);
  }
  const std::uint64_t sequence = number_of(id.substr(slash + 1));
  if (sequence != known->second.next_sequence) complain("sequence has a gap", line.text);
  known->second.next_sequence = sequence + 1;
  if (const std::string_view number = behind(line.text, before_number); !number.empty()) {
    take_declaration(known->second, number_of(number), line.text);
  }
}

void log_follower::take_declaration(chain& known, std::uint64_t number, std::string_view text) {
  ++found_.declarations;
  ++found_.declarations_of[known.cell_id];
  if (behind(text, before_cell) != known.cell_id) complain("another cell's declaration", text);
  if (demanded_ == order::of_nobody) return;
  while (number != known.next_declaration) {
    const auto range = decoding_.lost_from(known.cell_id, known.next_declaration);
    if (!range) break;
    known.next_declaration = range->last + 1;
  }
  if (number > known.next_declaration) {
    found_.lost += number - known.next_declaration;
    complain("declarations are lost before it", text);
  } else if (number < known.next_declaration) {
    ++found_.duplicated;
    complain("a declaration came again", text);
  }
  known.next_declaration = std::max(known.next_declaration, number + 1);
}

void log_follower::complain(std::string what, std::string_view text) {
  if (found_.faults.size() < most_faults) found_.faults.push_back(std::move(what) + ": " + std::string{text});
}

}  // namespace cellos::soak
