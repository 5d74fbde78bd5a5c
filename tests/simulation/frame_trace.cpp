#include "tests/simulation/frame_trace.hpp"

#include <caf/scheduled_actor.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "messages/event_types.hpp"
#include "tests/simulation/next_message.hpp"

namespace cellos::simulation {

namespace {

/// The text between `mark` and the next quote; empty without the mark.
std::string_view behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + mark.size());
  return text.substr(0, text.find('"'));
}

std::string seconds_text(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%03lld s", static_cast<long long>(time.count() / 1000),
                static_cast<long long>(time.count() % 1000));
  return text;
}

}  // namespace

void frame_trace::at(std::uint64_t step_number, std::chrono::milliseconds elapsed) {
  step_ = step_number;
  elapsed_ = elapsed;
  taker_.clear();
}

void frame_trace::add(std::string who, std::string what) {
  steps_.push_back({step_, elapsed_, std::move(who), std::move(what)});
}

void frame_trace::add_message() {
  if (!taker_.empty()) add(std::exchange(taker_, {}), message_);
}

void frame_trace::add_first_message(const std::vector<activity_ptr>& present) {
  if (!first_message_) return;
  const auto entry = std::find_if(present.begin(), present.end(), [&](const activity_ptr& each) {
    return each->actor() == first_message_->taker && each->cell_id() == cell_id_;
  });
  if (entry == present.end()) return;
  step& first = steps_.emplace_back(std::exchange(first_message_, std::nullopt)->as);
  first.who = std::string{(*entry)->role()} + " " + cell_id_;
}

void frame_trace::takes(caf::scheduled_actor& actor, const std::vector<activity_ptr>& present) {
  if (stage_ == stage::unwritten || stage_ == stage::unread || stage_ == stage::done) return;
  add_first_message(present);
  const auto entry = std::find_if(present.begin(), present.end(),
                                  [&](const activity_ptr& each) { return each->actor() == actor.address(); });
  const std::string cell_id = entry == present.end() ? "" : (*entry)->cell_id();
  taker_ = entry == present.end() ? actor.name() : (*entry)->role();
  if (!cell_id.empty()) taker_ += " " + cell_id;
  const next_message next = peek_at_next_message(actor);
  message_ = next.words;
  if (entry == present.end() && next.chunk == chunk_ && next.cell_id.empty()) {
    first_message_ = {actor.address(), {step_, elapsed_, taker_, message_}};
  }
  const bool is_ours = cell_id == cell_id_ || next.cell_id == cell_id_;
  if (is_ours && (next.chunk == chunk_ || next.acknowledged >= chunk_ || next.is_replay)) add_message();
}

void frame_trace::suffers(std::string_view misfortune) {
  if (stage_ == stage::unwritten || stage_ == stage::done) return;
  const bool is_another_cells = misfortune.find("cell-") != std::string_view::npos && !misfortune.ends_with(cell_id_);
  if (!is_another_cells) add("the world", std::string{misfortune});
}

bool frame_trace::find_writing(const std::vector<simulated_run>& runs) {
  for (run_ = 0; run_ < runs.size(); ++run_) {
    for (const auto& connection : runs[run_].socket->connections) {
      const auto frame = std::find_if(connection->frames.begin(), connection->frames.end(), [this](const auto& each) {
        return each.what == expected::declaration && each.number == number_;
      });
      if (frame == connection->frames.end()) continue;
      cell_id_ = runs[run_].cell_id;
      add("guest of " + cell_id_, "writes the frame, " + std::to_string(frame->bytes) + " bytes, on connection " +
                                      std::to_string(connection->number));
      return true;
    }
  }
  return false;
}

bool frame_trace::find_reading(const simulated_run& run) {
  for (const auto& [sequence, record] : run.socket->records) {
    const auto& numbers = record.declarations;
    if (std::find(numbers.begin(), numbers.end(), number_) == numbers.end()) continue;
    chunk_ = sequence;
    add("socket service", "reads the rest of it and makes chunk " + std::to_string(chunk_) + " of " + cell_id_ + ": " +
                              std::to_string(record.frames()) + " frames");
    return true;
  }
  return false;
}

bool frame_trace::find_line(std::string_view log) {
  const std::string mark = "\"guestMonotonicNs\":\"" + std::to_string(number_) + "\"";
  const std::size_t at = log.find(mark, log_seen_);
  // Lines are appended whole, until a daemon dies.
  log_seen_ = log.size();
  if (at == std::string_view::npos) return false;
  const std::size_t begin = log.rfind('\n', at) + 1;
  const std::string_view line = log.substr(begin, log.find('\n', at) - begin);
  line_end_ = begin + line.size() + 1;
  const auto before = std::count(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
  add_message();
  add("evidence log", "line " + std::to_string(before + 1) + ": " + std::string{behind(line, event_type_prefix)} +
                          ", id " + std::string{behind(line, "\"id\":\"")});
  return true;
}

bool frame_trace::find_credit(const simulated_run& run) {
  if (run.socket->chunks.unacknowledged(chunk_)) return false;
  add_message();
  add("socket service", "forgets chunk " + std::to_string(chunk_) + ": its credit is back");
  return true;
}

/// A daemon that dies within an append leaves a part of it, and a loss of power what was synced.
void frame_trace::find_loss(std::string_view log) {
  if (log.size() >= line_end_) return;
  line_end_ = 0;
  add("evidence log", "ends before the line");
  by_death_ = "appended, and lost with a line that was torn or not synced";
  stage_ = stage::done;
}

void frame_trace::look(const std::vector<simulated_run>& runs, std::string_view log) {
  if (stage_ == stage::unwritten && find_writing(runs)) stage_ = stage::unread;
  find_loss(log);
  if (stage_ == stage::unwritten || stage_ == stage::done) return;
  const simulated_run& run = runs.at(run_);
  if (stage_ == stage::unread && find_reading(run)) {
    stage_ = stage::unappended;
    log_seen_ = log.size();
  }
  if (stage_ == stage::unappended && !quarantined_ && run.socket->records.at(chunk_).quarantined) {
    quarantined_ = true;
    add_message();
    add("quarantine", "takes chunk " + std::to_string(chunk_) + ", which ended two DECODERs");
  }
  if (stage_ == stage::unappended && find_line(log)) stage_ = stage::uncredited;
  if (stage_ == stage::uncredited || (stage_ == stage::unappended && quarantined_)) {
    if (find_credit(run)) stage_ = stage::done;
  }
  if (stage_ != stage::done && run.cut_short) {
    by_death_ = stage_ == stage::uncredited ? "appended; the daemon dies before it is acknowledged"
                                            : "lost with the daemon; the next one puts the gap on record";
    stage_ = stage::done;
  }
}

std::string frame_trace::conclusion() const {
  if (stage_ == stage::unwritten) return "no guest writes frame " + std::to_string(number_) + " under this seed";
  if (!by_death_.empty()) return by_death_;
  if (quarantined_) return "set aside; the SINK puts the loss on record";
  return stage_ == stage::done ? "appended once, and acknowledged" : "on its way when the simulation ended";
}

std::vector<std::string> to_lines(const std::vector<frame_trace::step>& steps) {
  std::vector<std::string> out{"  step      time  who                     what"};
  for (const frame_trace::step& each : steps) {
    char head[96];
    std::snprintf(head, sizeof head, "%6llu %9s  %-22s  ", static_cast<unsigned long long>(each.number),
                  seconds_text(each.at).c_str(), each.who.c_str());
    out.push_back(head + each.what);
  }
  return out;
}

}  // namespace cellos::simulation
