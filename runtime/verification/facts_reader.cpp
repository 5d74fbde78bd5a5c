#include "runtime/verification/facts_reader.hpp"

#include <simdjson.h>

#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

namespace cellos::verification {

namespace {

std::string text(simdjson::dom::object object, std::string_view name) {
  std::string_view value;
  return object[name].get_string().get(value) == simdjson::SUCCESS ? std::string{value} : std::string{};
}
/// A decimal string, or a number.
std::optional<std::uint64_t> count(simdjson::dom::object object, std::string_view name) {
  std::string_view written;
  if (object[name].get_string().get(written) == simdjson::SUCCESS) return decimal(written);
  std::uint64_t number = 0;
  if (object[name].get_uint64().get(number) == simdjson::SUCCESS) return number;
  return std::nullopt;
}

std::optional<signing_statement> signing(simdjson::dom::object data) {
  simdjson::dom::object said;
  if (data["signing"].get_object().get(said) != simdjson::SUCCESS) return std::nullopt;
  signing_statement statement;
  statement.mode = parse_signing_mode(text(said, "mode")).value_or(signing_statement::kind::off);
  if (statement.mode != signing_statement::kind::checkpoint) return statement;
  statement.events = count(said, "events").value_or(0);
  statement.interval = std::chrono::nanoseconds{static_cast<std::int64_t>(count(said, "intervalNs").value_or(0))};
  return statement;
}

std::vector<removal_listing> removed(simdjson::dom::object data) {
  std::vector<removal_listing> chains;
  simdjson::dom::array listed;
  if (data["chains"].get_array().get(listed) != simdjson::SUCCESS) return chains;
  for (const simdjson::dom::element each : listed) {
    simdjson::dom::object chain;
    if (each.get_object().get(chain) != simdjson::SUCCESS) continue;
    const auto last = count(chain, "lastSequence");
    if (!last) continue;
    bool open = false;
    if (chain["open"].get_bool().get(open) != simdjson::SUCCESS) open = false;
    chains.push_back({text(chain, "chain"), *last, text(chain, "lastDigest"), open, signing(chain)});
  }
  return chains;
}

std::optional<witness_statement> witnessed(simdjson::dom::object data) {
  const auto segment = count(data, "segment");
  const auto offset = count(data, "offset");
  witness_statement said;
  said.host = text(data, "ofHost");
  said.log_id = text(data, "logId");
  said.fork = static_cast<std::uint32_t>(count(data, "fork").value_or(0));
  said.at = {segment.value_or(0), offset.value_or(0)};
  said.line_hash = text(data, "digest");
  said.from = count(data, "from").value_or(0);
  said.bytes_hash = text(data, "bytesDigest");
  if (!segment || !offset || said.host.empty() || said.log_id.empty() || said.line_hash.empty()) return std::nullopt;
  return said;
}

}  // namespace

struct facts_reader::scratch {
  simdjson::dom::parser parser;
};

facts_reader::facts_reader() : scratch_(std::make_unique<scratch>()) {}
facts_reader::~facts_reader() = default;

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::unique_ptr<event_facts> facts_reader::read(std::string_view data) {
  simdjson::dom::object object;
  if (scratch_->parser.parse(data.data(), data.size()).get_object().get(object) != simdjson::SUCCESS) return nullptr;
  auto facts = std::make_unique<event_facts>();
  facts->declared = !text(object, "probeSource").empty();
  facts->reason = text(object, "reason");
  facts->frames = count(object, "frames");
  facts->chain = text(object, "chain");
  facts->last_sequence = count(object, "lastSequence");
  facts->last_digest = text(object, "lastDigest");
  facts->signing = signing(object);
  facts->adopted_from = count(object, "adoptedFrom");
  facts->adopted_to = count(object, "adoptedTo");
  facts->cause = text(object, "cause");
  facts->former_chain = text(object, "formerChain");
  facts->former_sequence = count(object, "formerSequence");
  facts->former_digest = text(object, "formerDigest");
  facts->removed = removed(object);
  facts->last_segment = count(object, "lastSegment");
  facts->witnessed = witnessed(object);
  simdjson::dom::object totals;
  if (object["totals"].get_object().get(totals) == simdjson::SUCCESS) facts->appended = count(totals, "appended");
  former_key_id_ = text(object, "formerKeyId");
  key_id_ = text(object, "keyId");
  return facts;
}

}  // namespace cellos::verification
