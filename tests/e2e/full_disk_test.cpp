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
#include <thread>
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

/// Their lines are more than twice what is left beside the ballast; what is not logged is more than all buffers hold.
constexpr std::uint64_t frames = 30'000;
constexpr std::size_t ballast_bytes = 88u << 20;
constexpr const char* tmpfs_options = "size=96m,mode=0755";

/// How long the disk stays full: CELLOS_FULL_DISK_SECONDS, or 1.
std::chrono::seconds full_for() {
  const char* wanted = std::getenv("CELLOS_FULL_DISK_SECONDS");
  return std::chrono::seconds{wanted == nullptr ? 1 : std::stoi(wanted)};
}

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

}  // namespace

CAF_TEST(a_full_disk_holds_guests_back_and_loses_nothing) {
  const daemon_settings settings{.cells = {{.id = "c1"}, {.id = "c2"}, {.id = "c3"}}};
  const daemon_home home{settings};
  const small_disk disk{home.evidence_dir()};
  if (!disk.mounted()) {
    CAF_MESSAGE("SKIPPED: only who may mount a tmpfs can fill a disk: " << disk.refusal());
    return;
  }
  disk.load_ballast();
  auto daemon = daemon_process::ready(home);
  std::vector<simulator> guests;
  for (const auto& cell : settings.cells) {
    guests.emplace_back(simulation{.socket = home.socket_of(cell), .frames = frames});
  }
  const std::string blocked = daemon.wait_for_line(" evidence_blocked ");
  CAF_CHECK(blocked.find(std::generic_category().message(ENOSPC)) != std::string::npos);

  // Nobody is hung up on, and nobody gets through.
  CAF_CHECK(!holds_within(full_for(), [&] {
    return !is_running(daemon) ||
           std::any_of(guests.begin(), guests.end(), [](auto& each) { return !is_running(each); });
  }));
  CAF_CHECK_LESS(disk.free_bytes(), 1u << 20);
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " evidence_resumed"), 0u);

  disk.drop_ballast();
  daemon.wait_for_line(" evidence_resumed", 1, 2s);
  std::vector<sent_report> sent;
  for (simulator& guest : guests) sent.push_back(guest.finish());
  CAF_CHECK_EQUAL(daemon.stop(), 0);
  // Each SINK says so once.
  CAF_CHECK_LESS_OR_EQUAL(count_lines(daemon.err(), " evidence_blocked "), std::thread::hardware_concurrency());
  CAF_CHECK_EQUAL(count_lines(daemon.err(), " evidence_resumed"), count_lines(daemon.err(), " evidence_blocked "));

  const run_records runs{home.evidence_dir(), settings.cells};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CAF_CHECK_EQUAL(sent[i].declarations, frames);
    CAF_CHECK_EQUAL(sent[i].connections, 1u);
    CAF_CHECK_EQUAL(joined(differences(runs.of(settings.cells[i].id), sent[i])), "");
  }
  std::size_t told = 0;
  std::chrono::nanoseconds longest{0};
  visit_host_events(home.evidence_dir(), [&](const event& each) {
    if (each.type != event_type::host_evidence_blocked) return;
    ++told;
    const auto data = nlohmann::json::parse(each.line).at("data");
    CAF_CHECK_EQUAL(data.at("cause").get<std::string>(), std::generic_category().message(ENOSPC));
    longest = std::max(longest, std::chrono::nanoseconds{std::stoll(data.at("blockedForNs").get<std::string>())});
  });
  CAF_CHECK_GREATER_OR_EQUAL(told, 1u);
  CAF_CHECK_LESS_OR_EQUAL(told, count_lines(daemon.err(), " evidence_blocked "));
  CAF_CHECK_GREATER_OR_EQUAL(longest.count(), std::chrono::nanoseconds{full_for()}.count());
}
