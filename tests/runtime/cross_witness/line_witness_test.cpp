#include "runtime/cross_witness/line_witness.hpp"

#include <functional>
#include <new>
#include <sstream>

#include "actors/run_ledger.hpp"
#include "runtime/cross_witness/recomputed_run.hpp"

#define CAF_SUITE line_witness
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

// The daemon compares while it writes; whoever has the log compares once more. They agree, line for line.

namespace {

constexpr wall_time noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 28} + 12h};

const host_stamp_ptr run = std::make_shared<const host_stamp>(host_stamp{"h", "c", "r", "sha256:x"});

probe_reading attempts(std::uint64_t packets, wall_time at) {
  probe_reading reading;
  reading.probe_source = host_probe::nftables;
  reading.inputs = R"({"connectionCounter":"syn","family":"inet","table":"c"})";
  reading.output = R"({"rows":[{"handle":2,"name":"syn","packets":")" + std::to_string(packets) + "\"}]}";
  reading.host_received_at = at;
  return reading;
}

/// A run that is written as the SINK does.
struct written_run {
  explicit written_run(bool resumed = false, const witness_terms& terms = {}) {
    run_opening opening;
    opening.daemon_version = "1.0.0";
    opening.silence_window = 10s;
    opening.witness = std::make_shared<line_witness>(
        cross_witness_settings{}, terms, [this](const recorded_contradiction& each) { heard.push_back(each); });
    if (resumed) opening.recovered.emplace();
    ledger.open(log, now, opening);
  }

  void pass(std::chrono::seconds time) { now += time; }
  void declare(std::size_t connections) {
    auto chunk = std::make_shared<received_chunk>();
    chunk->sequence = ++chunks;
    chunk->received_at = now;
    chunk->received_mono = monotonic_time{now.time_since_epoch()};
    chunk->frames = static_cast<std::uint32_t>(connections);
    batch made;
    made.attribution = run;
    made.chunk = chunk;
    made.declarations.resize(connections);
    for (auto& each : made.declarations) each.source = probe_source::net_connect_attempted;
    ledger.take(log, made);
    ledger.record_found(log, now);
  }
  void read(std::uint64_t value) {
    ledger.reading(log, now, attempts(value, now));
    ledger.record_found(log, now);
  }
  /// So many windows; `counted` and `declared` in each.
  void windows(int count, std::uint64_t counted, std::size_t declared) {
    for (int i = 0; i < count * 3; ++i) {
      if (i % 3 == 1) packets += counted;
      if (i % 3 == 1 && declared > 0) declare(declared);
      read(packets);
      pass(10s);
    }
  }
  std::size_t count(std::string_view type) const {
    std::size_t found = 0;
    for (std::size_t at = log.find(type); at != std::string::npos; at = log.find(type, at + 1)) ++found;
    return found;
  }

  recomputed_run recomputed(const std::function<void(std::string&)>& change = {}) const {
    std::string text = log;
    if (change) change(text);
    recomputed_run again;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) again.take(parse_event_line(line).value());
    return again;
  }

  std::vector<recorded_contradiction> heard;
  run_ledger ledger{run, "h/c/r/1"};
  std::string log;
  wall_time now = noon + 1s;
  std::uint64_t chunks = 0;
  std::uint64_t packets = 100;
};

void check_agreement(const recomputed_run& again, std::size_t found) {
  CAF_CHECK(again.was_compared());
  CAF_CHECK_EQUAL(again.found().size(), found);
  CAF_CHECK_EQUAL(again.recorded().size(), found);
  CAF_CHECK(again.unrecorded().empty());
  CAF_CHECK(again.unfounded().empty());
}

}  // namespace

CAF_TEST(an_honest_cell_contradicts_nothing) {
  written_run honest;
  honest.windows(20, 2, 2);
  CAF_CHECK_EQUAL(honest.count("undeclared_activity"), 0u);
  CAF_CHECK_EQUAL(honest.count("declaration_unwitnessed"), 0u);
  check_agreement(honest.recomputed(), 0);
}

CAF_TEST(a_cell_that_connects_and_does_not_say_so_is_on_record_once_a_window) {
  written_run lies;
  lies.windows(10, 40, 0);
  const auto again = lies.recomputed();
  const std::size_t found = again.found().size();
  CAF_CHECK(found >= 6 && found <= 10);
  CAF_CHECK_EQUAL(lies.count("host.probe.v1.undeclared_activity"), found);
  check_agreement(again, found);
  for (const auto& each : again.found()) CAF_CHECK_EQUAL(each.kind, "undeclared_network");
}

CAF_TEST(a_cell_that_declares_what_nobody_sees_is_on_record_once_a_window) {
  written_run boasts;
  boasts.windows(10, 0, 3);
  const auto again = boasts.recomputed();
  const std::size_t found = again.found().size();
  CAF_CHECK(found >= 6 && found <= 10);
  CAF_CHECK_EQUAL(boasts.count("guest.v1.declaration_unwitnessed"), found);
  check_agreement(again, found);
}

