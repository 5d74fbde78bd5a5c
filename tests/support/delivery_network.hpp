#pragma once

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/collector/byte_quota.hpp"
#include "runtime/collector/collector_store.hpp"
#include "runtime/collector/commit_queue.hpp"
#include "runtime/collector/ingest.hpp"
#include "runtime/forwarding/committed_log.hpp"
#include "runtime/forwarding/delivery.hpp"
#include "runtime/forwarding/pack_lines.hpp"
#include "runtime/guest_sim/splitmix.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/copies_check.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::test {

/// What goes wrong, one in so many; 0: never.
struct delivery_faults {
  std::uint32_t message_lost = 0;
  std::uint32_t message_doubled = 0;
  std::uint32_t late_message = 0;
  std::uint32_t connection_refused = 0;
  std::uint32_t connection_cut = 0;
  /// A link carries nothing for up to ten seconds, one way or both, and neither end hears of it.
  std::uint32_t link_partitioned = 0;
  std::uint32_t collector_killed = 0;
  std::uint32_t collector_power_cut = 0;
  std::uint32_t sync_failed = 0;
  std::uint32_t disk_full = 0;
};

/// A flaw of one end, to see that it would be noticed.
enum class delivery_flaw : std::uint8_t {
  none,
  /// A collector answers before its disk was synced.
  answers_before_sync,
};

/// One host's delivery, collectors with real directories, and the links between them, in one thread and under one seed:
/// the clock and what breaks are the network's; the log, and when the host dies, are its user's.
class delivery_network {
 public:
  using milliseconds = std::chrono::milliseconds;

  /// `log` must outlive it. No host lives yet.
  delivery_network(std::uint64_t seed, std::size_t collectors, delivery_faults faults, committed_log& log,
                   delivery_flaw flaw = delivery_flaw::none)
      : random(seed), faults_(faults), flaw_(flaw), log_(log), nodes_(collectors) {
    for (std::size_t i = 0; i < collectors; ++i) start_collector(i);
  }

  void step(milliseconds passed = milliseconds{5}) {
    now += passed;
    misbehave();
    for (auto due = network_.begin(); due != network_.end() && due->first <= now; due = network_.begin()) {
      const auto deliver = std::move(due->second);
      network_.erase(due);
      deliver();
    }
    if (host) host->tick(now);
    carry_out();
    for (node& each : nodes_) {
      if (each.queue && random.one_in(4)) (void)each.queue->commit();
    }
  }

