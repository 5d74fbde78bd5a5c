// CELLOS_FULL_DISK_SECONDS: how long the disk stays full, 1 unless given.

#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/host_event.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE full_disk
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Of each guest. Their lines are more than twice what is left beside the ballast; what is not logged is more than all
/// buffers hold.
constexpr std::uint64_t frames = 30'000;
constexpr std::size_t ballast_bytes = 120u << 20;
constexpr const char* tmpfs_options = "size=128m,mode=0755";

/// A small disk mounted at `path`, until the object goes.
class small_disk {
 public:
  explicit small_disk(fs::path path) : path_(std::move(path)) {
    fs::create_directory(path_);
    mounted_ = ::mount("cellos-test", path_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, tmpfs_options) == 0;
    if (!mounted_) refusal_ = std::generic_category().message(errno);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    // Lazily: no failed test leaves it behind.
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  bool mounted() const { return mounted_; }
  const std::string& refusal() const { return refusal_; }

  void load_ballast() const {
    std::ofstream file{ballast(), std::ios::binary};
    file << std::string(ballast_bytes, 'b');
    CAF_REQUIRE(file.flush().good());
  }
  void drop_ballast() const { CAF_REQUIRE(fs::remove(ballast())); }
  std::uint64_t free_bytes() const { return fs::space(path_).available; }

 private:
  fs::path ballast() const { return path_ / "ballast"; }

  fs::path path_;
  bool mounted_ = false;
  std::string refusal_;
};

/// Leaves the child to whoever waits for it.
bool is_running(const process& child) {
  siginfo_t end{};
  const int failed = ::waitid(P_PID, static_cast<id_t>(child.pid()), &end, WEXITED | WNOHANG | WNOWAIT);
  return failed == 0 && end.si_pid == 0;
}

/// CELLOS_FULL_DISK_SECONDS.
std::chrono::seconds blocked_time() {
  const char* const given = std::getenv("CELLOS_FULL_DISK_SECONDS");
  return std::chrono::seconds{given == nullptr ? 1 : std::stoll(given)};
}

/// The host's own chain says that the log took nothing, for how long and why.
void check_record(const daemon_home& home, std::size_t sinks_blocked) {
  std::size_t reported = 0;
  std::chrono::nanoseconds longest{0};
  visit_host_events(home.evidence_dir(), [&](const event& each) {
    if (each.type != name_of(event_type::host_evidence_blocked)) return;
    ++reported;
    const auto data = nlohmann::json::parse(each.line).at("data");
    CAF_CHECK_EQUAL(data.at("cause").get<std::string>(), std::generic_category().message(ENOSPC));
    longest = std::max(longest, std::chrono::nanoseconds{std::stoll(data.at("blockedForNs").get<std::string>())});
  });
  CAF_CHECK_GREATER_OR_EQUAL(reported, 1u);
  CAF_CHECK_LESS_OR_EQUAL(reported, sinks_blocked);
  CAF_CHECK_GREATER_OR_EQUAL(longest.count(), std::chrono::nanoseconds{blocked_time()}.count());
}

/// Fills the disk under guests of all cells, leaves it full, makes room again, and reads the log.
void fill_and_free(const daemon_settings& settings) {
  const daemon_home home{settings};
  const small_disk disk{home.evidence_dir()};
  if (!disk.mounted()) {
    CAF_MESSAGE("SKIPPED: only who may mount a tmpfs can fill a disk: " << disk.refusal());
    return;
  }
  disk.load_ballast();
  auto daemon = daemon_process::ready(home);
  std::vector<simulator> guests;
  guests.reserve(settings.cells.size());
  for (const cell_settings& cell : settings.cells) {
    guests.emplace_back(simulation{.socket = home.socket_of(cell), .frames = frames});
  }
  const std::string blocked = daemon.wait_for_line(" evidence_blocked ");
  CAF_CHECK(blocked.find(std::generic_category().message(ENOSPC)) != std::string::npos);

  const auto all_run = [&] { return is_running(daemon) && std::all_of(guests.begin(), guests.end(), is_running); };
  CAF_CHECK(!holds_within(blocked_time(), [&] { return !all_run(); }));
  CAF_CHECK_LESS(disk.free_bytes(), 1u << 20);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " evidence_resumed"), 0u);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " agent_silenced"), 0u);

  disk.drop_ballast();
  const std::size_t sinks_blocked = count_lines(daemon.err(), " evidence_blocked ");
  CAF_CHECK_GREATER_OR_EQUAL(sinks_blocked, 1u);
  daemon.wait_for_line(" evidence_resumed", sinks_blocked, 2s);
  std::vector<sent_report> sent;
  for (simulator& guest : guests) {
    CAF_CHECK_EQUAL(guest.wait(), 0);
    sent.push_back(guest.report());
  }
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " evidence_blocked "), sinks_blocked);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " evidence_resumed"), sinks_blocked);

  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CAF_CHECK_EQUAL(sent[i].declarations, frames);
    CAF_CHECK_EQUAL(sent[i].connections, 1u);
    CAF_CHECK_EQUAL(joined(differences(runs.of(settings.cells[i].id), sent[i])), "");
  }
  check_record(home, sinks_blocked);
}

}  // namespace

CAF_TEST(a_full_disk_holds_the_guest_back_and_loses_nothing) {
  fill_and_free({.cells = {{.id = "c1"}}, .evidence = "fsync = 'never'\n"});
}

CAF_TEST(a_full_disk_holds_every_guest_back_and_loses_nothing_of_what_is_committed_in_groups) {
  // Silence would be reported at once, were it checked while the log takes nothing.
  fill_and_free({.cells = {{.id = "c1", .keepalive_window = "900ms"},
                           {.id = "c2", .keepalive_window = "900ms"},
                           {.id = "c3", .keepalive_window = "900ms"},
                           {.id = "c4", .keepalive_window = "900ms"}},
                 .evidence = "fsync = '100ms'\n"});
}
