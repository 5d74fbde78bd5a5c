#include "actors/events.hpp"

#include <spdlog/sinks/ostream_sink.h>

#include <chrono>
#include <memory>
#include <sstream>

#define CAF_SUITE events
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

struct fixture {
  std::ostringstream lines;
  std::shared_ptr<spdlog::logger> logger =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines));

  bool reported(std::string_view part) const { return lines.str().find(part) != std::string::npos; }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(events_tests, fixture)

CAF_TEST(quotation_marks_stay_readable_and_unambiguous) {
  operator_events text{logger, log_format::text};
  text.cell_refused("c1", "/a/\"b\": is taken\\x22");
  CAF_CHECK(reported(R"(cause="/a/\"b\": is taken\x5cx22")"));
  operator_events json{logger, log_format::json};
  json.cell_refused("c1", "say \"no\"");
  CAF_CHECK(reported(R"("cause":"say \"no\"")"));
}

CAF_TEST(a_cause_can_forge_neither_a_field_nor_a_line) {
  operator_events text{logger, log_format::text};
  text.cell_refused("c1", "a\nb\x1b[31m");
  CAF_CHECK(reported(R"(cause=a\x0ab\x1b[31m)"));
  text.cell_refused("c1", "a\\\" cause=forged");
  CAF_CHECK(reported(R"(cause="a\x5c\" cause=forged")"));
}

CAF_TEST(an_event_and_its_count_are_one) {
  operator_events events{logger, log_format::text};
  logger->set_level(spdlog::level::off);
  const host_stamp run{"h", "c", "r", "s"};
  events.agent_resumed(run);
  events.actor_failed("DECODER", "c", "why");
  events.actor_failed("DECODER", "c", "why");
  events.actor_failed("SINK", "", "why");
  CAF_MESSAGE("whatever the level of the log");
  CAF_CHECK_EQUAL(lines.str(), "");
  CAF_CHECK_EQUAL(events.counts().agents_resumed, 1u);
  CAF_CHECK_EQUAL(events.counts().actor_failures(), (event_counts::by_role{{"DECODER", 2}, {"SINK", 1}}));
}

CAF_TEST(what_was_held_back_is_counted) {
  operator_events events{logger, log_format::text};
  events.connection_refused("c1", "too many", 41);
  CAF_CHECK(reported("connection_refused cell=c1 cause=\"too many\" held_back=41"));
}

CAF_TEST(what_nodes_say_of_each_other_is_one_escaped_line) {
  operator_events events{logger, log_format::text};
  events.host_refused("host-a", "192.0.2.1", "host_mismatch", 3);
  CAF_CHECK(reported("host_refused host=host-a address=192.0.2.1 reason=host_mismatch held_back=3"));
  events.host_silenced("a\nb", std::chrono::milliseconds{15'250});
  CAF_CHECK(reported(R"(host_silenced host=a\x0ab unheard_for=15.250s)"));
  events.lines_undelivered("collector-1", "3:0", "5:0");
  CAF_CHECK(reported("lines_undelivered collector=collector-1 from=3:0 to=5:0"));
  CAF_CHECK_EQUAL(events.counts().hosts_silenced, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
