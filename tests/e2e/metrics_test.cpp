#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/controlled_daemon.hpp"
#include "tests/support/files.hpp"
#include "tests/support/raw_guest.hpp"
#include "tests/support/run_record.hpp"
#include "tests/support/temporary_directory.hpp"

// ctest: TIMEOUT 240
#define CAF_SUITE metrics
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

const std::string prefix = "cellos_telemetry_";

/// The totals, as one scrape has them.
struct scraped_totals {
  double received = 0;
  double appended = 0;
  double heartbeats = 0;
  double refused = 0;
  double quarantined = 0;
  double in_flight = 0;
  double forged = 0;
  double connections = 0;

  double settled() const { return appended + heartbeats + refused + quarantined; }
  bool is_before(const scraped_totals& later) const {
    return received <= later.received && appended <= later.appended && heartbeats <= later.heartbeats &&
           refused <= later.refused && quarantined <= later.quarantined && forged <= later.forged &&
           connections <= later.connections;
  }
};

scraped_totals totals_of(const std::string& text) {
  scraped_totals totals;
  totals.received = metric(text, prefix + "frames_received_total");
  totals.appended = metric(text, prefix + "declarations_appended_total");
  totals.heartbeats = metric(text, prefix + "heartbeats_total");
  for (const telemetry_errc kind : refusal_kinds) {
    totals.refused += metric(text, prefix + "frames_refused_total{reason=\"" + std::string{to_string(kind)} + "\"}");
  }
  totals.quarantined = metric(text, prefix + "frames_quarantined_total");
  totals.in_flight = metric(text, prefix + "frames_in_flight");
  totals.forged = metric(text, prefix + "forged_attribution_total");
  totals.connections = metric(text, prefix + "connections_accepted_total");
  return totals;
}

/// Scrapes without pause until it is finished.
class scraping {
 public:
  explicit scraping(http_client client) : client_(std::move(client)), thread_([this] { run(); }) {}
  ~scraping() { (void)finish(); }
  scraping(const scraping&) = delete;
  scraping& operator=(const scraping&) = delete;

  /// How many scrapes there were, and in how many the totals did not balance or a count went back.
  std::pair<std::size_t, std::size_t> finish() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    return {scrapes_, faults_};
  }

 private:
  void run() {
    scraped_totals last;
    while (!done_) {
      const scraped_totals now = totals_of(client_.get("/metrics").body);
      if (now.received != now.settled() + now.in_flight || !last.is_before(now)) ++faults_;
      last = now;
      ++scrapes_;
    }
  }

  http_client client_;
  std::atomic<bool> done_{false};
  std::size_t scrapes_ = 0;
  std::size_t faults_ = 0;
  std::thread thread_;
};

/// What a program says of `input`, and its exit code.
std::pair<int, std::string> output_of_checker(const std::string& program, const std::vector<std::string>& arguments,
                                              const fs::path& input = "/dev/null") {
  std::string script = "exec \"$0\" \"$@\" < '" + input.native() + "' 2>&1";
  std::vector<std::string> words{"-c", script, program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  process verifier{{"/bin/sh", words, {}}};
  const int code = verifier.wait();
  return {code, verifier.out()};
}

/// Every name of ours in a text.
std::set<std::string> names_in(const std::string& text) {
  std::set<std::string> out;
  for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
    const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", at);
    out.insert(text.substr(at, end - at));
  }
  return out;
}

std::vector<fs::path> files_below(const char* folder, const char* extension) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator{fs::path{CELLOS_SOURCE_DIR} / folder}) {
    if (entry.path().extension() == extension) out.push_back(entry.path());
  }
  return out;
}

/// A daemon that is host, forwarder and collector at once: all the series there are.
std::string every_table(const temporary_directory& kept) {
  return "[metrics]\nper_cell_series = 1\nper_host_series = 1\n[tls]\nplain_loopback = true\n[forward]\ncollectors = "
         "['127.0.0.1:1']\n[collector]\nlisten = '127.0.0.1:0'\ndir = '" +
         (kept / "hosts").native() + "'\n";
}

}  // namespace

