#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/raw_guest.hpp"

#define CAF_SUITE one_path_one_cell
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
namespace fs = std::filesystem;

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

int put(const controlled_daemon& host, const std::string& id, const std::string& base) {
  http_client client = host.another_client();
  return client.ask("PUT", "/cells/" + id, cell_body(id, base).dump()).status;
}

}  // namespace

CAF_TEST(one path that is spelled in many ways is one cells however many ask at once) {
  controlled_daemon host;
  const std::string top = host.home() / ".";
  fs::create_directory(host.home() / "a");
  fs::create_directory_symlink(host.home() / "a", host.home() / "link");
  const std::vector<std::string> bases{top + "/a/v", top + "/a//v", top + "/a/../a/v", top + "/link/v"};
  for (int round = 0; round < 20; ++round) {
    std::vector<int> status(bases.size());
    std::vector<std::thread> all;
    for (std::size_t i = 0; i < bases.size(); ++i) {
      all.emplace_back([&, i] { status[i] = put(host, "c" + std::to_string(i), bases[i]); });
    }
    for (std::thread& each : all) each.join();
    CAF_CHECK_EQUAL(std::count(status.begin(), status.end(), 201), 1);
    CAF_CHECK_EQUAL(std::count(status.begin(), status.end(), 409), static_cast<std::ptrdiff_t>(bases.size()) - 1);
    CAF_CHECK(accepts_connections(bases[0] + "_9001"));
    for (std::size_t i = 0; i < bases.size(); ++i) {
      if (status[i] == 201) CAF_CHECK_EQUAL(host.remove("c" + std::to_string(i)).status, 200);
    }
  }
}

CAF_TEST(whoever puts a cell again whose socket file is lost finds it bound) {
  controlled_daemon host;
  const std::string path = host.home().socket_of("a");
  const http_response first = host.put("a");
  CAF_REQUIRE_EQUAL(first.status, 201);
  raw_guest old{path};
  old.write_frames(3);
  fs::remove(path);
  CAF_CHECK(holds_within(test_timeout, [&] { return host.client().get("/readyz").status == 503; }));
  CAF_CHECK(has(host.client().get("/readyz").body, "the socket file of cell a is lost"));

  const http_response again = host.put("a");
  CAF_CHECK_EQUAL(again.status, 200);
  CAF_CHECK_EQUAL(again.json().at("chain"), first.json().at("chain"));
  CAF_CHECK(accepts_connections(path));
  old.write_frames(3);
  raw_guest fresh{path};
  fresh.write_frames(3);
  CAF_CHECK(holds_within(test_timeout, [&] { return count_in_log(host.home().evidence_dir(), "guestComm") == 9; }));
  CAF_CHECK_EQUAL(host.client().get("/readyz").status, 200);
  CAF_CHECK_EQUAL(metric(host.metrics(), "cellos_telemetry_sockets_lost_total"), 1);
  CAF_CHECK_EQUAL(metric(host.metrics(), "cellos_telemetry_sockets_restored_total"), 1);

  CAF_MESSAGE("and learns why where it cannot be");
  fs::remove(path);
  std::ofstream{path} << "precious";
  const http_response refused = host.put("a");
  CAF_CHECK_EQUAL(refused.status, 422);
  CAF_CHECK(has(refused.body, "is not a socket"));
  CAF_CHECK_EQUAL(host.remove("a").status, 200);
  CAF_CHECK(fs::is_regular_file(path));
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
}

CAF_TEST(a reload binds again what the file names and is lost) {
  controlled_daemon host{{.cells = {{.id = "a"}}}};
  const std::string path = host.home().socket_of("a");
  fs::remove(path);
  host.daemon().reload();
  CAF_CHECK(accepts_connections(path));
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
  CAF_CHECK(!fs::exists(path));
}
