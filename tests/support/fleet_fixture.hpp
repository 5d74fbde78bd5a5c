#pragma once

#include <caf/test/dsl.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/collector/collector_supervisor.hpp"
#include "runtime/collector/commit_queue.hpp"
#include "runtime/collector/ingest_session.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/forwarding/evidence_source.hpp"
#include "runtime/forwarding/forwarder.hpp"
#include "runtime/forwarding/forwarding_files.hpp"
#include "runtime/segments/segment_name.hpp"
#include "tests/support/copies_check.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::test {

/// Notes what a collector's operator would see, a line each.
class noted_collector_events final : public collector_events {
 public:
  void host_connected(const peer_identity& host) override { lines.push_back("connected " + host.host_id); }
  void host_refused(const peer_identity& host, node_refusal reason) override {
    lines.push_back("refused " + host.host_id + " " + std::string{to_string(reason)});
  }
  void host_silenced(std::string_view host_id, std::chrono::nanoseconds) override { note("silenced ", host_id); }
  void host_resumed(std::string_view host_id) override { note("resumed ", host_id); }
  void host_doubled(const peer_identity& refused) override { note("doubled ", refused.host_id); }
  void history_forked(std::string_view host_id, const begun_fork&) override { note("forked ", host_id); }
  void copy_failed(std::string_view host_id, const std::error_code&) override { note("failed ", host_id); }

  std::size_t count(std::string_view line) const {
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
  }
  std::vector<std::string> lines;

 private:
  void note(const char* what, std::string_view host_id) { lines.push_back(what + std::string{host_id}); }
};

class noted_forwarding_events final : public forwarding_events {
 public:
  void noted(const delivery_event& event, std::string_view collector, std::string_view) override {
    ++counts[{event.note, std::string{collector}}];
  }
  std::size_t count(delivery_note note, const std::string& collector) { return counts[{note, collector}]; }
  std::map<std::pair<delivery_note, std::string>, std::size_t> counts;
};

/// A collector, all of it but the transport and the thread that commits.
struct test_collector {
  test_collector(caf::actor_system& system, collector_settings settings = {}) {
    std::error_code failure;
    supervisor = system.spawn(make_collector_supervisor, settings, store->hosts(failure), &events);
  }

  memory_directory dir;
  noted_collector_events events;
  std::unique_ptr<collector_store> store = collector_store::open(dir.path()).store;
  commit_queue commits{*store};
  ingest_environment environment{*store, commits, events, {}};
  collector_actor supervisor;
  bool is_reachable = true;
  bool commits_anything = true;
  std::vector<caf::strong_actor_ptr> sessions;
};

/// A host's evidence log and its forwarder.
struct test_host {
  explicit test_host(std::uint64_t segment_bytes = 4096)
      : log(segment_log::open({{dir / "log", fsync_policy::always, std::chrono::hours{1}, 1 << 30, segment_bytes}})
                .log) {}

  void append(int lines) {
    while (lines > 0) {
      std::string text;
      for (int i = 0; i < 50 && lines > 0; ++i, --lines) {
        text += "{\"n\":" + std::to_string(++written) + ",\"of\":\"" + host_id + "\"}\n";
      }
      if (log->append(text)) throw std::runtime_error("the log takes nothing");
    }
  }
  log_text text() const {
    log_text all;
    std::error_code failure;
    for (const auto& each : list_segments(dir / "log", failure)) {
      all[each.segment] = content_of(dir / "log" / segment_file_name(each.segment));
    }
    return all;
  }

  temporary_directory dir;
  std::string host_id = "host-a";
  std::unique_ptr<segment_log> log;
  int written = 0;
};

/// Hosts and collectors in one actor system, run by CAF's test coordinator. Connections are handles.
struct fleet_fixture : test_coordinator_fixture<>, collector_connector {
  fleet_fixture() { add_collector(); }
  ~fleet_fixture() override {
    for (const auto& each : forwarders) caf::anon_send_exit(each, caf::exit_reason::kill);
    for (const auto& each : collectors) stop(*each);
    consume_messages();
  }

