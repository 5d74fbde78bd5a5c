#include "messages/host_probe.hpp"

#include "messages/json_text.hpp"

namespace cellos {

void append_reading(std::string& out, const probe_reading& reading) {
  json::object_writer members{out};
  members.member("inputs", [&](std::string& to) { to += reading.inputs; });
  members.member("output", [&](std::string& to) { to += reading.output; });
  members.text("probeSource", to_string(reading.probe_source));
}

}  // namespace cellos
