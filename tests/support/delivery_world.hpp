#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/collector/commit_queue.hpp"
#include "runtime/collector/ingest.hpp"
#include "runtime/forwarding/delivery.hpp"
#include "runtime/forwarding/pack_lines.hpp"
#include "runtime/guest_sim/splitmix.hpp"
#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/copies_check.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/text_log.hpp"

namespace cellos::test {

/// What goes wrong, one in so many; 0: never.
struct delivery_faults {
  std::uint32_t message_lost = 0;
  std::uint32_t message_doubled = 0;
  std::uint32_t late_message = 0;
  std::uint32_t connection_refused = 0;
  std::uint32_t connection_cut = 0;
  std::uint32_t host_killed = 0;
  std::uint32_t collector_killed = 0;
  std::uint32_t collector_power_cut = 0;
  std::uint32_t sync_failed = 0;
  std::uint32_t disk_full = 0;
};

/// One host's delivery and collectors with real directories, in one thread and under one seed: the clock, the network
/// between them and what breaks are the world's.
class delivery_world {
 public:
  using milliseconds = std::chrono::milliseconds;

  delivery_world(std::uint64_t seed, std::size_t collectors, delivery_faults faults)
      : random(seed), faults_(faults), nodes_(collectors) {
    for (std::size_t i = 0; i < collectors; ++i) start_collector(i);
    start_host();
  }

  /// A few lines more, some of them committed; segments change now and then.
  void grow() {
    for (std::uint32_t lines = random.below(8); lines > 0; --lines) {
      log.append("{\"n\":" + std::to_string(++written_) + ",\"text\":\"" + std::string(random.below(60), 'x') +
                 "\"}\n");
    }
    if (random.one_in(60)) log.rotate();
    if (random.one_in(2)) log.commit();
  }

  void step() {
    now += milliseconds{5};
    misbehave();
    for (auto due = network_.begin(); due != network_.end() && due->first <= now; due = network_.begin()) {
      const auto deliver = std::move(due->second);
      network_.erase(due);
      deliver();
    }
    host->tick(now);
    carry_out();
    for (node& each : nodes_) {
      if (each.queue && random.one_in(4)) (void)each.queue->commit();
    }
  }

  /// Nothing goes wrong any more.
  void heal() {
    faults_ = {};
    log.commit();
  }

  /// Steps until all that is committed is delivered. False after `limit` of the world's time.
  bool finish(milliseconds limit = milliseconds{120'000}) {
    for (const auto end = now + limit; now < end; step()) {
      if (host->is_complete()) return true;
    }
    return false;
  }

  /// Empty if the copies agree with the log, and together have all of it.
  std::string compare() {
    for (node& each : nodes_) {
      if (each.queue) (void)each.queue->commit();
    }
    copies_check check{log.segments};
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
    host = std::make_unique<delivery>(settings, log, hint);
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
  };

  guest_sim::splitmix random;
  text_log log;
  std::unique_ptr<delivery> host;
  std::vector<delivery_event> events;
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
    if (chance(faults_.connection_cut)) cut_connections(index);
    if (chance(faults_.collector_killed)) kill_collector(index, false);
    if (chance(faults_.collector_power_cut)) kill_collector(index, true);
    if (!nodes_[index].store && random.one_in(100)) start_collector(index);
    if (!chance(faults_.host_killed)) return;
    // Some lose power, and some lose or never wrote their hint.
    if (random.one_in(2)) log.lose_uncommitted();
    start_host(random.one_in(3) ? std::nullopt : host->hint());
  }

  void post(std::function<void()> deliver) {
    if (chance(faults_.message_lost)) return;
    for (int copies = chance(faults_.message_doubled) ? 2 : 1; copies > 0; --copies) {
      const milliseconds delay{1 + random.below(20) + (chance(faults_.late_message) ? random.below(3000) : 0)};
      network_.emplace(now + delay, deliver);
    }
  }

  template <class Deliver>
  void to_host(session_key session, Deliver deliver) {
    post([this, session, deliver] {
      if (session.first != life_) return;
      deliver(*host, session.second);
      carry_out();
    });
  }

  void host_hears_of_loss(session_key session) {
    network_.emplace(now + milliseconds{10}, [this, session] {
      if (session.first == life_) host->lost(session.second, now);
    });
  }

  void carry_out() {
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
        if (!at.store || chance(faults_.connection_refused)) return host_hears_of_loss(session);
        at.sessions[session] = std::make_unique<ingest>(*at.store, "host-a", limits());
        network_.emplace(now + milliseconds{5}, [this, session] {
          if (session.first == life_) host->connected(session.second, now);
        });
        return;
      case delivery_action::kind::hang_up: at.sessions.erase(session); return;
      case delivery_action::kind::say_alive: return;
      case delivery_action::kind::say_hello:
        post([this, &at, session, bytes = encode(action.hello)] { hear_hello(at, session, bytes); });
        return;
      case delivery_action::kind::send_lines: {
        auto packed = packer_.pack(action.lines, action.text);
        bytes_sent += packed.size();
        host->packed(packed.size(), now);
        post([this, &at, session, number = action.number, bytes = std::move(packed)] {
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
    const auto answer = [this, session](const node_welcome& welcome) {
      to_host(session, [this, bytes = encode(welcome)](delivery& to, std::uint64_t id) {
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
    const auto answer = [this, session, number](const node_answer& said) {
      to_host(session, [this, number, encoded = encode(said)](delivery& to, std::uint64_t id) {
        to.answered(id, number, decode_answer(encoded), now);
      });
    };
    auto taken = found->second->take(bytes, quota_, now);
    if (taken.answer) return answer(*taken.answer);
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
  std::vector<node> nodes_;
  std::multimap<monotonic_time, std::function<void()>> network_;
  line_packer packer_;
  byte_quota quota_{0};
  std::uint64_t life_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace cellos::test
