#include <spdlog/sinks/null_sink.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "actors/host_supervisor.hpp"
#include "runtime/control/control_service.hpp"
#include "tests/support/api_contract.hpp"
#include "tests/support/controlled_daemon.hpp"
#include "tests/support/manual_world.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

#define CAF_SUITE openapi
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using json = nlohmann::json;

namespace {

/// Asks, and checks the answer against the document.
class validated_client {
 public:
  explicit validated_client(http_client& client) : client_(client) {}

  http_response ask(const std::string& method, const std::string& path, const std::string& template_path,
                    const std::string& body = {}) {
    http_response response = client_.ask(method, path, body);
    CAF_CHECK_EQUAL(contract.complaint_about(method, template_path, response), "");
    return response;
  }
  int on_cell(const std::string& method, const std::string& id, const std::string& body = {}) {
    return ask(method, "/cells/" + id, "/cells/{id}", body).status;
  }
  int on(const std::string& method, const std::string& path) { return ask(method, path, path).status; }

  api_contract contract;

 private:
  http_client& client_;
};

/// As many clients as may follow events, and one more.
void follow_events_too_often(controlled_daemon& host, api_contract& contract) {
  constexpr std::size_t most_streams = 64;
  std::vector<http_client> followers;
  for (std::size_t i = 0; i < most_streams; ++i) {
    followers.push_back(host.another_client());
    followers.back().connect();
    followers.back().send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string head = followers.back().receive_until("\r\n\r\n");
    CAF_REQUIRE(head.starts_with("HTTP/1.1 200 "));
  }
  auto one_more = host.another_client();
  const http_response refused = one_more.get("/events");
  CAF_CHECK_EQUAL(refused.status, 503);
  CAF_CHECK_EQUAL(refused.header("retry-after"), "1");
  CAF_CHECK_EQUAL(contract.complaint_about("GET", "/events", refused), "");
  CAF_MESSAGE("whoever tries again finds the place of one that left");
  followers.pop_back();
  CAF_CHECK(holds_within(std::chrono::seconds{5}, [&] {
    auto again = host.another_client();
    again.connect();
    again.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return again.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200 ");
  }));
}

/// The answer to GET /events, as far as its head goes.
http_response head_of_events(controlled_daemon& host) { return host.another_client().ask("HEAD", "/events"); }

/// Every operation, asked by a peer whose uid is not allowed. Only root can play two users.
void ask_as_a_stranger(api_contract& contract) {
  constexpr uid_t stranger = 10003;
  controlled_daemon host{{.tables = "mode = '0666'\nallow_uids = [10002]\n"}};
  for (const auto& [method, path] : contract.operations()) {
    auto client = host.another_client();
    CAF_REQUIRE_EQUAL(::seteuid(stranger), 0);
    client.connect();
    CAF_REQUIRE_EQUAL(::seteuid(0), 0);
    const auto refused = client.ask(method, std::regex_replace(path, std::regex{"\\{id\\}"}, "a"));
    CAF_CHECK_EQUAL(refused.status, 403);
    CAF_CHECK_EQUAL(contract.complaint_about(method, path, refused), "");
  }
}

/// The whole control service before a HOST SUPERVISOR that is dead, and with a reload that is never answered: what a
/// client finds while a daemon goes down.
class orphaned_service {
 public:
  orphaned_service() {
    segment_log_options options;
    options.dir = home_ / "evidence";
    log_ = segment_log::open(options).log;
    memory_ = admission_store::open(home_ / "cells.json").cells;
    const host_supervisor_actor host =
        system_.spawn(make_host_supervisor, std::size_t{1}, &resources_, std::cref(world_));
    caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
    caf::scoped_actor { system_ } -> wait_for(host);
    host_client_.emplace(system_, host);
    feed_.emplace(*log_, home_ / "evidence", events_, event_feed::options{});
    measured_.emplace(metrics::sources{"v", "h", *log_, events_, [] { return 0; }, [] { return std::size_t{0}; }});
    control_configuration settings;
    settings.socket = home_ / "control.sock";
    settings.http_listen = "127.0.0.1:0";
    auto opened = control_service::open(
        settings, {"v", "h", *host_client_, *memory_, *feed_, *measured_, [] { return std::vector<std::string>{}; },
                   [] { return std::size_t{0}; }, [](const std::string&) { return false; },
                   [] { return std::vector<std::string>{}; }, [this](const reload_reply&) { reload_asked_ = true; },
                   world_.board});
    CAF_REQUIRE_EQUAL(opened.refusal, "");
    service_ = std::move(opened.service);
  }
  ~orphaned_service() {
    service_->stop_serving();
    host_client_->stop();
  }

