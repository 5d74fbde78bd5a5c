#include "runtime/collector/reported_collector_events.hpp"

#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <string>

#include "runtime/forwarding/reported_forwarding_events.hpp"

#define CAF_SUITE reported_collector_events
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

struct hand_clock final : monotonic_clock {
  monotonic_time now() const override { return time; }
  monotonic_time time{1h};
};

struct fixture {
  std::size_t lines_with(const std::string& part) const {
    std::size_t found = 0;
    const std::string text = lines.str();
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }

  std::ostringstream lines;
  operator_events log{std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines)),
                      log_format::text};
  hand_clock clock;
  reported_collector_events events{log, clock};
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(reported_collector_events_tests, fixture)

CAF_TEST(what_a_host_can_cause_has_a_line_a_second) {
  for (int i = 0; i < 1000; ++i) events.host_refused({"host-b", "192.0.2.7"}, node_refusal::host_mismatch);
  events.host_doubled({"host-b", ""});
  CAF_CHECK_EQUAL(lines_with("host_refused"), 1u);
  CAF_CHECK_EQUAL(lines_with("host_doubled"), 1u);
  clock.time += 1s;
  events.host_refused({"host-b", "192.0.2.7"}, node_refusal::host_mismatch);
  CAF_CHECK_EQUAL(lines_with("reason=host_mismatch held_back=999"), 1u);
}

CAF_TEST(each_note_of_a_delivery_has_its_line) {
  reported_forwarding_events forwarding{log};
  forwarding.noted({delivery_note::lines_skipped, 0, node_refusal::none, {3, 7}, {5, 0}}, "c1", "");
  CAF_CHECK_EQUAL(lines_with("lines_undelivered collector=c1 from=3:7 to=5:0"), 1u);
  forwarding.noted({delivery_note::collector_refuses, 0, node_refusal::host_doubled, {}, {}}, "c1", "");
  CAF_CHECK_EQUAL(lines_with("delivery_refused collector=c1 reason=host_doubled"), 1u);
  forwarding.noted({delivery_note::collector_lost, 0, node_refusal::none, {}, {}}, "c1", "no route");
  CAF_CHECK_EQUAL(lines_with("collector_lost collector=c1 cause=\"no route\""), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
