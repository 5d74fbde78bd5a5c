#include "runtime/signing/line_digest.hpp"

#include <array>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/signing/material.hpp"

namespace cellos {

namespace {

constexpr std::string_view data_key = R"(,"data":)";

std::optional<std::string> text_in(const nlohmann::json& event, const char* name) {
  const auto member = event.find(name);
  if (member == event.end() || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

}  // namespace

event_digest line_digest(std::string_view line) {
  // Our data is last, and no attribute before it holds this key: what they hold is ids, names of types and Base64.
  const std::size_t data_at = line.find(data_key);
  const auto event = nlohmann::json::parse(line, nullptr, false);
  if (data_at == std::string_view::npos || !event.is_object()) return no_event;
  std::array<std::string, 9> texts;
  constexpr std::array<const char*, 9> names{"id",   "source", "type",     "datacontenttype", "subject",
                                             "time", "chain",  "sequence", "prevdigest"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto text = text_in(event, names[i]);
    if (!text) return no_event;
    texts[i] = std::move(*text);
  }
  const auto& [id, source, type, datacontenttype, subject, time, chain, sequence, prevdigest] = texts;
  const std::size_t data_begin = data_at + data_key.size();
  core_attributes core;
  core.id = id;
  core.source = source;
  core.specversion = "1.0";
  core.type = type;
  core.datacontenttype = datacontenttype;
  core.subject = subject;
  core.time = time;
  core.data = line.substr(data_begin, line.size() - data_begin - 1);
  const std::array<extension_attribute, 3> extensions{
      {{"chain", chain}, {"sequence", sequence}, {"prevdigest", prevdigest}}};
  return material_of(core, extensions);
}

}  // namespace cellos
