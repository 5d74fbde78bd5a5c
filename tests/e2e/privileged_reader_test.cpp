// The real reader process, as its daemon uses it.
#include "runtime/probes/privileged_reader.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/probes/link_source.hpp"
#include "runtime/probes/nft_source.hpp"
#include "runtime/probes/process_files.hpp"
#include "runtime/probes/reader_process.hpp"
#include "tests/runtime/probes/network_test_namespace.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_status.hpp"
#include "tests/support/reader_fixture.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE privileged_reader
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// None where this process has nothing to give to one.
std::shared_ptr<privileged_reader> start_reader() {
  if (may_have_reader()) return started_reader();
  CAF_MESSAGE("skipped: it needs the capabilities of root");
  return nullptr;
}

/// The half that keeps the capabilities: the newest child of ours that is one.
pid_t keeper() {
  pid_t found = 0;
  for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream children{task.path() / "children"};
    for (pid_t each = 0; children >> each;) {
      if (status_of(each, "Name") == "cellos-reads") found = each;
    }
  }
  if (found == 0) throw std::runtime_error{"there is no reader"};
  return found;
}

/// The half that answers.
pid_t answerer() {
  std::vector<pid_t> found;
  if (!holds_within(test_timeout, [&] { return (found = children_of(keeper())).size() == 1; })) {
    throw std::runtime_error{"nobody answers"};
  }
  return found.front();
}

void stop(pid_t pid) {
  ::kill(pid, SIGSTOP);
  if (!holds_within(test_timeout, [&] { return status_of(pid, "State").starts_with("T"); })) {
    throw std::runtime_error{"cannot be stopped"};
  }
}

std::string own_links(const std::shared_ptr<privileged_reader>& by, std::chrono::nanoseconds time = 10s) {
  return outcome(read_links("", in(time), by));
}

}  // namespace

CAF_TEST(what_it_lists_is_what_is_listed_without_it) {
  const auto reader = start_reader();
  const network_test_namespace network;
  if (!reader || !network) {
    CAF_MESSAGE("skipped: no network namespace can be made here");
    return;
  }
  const temporary_directory dir;
  write_file(dir / "rules", R"(table inet cell1 {
  counter syn { }
  chain in {
    type filter hook input priority 0; policy accept;
    tcp dport 9 counter name syn
    counter comment "all"
  }
}
)");
  CAF_REQUIRE(network.run("nft -f " + (dir / "rules").string()));
  // Counters of links move on their own.
  CAF_CHECK(holds_within(test_timeout, [&] {
    const auto ours = read_links(network.path(), in(10s));
    const auto its = read_links(network.path(), in(10s), reader);
    return ours && its && ours->contains("cfc-tap") && *ours == *its;
  }));
  const auto its = read_nft_ruleset(network.path(), in(10s), reader);
  CAF_REQUIRE(its);
  CAF_CHECK_EQUAL(its->at({"inet", "cell1"}).size(), 2u);
  CAF_CHECK(holds_within(test_timeout, [&] {
    const auto here = read_nft_ruleset(network.path(), in(10s));
    const auto there = read_nft_ruleset(network.path(), in(10s), reader);
    return here && there && *here == *there;
  }));
  // It is back where it was, and keeps no namespace.
  const auto own = read_links("", in(10s), reader);
  CAF_REQUIRE(own);
  CAF_CHECK(!own->contains("cfc-tap"));
}

CAF_TEST(a_path_that_is_no_network_namespace_is_refused) {
  const auto reader = start_reader();
  if (!reader) return;
  const temporary_directory dir;
  const std::string fifo = dir / "fifo";
  ::mkfifo(fifo.c_str(), 0600);
  write_file(dir / "file", "x");
  std::filesystem::create_symlink("/etc/shadow", dir / "link");
  const auto said = [&](const std::string& path) { return outcome(read_links(path, in(10s), reader)); };
  CAF_CHECK_EQUAL(said(fifo), "malformed_source");
  CAF_CHECK_EQUAL(said(dir / "file"), "malformed_source");
  CAF_CHECK_EQUAL(said(dir / "link"), "malformed_source");
  CAF_CHECK_EQUAL(said("/dev/null"), "malformed_source");
  CAF_CHECK_EQUAL(said("/proc/self"), "malformed_source");
  CAF_CHECK_EQUAL(said("proc/self/ns/net"), "malformed_source");
  CAF_CHECK_EQUAL(said(std::string(PATH_MAX, '/')), "malformed_source");
  CAF_CHECK_EQUAL(said(dir / "absent"), "io");
  // A namespace of another kind.
  CAF_CHECK_EQUAL(said("/proc/self/ns/mnt"), "io");
  CAF_CHECK_EQUAL(said("/proc/self/ns/net"), "a reading");
}

