#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/segments/segment_name.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/simulator.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE retention_on_record
#include "caf/test/dsl.hpp"

// ctest: TIMEOUT 240

using namespace cellos;
using namespace cellos::test;

namespace {

namespace fs = std::filesystem;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct fixture {
  daemon_settings settings{.cells = {{.id = "quiet"}, {.id = "busy"}},
                           .evidence = "segment_bytes = '16KiB'\nmax_bytes = '128KiB'\ncell_share = 'off'\n"};
  daemon_home home;

  void sign(const std::string& mode) {
    process keygen{{program_path("cellos-telemetryctl"), {"keygen", "--kid", "k", "--out", home / "k"}}};
    CAF_REQUIRE_EQUAL(keygen.wait(), 0);
    settings.tables += "[signing]\nalg = 'ed25519'\nkid = 'k'\nkey_file = '" + (home / "k").native() + "'\nmode = '" +
                       mode + "'\ncheckpoint_interval = '50ms'\n";
  }

  fs::path segment(std::uint64_t number) const { return home.evidence_dir() / segment_file_name(number); }
  std::uint64_t first_segment() const {
    std::error_code failure;
    const auto all = list_segments(home.evidence_dir(), failure);
    return all.empty() ? 0 : all.front().segment;
  }
  std::uint64_t bytes_on_disk() const {
    std::error_code failure;
    std::uint64_t sum = 0;
    for (const auto& each : list_segments(home.evidence_dir(), failure)) sum += each.bytes;
    return sum;
  }
  /// Until so many segments were removed.
  void write_until_removed(raw_guest& guest, std::uint64_t segments) const {
    const std::uint64_t wanted = first_segment() + segments;
    CAF_REQUIRE(holds_within(test_timeout, [&] {
      guest.write_frames(20);
      return first_segment() >= wanted;
    }));
  }
  /// The oldest segment goes while the daemon is down.
  void check_taken_segment(bool noted) const {
    {
      auto daemon = daemon_process::ready(home);
      raw_guest busy{home.socket_of("busy")};
      write_until_removed(busy, 2);
      busy.close();
      CAF_CHECK_EQUAL(daemon.stop(), 0);
    }
    const std::uint64_t taken = first_segment();
    fs::remove(segment(taken));
    if (!noted) fs::remove(home.evidence_dir() / "retention.state");
    auto daemon = daemon_process::ready(home);
    const std::string said = daemon.wait_for_line("segments_missing");
    // The journal, which is begun anew less often, may think that more is missing.
    if (noted) CAF_CHECK(has(said, "first_segment=" + std::to_string(taken) + " "));
    CAF_CHECK(has(said, "last_segment=" + std::to_string(taken)));
    CAF_CHECK_EQUAL(daemon.stop(), 0);
    CAF_CHECK_EQUAL(host_events("host.v1.segments_missing"), 1u);
  }
  std::size_t host_events(std::string_view type) const {
    std::size_t count = 0;
    visit_host_events(home.evidence_dir(), [&](const event& each) { count += each.type == type ? 1 : 0; });
    return count;
  }
};

process follow(const fixture& of) {
  return process{{program_path("cellos-telemetryctl"),
                  {"tail", "--follow", "--json", "--evidence", of.home.evidence_dir().native()}}};
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(retention_on_record_tests, fixture)

CAF_TEST(a_run_of_which_nothing_is_left_goes_on_after_a_crash) {
  for (const std::string mode : {"", "checkpoint", "event"}) {
    CAF_MESSAGE("mode " << mode);
    fixture one;
    if (!mode.empty()) one.sign(mode);
    one.home.configure(one.settings);
    {
      auto daemon = daemon_process::ready(one.home);
      raw_guest quiet{one.home.socket_of("quiet")};
      quiet.write_frames(1);
      CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(one.home.evidence_dir(), "cell:quiet") >= 2; }));
      raw_guest busy{one.home.socket_of("busy")};
      one.write_until_removed(busy, 3);
      CAF_REQUIRE(holds_within(test_timeout, [&] {
        return count_in_log(one.home.evidence_dir(), "host.v1.evidence_removed") > 0 &&
               count_in_log(one.home.evidence_dir(), "cell:quiet") == 0;
      }));
      daemon.send(SIGKILL);
      daemon.wait();
    }
    auto daemon = daemon_process::ready(one.home);
    CAF_CHECK_EQUAL(daemon.stop(), 0);
    const auto all = read_events(one.home.evidence_dir());
    const auto gaps = events_of(all, "quiet", "guest.v1.telemetry_dropped");
    CAF_REQUIRE_EQUAL(gaps.size(), 1u);
    CAF_CHECK_EQUAL(gaps[0].reason, "daemon_restart");
    // Behind what was removed: the run began, declared, and may have had a checkpoint.
    CAF_CHECK(gaps[0].sequence == 3u || (mode == "checkpoint" && gaps[0].sequence == 4u));
    CAF_CHECK_EQUAL(events_of(all, "quiet", "run.v1.started").size(), 0u);
    CAF_CHECK_EQUAL(events_of(all, "quiet", "run.v1.resumed").size(), 1u);
    CAF_CHECK_EQUAL(one.host_events("host.v1.segments_missing"), 0u);
    if (mode.empty()) continue;
    // What retention took is accounted for.
    process verify{
        {program_path("cellos-telemetryctl"),
         {"verify", "--finished", "--keys", (one.home / "k.pub.json").native(), one.home.evidence_dir().native()}}};
    if (verify.wait() != 0) CAF_ERROR(verify.out() << verify.err());
  }
}

