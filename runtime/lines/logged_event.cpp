#include <simdjson.h>

#include <algorithm>
#include <deque>
#include <string>

#include "messages/escaped_text.hpp"
#include "messages/event_line.hpp"
#include "runtime/lines/canonical_json.hpp"
#include "runtime/lines/logged_event.hpp"
#include "runtime/lines/rfc3339.hpp"
#include "runtime/text/base64.hpp"

namespace cellos {

namespace {

namespace dom = simdjson::dom;

struct attribute {
  std::string_view name;
  std::string_view value;
  bool named = false;
};

/// A CloudEvent of ours has 13; the bound keeps a line's cost linear in its length.
constexpr std::size_t most_members = 64;

constexpr std::string_view core_names[] = {"id",   "source",          "specversion", "type", "subject",
                                           "time", "datacontenttype", "dataschema",  "data", "data_base64"};

bool is_core(std::string_view name) {
  return std::find(std::begin(core_names), std::end(core_names), name) != std::end(core_names);
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

}  // namespace

bool read_canonical_line(std::string_view line, logged_event& into) {
  const auto parsed = parse_event_line(line);
  if (!parsed) return false;
  into.core = core_of(*parsed);
  into.chain = parsed->chain;
  into.sequence = parsed->sequence;
  into.prevdigest = parsed->prevdigest;
  into.signedextattrs = parsed->is_sealed() ? chain_extensions : std::string_view{};
  into.dssematerial = parsed->dssematerial;
  into.uncovered = {};
  into.canonical_line = true;
  into.signed_extensions.clear();
  return true;
}

digest material_of(const logged_event& event) {
  if (!event.canonical_line) return material_of(event.core, event.signed_extensions);
  const std::array<extension_attribute, 3> extensions{
      {{"chain", event.chain}, {"sequence", event.sequence}, {"prevdigest", event.prevdigest}}};
  return material_of(event.core, extensions);
}

struct generic_event_reader::scratch {
  dom::parser parser;
  std::vector<attribute> extensions;
  /// What is not in the parser: values put together here.
  std::deque<std::string> texts;
  std::vector<std::string_view> seen;

  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }

