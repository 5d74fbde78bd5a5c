#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/guest_sim/splitmix.hpp"
#include "runtime/jetstream/stream_delivery.hpp"
#include "runtime/jetstream/stream_link.hpp"
#include "tests/support/text_log.hpp"

namespace cellos::test {

/// A stream as nats-server keeps one: what it refuses, and in which order it looks. Sequences count from 1.
class modelled_stream {
 public:
  struct stored {
    std::string subject;
    std::string id;
    std::optional<log_place> place;
    std::string content;
    bool is_batch = false;
    monotonic_time at;
  };

  /// The order of the checks is nats-server's: id, subject's sequence, stream's sequence, room.
  stream_answer take(const stream_message& message, monotonic_time now) {
    const auto known = ids_.find(message.id);
    if (!message.id.empty() && known != ids_.end() && now - known->second.second < window)
      return {true, true, known->second.first, 0, {}};
    const std::uint64_t last = message.is_batch ? last_of(message.subject) : last_sequence();
    if (last != message.expected) return {false, false, 0, wrong_last_sequence, "wrong last sequence"};
    if (room < message.content.size()) return {false, false, 0, 10077, "maximum bytes exceeded"};
    room -= message.content.size();
    messages[last_sequence() + 1] = {message.subject, message.id,       message.place,
                                     message.content, message.is_batch, now};
    last_ = messages.rbegin()->first;
    ids_[message.id] = {last_, now};
    return {true, false, last_, 0, {}};
  }

  /// Somebody else's.
  void take_other(monotonic_time now) {
    messages[++last_] = {"other", "other/" + std::to_string(last_), std::nullopt, "{}", false, now};
  }

  stream_tail tail(const std::string& own_begin) const {
    stream_tail found;
    found.last_sequence = last_;
    found.first_sequence = messages.empty() ? last_ + 1 : messages.begin()->first;
    found.newest = messages.empty() ? 0 : messages.rbegin()->first;
    for (auto each = messages.rbegin(); each != messages.rend(); ++each) {
      if (!each->second.subject.starts_with(own_begin)) continue;
      found.own_fence = each->first;
      found.own = {each->first, each->second.place, last_line_of(each->second.content, each->second.is_batch)};
      break;
    }
    return found;
  }

  /// As a loss of power: the newest are gone, and mostly what is known of their ids.
  void lose_newest(std::size_t count, bool keeps_ids) {
    for (; count > 0 && !messages.empty(); --count) messages.erase(std::prev(messages.end()));
    last_ = messages.empty() ? removed : messages.rbegin()->first;
    if (keeps_ids) return;
    ids_.clear();
    for (const auto& [sequence, each] : messages) ids_[each.id] = {sequence, each.at};
  }

  /// By age: their lines go to `removed_lines`.
  void remove_oldest(std::size_t count) {
    for (; count > 0 && !messages.empty(); --count) {
      removed = messages.begin()->first;
      add_lines(messages.begin()->second, removed_lines);
      messages.erase(messages.begin());
    }
  }

  /// All lines that were ever kept, in order.
  std::string lines() const {
    std::string all = removed_lines;
    for (const auto& [sequence, each] : messages) add_lines(each, all);
    return all;
  }

  std::uint64_t last_sequence() const { return last_; }

  std::chrono::nanoseconds window{std::chrono::seconds{1}};
  std::size_t room = std::size_t{1} << 40;
  std::map<std::uint64_t, stored> messages;
  std::uint64_t removed = 0;
  std::string removed_lines;

 private:
  std::uint64_t last_of(const std::string& subject) const {
    for (auto each = messages.rbegin(); each != messages.rend(); ++each) {
      if (each->second.subject == subject) return each->first;
    }
    return 0;
  }
  static void add_lines(const stored& message, std::string& to) {
    if (!message.place) return;
    if (!message.is_batch) {
      to += message.content + '\n';
      return;
    }
    // "[\n" line ",\n" line "\n]"
    std::string_view rest{message.content};
    rest = rest.substr(2, rest.size() - 4);
    for (auto end = rest.find(",\n"); end != std::string_view::npos; end = rest.find(",\n")) {
      to += std::string{rest.substr(0, end)} + '\n';
      rest.remove_prefix(end + 2);
    }
    to += std::string{rest} + '\n';
  }

  std::uint64_t last_ = 0;
  std::map<std::string, std::pair<std::uint64_t, monotonic_time>> ids_;
};

/// What goes wrong, one in so many steps of 5 ms; 0: never.
struct stream_faults {
  std::uint32_t answer_lost = 0;
  std::uint32_t connection_cut = 0;
  std::uint32_t connection_stalled = 0;
  std::uint32_t server_power_cut = 0;
  std::uint32_t stream_full = 0;
  std::uint32_t host_killed = 0;
  std::uint32_t messages_aged = 0;
  std::uint32_t other_writer = 0;
};

/// One host's delivery to a modelled stream, in one thread and under one seed.
class stream_world {
 public:
  using milliseconds = std::chrono::milliseconds;

  stream_world(std::uint64_t seed, stream_fence fence, stream_faults faults)
      : random(seed), faults_(faults), fence_(fence) {
    start_host(std::nullopt);
  }

  void grow() {
    for (std::uint32_t lines = random.below(12); lines > 0; --lines) {
      ++written_;
      log.append(R"({"id":"host-a/)" + std::to_string(written_) + R"(","subject":"urn:cellos:cell:c)" +
                 std::to_string(random.below(3)) + R"(","text":")" + std::string(random.below(60), 'x') + "\"}\n");
    }
    if (random.one_in(60)) log.rotate();
    if (random.one_in(2)) log.commit();
  }

