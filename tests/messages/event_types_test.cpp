#include "messages/event_types.hpp"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#define CAF_SUITE event_types
#include "caf/test/dsl.hpp"

// The table in messages/event_types, the schemas and the documents are read by different people; they say the same.

using namespace cellos;

namespace {

namespace fs = std::filesystem;

const fs::path sources{CELLOS_SOURCE_DIR};

std::string content_of(const fs::path& path) {
  const std::ifstream file{path};
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

/// Names of the types that are written to the log.
std::set<std::string> written_types() {
  std::set<std::string> names;
  for (const event_description& each : event_descriptions) {
    if (each.is_signed != signed_events::never_written) names.emplace(each.name);
  }
  return names;
}

/// Of schemas for one type; the two others are what these have in common.
std::set<std::string> schema_names() {
  std::set<std::string> names;
  for (const auto& each : fs::directory_iterator{sources / "config/schemas"}) {
    std::string name = each.path().filename().string();
    name.resize(name.find(".schema.json"));
    if (name != "cloudevent" && name != "definitions") names.insert(std::move(name));
  }
  return names;
}

/// A text in the schema of a type; empty where there is none.
std::string in_schema(std::string_view name, const std::string& pointer) {
  const std::string text = content_of(sources / "config/schemas" / (std::string{name} + ".schema.json"));
  const auto schema = nlohmann::json::parse(text, nullptr, false);
  return schema.is_object() ? schema.value(nlohmann::json::json_pointer{pointer}, std::string{}) : std::string{};
}

/// Whatever looks like a type's name, without the prefix.
std::set<std::string> names_in(const std::string& text) {
  std::set<std::string> names;
  for (const std::string begin : {"guest.v1.", "run.v1.", "host.v1.", "host.probe.v1."}) {
    for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
      std::size_t end = at + begin.size();
      while (end < text.size() && (std::islower(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) ++end;
      if (end > at + begin.size()) names.insert(text.substr(at, end - at));
    }
  }
  return names;
}

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const std::string& each : words) out += each + "\n";
  return out;
}

std::string row_of(const event_description& type) {
  return "\n| `" + std::string{type.name} + "` | " + (type.chain == chain_kind::host ? "the host" : "a run") + " | " +
         (type.is_signed == signed_events::always ? "always" : "in mode `event`") + " | " +
         in_schema(type.name, "/title") + " |";
}

}  // namespace

CAF_TEST(every_type_that_is_written_has_a_schema_and_no_other_has) {
  CAF_CHECK_EQUAL(joined(schema_names()), joined(written_types()));
}

CAF_TEST(a_schema_is_of_the_type_it_is_named_after) {
  for (const std::string& name : written_types()) {
    CAF_MESSAGE(name);
    CAF_CHECK_EQUAL(in_schema(name, "/$id"), "urn:cellos:schema:" + name);
    CAF_CHECK_EQUAL(in_schema(name, "/properties/type/const"), std::string{event_type_prefix} + name);
  }
}

CAF_TEST(the_table_in_the_document_is_this_one) {
  const std::string document = content_of(sources / "docs/evidence.md");
  const std::size_t begin = document.find("<!-- event types -->");
  const std::size_t end = document.find("<!-- /event types -->");
  CAF_REQUIRE(end != std::string::npos && begin < end);
  const std::string table = document.substr(begin, end - begin);
  CAF_CHECK_EQUAL(joined(names_in(table)), joined(written_types()));
  for (const event_description& each : event_descriptions) {
    if (each.is_signed == signed_events::never_written) continue;
    CAF_MESSAGE(row_of(each));
    CAF_CHECK(table.find(row_of(each)) != std::string::npos);
  }
}

CAF_TEST(the_document_of_the_wire_says_what_becomes_of_each_source) {
  const std::string document = content_of(sources / "docs/wire-format.md");
  for (const std::string_view source : probe_source_names) {
    const event_description& type = describe(type_of(*parse_probe_source(source)));
    const std::size_t row = document.find("\n| `" + std::string{source} + "` | ");
    CAF_REQUIRE(row != std::string::npos);
    const std::string line = document.substr(row + 1, document.find('\n', row + 1) - row - 1);
    CAF_MESSAGE(line);
    const bool is_written = type.is_signed != signed_events::never_written;
    CAF_CHECK_EQUAL(joined(names_in(line)), is_written ? std::string{type.name} + "\n" : "");
  }
}

CAF_TEST(nothing_that_we_publish_names_a_type_that_there_is_not) {
  const std::set<std::string> known = written_types();
  std::set<std::string> unknown;
  for (const char* folder : {"docs", "config", "runtime/control/page"}) {
    for (const auto& each : fs::recursive_directory_iterator{sources / folder}) {
      const std::string kind = each.path().extension().string();
      if (kind != ".md" && kind != ".json" && kind != ".yml" && kind != ".html" && kind != ".toml") continue;
      // That one is about a type that there is not.
      if (each.path().filename() == "adding-an-event.md") continue;
      for (const std::string& name : names_in(content_of(each.path()))) {
        if (!known.contains(name)) unknown.insert(each.path().string() + ": " + name);
      }
    }
  }
  CAF_CHECK_EQUAL(joined(unknown), "");
}

CAF_TEST(a_name_leads_to_its_type_and_no_other_does) {
  for (const event_description& each : event_descriptions) {
    CAF_CHECK(find_event_type(each.name) == each.type);
    CAF_CHECK(event_name_in(std::string{event_type_prefix} + std::string{each.name}) == each.name);
  }
  CAF_CHECK(!find_event_type("run.v1.start"));
  CAF_CHECK(!find_event_type(""));
  CAF_CHECK(!event_name_in("com.example.run.v1.started"));
}