  void add_collector(collector_settings settings = {}) {
    collectors.push_back(std::make_unique<test_collector>(sys, settings));
  }
  void stop(test_collector& collector) {
    collector.is_reachable = false;
    caf::anon_send_exit(collector.supervisor, caf::exit_reason::kill);
    cut(collector);
  }
  void cut(test_collector& collector) {
    for (const auto& each : std::exchange(collector.sessions, {})) {
      caf::anon_send_exit(caf::actor_cast<caf::actor>(each), caf::exit_reason::kill);
    }
    consume_messages();
  }

  void connect(std::size_t index, outcome_function outcome) override {
    auto& collector = *collectors.at(index);
    if (!collector.is_reachable) return outcome(nullptr, "connection refused");
    const peer_identity peer{certificate, "192.0.2.1"};
    collector.sessions.push_back(spawn_ingest_session(sys, peer, collector.supervisor, collector.environment));
    outcome(collector.sessions.back(), "");
  }
  void hang_up(const caf::strong_actor_ptr&) override {}

  forwarder_actor start_forwarder(std::uint64_t boot_nonce = 1) {
    forwarder_settings settings;
    settings.delivery.host_id = host.host_id;
    settings.delivery.log = read_or_make_log_id(host.dir / "log").id;
    settings.delivery.boot_nonce = boot_nonce;
    settings.dir = host.dir / "log";
    for (std::size_t i = 0; i < collectors.size(); ++i) settings.collectors.push_back("collector-" + std::to_string(i));
    forwarders.push_back(sys.spawn(make_forwarder, settings, std::cref(environment)));
    consume_messages();
    return forwarders.back();
  }
  void kill(const forwarder_actor& forwarder) {
    caf::anon_send_exit(forwarder, caf::exit_reason::kill);
    consume_messages();
  }

  void pass(std::chrono::milliseconds duration, std::chrono::milliseconds step = std::chrono::milliseconds{20}) {
    for (std::chrono::milliseconds passed{0}; passed < duration; passed += step) {
      advance_time(step);
      consume_messages();
      for (const auto& each : collectors) {
        if (each->commits_anything) (void)each->commits.commit();
      }
      consume_messages();
    }
  }

  forwarder_status status(const forwarder_actor& of) {
    forwarder_status answer;
    auto asked = self->request(of, caf::infinite, status_atom::value);
    consume_messages();
    asked.receive([&](forwarder_status& given) { answer = given; }, [](caf::error&) { CAF_FAIL("no status"); });
    return answer;
  }
  std::vector<host_status> status(test_collector& of) {
    std::vector<host_status> answer;
    auto asked = self->request(of.supervisor, caf::infinite, status_atom::value);
    consume_messages();
    asked.receive([&](std::vector<host_status>& given) { answer = std::move(given); },
                  [](caf::error&) { CAF_FAIL("no status"); });
    return answer;
  }

  /// Empty if the first copies of all collectors agree with the log and have all of it.
  std::string compare() {
    const log_text log = host.text();
    copies_check check{log};
    for (const auto& each : collectors) {
      const auto dir = each->dir / host.host_id;
      if (!std::filesystem::exists(dir)) continue;
      for (const auto& copy : std::filesystem::directory_iterator{dir}) check.look_at(copy.path());
    }
    return check.finish();
  }

  test_host host;
  std::string certificate = "host-a";
  evidence_source source{host.dir / "log", [this] { return host.log->committed_position(); }};
  noted_forwarding_events events;
  segment_position delivered;
  forwarder_environment environment{source, *this, events, [this](segment_position at) { delivered = at; }};
  std::vector<std::unique_ptr<test_collector>> collectors;
  std::vector<forwarder_actor> forwarders;
};

}  // namespace cellos::test