  /// Nothing goes wrong any more, and every collector runs.
  void heal() {
    faults_ = {};
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].cut_off_until = {};
      if (!nodes_[i].store) start_collector(i);
    }
  }

  /// Steps until all that is committed is delivered. False after `limit` of the network's time.
  bool finish(milliseconds limit = milliseconds{120'000}) {
    for (const auto end = now + limit; now < end; step()) {
      if (host->is_complete()) return true;
    }
    return false;
  }

  /// Empty if the copies agree with the log, and together have all of it.
  std::string compare(const log_text& log) {
    for (node& each : nodes_) {
      if (each.queue) (void)each.queue->commit();
    }
    copies_check check{log};
    for (const node& each : nodes_) {
      if (!std::filesystem::exists(each.dir / "host-a")) continue;
      for (const auto& copy : std::filesystem::directory_iterator{each.dir / "host-a"}) {
        if (copy.path().extension() == ".fork-1") return "there is a fork";
        check.look_at(copy.path());
      }
    }
    return check.finish();
  }

  void start_host(std::optional<delivery_hint> hint = std::nullopt) {
    ++life_;
    delivery_settings settings;
    settings.host_id = "host-a";
    settings.log.fill(7);
    settings.bytes_per_second = bytes_per_second;
    settings.batch_bytes = batch_bytes;
    settings.boot_nonce = life_;
    settings.collectors = nodes_.size();
    settings.seed = random.next();
    host = std::make_unique<delivery>(settings, log_, hint);
  }

  /// Nothing of what it had under way goes on.
  void kill_host() {
    ++life_;
    host.reset();
  }

  void start_collector(std::size_t index) {
    node& each = nodes_[index];
    each.files.fault = [this](file_call call) {
      if (call == file_call::syncfs && chance(faults_.sync_failed)) return EIO;
      if (call == file_call::write && chance(faults_.disk_full)) return ENOSPC;
      return 0;
    };
    each.files.torn_writes = true;
    each.store.reset();
    auto opened = collector_store::open(each.dir.path(), {}, each.files);
    each.store = std::move(opened.store);
    if (each.store) each.queue = std::make_unique<commit_queue>(*each.store);
  }

  /// With `power`: what was not durable is gone, too.
  void kill_collector(std::size_t index, bool power) {
    node& each = nodes_[index];
    if (!each.store) return;
    if (power) {
      for (const auto& copy : each.store->open_copies()) copy->cut_back();
    }
    cut_connections(index);
    ++each.life;
    each.queue.reset();
    each.store.reset();
  }

  void cut_connections(std::size_t index) {
    for (const auto& [session, ingests] : nodes_[index].sessions) host_hears_of_loss(session);
    nodes_[index].sessions.clear();
  }

  struct node {
    memory_directory dir;
    faulty_file_system files;
    std::unique_ptr<collector_store> store;
    std::unique_ptr<commit_queue> queue;
    /// By the host's life and its session.
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::unique_ptr<ingest>> sessions;
    std::uint64_t life = 0;
    /// Takes what comes and answers nothing.
    bool frozen = false;
    struct {
      monotonic_time from_host{monotonic_time::min()};
      monotonic_time to_host{monotonic_time::min()};
    } cut_off_until;
  };

  guest_sim::splitmix random;
  std::unique_ptr<delivery> host;
  std::vector<delivery_event> events;
  /// Is given what goes wrong, as a sentence.
  std::function<void(const std::string&)> noted;
  monotonic_time now{std::chrono::hours{1}};
  std::vector<node>& nodes() { return nodes_; }
  /// Of hosts that start from here on.
  std::uint64_t bytes_per_second = 0;
  std::size_t batch_bytes = 600;
  /// Of messages with lines.
  std::uint64_t bytes_sent = 0;

 private:
  using session_key = std::pair<std::uint64_t, std::uint64_t>;

  bool chance(std::uint32_t one_in) { return one_in > 0 && random.one_in(one_in); }

  void misbehave() {
    const auto index = random.below(static_cast<std::uint32_t>(nodes_.size()));
    if (chance(faults_.connection_cut)) {
      note("cuts the connections", index);
      cut_connections(index);
    }
    if (chance(faults_.collector_killed)) {
      note("is killed", index);
      kill_collector(index, false);
    }
    if (chance(faults_.collector_power_cut)) {
      note("loses power", index);
      kill_collector(index, true);
    }
    if (!nodes_[index].store && random.one_in(100)) start_collector(index);
    if (chance(faults_.link_partitioned)) {
      note("is cut off", index);
      partition(nodes_[index]);
    }
  }

  void note(std::string_view what, std::size_t collector) {
    if (noted) noted("collector " + std::to_string(collector) + " " + std::string{what});
  }

  void partition(node& at) {
    const auto until = now + milliseconds{random.below(10'000)};
    const std::uint32_t way = random.below(3);
    if (way != 0) at.cut_off_until.from_host = until;
    if (way != 1) at.cut_off_until.to_host = until;
  }

  void post(std::function<void()> deliver) {
    if (chance(faults_.message_lost)) return;
    for (int copies = chance(faults_.message_doubled) ? 2 : 1; copies > 0; --copies) {
      const milliseconds delay{1 + random.below(20) + (chance(faults_.late_message) ? random.below(3000) : 0)};
      network_.emplace(now + delay, deliver);
    }
  }

  template <class Deliver>
  void to_host(node& from, session_key session, Deliver deliver) {
    if (now < from.cut_off_until.to_host) return;
    post([this, session, deliver] {
      if (session.first != life_ || !host) return;
      deliver(*host, session.second);
      carry_out();
    });
  }

  template <class Deliver>
  void to_collector(node& to, Deliver deliver) {
    if (now >= to.cut_off_until.from_host) post(std::move(deliver));
  }

  void host_hears_of_loss(session_key session) {
    network_.emplace(now + milliseconds{10}, [this, session] {
      if (session.first == life_ && host) host->lost(session.second, now);
    });
  }

  void carry_out() {
    if (!host) return;
    for (bool more = true; more;) {
      const auto actions = host->take_actions();
      for (const delivery_action& each : actions) carry_out(each);
      more = !actions.empty();
    }
    for (const auto& event : host->take_events()) events.push_back(event);
  }

  void carry_out(const delivery_action& action) {
    const session_key session{life_, action.session};
    node& at = nodes_[action.collector];
    switch (action.what) {
      case delivery_action::kind::connect:
        if (now < at.cut_off_until.from_host || now < at.cut_off_until.to_host) return;  // no word at all
        if (!at.store || chance(faults_.connection_refused)) return host_hears_of_loss(session);
        at.sessions[session] = std::make_unique<ingest>(*at.store, "host-a", limits());
        network_.emplace(now + milliseconds{5}, [this, session] {
          if (session.first == life_ && host) host->connected(session.second, now);
        });
        return;
      case delivery_action::kind::hang_up: at.sessions.erase(session); return;
      case delivery_action::kind::say_alive: return;
      case delivery_action::kind::say_hello:
        to_collector(at, [this, &at, session, bytes = encode(action.hello)] { hear_hello(at, session, bytes); });
        return;
      case delivery_action::kind::send_lines: {
        auto packed = packer_.pack(action.lines, action.text);
        bytes_sent += packed.size();
        host->packed(packed.size(), now);
        to_collector(at, [this, &at, session, number = action.number, bytes = std::move(packed)] {
          hear_lines(at, session, number, bytes);
        });
        return;
      }
    }
  }

  void hear_hello(node& at, session_key session, const node_bytes& bytes) {
    const auto found = at.sessions.find(session);
    if (found == at.sessions.end() || at.frozen) return;
    const auto hello = decode_hello(bytes);
    auto opened = found->second->open(hello.message);
    const auto answer = [this, &at, session](const node_welcome& welcome) {
      to_host(at, session, [this, bytes = encode(welcome)](delivery& to, std::uint64_t id) {
        to.welcomed(id, decode_welcome(bytes), now);
      });
    };
    if (!opened.copy) return answer(opened.welcome);
    at.queue->add(opened.copy, opened.generation, 0, [answer, welcome = opened.welcome](bool durable) {
      if (durable) answer(welcome);
    });
  }

  void hear_lines(node& at, session_key session, std::uint64_t number, const node_bytes& bytes) {
    const auto found = at.sessions.find(session);
    if (found == at.sessions.end() || at.frozen) return;
    const auto answer = [this, &at, session, number](const node_answer& said) {
      to_host(at, session, [this, number, encoded = encode(said)](delivery& to, std::uint64_t id) {
        to.answered(id, number, decode_answer(encoded), now);
      });
    };
    auto taken = found->second->take(bytes, quota_, now);
    if (taken.answer) return answer(*taken.answer);
    if (flaw_ == delivery_flaw::answers_before_sync) answer(ingest::settle(*taken.copy, taken.end, true));
    at.queue->add(
        taken.copy, taken.generation, taken.bytes,
        [answer, copy = taken.copy, end = taken.end](bool durable) { answer(ingest::settle(*copy, end, durable)); });
  }

  static ingest_limits limits() {
    ingest_limits limits;
    limits.window_bytes = 4096;
    return limits;
  }

  delivery_faults faults_;
  const delivery_flaw flaw_;
  committed_log& log_;
  std::vector<node> nodes_;
  std::multimap<monotonic_time, std::function<void()>> network_;
  line_packer packer_;
  byte_quota quota_{0};
  std::uint64_t life_ = 0;
};

}  // namespace cellos::test
