#define CAF_SUITE replay
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "caf/test/dsl.hpp"
#include "runtime/probes/cgroup_probe.hpp"
#include "runtime/probes/exec_probe.hpp"
#include "runtime/probes/fc_metrics_probe.hpp"
#include "runtime/probes/nftables_probe.hpp"
#include "runtime/probes/process_probe.hpp"
#include "runtime/probes/tap_link_probe.hpp"
#include "tests/runtime/probes/network_test_namespace.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

using namespace cellos;
using cellos::test::inputs_of;
using cellos::test::output_of;
using cellos::test::turn;
namespace fs = std::filesystem;
using json = nlohmann::json;

// Whoever has a reading's `inputs` and nothing else reads the same `output` of a system that has not moved since. Each
// probe reads something real, a second one is made of what the first one's inputs say, and one more shows that it
// notices what did move.

namespace {

/// Stopped: it counts nothing any more.
class still_process {
 public:
  still_process() : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
    stop();
  }
  still_process(const still_process&) = delete;
  still_process& operator=(const still_process&) = delete;
  ~still_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  void end() const {
    ::kill(pid_, SIGKILL);
    siginfo_t how{};
    // It stays to be seen.
    ::waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOWAIT);
  }

 private:
  void stop() const {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
  }

  pid_t pid_;
};

/// What a path that inputs name is below a root.
std::string below(const std::string& root, const std::string& path) { return path.substr(root.size() + 1); }

std::string namespace_in(const json& inputs) { return inputs.value("networkNamespace", ""); }

probe_result<probe_reading> process_again(const json& inputs) {
  const process_identity identity{inputs.at("pid").get<pid_t>(),
                                  std::stoull(inputs.at("startTicks").get<std::string>())};
  auto found = reopen(identity, inputs.at("identifiedBy") == "pidfd");
  if (!found) return found.error();
  return process_probe{std::move(*found)}.read(turn(2));
}

probe_result<probe_reading> group_again(const std::string& root, const json& inputs) {
  cgroup_place place;
  if (inputs.contains("v2")) place.v2 = below(root, inputs.at("v2"));
  return cgroup_probe{{root, root}, place}.read(turn(2));
}

probe_result<probe_reading> link_again(const json& inputs) {
  const std::string network = namespace_in(inputs);
  return tap_link_probe{links_of(network), network, inputs.at("interface")}.read(turn(2));
}

probe_result<probe_reading> counters_again(const json& inputs) {
  const std::string network = namespace_in(inputs);
  return nftables_probe{counters_of(network), network, {inputs.at("family"), inputs.at("table")}}.read(turn(2));
}

probe_result<probe_reading> metrics_again(const json& inputs) {
  const fs::path path = inputs.at("path").get<std::string>();
  return fc_metrics_probe{{path.parent_path().string(), path.filename().string(), {}}}.read(turn(2));
}

probe_result<probe_reading> program_again(const json& inputs) {
  exec_probe_settings settings;
  settings.program = inputs.at("program");
  settings.arguments = inputs.at("arguments").get<std::vector<std::string>>();
  return exec_probe{settings}.read(turn(2));
}

/// Nothing moves in it unless somebody knocks.
struct quiet_network {
  quiet_network() {
    test::write_file(dir / "rules",
                     "table inet cell1 {\n  counter knocks { }\n  chain in {\n    type filter hook input priority 0; "
                     "policy accept;\n    tcp flags syn / fin,syn,rst,ack counter name knocks\n  }\n}\n");
    // Neighbour discovery comes when it likes.
    const std::string still = "sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6'";
    ready = in && in.run(still) && in.run_at_peer(still);
    if (ready) knock();
  }
  /// Nobody listens there: the answer is a refusal, and both are counted.
  void knock() const { in.run_at_peer("bash -c 'exec 3<>/dev/tcp/10.99.0.1/9' 2>/dev/null"); }
  bool has_rules() const { return in.run("nft -f " + (dir / "rules").string()).has_value(); }

  test::network_test_namespace in;
  test::temporary_directory dir;
  bool ready = false;
};

}  // namespace

CAF_TEST(a process that stands still is read again by its pid and start time) {
  still_process vmm;
  auto found = process_with_pid(vmm.pid());
  CAF_REQUIRE(found);
  process_probe probe{std::move(*found)};
  const auto first = probe.read(turn(1));
  const auto again = process_again(inputs_of(first));
  CAF_REQUIRE(again);
  CAF_CHECK_EQUAL(again->output, first->output);
  CAF_CHECK(output_of(again).at("alive") == true);
  vmm.end();
  const auto ended = probe.read(turn(3));
  const auto ended_again = process_again(inputs_of(ended));
  CAF_REQUIRE(ended_again);
  CAF_CHECK_EQUAL(ended_again->output, ended->output);
  CAF_CHECK(output_of(ended).at("signal") == SIGKILL);
}