CAF_TEST(segments_that_somebody_else_removed_are_on_record) {
  home.configure(settings);
  // With what retention noted, and without.
  for (const bool noted : {true, false}) {
    check_taken_segment(noted);
    fs::remove_all(home.evidence_dir());
  }
}

CAF_TEST(a_burst_larger_than_the_log_is_appended_in_pieces_and_blocks_nothing) {
  settings.evidence = "segment_bytes = '16KiB'\nmax_bytes = '64KiB'\ncell_share = 'off'\n";
  settings.tables = "[control]\nsocket = '" + home.control_socket() + "'\n";
  home.configure(settings);
  auto daemon = daemon_process::ready(home);
  // Far more than 64 KiB of lines come out of each read of it.
  const sent_report sent = simulate({.socket = home.socket_of("busy"), .frames = 4'000, .scenario = "burst"});
  raw_guest quiet{home.socket_of("quiet")};
  quiet.write_frames(1);
  CAF_CHECK(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "cell:quiet\"") > 0; }));
  CAF_CHECK(bytes_on_disk() <= 64u * 1024);
  quiet.close();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  // The run's own account of it, in its last event.
  const auto ended = events_of(read_events(home.evidence_dir()), "busy", "run.v1.ended");
  CAF_REQUIRE_EQUAL(ended.size(), 1u);
  CAF_CHECK(has(ended[0].line, "\"appended\":\"" + std::to_string(sent.declarations) + "\""));
  CAF_CHECK(has(ended[0].line, "\"received\":\"" + std::to_string(sent.frames) + "\""));
}

CAF_TEST(a_follower_that_was_stopped_says_what_it_missed) {
  home.configure(settings);
  auto daemon = daemon_process::ready(home);
  raw_guest busy{home.socket_of("busy")};
  busy.write_frames(5);
  process tail = follow(*this);
  CAF_REQUIRE(holds_within(test_timeout, [&] { return count_lines(tail.out(), "guestMonotonicNs") == 5; }));
  tail.freeze();
  write_until_removed(busy, 4);
  tail.thaw();
  const std::string said = tail.wait_for_line("were removed before they were read");
  CAF_CHECK(has(said, "segments 2 to "));
  busy.close();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  // From there on it has everything.
  CAF_CHECK(holds_within(test_timeout, [&] { return has(tail.out(), "host.v1.stopped"); }));
}

CAF_TEST(a_follower_that_was_stopped_misses_nothing_that_is_still_there) {
  settings.evidence = "segment_bytes = '16KiB'\n";
  home.configure(settings);
  auto daemon = daemon_process::ready(home);
  raw_guest busy{home.socket_of("busy")};
  busy.write_frames(5);
  process tail = follow(*this);
  CAF_REQUIRE(holds_within(test_timeout, [&] { return count_lines(tail.out(), "guestMonotonicNs") == 5; }));
  tail.freeze();
  busy.write_frames(500);
  CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "guestMonotonicNs") == 505; }));
  tail.thaw();
  CAF_CHECK(holds_within(test_timeout, [&] { return count_lines(tail.out(), "guestMonotonicNs") == 505; }));
  CAF_CHECK_EQUAL(tail.err(), "");
}

CAF_TEST(files_that_are_no_segments_are_named_once_and_blind_nobody) {
  settings.evidence = "segment_bytes = '16KiB'\n";
  settings.tables = "[control]\nsocket = '" + home.control_socket() + "'\n";
  home.configure(settings);
  fs::create_directories(home.evidence_dir());
  std::ofstream{home.evidence_dir() / "export.jsonl"} << R"({"specversion":"1.0"})" << '\n';
  std::ofstream{home.evidence_dir() / "zz.jsonl"};
  auto daemon = daemon_process::ready(home);
  CAF_CHECK(has(daemon.wait_for_line("foreign_files"), "export.jsonl, zz.jsonl"));
  process tail = follow(*this);
  process stream{{program_path("cellos-telemetryctl"), {"tail", "--json", "--socket", home.control_socket()}}};
  CAF_CHECK(has(tail.wait_for_line("export.jsonl"), "no segment of the log"));
  raw_guest busy{home.socket_of("busy")};
  // The stream has begun when it shows something.
  CAF_REQUIRE(holds_within(test_timeout, [&] {
    busy.write_frames(1);
    return has(stream.out(), "guestMonotonicNs");
  }));
  busy.write_frames(500);
  const auto last = [&](const process& reader) { return count_lines(reader.out(), "guestMonotonicNs") > 500; };
  CAF_CHECK(holds_within(test_timeout, [&] { return last(tail) && last(stream); }));
  busy.close();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), "foreign_files"), 1u);
  CAF_CHECK_EQUAL(fs::file_size(home.evidence_dir() / "export.jsonl"), 22u);
}

CAF_TEST(a_live_segment_that_is_moved_away_is_reported_and_the_log_goes_on) {
  settings.evidence = "";
  home.configure(settings);
  auto daemon = daemon_process::ready(home);
  raw_guest busy{home.socket_of("busy")};
  busy.write_frames(5);
  CAF_REQUIRE(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "guestMonotonicNs") == 5; }));
  fs::rename(segment(1), home / "away.jsonl");
  // Nobody appends, and it is noticed all the same.
  CAF_CHECK(has(daemon.wait_for_line("evidence_disturbed"), segment_file_name(1)));
  CAF_CHECK(holds_within(test_timeout, [&] { return fs::exists(segment(2)); }));
  busy.write_frames(5);
  CAF_CHECK(holds_within(test_timeout, [&] { return count_in_log(home.evidence_dir(), "guestMonotonicNs") == 5; }));
  busy.close();
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(host_events("host.v1.segments_missing"), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
