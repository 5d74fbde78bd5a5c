#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "actors/ports.hpp"
#include "messages/event_line.hpp"

/// The world behind the ports, moved by the test's hand.
namespace cellos::test {

class manual_clock final : public wall_clock {
 public:
  wall_time now() const override { return time; }
  wall_time time{std::chrono::seconds{1'700'000'000}};
};

/// A log in memory that refuses while `refusal` is set.
class memory_log final : public evidence_log {
 public:
  using evidence_log::append;
  std::error_code append(std::string_view lines, std::span<const chain_head> heads) override {
    ++appends;
    if (refusal) return refusal;
    text += lines;
    for (const chain_head& head : heads) heads_.insert_or_assign(head.position.chain, head);
    return {};
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      out.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return out;
  }

  std::size_t count(std::string_view type_suffix) const {
    const auto all = lines();
    const std::string wanted = std::string{type_suffix} + std::string{line_form::before_subject};
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const std::string& line) { return line.find(wanted) != std::string::npos; }));
  }

  /// As last handed over; null if it never was.
  const chain_head* head(const std::string& chain) const {
    const auto known = heads_.find(chain);
    return known == heads_.end() ? nullptr : &known->second;
  }

  std::string text;
  std::error_code refusal;
  int appends = 0;

 private:
  std::map<std::string, chain_head> heads_;
};

/// Whose credit comes back to the test.
struct recorded_credit final : chunk_credit {
  void acknowledge(std::uint64_t sequence) override { acknowledged.push_back(sequence); }
  void replay() override { ++replays; }

  std::vector<std::uint64_t> acknowledged;
  int replays = 0;
};

/// A cell's intake without a socket: the test reads for it.
class manual_intake final : public cell_intake {
 public:
  void attach(std::uint64_t, delivery deliver) override {
    deliver_ = std::move(deliver);
    ++attachments;
    for (const chunk_ptr& chunk : kept) deliver_(chunk);
  }
  void acknowledge(std::uint64_t upto) override {
    std::erase_if(kept, [upto](const chunk_ptr& chunk) { return chunk->sequence <= upto; });
  }
  void drain(std::function<void()> drained) override {
    drain_wanted = true;
    drained();
  }
  chunk_ptr unacknowledged(std::uint64_t wanted) const override {
    const auto found =
        std::find_if(kept.begin(), kept.end(), [wanted](const chunk_ptr& chunk) { return chunk->sequence == wanted; });
    return found == kept.end() ? nullptr : *found;
  }
  intake_counts counts() const override {
    intake_counts seen = totals;
    seen.chunks_unacknowledged = static_cast<std::uint32_t>(kept.size());
    return seen;
  }

  /// One read of `frames` frames, on connection 1.
  void receive(std::vector<std::uint8_t> bytes, std::uint32_t frames, monotonic_time now,
               chunk_ending ending = chunk_ending::none) {
    received_chunk chunk;
    chunk.sequence = ++sequence;
    chunk.connection = 1;
    chunk.received_at = wall_time{std::chrono::seconds{1'700'000'000}} + std::chrono::seconds{sequence};
    chunk.received_mono = now;
    chunk.frames = frames;
    chunk.ending = ending;
    chunk.bytes = std::move(bytes);
    totals.frames_received += frames;
    kept.push_back(std::make_shared<const received_chunk>(std::move(chunk)));
    if (deliver_) deliver_(kept.back());
  }

  /// Unacknowledged.
  std::vector<chunk_ptr> kept;
  std::uint64_t sequence = 0;
  intake_counts totals;
  int attachments = 0;
  bool drain_wanted = false;

 private:
  delivery deliver_;
};

/// Remembers what was set aside.
class manual_quarantine final : public quarantine_store {
 public:
  std::optional<std::string> set_aside(std::string_view cell_id, const received_chunk& chunk) override {
    files.push_back(std::string{cell_id} + "-" + std::to_string(chunk.sequence));
    return files.back();
  }

  std::vector<std::string> files;
};

/// Binds everything but the cells it is asked to refuse.
class manual_sockets final : public telemetry_sockets {
 public:
  binding bind(const cell_specification& cell) override {
    if (const auto refused = refusals.find(cell.cell_id); refused != refusals.end()) {
      return {nullptr, {telemetry_errc::bind_failed, refused->second}};
    }
    auto intake = std::make_shared<manual_intake>();
    intakes[cell.cell_id] = intake;
    return {intake, {telemetry_errc::none, {}}};
  }

  /// Of a bound cell; null once its actors have let go.
  std::shared_ptr<manual_intake> intake(const std::string& cell_id) { return intakes[cell_id].lock(); }

  std::map<std::string, std::string> refusals;
  std::map<std::string, std::weak_ptr<manual_intake>> intakes;
};

}  // namespace cellos::test
