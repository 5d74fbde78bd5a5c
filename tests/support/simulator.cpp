#include "tests/support/simulator.hpp"

#include <signal.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace cellos::test {

namespace {

command command_of(const simulation& what) {
  command out{what.program.empty() ? program_path("cellos-guest-sim") : what.program, {}, what.uid};
  const auto option = [&](std::string_view name, const std::string& value) {
    out.arguments.emplace_back(name);
    out.arguments.push_back(value);
  };
  option("--socket", what.socket);
  option("--frames", std::to_string(what.frames));
  option("--scenario", what.scenario);
  option("--seed", std::to_string(what.seed));
  if (!what.content_version.empty()) option("--content-version", what.content_version);
  out.arguments.insert(out.arguments.end(), what.further.begin(), what.further.end());
  return out;
}

}  // namespace

simulator::simulator(const simulation& what) : process(command_of(what)) {}

sent_report simulator::finish(std::chrono::nanoseconds limit) {
  if (const int code = wait(limit); code != 0) {
    throw std::runtime_error("cellos-guest-sim ended with " + std::to_string(code) + ": " + err());
  }
  return report();
}

sent_report simulator::stop(std::chrono::nanoseconds limit) {
  send(SIGTERM);
  return finish(limit);
}

sent_report simulator::report() const {
  const auto json = nlohmann::json::parse(out());
  sent_report sent;
  json.at("frames").get_to(sent.frames);
  json.at("declarations").get_to(sent.declarations);
  json.at("heartbeats").get_to(sent.heartbeats);
  for (const telemetry_errc kind : refusal_kinds) sent.refused.add(kind, json.at("refused").at(to_string(kind)));
  json.at("forgedAttribution").get_to(sent.forged_attribution);
  json.at("missingSeq").get_to(sent.missing_seq);
  json.at("droppedByGuest").get_to(sent.dropped_by_guest);
  json.at("connections").get_to(sent.connections);
  json.at("seconds").get_to(sent.seconds);
  return sent;
}

sent_report simulate(const simulation& what) { return simulator{what}.finish(); }

}  // namespace cellos::test