  http_client client() const { return http_client{home_ / "control.sock"}; }
  http_client public_client() const { return http_client{service_->http_address()}; }
  bool reload_asked() const { return reload_asked_; }
  void stop() { service_->stop_serving(); }

 private:
  temporary_directory home_;
  test::manual_clock clock_;
  test::memory_log lines_;
  test::manual_sockets sockets_;
  test::manual_quarantine quarantine_;
  activity_registry activities_;
  operator_events events_{std::make_shared<spdlog::logger>("t", std::make_shared<spdlog::sinks::null_sink_mt>()),
                          log_format::text};
  host_environment world_{"h", "v", sockets_, lines_, quarantine_, clock_, events_, activities_};
  host_resources resources_;
  caf::actor_system_config configuration_;
  caf::actor_system system_{configuration_};
  std::unique_ptr<segment_log> log_;
  std::unique_ptr<admission_store> memory_;
  std::optional<host_client> host_client_;
  std::optional<event_feed> feed_;
  std::optional<metrics> measured_;
  std::unique_ptr<control_service> service_;
  std::atomic<bool> reload_asked_{false};
};

/// A collector without hosts: what it says of them, and what it is asked wrongly.
void ask_a_collector(api_contract& contract) {
  const temporary_directory kept;
  controlled_daemon collector{{.tables = "[tls]\nplain_loopback = true\n[collector]\nlisten = '127.0.0.1:0'\ndir = '" +
                                         (kept / "hosts").native() + "'\n"}};
  validated_client ask{collector.client()};
  ask.contract = contract;
  CAF_CHECK_EQUAL(ask.on("GET", "/hosts"), 200);
  CAF_CHECK_EQUAL(ask.ask("GET", "/hosts?limit=many", "/hosts").status, 400);
  contract = ask.contract;
}

/// What a daemon says that goes down.
void ask_the_orphaned(api_contract& contract) {
  orphaned_service orphaned;
  auto client = orphaned.client();
  validated_client ask{client};
  ask.contract = contract;
  CAF_CHECK_EQUAL(ask.on("GET", "/cells"), 503);
  CAF_CHECK_EQUAL(ask.on("GET", "/metrics"), 200);
  CAF_CHECK_EQUAL(ask.on("GET", "/readyz"), 503);
  auto scraper = orphaned.public_client();
  CAF_CHECK_EQUAL(scraper.get("/metrics").status, 200);
  // Whoever comes within the second waits.
  scraper.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CAF_CHECK_EQUAL(ask.on_cell("GET", "a"), 503);
  CAF_CHECK_EQUAL(ask.on_cell("PUT", "a", cell_body("a", "/nowhere").dump()), 503);
  CAF_CHECK_EQUAL(ask.on_cell("DELETE", "a"), 503);
  CAF_CHECK_EQUAL(client.get("/cells").header("retry-after"), "1");
  client.send("POST /reload HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CAF_REQUIRE(holds_within(test_timeout, [&] { return orphaned.reload_asked(); }));
  orphaned.stop();
  CAF_CHECK_EQUAL(ask.contract.complaint_about("GET", "/metrics", scraper.receive()), "");
  CAF_CHECK_EQUAL(ask.contract.complaint_about("POST", "/reload", client.receive()), "");
  contract = ask.contract;
}

}  // namespace

CAF_TEST(every_path_method_and_status_of_the_document_is_as_it_says) {
  controlled_daemon host{{.tables = "state_file = '/proc/self/nowhere'\n"}};
  CAF_MESSAGE("a state file that cannot be written is a refusal, and nothing is admitted");
  validated_client strict{host.client()};
  CAF_CHECK_EQUAL(strict.on_cell("PUT", "a", host.body_of("a").dump()), 503);
  CAF_CHECK_EQUAL(strict.on_cell("GET", "a"), 404);
  CAF_CHECK(!accepts_connections(host.home().socket_of("a")));

  controlled_daemon good{{.cells = {{.id = "misplaced", .vsock_uds_base = "/nowhere/v.sock"}}}};
  validated_client ask{good.client()};
  ask.contract = strict.contract;
  CAF_CHECK_EQUAL(ask.on_cell("PUT", "a", good.body_of("a").dump()), 201);
  CAF_CHECK_EQUAL(ask.on_cell("PUT", "a", good.body_of("a").dump()), 200);
  json other = good.body_of("a");
  other["run_id"] = "another";
  CAF_CHECK_EQUAL(ask.on_cell("PUT", "a", other.dump()), 409);
  CAF_CHECK_EQUAL(ask.on_cell("PUT", "b", "{}"), 400);
  CAF_CHECK_EQUAL(ask.on_cell("PUT", "b", std::string(20'000, ' ')), 413);
  CAF_CHECK_EQUAL(ask.on_cell("PUT", "b", cell_body("b", "/nowhere/v.sock").dump()), 422);
  CAF_CHECK_EQUAL(ask.on_cell("GET", "a"), 200);
  CAF_CHECK_EQUAL(ask.on_cell("GET", "b"), 404);
  CAF_CHECK_EQUAL(ask.on("GET", "/cells"), 200);
  CAF_CHECK_EQUAL(ask.on("GET", "/hosts"), 404);
  CAF_CHECK_EQUAL(ask.on("GET", "/metrics"), 200);
  CAF_CHECK_EQUAL(ask.on("GET", "/healthz"), 200);
  CAF_CHECK_EQUAL(ask.on("GET", "/readyz"), 503);
  CAF_CHECK_EQUAL(ask.on("GET", "/"), 200);
  CAF_CHECK_EQUAL(ask.ask("GET", "/events?celll=a", "/events").status, 400);
  follow_events_too_often(good, ask.contract);
  CAF_CHECK_EQUAL(ask.contract.complaint_about("GET", "/events", head_of_events(good)), "");
  CAF_CHECK_EQUAL(ask.on_cell("DELETE", "a"), 200);
  CAF_CHECK_EQUAL(ask.on_cell("DELETE", "a"), 404);
  CAF_CHECK_EQUAL(ask.on_cell("DELETE", "a%20b"), 400);
  good.configure({});
  CAF_CHECK_EQUAL(ask.on("POST", "/reload"), 200);
  CAF_CHECK_EQUAL(ask.on("GET", "/readyz"), 200);
  good.home().write_configuration("host_id = 7\n");
  CAF_CHECK_EQUAL(ask.on("POST", "/reload"), 422);

  CAF_MESSAGE("what a disk that fails later makes of a retirement");
  const temporary_directory elsewhere;
  const auto state_dir = elsewhere / "state";
  std::filesystem::create_directory(state_dir);
  controlled_daemon failing{{.tables = "state_file = '" + (state_dir / "cells.json").native() + "'\n"}};
  CAF_CHECK_EQUAL(failing.put("a").status, 201);
  std::filesystem::remove_all(state_dir);
  CAF_CHECK_EQUAL(ask.contract.complaint_about("DELETE", "/cells/{id}", failing.remove("a")), "");

  ask_a_collector(ask.contract);
  ask_the_orphaned(ask.contract);
  std::vector<std::string> unseen = ask.contract.unseen();
  if (::geteuid() == 0) {
    ask_as_a_stranger(ask.contract);
    unseen = ask.contract.unseen();
  } else {
    CAF_MESSAGE("only root can play several users");
    std::erase_if(unseen, [](const std::string& what) { return what.ends_with(" 403"); });
  }
  CAF_CHECK_EQUAL(joined(unseen), "");
}

CAF_TEST(a_cell_that_is_being_drained_is_refused_for_now_and_admitted_when_it_is_gone) {
  controlled_daemon host;
  api_contract contract;
  const std::string body = host.body_of("a").dump();
  auto other = host.another_client();
  other.connect();
  constexpr int most_rounds = 200;
  http_response refused;
  for (int round = 0; round < most_rounds && refused.status != 503; ++round) {
    CAF_REQUIRE(holds_within(test_timeout, [&] { return host.put("a").status < 300; }));
    raw_guest guest{host.home().socket_of("a")};
    guest.write_frames(500);
    host.client().send("DELETE /cells/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    refused = other.ask("PUT", "/cells/a", body);
    CAF_CHECK_EQUAL(contract.complaint_about("PUT", "/cells/{id}", refused), "");
    CAF_CHECK_EQUAL(host.client().receive("DELETE").status, 200);
  }
  CAF_REQUIRE_EQUAL(refused.status, 503);
  CAF_CHECK(refused.json().at("error").get<std::string>().find("being retired") != std::string::npos);
  CAF_CHECK_EQUAL(refused.json().at("hint").get<std::string>(), "try again");
  CAF_CHECK_EQUAL(refused.header("retry-after"), "1");
  CAF_CHECK_EQUAL(other.ask("PUT", "/cells/a", body).status, 201);
}
