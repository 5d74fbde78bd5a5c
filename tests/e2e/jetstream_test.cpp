#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/segments/segment_name.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/files.hpp"
#include "tests/support/fleet_home.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/simulator.hpp"
#include "tests/support/wait.hpp"

// ctest: TIMEOUT 600
#define CAF_SUITE jetstream
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

const std::string nothing_wrong = "missing 0, doubled 0, out of order 0, foreign 0";
const std::string host_name{daemon_home::host_id};
/// Nothing may hang for longer.
constexpr auto longest_hang = 10s;
/// What a guest that ends by itself declares.
constexpr std::uint64_t frames = 3000;
/// A second of an endless guest's.
constexpr const char* rate = "4000";

struct fixture {
  daemon_settings settings(const std::string& fence, const std::string& further = "") const {
    return {.cells = {{.id = "c1"}},
            .evidence = "segment_bytes = '1MiB'\nfsync = '10ms'\n",
            .tables = "[forward.jetstream]\nservers = ['" + server.url() + "']\nstream = 'EVIDENCE'\nfence = '" +
                      fence + "'\n" + further};
  }
  void create(stream_options stream = {}) const {
    stream.name = "EVIDENCE";
    stream.subject = "cellos.>";
    create_stream(server, stream);
  }

  void begin_anew() {
    server.kill();
    std::filesystem::remove_all(server.store());
    server.start();
  }
  simulator endless_guest(const daemon_home& home) const {
    return simulator{{.socket = home.socket_of("c1"), .frames = 0, .further = {"--rate", rate}}};
  }
  /// One that would wait for the stream at its end.
  static void kill(daemon_process& host) {
    host.send(SIGKILL);
    host.wait();
  }
  static std::string log_of(const daemon_home& home) {
    std::string all;
    std::error_code failure;
    for (const auto& each : list_segments(home.evidence_dir(), failure)) {
      all += content_of(home.evidence_dir() / segment_file_name(each.segment));
    }
    return all;
  }
  std::string difference(const daemon_home& home) const {
    return compare_lines(log_of(home), read_stream(server, "EVIDENCE").lines());
  }
  /// Until the log has so many bytes more.
  static void let_grow(const daemon_home& home, std::uintmax_t bytes) {
    const auto size = [&] {
      std::uintmax_t sum = 0;
      std::error_code failure;
      for (const auto& each : list_segments(home.evidence_dir(), failure)) sum += each.bytes;
      return sum;
    };
    const auto wanted = size() + bytes;
    CAF_REQUIRE(holds_within(test_timeout, [&] { return size() >= wanted; }));
  }

  nats_server server;
};

