#include "runtime/probes/firecracker_api.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "runtime/probes/fc_metrics_probe.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/firecracker_api_stand_in.hpp"
#include "tests/support/passed_descriptor.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE firecracker_api
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;
using cellos::test::firecracker_api_stand_in;
using cellos::test::output_of;
using cellos::test::turn;

namespace {

monotonic_time in(std::chrono::nanoseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

CAF_TEST(a_flush_is_asked_for_before_the_metrics_are_read) {
  test::temporary_directory dir;
  test::write_file(dir / "metrics", "");
  const firecracker_api_stand_in vmm{dir / "api", firecracker_api_stand_in::done, [&] {
                                       test::add_to_file(dir / "metrics", R"({"net":{"rx_packets_count":3}})"
                                                                          "\n");
                                     }};
  fc_metrics_probe::options options;
  options.flush_at = firecracker_api_place{dir.path().string(), "api"};
  options.longest_flush = 20s;
  fc_metrics_probe probe{{dir.path().string(), "metrics", {}}, options};
  auto context = turn(1);
  context.deadline = in(20s);
  const auto output = output_of(probe.read(context));
  CAF_CHECK_EQUAL(test::count_in(output.at("totals"), "net.rx_packets_count"), 3u);
}

CAF_TEST(the_request_is_firecrackers) {
  test::temporary_directory dir;
  firecracker_api_stand_in vmm{dir / "api", firecracker_api_stand_in::done};
  CAF_CHECK(!flush_metrics({dir.path().string(), "api"}, in(20s)));
  const std::string request = vmm.end();
  CAF_CHECK(request.starts_with("PUT /actions HTTP/1.1\r\n"));
  const auto body = request.substr(request.find("\r\n\r\n") + 4);
  CAF_CHECK(nlohmann::json::parse(body) == nlohmann::json({{"action_type", "FlushMetrics"}}));
  CAF_CHECK(request.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
}

CAF_TEST(a_vmm_that_refuses_or_ends_is_an_error) {
  for (const std::string answer : {"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP", "x", "HTTP/1.1 2040"}) {
    test::temporary_directory dir;
    const firecracker_api_stand_in vmm{dir / "api", answer};
    const auto error = flush_metrics({dir.path().string(), "api"}, in(20s));
    CAF_CHECK(error && error->kind == probe_error_kind::io);
  }
}

CAF_TEST(a_vmm_that_does_not_answer_is_given_up) {
  test::temporary_directory dir;
  const firecracker_api_stand_in vmm{dir / "api", ""};
  const auto error = flush_metrics({dir.path().string(), "api"}, in(30ms));
  CAF_CHECK(error && error->kind == probe_error_kind::timed_out);
}

CAF_TEST(what_is_no_socket_is_not_spoken_to) {
  test::temporary_directory dir;
  test::temporary_directory outside;
  const firecracker_api_stand_in other{outside / "api", firecracker_api_stand_in::done};
  test::write_file(dir / "file", "");
  std::filesystem::create_symlink(outside / "api", dir / "link");
  CAF_REQUIRE_EQUAL(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  for (const std::string name : {"file", "link", "fifo"}) {
    const auto error = flush_metrics({dir.path().string(), name}, in(20s));
    CAF_CHECK(error && error->kind == probe_error_kind::malformed_source);
  }
  const auto absent = flush_metrics({dir.path().string(), "absent"}, in(20s));
  CAF_CHECK(absent && absent->kind == probe_error_kind::io);
}

CAF_TEST(an_answer_without_end_is_not_read_to_it) {
  test::temporary_directory dir;
  const firecracker_api_stand_in vmm{dir / "api", firecracker_api_stand_in::done + std::string(100'000, 'x')};
  CAF_CHECK(!flush_metrics({dir.path().string(), "api"}, in(20s)));
}

CAF_TEST(an_api_that_accepts_nobody_costs_no_more_than_the_deadline) {
  test::temporary_directory dir;
  const file_descriptor bound{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = dir / "api";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  CAF_REQUIRE_EQUAL(::bind(bound.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto deaf = flush_metrics({dir.path().string(), "api"}, in(20s));
  CAF_CHECK(deaf && deaf->kind == probe_error_kind::io);
  CAF_REQUIRE_EQUAL(::listen(bound.get(), 0), 0);
  // The first waits to be accepted, the second does not find room to.
  for (int turn = 0; turn < 3; ++turn) {
    const auto error = flush_metrics({dir.path().string(), "api"}, in(30ms));
    CAF_CHECK(error && error->kind == probe_error_kind::timed_out);
  }
}

CAF_TEST(what_another_service_listens_at_is_not_asked) {
  test::temporary_directory dir;
  firecracker_api_stand_in other{dir / "other", firecracker_api_stand_in::done};
  std::filesystem::create_hard_link(dir / "other", dir / "api");
  const auto linked = flush_metrics({dir.path().string(), "api"}, in(20s));
  CAF_CHECK(linked && linked->kind == probe_error_kind::malformed_source);
  std::filesystem::remove(dir / "api");
  if (::geteuid() == 0) {
    CAF_REQUIRE_EQUAL(::chown((dir / "other").c_str(), 10'001, 10'001), 0);
    const auto foreign = flush_metrics({dir.path().string(), "other", uid_t{10'002}}, in(20s));
    CAF_CHECK(foreign && foreign->kind == probe_error_kind::malformed_source);
    CAF_CHECK(!flush_metrics({dir.path().string(), "other", uid_t{10'001}}, in(20s)));
  }
  other.end();
  CAF_CHECK_EQUAL(other.flushes(), ::geteuid() == 0 ? 1 : 0);
}

CAF_TEST(an_api_that_does_not_answer_costs_no_document_and_no_more_than_its_share_of_the_time) {
  test::temporary_directory dir;
  const firecracker_api_stand_in vmm{dir / "api", ""};
  test::write_file(dir / "metrics", "");
  fc_metrics_probe::options options;
  options.flush_at = firecracker_api_place{dir.path().string(), "api"};
  options.longest_flush = 20ms;
  fc_metrics_probe probe{{dir.path().string(), "metrics", {}}, options};
  auto context = turn(1);
  context.deadline = in(20s);
  const auto silent = probe.read(context);
  CAF_CHECK(!silent && silent.error().kind == probe_error_kind::timed_out);
  CAF_CHECK(std::chrono::steady_clock::now() < context.deadline - 5s);
  // It is not asked at once again, and is still what there is to say.
  const auto asked_before = vmm.flushes();
  context = turn(2);
  const auto unasked = probe.read(context);
  CAF_CHECK(!unasked && unasked.error().kind == probe_error_kind::timed_out);
  CAF_CHECK_EQUAL(vmm.flushes(), asked_before);
  test::add_to_file(dir / "metrics", "{\"net\":{\"rx_packets_count\":4}}\n");
  CAF_CHECK_EQUAL(test::count_in(output_of(probe.read(context)).at("totals"), "net.rx_packets_count"), 4u);
}

CAF_TEST(descriptors_beside_an_answer_are_refused) {
  if (!test::kernel_can_refuse_descriptors()) {
    CAF_MESSAGE("skipped: this kernel has no SO_PASSRIGHTS");
    return;
  }
  test::temporary_directory dir;
  const file_descriptor listening = test::listen_at(dir / "api");
  int refused = 0;
  std::thread vmm{[&] {
    const file_descriptor connection{::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    refused = test::send_descriptor(connection.get(), connection.get());
  }};
  const auto error = flush_metrics({dir.path().string(), "api"}, in(20s));
  vmm.join();
  CAF_CHECK(error && error->kind == probe_error_kind::io);
  CAF_CHECK_EQUAL(refused, EPERM);
}