  std::optional<std::string> take_member(dom::key_value_pair member, logged_event& into);
  std::optional<std::string> take_data(dom::key_value_pair member, logged_event& into);
  std::optional<std::string> text_of(dom::key_value_pair member, std::string_view& value);
  std::optional<std::string> name_signed_extensions(logged_event& into);
};

generic_event_reader::generic_event_reader() : scratch_(std::make_unique<scratch>()) {}
generic_event_reader::~generic_event_reader() = default;

/// Strings as they are; integers and booleans in the canonical form the CloudEvents type system gives them.
std::optional<std::string> generic_event_reader::scratch::text_of(dom::key_value_pair member, std::string_view& value) {
  switch (member.value.type()) {
    case dom::element_type::STRING: value = member.value.get_string().value_unsafe(); return std::nullopt;
    case dom::element_type::INT64: value = keep(std::to_string(member.value.get_int64().value_unsafe())); return {};
    case dom::element_type::BOOL: value = member.value.get_bool().value_unsafe() ? "true" : "false"; return {};
    // As absent.
    case dom::element_type::NULL_VALUE: value = {}; return std::nullopt;
    default: return "attribute \"" + escaped(member.key) + "\" is neither text, integer nor boolean";
  }
}

std::optional<std::string> generic_event_reader::scratch::take_data(dom::key_value_pair member, logged_event& into) {
  std::string bytes;
  if (member.key == "data") {
    if (!append_canonical(bytes, member.value)) return "data has a member twice";
  } else {
    const auto text = member.value.get_string();
    auto decoded = text.error() == simdjson::SUCCESS ? decode_base64(text.value_unsafe()) : std::nullopt;
    if (!decoded) return "data_base64 is not Base64";
    bytes = *std::move(decoded);
  }
  into.core.data = keep(std::move(bytes));
  return std::nullopt;
}

std::optional<std::string> generic_event_reader::scratch::take_member(dom::key_value_pair member, logged_event& into) {
  const std::string_view name = member.key;
  if (seen.size() == most_members) return "has more than " + std::to_string(most_members) + " attributes";
  if (std::find(seen.begin(), seen.end(), name) != seen.end()) return "has member \"" + escaped(name) + "\" twice";
  seen.push_back(name);
  if (name == "data" || name == "data_base64") {
    if (into.core.data.data() != nullptr) return "has both data and data_base64";
    return take_data(member, into);
  }
  std::string_view value;
  if (auto problem = text_of(member, value)) return problem;
  core_attributes& core = into.core;
  const std::pair<std::string_view, std::string_view*> places[] = {
      {"id", &core.id},
      {"source", &core.source},
      {"specversion", &core.specversion},
      {"type", &core.type},
      {"subject", &core.subject},
      {"time", &core.time},
      {"datacontenttype", &core.datacontenttype},
      {"dataschema", &core.dataschema},
      {"signedextattrs", &into.signedextattrs},
      {"dssematerial", &into.dssematerial},
  };
  for (const auto& [known, place] : places) {
    if (name == known) {
      *place = value;
      return std::nullopt;
    }
  }
  extensions.push_back({name, value});
  if (name == "chain") into.chain = value;
  if (name == "sequence") into.sequence = value;
  if (name == "prevdigest") into.prevdigest = value;
  return std::nullopt;
}

/// The rules of the CloudEvents extension for `signedextattrs`.
std::optional<std::string> generic_event_reader::scratch::name_signed_extensions(logged_event& into) {
  std::string_view rest = into.signedextattrs;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (!is_attribute_name(name) || is_core(name) || name == "dssematerial" || name == "signedextattrs" ||
        (comma != std::string_view::npos && rest.empty())) {
      return "signedextattrs is not a list of extension attributes: \"" + escaped(into.signedextattrs) + "\"";
    }
    const auto known =
        std::find_if(extensions.begin(), extensions.end(), [&](const attribute& each) { return each.name == name; });
    if (known == extensions.end()) return "signedextattrs names \"" + escaped(name) + "\", which is not there";
    if (std::exchange(known->named, true)) return "signedextattrs names \"" + escaped(name) + "\" twice";
    into.signed_extensions.emplace_back(name, known->value);
  }
  const auto uncovered =
      std::find_if(extensions.begin(), extensions.end(), [](const attribute& each) { return !each.named; });
  if (uncovered != extensions.end()) into.uncovered = uncovered->name;
  return std::nullopt;
}

std::optional<std::string> generic_event_reader::read(std::string_view line, logged_event& into) {
  scratch& work = *scratch_;
  work.extensions.clear();
  work.texts.clear();
  work.seen.clear();
  into = logged_event{};
  dom::object object;
  const auto parsed = work.parser.parse(line.data(), line.size()).get_object().get(object);
  if (parsed != simdjson::SUCCESS) {
    return parsed == simdjson::INCORRECT_TYPE ? "not a JSON object" : simdjson::error_message(parsed);
  }
  for (const dom::key_value_pair member : object) {
    if (auto problem = work.take_member(member, into)) return problem;
  }
  if (into.core.specversion != event_specversion || into.core.id.empty() || into.core.source.empty() ||
      into.core.type.empty()) {
    return "not a CloudEvent 1.0";
  }
  if (into.chain.empty() || into.sequence.empty()) return "an event without chain and sequence";
  if (auto problem = work.name_signed_extensions(into)) return problem;
  if (!into.core.time.empty()) {
    auto zulu = in_zulu(into.core.time);
    if (!zulu) return "its time is not RFC 3339";
    into.core.time = work.keep(*std::move(zulu));
  }
  return std::nullopt;
}

}  // namespace cellos