CAF_TEST(a_reading_that_was_changed_changes_what_is_found) {
  written_run lies;
  lies.windows(10, 40, 0);
  const auto again = lies.recomputed([](std::string& text) {
    const std::string was = R"("packets":"340")";
    for (auto at = text.find(was); at != std::string::npos; at = text.find(was)) {
      text.replace(at, was.size(), R"("packets":"300")");
    }
  });
  CAF_CHECK(again.has_beginning());
  CAF_CHECK(!again.unrecorded().empty());
  CAF_CHECK(!again.unfounded().empty());
}

CAF_TEST(what_is_configured_is_on_record_where_the_run_begins_and_counts_for_whoever_recomputes) {
  witness_terms lenient;
  lenient.attempts_threshold = 60;
  written_run excused{false, lenient};
  excused.windows(10, 40, 0);
  CAF_CHECK(excused.log.find(R"("witnessTerms":{"attemptsThreshold":"60"},"witnessWindowNs":)") != std::string::npos);
  check_agreement(excused.recomputed(), 0);

  witness_terms strict;
  strict.attempts_background = 35;
  strict.attempts_threshold = 5;
  written_run caught{false, strict};
  caught.windows(10, 40, 0);
  const auto again = caught.recomputed();
  check_agreement(again, again.found().size());
  CAF_REQUIRE_GREATER(again.found().size(), 6u);
  CAF_CHECK_EQUAL(again.found().front().background, 35u);
  CAF_CHECK_EQUAL(again.found().front().threshold, 5u);
  // Where it goes on, a quarter, rounded up.
  CAF_CHECK_EQUAL(again.found().back().threshold, 2u);
  CAF_CHECK(caught.heard == again.found());
  // With other terms, or none, whoever recomputes comes to something else.
  const auto changed = caught.recomputed([](std::string& text) {
    const std::string was = R"("attemptsBackground":"35")";
    text.replace(text.find(was), was.size(), R"("attemptsBackground":"39")");
  });
  CAF_CHECK(!changed.unfounded().empty());
}

CAF_TEST(terms_that_no_daemon_writes_count_as_none) {
  written_run lies;
  lies.windows(10, 40, 0);
  const auto again = lies.recomputed([](std::string& text) {
    const std::string was = R"("witnessWindowNs")";
    text.replace(text.find(was), was.size(),
                 R"("witnessTerms":{"attemptsThreshold":"0","packetsThreshold":-1,"attemptsBackground":{}},)" + was);
  });
  check_agreement(again, again.found().size());
  CAF_CHECK_GREATER(again.found().size(), 5u);
}

CAF_TEST(what_is_found_last_is_on_record_before_the_run_ends) {
  written_run lies;
  lies.windows(8, 40, 0);
  lies.ledger.reading(lies.log, lies.now, attempts(lies.packets, lies.now));
  lies.ledger.close(lies.log, lies.now + 60s, run_end_reason::retired, 0, 1);
  const auto again = lies.recomputed();
  check_agreement(again, again.found().size());
  CAF_CHECK(lies.log.rfind("undeclared_activity") < lies.log.rfind("run.v1.ended"));
}

CAF_TEST(a_run_that_nobody_compared_says_so) {
  run_ledger ledger{run, "h/c/r/1"};
  std::string log;
  ledger.open(log, noon, {"1.0.0", 10s, {}});
  ledger.reading(log, noon, attempts(1, noon));
  CAF_CHECK(log.find("witnessWindowNs") == std::string::npos);
  recomputed_run again;
  std::istringstream lines{log};
  for (std::string line; std::getline(lines, line);) again.take(parse_event_line(line).value());
  CAF_CHECK(!again.was_compared());
  CAF_CHECK(again.has_beginning());
}

CAF_TEST(who_fails_at_comparing_is_not_asked_again_and_nothing_else_fails) {
  struct failing final : run_witness {
    std::chrono::nanoseconds window() const override { return 30s; }
    found declared(std::uint64_t, wall_time, probe_source, std::uint32_t) override { throw std::bad_alloc{}; }
    found read(std::uint64_t, wall_time, const probe_reading&) override {
      ++*asked;
      throw std::bad_alloc{};
    }
    found silenced(std::uint64_t, wall_time, std::chrono::nanoseconds) override { return {}; }
    found resumed(std::uint64_t, wall_time) override { return {}; }
    found lost(std::uint64_t, wall_time) override { return {}; }
    found restarted(std::uint64_t, wall_time) override { return {}; }
    std::shared_ptr<int> asked = std::make_shared<int>(0);
  };
  const auto witness = std::make_shared<failing>();
  run_ledger ledger{run, "h/c/r/1"};
  std::string log;
  run_opening opening{"1.0.0", 10s, {}};
  opening.witness = witness;
  ledger.open(log, noon, opening);
  ledger.reading(log, noon, attempts(1, noon));
  ledger.reading(log, noon, attempts(2, noon));
  CAF_CHECK_EQUAL(*witness->asked, 1);
  CAF_CHECK_EQUAL(ledger.next_event(), 4u);
}
