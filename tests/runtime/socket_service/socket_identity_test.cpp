#define CAF_SUITE socket_identity
#include <spdlog/logger.h>

#include <barrier>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "caf/test/dsl.hpp"
#include "runtime/os/unix_listener.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace cellos;
namespace fs = std::filesystem;

namespace {

struct fixture {
  test::temporary_directory home;
  operator_events events{std::make_shared<spdlog::logger>("test", std::make_shared<soak::event_counter>()),
                         log_format::text};
  socket_service service{{}, events};

  fixture() {
    fs::create_directories(home / "a/b");
    fs::create_directory_symlink(home / "a", home / "link");
  }

  static cell_specification cell(const std::string& id, const std::string& base) {
    cell_specification made;
    made.cell_id = id;
    made.vsock_uds_base = base;
    return made;
  }
  /// Of `<home>/a/v`.
  std::vector<std::string> spellings() const {
    const std::string top = home.path();
    return {top + "/a/v", top + "/a//v", top + "/a/b/../v", top + "/./a/v", top + "/link/v", top + "/link/b/../v"};
  }
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

CAF_TEST_FIXTURE_SCOPE(socket_identity_tests, fixture)

CAF_TEST(of all who want one path by different names at once one has it) {
  const std::vector<std::string> bases = spellings();
  constexpr int rounds = 100;
  for (int round = 0; round < rounds; ++round) {
    std::vector<telemetry_sockets::binding> bound(bases.size());
    std::barrier start{static_cast<std::ptrdiff_t>(bases.size())};
    std::vector<std::thread> all;
    for (std::size_t i = 0; i < bases.size(); ++i) {
      all.emplace_back([&, i] {
        start.arrive_and_wait();
        bound[i] = service.bind(cell("cell-" + std::to_string(i), bases[i]));
      });
    }
    for (std::thread& each : all) each.join();
    std::size_t admitted = 0;
    for (const auto& one : bound) {
      if (one.intake) {
        ++admitted;
      } else {
        CAF_CHECK(one.refusal.belongs_to_another);
      }
    }
    CAF_REQUIRE_EQUAL(admitted, 1u);
    CAF_CHECK(test::accepts_connections(bases.front() + "_9001"));
  }
}

CAF_TEST(whoever comes too late learns whose it is and may have it afterwards) {
  const std::vector<std::string> bases = spellings();
  auto first = service.bind(cell("first", bases[0]));
  CAF_REQUIRE(first.intake);
  for (const std::string& base : bases) {
    const auto refused = service.bind(cell("second", base));
    CAF_CHECK(!refused.intake);
    CAF_CHECK(has(refused.refusal.explanation, "is the socket of cell first (" + bases[0] + "_9001)"));
    CAF_CHECK(has(refused.refusal.explanation, "vsock_uds_base"));
  }
  CAF_CHECK(test::accepts_connections(bases[0] + "_9001"));
  first.intake = nullptr;
  CAF_CHECK(service.bind(cell("second", bases[4])).intake);
}

CAF_TEST(the control socket is nobodys cell) {
  socket_access access;
  access.path_key = "[control] socket";
  const auto control = unix_listener::bind(home / "a/v_9001", access);
  CAF_REQUIRE(control.socket);
  const auto refused = service.bind(cell("first", home / "link/v"));
  CAF_CHECK(!refused.intake);
  CAF_CHECK(has(refused.refusal.explanation, "is the socket of [control] socket"));
}

CAF_TEST(the same name in another directory is another path) {
  const auto first = service.bind(cell("first", home / "a/v"));
  const auto second = service.bind(cell("second", home / "a/b/v"));
  CAF_CHECK(first.intake);
  CAF_CHECK(second.intake);
}

CAF_TEST(a cell whose directory was removed bars nobody from a new one) {
  const auto first = service.bind(cell("first", home / "a/b/v"));
  CAF_REQUIRE(first.intake);
  fs::remove_all(home / "a/b");
  // ext4 gives the next directory the number of the last.
  fs::create_directory(home / "a/c");
  CAF_CHECK(service.bind(cell("second", home / "a/c/v")).intake);
}

CAF_TEST(as long a path as there may be is bound however long its name is) {
  for (const std::string& directory : {std::string{"/tmp"}, (home / "a").string()}) {
    std::string base = directory + "/" + home.path().filename().string() + "-";
    base.resize(102, 'x');
    const auto bound = service.bind(cell("long", base));
    CAF_REQUIRE(bound.intake);
    CAF_CHECK(test::accepts_connections(base + "_9001"));
  }
  std::string longer = home / "x";
  longer.resize(103, 'x');
  const auto refused = service.bind(cell("longer", longer));
  CAF_CHECK(has(refused.refusal.explanation, "longer than a socket path may be (107 bytes)"));
}

CAF_TEST_FIXTURE_SCOPE_END()
