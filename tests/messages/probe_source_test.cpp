#include "messages/probe_source.hpp"

#include <set>
#include <string>

#define CAF_SUITE probe_source
#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(the_seven_sources_are_spelled_so) {
  CAF_CHECK_EQUAL(std::string{to_string(probe_source::process_spawned)}, "process.spawned");
  CAF_CHECK_EQUAL(std::string{to_string(probe_source::process_exited)}, "process.exited");
  CAF_CHECK_EQUAL(std::string{to_string(probe_source::capability_denied)}, "capability.denied");
  CAF_CHECK_EQUAL(std::string{to_string(probe_source::net_connect_attempted)}, "net.connect_attempted");
  CAF_CHECK_EQUAL(std::string{to_string(probe_source::fs_inotify_fired)}, "fs.inotify_fired");
  CAF_CHECK_EQUAL(std::string{to_string(probe_source::agent_heartbeat)}, "agent.heartbeat");
  CAF_CHECK_EQUAL(std::string{to_string(probe_source::telemetry_dropped)}, "telemetry.dropped");
  CAF_CHECK_EQUAL(probe_source_names.size(), 7u);
}

CAF_TEST(every_spelling_is_parsed_to_its_source) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < probe_source_names.size(); ++i) {
    const auto source = parse_probe_source(probe_source_names[i]);
    CAF_REQUIRE(source.has_value());
    CAF_CHECK_EQUAL(static_cast<std::size_t>(*source), i);
    CAF_CHECK(to_string(*source) == probe_source_names[i]);
    names.insert(probe_source_names[i]);
  }
  CAF_CHECK_EQUAL(names.size(), probe_source_names.size());
}

CAF_TEST(only_the_exact_spelling_is_parsed) {
  for (auto name : probe_source_names) {
    const std::string exact{name};
    std::string upper = exact;
    upper[0] = static_cast<char>(upper[0] - 'a' + 'A');
    std::string underscored = exact;
    underscored[underscored.find('.')] = '_';
    for (const std::string& other : {upper, underscored, exact + " ", " " + exact, exact + std::string(1, '\0'),
                                     exact.substr(1), exact.substr(0, exact.size() - 1), exact + exact}) {
      CAF_CHECK(!parse_probe_source(other));
    }
  }
  CAF_CHECK(!parse_probe_source(""));
  CAF_CHECK(!parse_probe_source("host.cgroup"));
}
