#include "runtime/probes/firecracker_api.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "runtime/probes/fc_metrics_probe.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE firecracker_api
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;
using cellos::test::output_of;
using cellos::test::turn;

namespace {

/// Answers one request as a VMM's API does, if `answer` is not empty; flushes before.
class api_stand_in {
 public:
  api_stand_in(
      const std::filesystem::path& path, std::string answer, std::function<void()> flush = [] {})
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 4) != 0) {
      throw std::runtime_error{"no socket at " + path.string()};
    }
    thread_ = std::thread{[this, answer = std::move(answer), flush = std::move(flush)] { serve(answer, flush); }};
  }
  api_stand_in(const api_stand_in&) = delete;
  api_stand_in& operator=(const api_stand_in&) = delete;
  ~api_stand_in() { end(); }

  /// What it was asked.
  std::string end() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    return request_;
  }

 private:
  void serve(const std::string& answer, const std::function<void()>& flush) {
    const file_descriptor connection{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!connection) return;
    char bytes[1000];
    while (request_.find("Metrics\"}") == std::string::npos) {
      const auto count = ::recv(connection.get(), bytes, sizeof bytes, 0);
      if (count <= 0) return;
      request_.append(bytes, static_cast<std::size_t>(count));
    }
    flush();
    if (answer.empty()) {
      // Until the other side gives up.
      ::recv(connection.get(), bytes, sizeof bytes, 0);
    } else {
      ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  file_descriptor listener_;
  std::string request_;
  std::thread thread_;
};

monotonic_time in(std::chrono::nanoseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

CAF_TEST(a_flush_is_asked_for_before_the_metrics_are_read) {
  test::temporary_directory dir;
  test::write_file(dir / "metrics", "");
  const api_stand_in vmm{dir / "api", "HTTP/1.1 204 No Content\r\n\r\n", [&] {
                           test::add_to_file(dir / "metrics", R"({"net":{"rx_packets_count":3}})"
                                                              "\n");
                         }};
  fc_metrics_probe::options options;
  options.flush_at = firecracker_api_place{dir.path().string(), "api"};
  fc_metrics_probe probe{{dir.path().string(), "metrics", {}}, options};
  auto context = turn(1);
  context.deadline = in(20s);
  const auto output = output_of(probe.read(context));
  CAF_CHECK_EQUAL(test::count_in(output.at("totals"), "net.rx_packets_count"), 3u);
}

CAF_TEST(the_request_is_firecrackers) {
  test::temporary_directory dir;
  api_stand_in vmm{dir / "api", "HTTP/1.1 204 No Content\r\n\r\n"};
  CAF_CHECK(!flush_metrics({dir.path().string(), "api"}, in(20s)));
  const std::string request = vmm.end();
  CAF_CHECK(request.starts_with("PUT /actions HTTP/1.1\r\n"));
  const auto body = request.substr(request.find("\r\n\r\n") + 4);
  CAF_CHECK(nlohmann::json::parse(body) == nlohmann::json({{"action_type", "FlushMetrics"}}));
  CAF_CHECK(request.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != std::string::npos);
}

CAF_TEST(a_vmm_that_refuses_or_ends_is_an_error) {
  for (const std::string answer : {"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP", "x"}) {
    test::temporary_directory dir;
    const api_stand_in vmm{dir / "api", answer};
    const auto error = flush_metrics({dir.path().string(), "api"}, in(20s));
    CAF_CHECK(error && error->kind == probe_error_kind::io);
  }
}

CAF_TEST(a_vmm_that_does_not_answer_is_given_up) {
  test::temporary_directory dir;
  const api_stand_in vmm{dir / "api", ""};
  const auto error = flush_metrics({dir.path().string(), "api"}, in(30ms));
  CAF_CHECK(error && error->kind == probe_error_kind::timed_out);
}

CAF_TEST(what_is_no_socket_is_not_spoken_to) {
  test::temporary_directory dir;
  test::temporary_directory outside;
  const api_stand_in other{outside / "api", "HTTP/1.1 204 No Content\r\n\r\n"};
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
