#include "runtime/probes/exec_probe.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "runtime/lines/canonical_json.hpp"
#include "runtime/probes/bounded_run.hpp"
#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

/// Chosen here: who nests deeper is not read by people.
constexpr std::size_t most_nesting = 16;

/// The object as RFC 8785 writes it, or nothing.
std::string canonical_object(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string canonical;
  const bool is_object = parser.allocate(std::max<std::size_t>(text.size(), 64), most_nesting) == simdjson::SUCCESS &&
                         parser.parse(text).get(root) == simdjson::SUCCESS && root.is_object() &&
                         append_canonical(canonical, root);
  return is_object ? canonical : std::string{};
}

}  // namespace

exec_probe::exec_probe(exec_probe_settings settings)
    : settings_(std::move(settings)), inputs_(json_object([this](json::object_writer& inputs) {
        inputs.member("arguments", [this](std::string& out) {
          out += '[';
          for (const std::string& each : settings_.arguments) {
            if (&each != &settings_.arguments.front()) out += ',';
            json::append_string(out, each);
          }
          out += ']';
        });
        inputs.text("program", settings_.program);
      })) {}

probe_result<probe_reading> exec_probe::read(const probe_context& context) {
  const monotonic_time own = std::chrono::steady_clock::now() + settings_.timeout;
  const auto text = run_bounded(settings_, std::min(own, context.deadline));
  if (!text) return text.error();
  std::string output = canonical_object(*text);
  if (output.empty()) return probe_error{probe_error_kind::malformed_source, "the program's output is no JSON object"};
  return probe_reading{source(), inputs_, std::move(output), std::nullopt};
}

}  // namespace cellos