/// Says that it wants TLS, and then nothing.
class silent_server {
 public:
  silent_server() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const at = reinterpret_cast<sockaddr*>(&address);
    CAF_REQUIRE(::bind(listening_.get(), at, size) == 0 && ::listen(listening_.get(), 16) == 0);
    CAF_REQUIRE(::getsockname(listening_.get(), at, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] {
      constexpr std::string_view greeting =
          "INFO {\"server_id\":\"S\",\"version\":\"2.9.10\",\"proto\":1,\"headers\":true,\"max_payload\":1048576,"
          "\"tls_required\":true}\r\n";
      for (;;) {
        const int accepted = ::accept(listening_.get(), nullptr, nullptr);
        if (accepted < 0) return;
        connections_.emplace_back(accepted);
        (void)::send(accepted, greeting.data(), greeting.size(), MSG_NOSIGNAL);
      }
    }};
  }
  silent_server(const silent_server&) = delete;
  silent_server& operator=(const silent_server&) = delete;
  ~silent_server() {
    ::shutdown(listening_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string url() const { return "tls://127.0.0.1:" + std::to_string(port_); }

 private:
  file_descriptor listening_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port_ = 0;
  std::vector<file_descriptor> connections_;
  std::thread thread_;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(jetstream_tests, fixture)

CAF_TEST(a stream has every line of a log whose host has stopped) {
  const daemon_home home{settings("stream", "create_stream = true\n")};
  for (int life = 0; life < 2; ++life) {
    auto host = daemon_process::ready(home);
    host.wait_for_line("receiver_reached receiver=jetstream:EVIDENCE");
    simulate({.socket = home.socket_of("c1"), .frames = frames});
    CAF_CHECK_EQUAL(host.stop(), 0);
    CAF_CHECK_EQUAL(count_lines(host.err(), "forwarding_unfinished"), 0u);
    CAF_CHECK_EQUAL(difference(home), nothing_wrong);
  }
  std::set<std::string> subjects;
  for (const auto& each : read_stream(server, "EVIDENCE").messages) {
    subjects.insert(each.subject);
    CAF_REQUIRE_EQUAL(each.content_type, "application/cloudevents+json");
    CAF_REQUIRE(each.content.find("\"id\":\"" + each.id + "\"") != std::string::npos);
  }
  const std::set<std::string> expected{"cellos." + host_name + ".%40host", "cellos." + host_name + ".c1"};
  CAF_CHECK(subjects == expected);
}

CAF_TEST(a shared stream has every line as well) {
  create();
  publish(server, "cellos.another.c1", "{}");
  const daemon_home home{settings("subject")};
  auto host = daemon_process::ready(home);
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  publish(server, "cellos.another.c1", "{}");
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK_EQUAL(difference(home), "missing 0, doubled 0, out of order 0, foreign 2");
  publish(server, "cellos.another.c1", "{}");
  CAF_MESSAGE("one that another writes to is refused where this host is to be the only writer");
  home.configure(settings("stream"));
  auto alone = daemon_process::ready(home);
  CAF_CHECK_NOT_EQUAL(alone.wait_for_line("lines_refused").find("another writer"), std::string::npos);
  kill(alone);
}

CAF_TEST(killed servers and power cuts lose double and reorder nothing) {
  const auto kills = amount_of("CELLOS_JETSTREAM_KILLS", 2);
  const auto cuts = amount_of("CELLOS_JETSTREAM_CUTS", 1);
  for (const char* fence : {"stream", "subject"}) {
    CAF_MESSAGE("fence " << fence);
    begin_anew();
    create({.duplicate_window = 1s});
    const daemon_home home{settings(fence)};
    auto host = daemon_process::ready(home);
    host.wait_for_line("receiver_reached");
    auto guest = endless_guest(home);
    std::size_t reached = 1;
    for (std::size_t i = 0; i < kills + cuts; ++i) {
      let_grow(home, 1'000'000);
      server.kill();
      if (i >= kills) server.cut_last_block(200'000);
      CAF_MESSAGE("for longer than the duplicate window");
      let_grow(home, 4'000'000);
      server.start();
      host.wait_for_line("receiver_reached", ++reached);
    }
    guest.stop();
    CAF_CHECK_EQUAL(host.stop(), 0);
    CAF_CHECK_EQUAL(difference(home), nothing_wrong);
    CAF_CHECK_EQUAL(count_lines(host.err(), "delivery_forked"), 0u);
  }
}

CAF_TEST(a full stream is waited for) {
  for (const char* fence : {"stream", "subject"}) {
    begin_anew();
    create({.max_bytes = 1'000'000});
    const daemon_home home{settings(fence)};
    auto host = daemon_process::ready(home);
    simulate({.socket = home.socket_of("c1"), .frames = frames});
    CAF_CHECK_NOT_EQUAL(host.wait_for_line("lines_refused").find("no room for another message"), std::string::npos);
    update_stream(server, {.name = "EVIDENCE", .subject = "cellos.>", .max_bytes = 1'000'000'000});
    host.wait_for_line("receiver_reached", 2);
    CAF_CHECK_EQUAL(host.stop(), 0);
    const std::string compared = compare_lines(log_of(home), read_stream(server, "EVIDENCE").lines());
    CAF_CHECK_EQUAL(compared, nothing_wrong);
    CAF_CHECK_EQUAL(count_lines(host.err(), "lines_refused"), 1u);
  }
}

CAF_TEST(a server that does not answer is left and holds nobody up) {
  const daemon_home home{settings("stream", "create_stream = true\n")};
  auto host = daemon_process::ready(home);
  host.wait_for_line("receiver_reached");
  auto guest = endless_guest(home);
  let_grow(home, 1'000'000);
  server.server().freeze();
  const auto frozen = std::chrono::steady_clock::now();
  host.wait_for_line("receiver_lost");
  CAF_CHECK(std::chrono::steady_clock::now() - frozen < longest_hang);
  guest.stop();
  CAF_MESSAGE("nor does it hold up the end of the daemon");
  const auto asked = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK(std::chrono::steady_clock::now() - asked < longest_hang);
  CAF_CHECK_EQUAL(count_lines(host.err(), "forwarding_unfinished"), 1u);
  CAF_MESSAGE("and once it goes on nothing is missing");
  server.server().thaw();
  auto again = daemon_process::ready(home);
  again.wait_for_line("receiver_reached");
  CAF_CHECK_EQUAL(again.stop(), 0);
  CAF_CHECK_EQUAL(difference(home), nothing_wrong);
}

CAF_TEST(a handshake that hangs holds nobody up) {
  const silent_server silent;
  const daemon_home home{{.tables = "[forward.jetstream]\nservers = ['" + silent.url() + "']\nstream = 'EVIDENCE'\n"}};
  const auto begun = std::chrono::steady_clock::now();
  auto host = daemon_process::ready(home);
  host.wait_for_line("receiver_lost");
  CAF_CHECK(std::chrono::steady_clock::now() - begun < longest_hang);
  const auto asked = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK(std::chrono::steady_clock::now() - asked < longest_hang);
}

CAF_TEST(over tls with a password each end is who it says) {
  const certificate_directory certificates;
  certificates.add_collector("nats");
  const auto file = [&](const char* name) { return (certificates / name).string(); };
  nats_server secure{"tls { cert_file: \"" + file("nats.pem") + "\", key_file: \"" + file("nats.key") +
                     "\", ca_file: \"" + file("authority.pem") + "\" }\n" +
                     "authorization { user: host, password: \"a secret\" }\n"};
  write_file(certificates / "password", "a secret\n");
  const auto address = "tls://" + secure.url().substr(std::string_view{"nats://"}.size());
  const std::string table = "[forward.jetstream]\nservers = ['" + address +
                            "']\nstream = 'EVIDENCE'\ncreate_stream = true\nuser = 'host'\npassword_file = '" +
                            file("password") + "'\n";
  const std::string authority = "ca_file = '" + file("authority.pem") + "'\n";
  const daemon_home home{{.cells = {{.id = "c1"}}, .evidence = "fsync = '10ms'\n", .tables = table}};
  auto stranger = daemon_process::ready(home);
  CAF_MESSAGE("the system's authorities do not know this server");
  stranger.wait_for_line("receiver_lost");
  kill(stranger);
  home.configure({.cells = {{.id = "c1"}}, .evidence = "fsync = '10ms'\n", .tables = table + authority});
  auto host = daemon_process::ready(home);
  host.wait_for_line("receiver_reached");
  simulate({.socket = home.socket_of("c1"), .frames = frames});
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK_EQUAL(count_lines(host.err(), "forwarding_unfinished"), 0u);
  CAF_CHECK_EQUAL(count_lines(host.err(), "a secret"), 0u);
  CAF_MESSAGE("nor is another password taken");
  write_file(certificates / "password", "another\n");
  auto refused = daemon_process::ready(home);
  CAF_CHECK_NOT_EQUAL(refused.wait_for_line("receiver_lost").find("uth"), std::string::npos);
  kill(refused);
}

CAF_TEST(a stream that is not there is said to be missing and used once it is) {
  const daemon_home home{settings("stream")};
  auto host = daemon_process::ready(home);
  CAF_CHECK_NOT_EQUAL(host.wait_for_line("lines_refused").find("there is no stream EVIDENCE"), std::string::npos);
  create();
  host.wait_for_line("receiver_reached");
  CAF_CHECK_EQUAL(host.stop(), 0);
  CAF_CHECK_EQUAL(difference(home), nothing_wrong);
}

CAF_TEST_FIXTURE_SCOPE_END()
