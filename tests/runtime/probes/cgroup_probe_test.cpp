#include "runtime/probes/cgroup_probe.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE cgroup_probe
#include "caf/test/dsl.hpp"

using namespace cellos;
using cellos::test::count_in;
using cellos::test::outcome;
using cellos::test::output_of;
using cellos::test::turn;
namespace fs = std::filesystem;

namespace {

/// A control group of the kernel's that goes with the object; none where this machine lets us make none.
class real_group {
 public:
  explicit real_group(const std::string& root) : path_(root + "/cellos-test-" + std::to_string(::getpid())) {
    exists_ = ::mkdir(path_.c_str(), 0755) == 0;
  }
  real_group(const real_group&) = delete;
  real_group& operator=(const real_group&) = delete;
  ~real_group() {
    if (exists_) ::rmdir(path_.c_str());
  }
  explicit operator bool() const { return exists_; }
  const std::string& path() const { return path_; }
  std::string name() const { return fs::path{path_}.filename(); }
  void add(pid_t pid) const { test::write_file(path_ + "/cgroup.procs", std::to_string(pid) + "\n"); }

 private:
  std::string path_;
  bool exists_ = false;
};

class sleeping_child {
 public:
  sleeping_child() : pid_(::fork()) {
    while (pid_ == 0) ::pause();
  }
  sleeping_child(const sleeping_child&) = delete;
  sleeping_child& operator=(const sleeping_child&) = delete;
  ~sleeping_child() { end(); }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

/// Where version 2 is mounted, alone or beside version 1.
std::string v2_root() {
  for (std::string root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (::access((root + "/cgroup.procs").c_str(), F_OK) == 0 &&
        ::access((root + "/cgroup.controllers").c_str(), F_OK) == 0) {
      return root;
    }
  }
  return {};
}

/// As the kernel writes it, where all controllers are enabled.
void write_v2_leaf(const fs::path& leaf) {
  fs::create_directories(leaf);
  const std::string pressure =
      "some avg10=0.10 avg60=0.00 avg300=0.00 total=42\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
  test::write_file(leaf / "cgroup.events", "populated 1\nfrozen 0\n");
  test::write_file(leaf / "cpu.stat", "usage_usec 100\nuser_usec 60\nsystem_usec 40\n");
  test::write_file(leaf / "cpu.pressure", pressure);
  test::write_file(leaf / "memory.current", "4096\n");
  test::write_file(leaf / "memory.events", "low 0\nhigh 0\nmax 2\noom 1\noom_kill 1\noom_group_kill 0\n");
  test::write_file(leaf / "pids.current", "3\n");
  test::write_file(leaf / "pids.events", "max 5\n");
}

}  // namespace

CAF_TEST(a_leaf_with_all_controllers_is_reported_whole) {
  // A faithful tree: this kernel's version 2 may have neither memory nor pids.
  test::temporary_directory root;
  write_v2_leaf(root / "cellos/cell-1");
  cgroup_probe probe{{root.path().string(), root.path().string()}, {"cellos/cell-1", {}, {}, {}}};
  const auto reading = probe.read(turn(1));
  const auto leaf = output_of(reading).at("v2");
  CAF_CHECK_EQUAL(count_in(leaf.at("memory.events"), "oom_kill"), 1u);
  CAF_CHECK_EQUAL(count_in(leaf.at("pids.events"), "max"), 5u);
  CAF_CHECK_EQUAL(count_in(leaf.at("cgroup.events"), "populated"), 1u);
  CAF_CHECK_EQUAL(count_in(leaf.at("cpu.stat"), "usage_usec"), 100u);
  CAF_CHECK_EQUAL(count_in(leaf, "memory.current"), 4096u);
  CAF_CHECK_EQUAL(count_in(leaf.at("cpu.pressure").at("some"), "totalUs"), 42u);
  CAF_CHECK(leaf.at("cpu.pressure").at("some").at("avg10") == "0.10");
  CAF_CHECK(!leaf.contains("io.pressure"));
  CAF_CHECK(test::is_canonical(reading->output));
  CAF_CHECK(test::inputs_of(reading).at("v2") == root.path().string() + "/cellos/cell-1");
}

CAF_TEST(a_quiescent_group_reads_the_same_twice) {
  test::temporary_directory root;
  write_v2_leaf(root / "cell");
  cgroup_probe probe{{root.path().string(), {}}, {"cell", {}, {}, {}}};
  cgroup_probe again{{root.path().string(), {}}, {"cell", {}, {}, {}}};
  const auto first = probe.read(turn(1));
  const auto second = again.read(turn(9));
  CAF_REQUIRE(first && second);
  CAF_CHECK(*first == *second);
}

CAF_TEST(a_group_that_is_gone_is_an_error_and_comes_back_by_itself) {
  test::temporary_directory root;
  cgroup_probe probe{{root.path().string(), {}}, {"cell", {}, {}, {}}};
  CAF_CHECK_EQUAL(outcome(probe.read(turn(1))), "io");
  write_v2_leaf(root / "cell");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(2))), "a reading");
  fs::remove_all(root / "cell");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(3))), "io");
  fs::create_directory(root / "cell");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(4))), "malformed_source");
}

