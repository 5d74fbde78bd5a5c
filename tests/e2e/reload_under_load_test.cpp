#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"

// ctest: TIMEOUT 600
#define CAF_SUITE reload_under_load
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using json = nlohmann::json;

namespace {

/// Cells that stay whatever is reloaded, and one that comes and goes.
daemon_settings settings_for(std::size_t reload) {
  daemon_settings settings{.cells = {{.id = "c1"}, {.id = "c2"}}};
  if (reload % 2 == 1) settings.cells.push_back({.id = "guest-" + std::to_string(reload)});
  settings.tables = "[intake]\nchunks_per_cell = " + std::to_string(2 + reload % 7) + "\nbyte_budget = '" +
                    std::to_string(1 + reload % 3) + "MiB'\n[log]\nlevel = '" + (reload % 3 == 0 ? "info" : "warn") +
                    "'\n";
  return settings;
}

}  // namespace

CAF_TEST(nothing_is_lost_while_the_configuration_is_read_again) {
  const std::size_t reloads = amount_of("CELLOS_RELOADS", 16);
  const std::size_t every_invalid = 4;
  controlled_daemon host{settings_for(0)};
  CAF_REQUIRE_EQUAL(host.put("by-api").status, 201);
  std::vector<simulator> guests;
  for (const char* cell : {"c1", "c2", "by-api"}) {
    guests.emplace_back(
        simulation{.socket = host.home().socket_of(cell), .frames = 100'000'000, .further = {"--rate", "4000"}});
  }
  std::size_t refused = 0;
  for (std::size_t reload = 1; reload <= reloads; ++reload) {
    if (reload % every_invalid == 0) {
      host.home().write_configuration("host_id = 'h'\n[evidence]\ndirr = '/x'\n");
      const http_response answer = host.client().ask("POST", "/reload");
      CAF_CHECK_EQUAL(answer.status, 422);
      CAF_CHECK_EQUAL(answer.json().at("errors").at(0).at("key").get<std::string>(), "evidence.dir");
      CAF_CHECK_EQUAL(answer.json().at("errors").at(1).at("line").get<int>(), 3);
      ++refused;
      continue;
    }
    host.configure(settings_for(reload));
    const http_response answer = host.client().ask("POST", "/reload");
    CAF_REQUIRE_EQUAL(answer.status, 200);
    CAF_CHECK_EQUAL(answer.json().at("cells").get<std::uint64_t>(), reload % 2 == 1 ? 4u : 3u);
    CAF_CHECK_EQUAL(answer.json().at("refused").get<std::uint64_t>(), 0u);
  }
  const std::string metrics = host.metrics();
  CAF_CHECK_EQUAL(metric(metrics, "cellos_telemetry_reloads_total{outcome=\"refused\"}"), static_cast<double>(refused));
  CAF_CHECK_EQUAL(metric(metrics, "cellos_telemetry_reloads_total{outcome=\"applied\"}"),
                  static_cast<double>(reloads - refused));
  std::vector<sent_report> sent;
  for (simulator& guest : guests) sent.push_back(guest.stop());
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);

  const std::vector<cell_settings> cells{{.id = "c1"}, {.id = "c2"}, {.id = "by-api"}};
  std::vector<cell_settings> all = cells;
  for (std::size_t reload = 1; reload <= reloads; reload += 2) {
    all.push_back({.id = "guest-" + std::to_string(reload)});
  }
  const run_records runs{host.home().evidence_dir(), all};
  CAF_CHECK_EQUAL(joined(runs.faults()), "");
  std::uint64_t frames = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    CAF_CHECK_EQUAL(joined(differences(runs.of(cells[i].id), sent[i])), "");
    frames += sent[i].frames;
  }
  CAF_MESSAGE(reloads << " reloads, " << refused << " of them refused, while " << frames << " frames came: lost 0");
}

CAF_TEST(a_cell_that_is_removed_during_a_reload_stays_removed) {
  const std::size_t rounds = amount_of("CELLOS_REMOVALS", 150);
  controlled_daemon host;
  // What a reload asks for again takes it a while.
  constexpr int bystanders = 40;
  for (int i = 0; i < bystanders; ++i) {
    CAF_REQUIRE_EQUAL(host.put("bystander-" + std::to_string(i)).status, 201);
  }
  std::atomic<bool> done{false};
  std::atomic<std::size_t> reloads{0};
  std::jthread reloading{[&] {
    auto client = host.another_client();
    while (!done) reloads += client.ask("POST", "/reload").status == 200 ? 1 : 0;
  }};
  std::map<std::string, std::size_t> answers;
  for (std::size_t round = 0; round < rounds; ++round) {
    ++answers["PUT " + std::to_string(host.put("one").status)];
    ++answers["DELETE " + std::to_string(host.remove("one").status)];
    ++answers["GET " + std::to_string(host.client().get("/cells/one").status)];
  }
  done = true;
  reloading.join();
  for (const auto& [answer, times] : answers)
    CAF_MESSAGE(answer << " x" << times << " beside " << reloads << " reloads");
  CAF_CHECK(reloads > 1);
  CAF_CHECK((answers ==
             std::map<std::string, std::size_t>{{"PUT 201", rounds}, {"DELETE 200", rounds}, {"GET 404", rounds}}));
  CAF_CHECK_EQUAL(host.daemon().stop(), 0);
  CAF_CHECK_EQUAL(events_of(read_events(host.home().evidence_dir()), "one", "run.v1.started").size(), rounds);
}

CAF_TEST(what_a_reload_cannot_change_is_named) {
  controlled_daemon host;
  host.configure({.evidence = "fsync = 'never'\n", .tables = "mode = '0600'\n[scheduler]\nthreads = 7\n"});
  const http_response answer = host.client().ask("POST", "/reload");
  CAF_CHECK_EQUAL(answer.status, 200);
  CAF_CHECK_EQUAL(answer.json().at("restart_needed").dump(),
                  R"(["evidence.fsync","control.mode","scheduler.threads"])");
  const std::string line = host.daemon().wait_for_line(" restart_needed ");
  CAF_CHECK(line.find("evidence.fsync,control.mode,scheduler.threads") != std::string::npos);
}

CAF_TEST(a_level_of_the_log_counts_at_once) {
  controlled_daemon host;
  host.configure({.tables = "[log]\nlevel = 'error'\n"});
  CAF_CHECK_EQUAL(host.client().ask("POST", "/reload").status, 200);
  CAF_CHECK_EQUAL(host.put("unseen").status, 201);
  host.configure({});
  CAF_CHECK_EQUAL(host.client().ask("POST", "/reload").status, 200);
  CAF_CHECK_EQUAL(host.put("seen").status, 201);
  (void)host.daemon().wait_for_line("cell_admitted cell=seen");
  CAF_CHECK(host.daemon().err().find("cell=unseen") == std::string::npos);
}