CAF_TEST(a control group that stands still is read again by its path) {
  std::string root;
  for (const std::string each : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (::access((each + "/cgroup.controllers").c_str(), F_OK) == 0) root = each;
  }
  const std::string leaf = "cellos-replay-" + std::to_string(::getpid());
  if (root.empty() || ::mkdir((root + "/" + leaf).c_str(), 0755) != 0) {
    CAF_MESSAGE("no control group can be made here");
    return;
  }
  {
    still_process vmm;
    test::write_file(root + "/" + leaf + "/cgroup.procs", std::to_string(vmm.pid()));
    cgroup_probe probe{{root, root}, {leaf, {}, {}, {}}};
    const auto first = probe.read(turn(1));
    const auto again = group_again(root, inputs_of(first));
    CAF_REQUIRE(again);
    CAF_CHECK_EQUAL(again->output, first->output);
    CAF_CHECK(output_of(first).at("v2").at("cgroup.events").at("populated") == "1");
  }
  cgroup_probe probe{{root, root}, {leaf, {}, {}, {}}};
  CAF_CHECK(output_of(probe.read(turn(3))).at("v2").at("cgroup.events").at("populated") == "0");
  ::rmdir((root + "/" + leaf).c_str());
}

CAF_TEST(an interface that is quiet is read again by its name and namespace) {
  const quiet_network network;
  if (!network.ready) {
    CAF_MESSAGE("no network namespace can be made here");
    return;
  }
  const std::string path = network.in.path();
  tap_link_probe probe{links_of(path), path, "cfc-veth"};
  const auto first = probe.read(turn(1));
  const auto again = link_again(inputs_of(first));
  CAF_REQUIRE(again);
  CAF_CHECK_EQUAL(again->output, first->output);
  network.knock();
  CAF_CHECK_NOT_EQUAL(link_again(inputs_of(first))->output, first->output);
}

CAF_TEST(a table that is quiet is read again by its name and namespace) {
  const quiet_network network;
  if (!network.ready || !network.has_rules()) {
    CAF_MESSAGE("no nftables table can be made here");
    return;
  }
  const std::string path = network.in.path();
  network.knock();
  nftables_probe probe{counters_of(path), path, {"inet", "cell1"}};
  const auto first = probe.read(turn(1));
  const auto again = counters_again(inputs_of(first));
  CAF_REQUIRE(again);
  CAF_CHECK_EQUAL(again->output, first->output);
  CAF_CHECK(first->output.find(R"("packets":"1")") != std::string::npos);
  network.knock();
  CAF_CHECK_NOT_EQUAL(counters_again(inputs_of(first))->output, first->output);
}

CAF_TEST(a metrics file is read again up to where it was read) {
  test::temporary_directory jail;
  const std::string document = R"({"utc_timestamp_ms":1,"net":{"rx_packets_count":5}})";
  test::write_file(jail / "metrics", document + "\n");
  fc_metrics_probe probe{{jail.path().string(), "metrics", {}}};
  const auto first = probe.read(turn(1));
  const auto inputs = inputs_of(first);
  const auto again = metrics_again(inputs);
  CAF_REQUIRE(again);
  CAF_CHECK_EQUAL(again->output, first->output);
  CAF_CHECK_EQUAL(test::count_in(inputs, "fromByte"), 0u);
  CAF_CHECK_EQUAL(test::count_in(inputs, "toByte"), document.size() + 1);
  test::add_to_file(jail / "metrics", document + "\n");
  CAF_CHECK_NOT_EQUAL(metrics_again(inputs)->output, first->output);
}

CAF_TEST(a program is run again with its arguments) {
  test::temporary_directory dir;
  test::write_file(dir / "counted", "7");
  exec_probe_settings settings;
  settings.program = "/bin/sh";
  settings.arguments = {"-c", "printf '{\"counted\":%s}' \"$(cat \"$0\")\"", (dir / "counted").string()};
  exec_probe probe{settings};
  const auto first = probe.read(turn(1));
  const auto again = program_again(inputs_of(first));
  CAF_REQUIRE(again);
  CAF_CHECK_EQUAL(again->output, first->output);
  test::write_file(dir / "counted", "8");
  CAF_CHECK(output_of(program_again(inputs_of(first))).at("counted") == 8);
}