CAF_TEST(a_group_that_somebody_named_is_read_in_each_hierarchy_that_has_it) {
  test::temporary_directory root;
  named_cgroup_probe probe{{root.path().string() + "/unified", root.path().string()}, "/fc/cell-1"};
  const auto nowhere = probe.read(turn(1));
  CAF_CHECK_EQUAL(outcome(nowhere), "io");
  CAF_CHECK(nowhere.error().words.find("\"fc/cell-1\" is in no hierarchy beneath") != std::string::npos);
  write_v2_leaf(root / "unified/fc/cell-1");
  const auto one = output_of(probe.read(turn(2)));
  CAF_CHECK(one.contains("v2") && one.size() == 1);
  fs::create_directories(root / "memory/fc/cell-1");
  test::write_file(root / "memory/fc/cell-1/memory.failcnt", "7\n");
  const auto two = probe.read(turn(3));
  CAF_CHECK_EQUAL(count_in(output_of(two).at("memory"), "memory.failcnt"), 7u);
  CAF_CHECK(output_of(two).contains("v2"));
  CAF_CHECK(test::inputs_of(two).at("memory") == root.path().string() + "/memory/fc/cell-1");
  fs::remove_all(root / "unified/fc");
  fs::remove_all(root / "memory/fc");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(4))), "io");
}

CAF_TEST(a_file_that_is_none_of_the_kernels_is_an_error) {
  test::temporary_directory root;
  write_v2_leaf(root / "cell");
  cgroup_probe probe{{root.path().string(), {}}, {"cell", {}, {}, {}}};
  test::write_file(root / "cell/memory.events", "half a li");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(1))), "malformed_source");
  test::write_file(root / "cell/memory.events", std::string(std::size_t{1} << 20, '0'));
  CAF_CHECK_EQUAL(outcome(probe.read(turn(2))), "malformed_source");
  fs::remove(root / "cell/memory.events");
  fs::create_symlink("/proc/self/status", root / "cell/memory.events");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(3))), "malformed_source");
  fs::remove(root / "cell/memory.events");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(4))), "a reading");
}

CAF_TEST(a_real_leaf_of_version_2_is_as_the_kernel_says) {
  const std::string root = v2_root();
  const real_group group{root};
  if (root.empty() || !group) {
    CAF_MESSAGE("no control group of version 2 can be made here");
    return;
  }
  sleeping_child vmm;
  group.add(vmm.pid());
  auto process = process_with_pid(vmm.pid());
  CAF_REQUIRE(process);
  const auto place = place_of(*process);
  CAF_REQUIRE(place);
  CAF_CHECK(place->v2 == group.name());
  cgroup_probe probe{{root, "/sys/fs/cgroup"}, {place->v2, {}, {}, {}}};
  const auto leaf = output_of(probe.read(turn(1))).at("v2");
  CAF_CHECK_EQUAL(count_in(leaf.at("cgroup.events"), "populated"), 1u);
  CAF_CHECK(leaf.at("cpu.stat").contains("usage_usec"));
  const std::string pressure = test::content_of(group.path() + "/cpu.pressure");
  CAF_CHECK_EQUAL(leaf.contains("cpu.pressure"), !pressure.empty());
  vmm.end();
  CAF_CHECK_EQUAL(count_in(output_of(probe.read(turn(2))).at("v2").at("cgroup.events"), "populated"), 0u);
}

CAF_TEST(real_leaves_of_version_1_are_as_the_kernel_says) {
  const real_group memory{"/sys/fs/cgroup/memory"};
  const real_group pids{"/sys/fs/cgroup/pids"};
  const real_group cpu{"/sys/fs/cgroup/cpuacct"};
  if (!memory || !pids || !cpu) {
    CAF_MESSAGE("no control groups of version 1 can be made here");
    return;
  }
  sleeping_child vmm;
  for (const real_group* each : {&memory, &pids, &cpu}) each->add(vmm.pid());
  auto process = process_with_pid(vmm.pid());
  CAF_REQUIRE(process);
  const auto place = place_of(*process);
  CAF_REQUIRE(place);
  CAF_CHECK(place->v1_memory == memory.name());
  cgroup_probe probe{{}, *place};
  const auto output = output_of(probe.read(turn(1)));
  CAF_CHECK_EQUAL(count_in(output.at("pids"), "pids.current"), 1u);
  CAF_CHECK_EQUAL(count_in(output.at("memory").at("memory.oom_control"), "under_oom"), 0u);
  CAF_CHECK(output.at("cpuacct").contains("cpuacct.usage"));
  vmm.end();
  CAF_CHECK_EQUAL(count_in(output_of(probe.read(turn(2))).at("pids"), "pids.current"), 0u);
}

CAF_TEST(a_process_in_no_group_of_its_own_has_no_place) {
  const auto root = parse_cgroup_membership("4:memory:/\n0::/\n");
  CAF_REQUIRE(root);
  CAF_CHECK(place_of(*root) == cgroup_place{});
}