  void step() {
    now += milliseconds{5};
    misbehave();
    move_messages();
    host->tick(now);
    carry_out();
    if (random.one_in(20)) mark = host->hint();
  }

  void heal() {
    faults_ = {};
    stream.room = std::size_t{1} << 40;
    log.commit();
  }

  bool finish(milliseconds limit = milliseconds{60'000}) {
    for (const auto end = now + limit; now < end; step()) {
      if (host->status().is_complete && host->status().committed == log.end()) return true;
    }
    return false;
  }

  std::string log_text() const {
    std::string all;
    for (const auto& [segment, text] : log.segments) all += text;
    return all;
  }

  void start_host(std::optional<stream_hint> hint) {
    for (auto& [number, each] : connections_) each.client_lives = false;
    stream_delivery_settings settings;
    settings.host_id = "host-a";
    settings.prefix = "p";
    settings.fence = fence_;
    settings.window_messages = 20;
    settings.batch_bytes = 512;
    settings.seed = random.next();
    host = std::make_unique<stream_delivery>(settings, log, hint);
    ++lives_;
  }

  guest_sim::splitmix random;
  monotonic_time now{std::chrono::hours{1}};
  text_log log;
  modelled_stream stream;
  std::unique_ptr<stream_delivery> host;
  std::optional<stream_hint> mark;
  std::vector<receiver_note> notes;

 private:
  struct connection {
    /// Nothing: the tail is asked for.
    std::deque<std::optional<stream_message>> to_server;
    std::deque<link_event> to_client;
    bool client_lives = true;
    bool server_lives = true;
    monotonic_time stalled_until{};
  };
  using connection_number = std::pair<std::uint64_t, std::uint64_t>;

  bool happens(std::uint32_t one_in) { return one_in != 0 && random.one_in(one_in); }

  void cut(connection& each) {
    // What was on its way to the server may still arrive; what was on its way back is lost.
    each.to_client.clear();
    if (random.one_in(2)) each.to_server.clear();
    if (each.client_lives) each.to_client.push_back({link_event::kind::lost, 0, "cut"});
  }

  void misbehave() {
    if (happens(faults_.host_killed)) start_host(random.one_in(4) ? std::nullopt : mark);
    if (happens(faults_.server_power_cut)) {
      stream.lose_newest(random.below(30), random.one_in(4));
      for (auto& [number, each] : connections_) {
        each.to_server.clear();
        cut(each);
      }
    }
    if (happens(faults_.stream_full)) stream.room = random.one_in(2) ? random.below(300) : std::size_t{1} << 40;
    if (happens(faults_.messages_aged)) stream.remove_oldest(random.below(10));
    if (happens(faults_.other_writer)) stream.take_other(now);
    for (auto& [number, each] : connections_) {
      if (happens(faults_.connection_cut)) cut(each);
      if (happens(faults_.connection_stalled)) each.stalled_until = now + milliseconds{random.below(8000)};
    }
  }

  void move_messages() {
    const std::string own = fence_ == stream_fence::stream ? "p.host-a." : "p.host-a.%40batch";
    for (auto& [number, each] : connections_) {
      if (now < each.stalled_until) continue;
      for (std::uint32_t some = random.below(12); some > 0 && !each.to_server.empty(); --some) {
        const auto message = std::move(each.to_server.front());
        each.to_server.pop_front();
        link_event event{message ? link_event::kind::answered : link_event::kind::found, number.second};
        if (message) {
          event.number = message->number;
          event.answer = stream.take(*message, now);
          if (happens(faults_.answer_lost)) continue;
        } else {
          event.tail = stream.tail(own);
        }
        each.to_client.push_back(std::move(event));
      }
      for (std::uint32_t some = random.below(12); some > 0 && !each.to_client.empty(); --some) {
        const auto event = std::move(each.to_client.front());
        each.to_client.pop_front();
        if (number.first == lives_ && each.client_lives) deliver(event, number.second);
      }
    }
    std::erase_if(connections_,
                  [](const auto& each) { return !each.second.client_lives && each.second.to_server.empty(); });
  }

  void deliver(const link_event& event, std::uint64_t session) {
    switch (event.what) {
      case link_event::kind::connected: host->connected(session, now); break;
      case link_event::kind::lost: host->lost(session, event.cause, now); break;
      case link_event::kind::found: host->found(session, event.tail, now); break;
      case link_event::kind::answered: host->answered(session, event.number, event.answer, now); break;
    }
  }

  void carry_out() {
    for (auto actions = host->take_actions(); !actions.empty(); actions = host->take_actions()) {
      for (stream_action& each : actions) {
        auto& with = connections_[{lives_, each.session}];
        switch (each.what) {
          case stream_action::kind::connect:
            with.to_client.push_back({link_event::kind::connected, each.session});
            break;
          case stream_action::kind::hang_up: with.client_lives = false; break;
          case stream_action::kind::ask_tail: with.to_server.emplace_back(); break;
          case stream_action::kind::publish: with.to_server.emplace_back(std::move(each.message)); break;
        }
      }
    }
    for (receiver_note& each : host->take_notes(now)) notes.push_back(std::move(each));
  }

  stream_faults faults_;
  const stream_fence fence_;
  std::uint64_t lives_ = 0;
  std::uint64_t written_ = 0;
  std::map<connection_number, connection> connections_;
};

}  // namespace cellos::test