CAF_TEST(the_totals_balance_at_every_scrape_and_never_go_back) {
  controlled_daemon host;
  const std::array<const char*, 5> scenarios{"honest", "garbage", "forged", "reconnecting", "mixed"};
  std::vector<simulator> guests;
  for (const char* scenario : scenarios) {
    CAF_REQUIRE_EQUAL(host.put(scenario).status, 201);
    guests.emplace_back(
        simulation{.socket = host.home().socket_of(scenario), .frames = 30'000, .scenario = scenario, .seed = 7});
  }
  scraping scraper{host.another_client()};
  std::vector<sent_report> reports;
  for (std::size_t i = 0; i < guests.size(); ++i) {
    reports.push_back(guests[i].finish());
    CAF_MESSAGE("the cell of a guest that is done is retired while the others go on");
    CAF_CHECK_EQUAL(host.remove(scenarios[i]).status, 200);
  }
  const auto [scrapes, faults] = scraper.finish();
  const scraped_totals last = totals_of(host.metrics());
  CAF_CHECK_EQUAL(faults, 0u);
  CAF_CHECK_EQUAL(last.in_flight, 0);
  sent_report sent;
  double refused = 0;
  for (const sent_report& one : reports) {
    sent.frames += one.frames;
    sent.declarations += one.declarations;
    sent.heartbeats += one.heartbeats;
    sent.forged_attribution += one.forged_attribution;
    sent.connections += one.connections;
    refused += static_cast<double>(one.refused.total());
  }
  CAF_MESSAGE(scrapes << " scrapes while " << sent.frames << " frames came");
  CAF_CHECK_EQUAL(last.received, static_cast<double>(sent.frames));
  CAF_CHECK_EQUAL(last.appended, static_cast<double>(sent.declarations));
  CAF_CHECK_EQUAL(last.heartbeats, static_cast<double>(sent.heartbeats));
  CAF_CHECK_EQUAL(last.refused, refused);
  CAF_CHECK_EQUAL(last.forged, static_cast<double>(sent.forged_attribution));
  CAF_CHECK_EQUAL(last.connections, static_cast<double>(sent.connections));
}

CAF_TEST(cells_have_series_of_their_own_only_as_far_as_asked) {
  controlled_daemon host{{.tables = "[metrics]\nper_cell_series = 2\n"}};
  for (const char* cell : {"busy", "busier", "idle"}) CAF_REQUIRE_EQUAL(host.put(cell).status, 201);
  raw_guest{host.home().socket_of("busy")}.write_frames(10);
  raw_guest{host.home().socket_of("busier")}.write_frames(20);
  CAF_CHECK(
      holds_within(test_timeout, [&] { return metric(host.metrics(), prefix + "declarations_appended_total") == 30; }));
  const std::string text = host.metrics();
  CAF_CHECK_EQUAL(metric(text, prefix + "cell_frames_received_total{cell=\"busier\"}"), 20);
  CAF_CHECK_EQUAL(metric(text, prefix + "cell_frames_received_total{cell=\"busy\"}"), 10);
  CAF_CHECK(text.find("cell=\"idle\"") == std::string::npos);
  host.configure({});
  CAF_CHECK_EQUAL(host.client().ask("POST", "/reload").status, 200);
  CAF_CHECK(host.metrics().find("cell=\"") == std::string::npos);
}

CAF_TEST(series_of_a_cell_go_on_when_it_comes_back) {
  controlled_daemon host{{.tables = "[metrics]\nper_cell_series = 2\n"}};
  const std::string received = prefix + "cell_frames_received_total{cell=\"a\"}";
  double before = 0;
  for (int run = 0; run < 3; ++run) {
    CAF_REQUIRE_EQUAL(host.put("a").status, 201);
    CAF_CHECK_EQUAL(metric(host.metrics(), received), before);
    raw_guest{host.home().socket_of("a")}.write_frames(10);
    CAF_CHECK(holds_within(test_timeout, [&] { return metric(host.metrics(), received) == before + 10; }));
    before += 10;
    CAF_REQUIRE_EQUAL(host.remove("a").status, 200);
  }
  CAF_CHECK_EQUAL(metric(host.metrics(), prefix + "frames_received_total"), before);
}

CAF_TEST(prometheus_and_grafana_files_name_only_what_there_is) {
  const temporary_directory kept;
  controlled_daemon host{{.tables = every_table(kept)}};
  CAF_REQUIRE_EQUAL(host.put("a").status, 201);
  raw_guest{host.home().socket_of("a")}.write_frames(1);
  CAF_REQUIRE(
      holds_within(test_timeout, [&] { return metric(host.metrics(), prefix + "declarations_appended_total") == 1; }));
  const std::string text = host.metrics();
  CAF_CHECK(metric(text, prefix + "evidence_append_seconds_count") > 0);
  const std::set<std::string> there = names_in(text);
  for (const auto& [folder, extension] : {std::pair{"config/prometheus", ".yml"}, {"config/grafana", ".json"}}) {
    const auto files = files_below(folder, extension);
    CAF_CHECK(!files.empty());
    for (const fs::path& file : files) {
      std::set<std::string> named = names_in(content_of(file));
      CAF_CHECK(named.size() > 5);
      for (const std::string& name : named) {
        if (!there.contains(name)) CAF_ERROR(file << " names " << name << ", which the daemon does not have");
      }
    }
  }
  CAF_MESSAGE("the dashboard shows all that is counted of what the host reads for itself");
  const std::set<std::string> shown = names_in(content_of(CELLOS_SOURCE_DIR "/config/grafana/cellos-telemetry.json"));
  for (const std::string& name : there) {
    const bool is_of_probes =
        name.starts_with(prefix + "probe") || name == prefix + "vmms" || name == prefix + "contradictions_total";
    if (is_of_probes && !shown.contains(name)) CAF_ERROR("the dashboard does not show " << name);
  }
  CAF_MESSAGE("docs/operations.md explains each");
  const std::string documented = content_of(CELLOS_SOURCE_DIR "/docs/operations.md");
  for (const std::string& name : there) {
    const std::string family = name.ends_with("_bucket")         ? name.substr(0, name.size() - 7)
                               : name.ends_with("_sum")          ? name.substr(0, name.size() - 4)
                               : name.ends_with("seconds_count") ? name.substr(0, name.size() - 6)
                                                                 : name;
    if (documented.find('`' + family.substr(prefix.size())) == std::string::npos) {
      CAF_ERROR(family << " is not in docs/operations.md");
    }
  }
}

CAF_TEST(promtool_accepts_metrics_and_rules) {
  if (!fs::exists("/usr/bin/promtool")) {
    CAF_MESSAGE("promtool is not installed: nothing is checked");
    return;
  }
  const temporary_directory kept;
  controlled_daemon host{{.tables = every_table(kept)}};
  CAF_REQUIRE_EQUAL(host.put("a").status, 201);
  const fs::path scrape = host.home() / "scrape";
  std::ofstream{scrape} << host.metrics();
  const auto metrics = output_of_checker("/usr/bin/promtool", {"check", "metrics"}, scrape);
  CAF_CHECK_EQUAL(metrics.second, "");
  CAF_CHECK_EQUAL(metrics.first, 0);
  const fs::path prometheus = fs::path{CELLOS_SOURCE_DIR} / "config/prometheus";
  const auto rules = output_of_checker("/usr/bin/promtool", {"check", "rules", (prometheus / "alerts.yml").native()});
  CAF_MESSAGE(rules.second);
  CAF_CHECK_EQUAL(rules.first, 0);
  const auto tested = output_of_checker("/usr/bin/promtool",
                                        {"test", "rules", CELLOS_SOURCE_DIR "/tests/e2e/prometheus/alerts_test.yml"});
  CAF_MESSAGE(tested.second);
  CAF_CHECK_EQUAL(tested.first, 0);
}