CAF_TEST(how_a_process_ended_is_said_of_those_that_have) {
  const auto reader = start_reader();
  if (!reader) return;
  const auto said = [&](const char* path) {
    const file_descriptor directory{::open(path, O_PATH | O_CLOEXEC)};
    return outcome(reader->stat_of_ended(directory.get(), in(10s)));
  };
  const ended_child child{3};
  const auto text = reader->stat_of_ended(child.directory(), in(10s));
  CAF_REQUIRE(text);
  const auto stat = parse_process_stat(*text);
  CAF_REQUIRE(stat);
  CAF_CHECK_EQUAL(stat->exit_status, 3u << 8);
  // Of who lives it would say where its stack is.
  CAF_CHECK_EQUAL(said("/proc/self"), "malformed_source");
  CAF_CHECK_EQUAL(said("/proc"), "malformed_source");
  CAF_CHECK_EQUAL(said("/proc/self/stat"), "io");
  CAF_CHECK_EQUAL(said("/etc"), "malformed_source");
  CAF_CHECK_EQUAL(said("/dev/null"), "malformed_source");
  // What only looks like one.
  const temporary_directory dir;
  write_file(dir / "stat", "1 (x) Z 0 0");
  CAF_CHECK_EQUAL(said((dir / "").c_str()), "malformed_source");
}

CAF_TEST(one_that_is_killed_while_it_is_asked_is_asked_again) {
  const auto reader = start_reader();
  if (!reader) return;
  const pid_t first = answerer();
  stop(first);
  std::string said;
  std::thread asker{[&] { said = own_links(reader); }};
  // It has the question.
  holds_within(200ms, [] { return false; });
  ::kill(first, SIGKILL);
  asker.join();
  CAF_CHECK_EQUAL(said, "a reading");
  CAF_CHECK(answerer() != first);
}

CAF_TEST(one_that_hangs_is_timed_out_and_recovers_by_itself_and_either_is_reported_once) {
  const auto reader = start_reader();
  if (!reader) return;
  std::atomic<int> failed = 0;
  std::atomic<int> there = 0;
  reader->report_to([&](const std::optional<std::string>& failing) { ++(failing ? failed : there); });
  CAF_CHECK_EQUAL(there, 1);
  const pid_t first = answerer();
  stop(first);
  CAF_CHECK_EQUAL(own_links(reader, 200ms), "timed_out");
  CAF_CHECK(holds_within(test_timeout, [&] { return own_links(reader, 200ms) == "a reading"; }));
  CAF_CHECK(!is_running(first));
  CAF_CHECK_EQUAL(failed, 1);
  CAF_CHECK_EQUAL(there, 2);
  // As well where its other half hangs too, for a while.
  const pid_t other_half = keeper();
  stop(other_half);
  stop(answerer());
  CAF_CHECK_EQUAL(own_links(reader, 200ms), "timed_out");
  ::kill(other_half, SIGCONT);
  CAF_CHECK(holds_within(test_timeout, [&] { return own_links(reader, 200ms) == "a reading"; }));
  CAF_CHECK_EQUAL(failed, 2);
  CAF_CHECK_EQUAL(there, 3);
}

CAF_TEST(one_that_is_busy_is_not_killed_for_a_deadline_that_is_over) {
  const auto reader = start_reader();
  if (!reader) return;
  const pid_t first = answerer();
  for (int i = 0; i < 20; ++i) {
    const std::string said = own_links(reader, 0ms);
    CAF_CHECK(said == "timed_out" || said == "a reading");
  }
  CAF_CHECK_EQUAL(own_links(reader), "a reading");
  CAF_CHECK_EQUAL(answerer(), first);
}

CAF_TEST(many_threads_ask_and_each_gets_its_own_answer) {
  const auto reader = start_reader();
  if (!reader) return;
  const ended_child child{5};
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 200; ++n) {
        if (i % 2 == 0) {
          const auto links = read_links("", in(10s), reader);
          if (!links || !links->contains("lo")) ++wrong;
        } else {
          const auto text = reader->stat_of_ended(child.directory(), in(10s));
          if (!text || !parse_process_stat(*text)) ++wrong;
        }
      }
    });
  }
  for (auto& each : threads) each.join();
  CAF_CHECK_EQUAL(wrong, 0);
}

CAF_TEST(where_both_halves_are_gone_nobody_has_the_capabilities_any_more) {
  const auto reader = start_reader();
  if (!reader) return;
  std::atomic<int> failed = 0;
  reader->report_to([&](const std::optional<std::string>& failing) { failed += failing ? 1 : 0; });
  const pid_t worker = answerer();
  ::kill(keeper(), SIGKILL);
  CAF_CHECK(holds_within(test_timeout, [&] { return !is_running(worker); }));
  for (int i = 0; i < 3; ++i) {
    const auto links = read_links("", in(10s), reader);
    CAF_REQUIRE(!links);
    CAF_CHECK(links.error().kind == probe_error_kind::permission_denied);
    CAF_CHECK(links.error().words.find("restart the daemon") != std::string::npos);
  }
  CAF_CHECK_EQUAL(failed, 1);
}

CAF_TEST(run_by_hand_it_says_what_it_is_for) {
  process by_hand{{program_path("cellos-telemetryd"), {reader_argument}}};
  CAF_CHECK_EQUAL(by_hand.wait(), 2);
  CAF_CHECK(by_hand.err().find("for the daemon itself") != std::string::npos);
}
