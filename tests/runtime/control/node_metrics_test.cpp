#include "runtime/control/node_metrics.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/http_client.hpp"

#define CAF_SUITE node_metrics
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

std::string text_of(const node_board& board, std::size_t hosts_with_series = 0) {
  exposition out;
  const event_counts seen;
  write_node_metrics(out, board, seen, hosts_with_series);
  return out.text();
}

double value(const std::string& text, const std::string& series) { return metric(text, metric_prefix + series); }

std::vector<host_status> hosts(std::size_t count) {
  std::vector<host_status> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i].host_id = "host-" + std::to_string(i);
    all[i].is_connected = i % 2 == 0;
    all[i].lag = forwarding_lag{i, 10 * i, std::chrono::seconds{i}};
    all[i].cells = cell_figures{4, 1};
  }
  return all;
}

}  // namespace

CAF_TEST(a_daemon_that_is_no_node_has_the_families_and_no_series) {
  const std::string text = text_of({});
  CAF_CHECK_NOT_EQUAL(text.find("# TYPE cellos_telemetry_forwarder_lag_seconds gauge"), std::string::npos);
  CAF_CHECK_EQUAL(text.find("cellos_telemetry_forwarder_lag_seconds{"), std::string::npos);
  CAF_CHECK_EQUAL(value(text, "collectors_lost_total"), 0);
  CAF_CHECK_EQUAL(value(text, "hosts{state=\"connected\"}"), -1);
}

CAF_TEST(a_forwarder_shows_its_state_its_destination_and_its_lag) {
  node_board board;
  board.show(&board, {.forwarder = [] {
    return forwarding_status{"collectors", forwarding_state::delivering, "c:1", {3, 200, 1500ms}, 7, 8, 9, 2};
  }});
  const std::string text = text_of(board);
  const std::string of = "{forwarder=\"collectors\"}";
  CAF_CHECK_EQUAL(value(text, "forwarder_state{forwarder=\"collectors\",state=\"delivering\"}"), 1);
  CAF_CHECK_EQUAL(value(text, "forwarder_state{forwarder=\"collectors\",state=\"unreached\"}"), 0);
  CAF_CHECK_EQUAL(value(text, "forwarder_destination{forwarder=\"collectors\",destination=\"c:1\"}"), 1);
  CAF_CHECK_EQUAL(value(text, "forwarder_lag_events" + of), 3);
  CAF_CHECK_EQUAL(value(text, "forwarder_lag_bytes" + of), 200);
  CAF_CHECK_EQUAL(value(text, "forwarder_lag_seconds" + of), 1.5);
  CAF_CHECK_EQUAL(value(text, "forwarder_delivered_events_total" + of), 7);
  CAF_CHECK_EQUAL(value(text, "forwarder_sent_bytes_total" + of), 9);
  CAF_CHECK_EQUAL(value(text, "forwarder_gaps_total" + of), 2);
  board.hide(&board);
  CAF_CHECK_EQUAL(value(text_of(board), "forwarder_lag_events" + of), -1);
}

CAF_TEST(a_certificate_shows_when_it_ends_and_a_transport_what_it_refused) {
  node_board board;
  board.show(&board, {.transport =
                          [] {
                            transport_status shown;
                            shown.role = "collector";
                            shown.open = 5;
                            shown.refused = {{"expired", 2}};
                            return shown;
                          },
                      .certificate =
                          [] {
                            return std::optional{certificate_status{"collector", "/c.pem", wall_time{1000s}}};
                          }});
  const std::string text = text_of(board);
  CAF_CHECK_EQUAL(value(text, "certificate_expiry_timestamp_seconds{role=\"collector\",file=\"/c.pem\"}"), 1000);
  CAF_CHECK_EQUAL(value(text, "node_connections_open{role=\"collector\"}"), 5);
  CAF_CHECK_EQUAL(value(text, "node_connections_refused_total{role=\"collector\",reason=\"expired\"}"), 2);
}

CAF_TEST(hosts_are_added_up_and_only_as_many_as_asked_for_have_series) {
  node_board board;
  board.show(&board, {.hosts = [] { return hosts(1000); }});
  const std::string text = text_of(board, 2);
  CAF_CHECK_EQUAL(value(text, "hosts{state=\"connected\"}"), 500);
  CAF_CHECK_EQUAL(value(text, "hosts{state=\"disconnected\"}"), 500);
  CAF_CHECK_EQUAL(value(text, "hosts_largest_lag_seconds"), 999);
  CAF_CHECK_EQUAL(value(text, "hosts_silenced_cells"), 1000);
  CAF_CHECK_EQUAL(value(text, "host_lag_bytes{host=\"host-999\"}"), 9990);
  CAF_CHECK_EQUAL(value(text, "host_lag_bytes{host=\"host-998\"}"), 9980);
  CAF_CHECK_EQUAL(value(text, "host_lag_bytes{host=\"host-997\"}"), -1);
  CAF_CHECK_EQUAL(text_of(board).find("host=\""), std::string::npos);
}

CAF_TEST(commits_are_a_histogram_that_adds_up) {
  duration_counts took;
  for (const auto each : {50us, 3000us, 3000us}) took.add(each);
  took.add(1h);
  node_board board;
  board.show(&board, {.collection = [&] {
    collection_status taken;
    taken.over_quota = 4;
    taken.commits = took.read();
    return taken;
  }});
  const std::string text = text_of(board);
  CAF_CHECK_EQUAL(value(text, "collector_commit_seconds_bucket{le=\"0.0001\"}"), 1);
  CAF_CHECK_EQUAL(value(text, "collector_commit_seconds_bucket{le=\"0.005\"}"), 3);
  CAF_CHECK_EQUAL(value(text, "collector_commit_seconds_bucket{le=\"+Inf\"}"), 4);
  CAF_CHECK_EQUAL(value(text, "collector_commit_seconds_count"), 4);
  CAF_CHECK_EQUAL(value(text, "collector_batches_held_back_total{reason=\"over_quota\"}"), 4);
}
