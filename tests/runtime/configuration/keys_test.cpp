#include "runtime/configuration/keys.hpp"

#include <fmt/core.h>

#include <limits>
#include <set>
#include <utility>

#define CAF_SUITE keys
#include "caf/test/dsl.hpp"
#include "tests/runtime/configuration/configuration_text.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// The error of `setting` in line 4, under [evidence].
std::string evidence_error(const std::string& setting) { return error_in(smallest + setting + "\n"); }

/// The error of `setting` in line 5, under `[table]`.
std::string table_error(const std::string& table, const std::string& setting) {
  return error_in(smallest + "[" + table + "]\n" + setting + "\n");
}

/// The error of `setting` in line 9, the last of a cell that lacks nothing.
std::string cell_error(const std::string& setting) { return error_in(smallest + cell("a", "/a") + setting + "\n"); }

cell_specification cell_with(const std::string& setting) {
  return configuration_in(smallest + cell("a", "/a") + setting + "\n").cells.at(0);
}

std::pair<fsync_policy, std::chrono::nanoseconds> fsync_of(const std::string& value) {
  const auto evidence = configuration_in(smallest + "fsync = " + value + "\n").evidence;
  return {evidence.fsync, evidence.fsync_interval};
}

}  // namespace

CAF_TEST(every_key_accepts_the_example_its_remedies_suggest) {
  configuration config;
  cell_specification one_cell;
  auto sections = settings::sections_of(config);
  sections.push_back({settings::cell_section, settings::keys_of(one_cell)});
  for (const auto& section : sections) {
    for (const auto& key : section.keys) {
      std::string text = smallest + cell("a", "/a");
      std::string line = std::string{key.name} + " = " + std::string{key.example} + "\n";
      if (section.name == "signing") {
        // Off, so that one key may stand alone.
        const bool is_alg = key.name == "alg";
        text += "[signing]\n" + line + (is_alg ? "kid = \"k\"\nkey_file = \"/k\"\n" : "alg = \"off\"\n");
      } else if (section.name.starts_with("forward.")) {
        // Some go together only: all that there are.
        text += "[" + std::string{section.name} + "]\n";
        for (const auto& each : section.keys) text += std::string{each.name} + " = " + std::string{each.example} + "\n";
      } else if (section.name == "forward" || section.name == "collector") {
        text += "[tls]\nplain_loopback = true\n[" + std::string{section.name} + "]\n";
        for (const auto& other : section.keys) {
          const bool is_other = other.need == settings::presence::required && other.name != key.name;
          if (is_other) text += std::string{other.name} + " = " + std::string{other.example} + "\n";
        }
        text += line;
      } else if (section.name.empty() || key.need == settings::presence::required) {
        // These stand in the text already: change them.
        auto start = text.find(line.substr(0, line.find('=')));
        text.replace(start, text.find('\n', start) + 1 - start, line);
      } else if (section.name == settings::cell_section) {
        text += line;
        // These are of a table.
        if (key.name == "connection_counter" || key.name == "network_namespace") text += "nft_table = \"inet t\"\n";
        if (key.name == "fc_api_socket") text += "fc_metrics = \"/m\"\n";
        if (key.name.starts_with("attempts_")) text += "nft_table = \"inet t\"\nconnection_counter = \"syn\"\n";
        if (key.name.starts_with("packets_") || key.name.starts_with("declarations_")) text += "tap = \"tap0\"\n";
      } else if (section.name == "evidence") {
        text = smallest + line;
      } else {
        text += "[" + std::string{section.name} + "]\n" + line;
      }
      CAF_CHECK_EQUAL(error_in(text), "no error");
    }
  }
}

CAF_TEST(no_key_is_known_twice) {
  auto names = settings::known_keys();
  CAF_CHECK_EQUAL((std::set<std::string>{names.begin(), names.end()}.size()), names.size());
}

CAF_TEST(a_value_of_the_wrong_type_is_reported_what_it_is_and_what_to_write) {
  CAF_CHECK_EQUAL(error_in("host_id = 5\n[evidence]\ndir = \"/e\"\n"),
                  "t.toml:1:11: host_id: is an integer, not a string; write host_id = \"host-a\"");
  CAF_CHECK_EQUAL(evidence_error("max_bytes = 1024"),
                  "t.toml:4:13: evidence.max_bytes: is an integer, not a size in quotes; write max_bytes = \"10GiB\"");
  CAF_CHECK_EQUAL(cell_error("keepalive_window = 10"),
                  "t.toml:9:20: cell[0].keepalive_window: is an integer, not a duration in quotes; write "
                  "keepalive_window = \"10s\"");
  CAF_CHECK_EQUAL(cell_error("expected_uid = \"10002\""),
                  "t.toml:9:16: cell[0].expected_uid: is a string, not an integer; write expected_uid = 10002");
  CAF_CHECK_EQUAL(
      table_error("intake", "chunks_per_cell = 2.5"),
      "t.toml:5:19: intake.chunks_per_cell: is a decimal number, not an integer; write chunks_per_cell = 8");
  CAF_CHECK_EQUAL(table_error("log", "level = true"),
                  "t.toml:5:9: log.level: is a boolean, not a string; write level = \"info\"");
  CAF_CHECK_EQUAL(table_error("control", "socket = [\"/s\"]"),
                  "t.toml:5:10: control.socket: is an array, not a string; write socket = "
                  "\"/run/cellos-telemetry/control.sock\"");
  CAF_CHECK(table_error("log.level", "").find(":4:1: log.level: is a table, not a string; ") != std::string::npos);
  CAF_CHECK(table_error("log", "level = 2024-01-01").find("log.level: is a date, not") != std::string::npos);
}

CAF_TEST(fsync_is_two_words_or_an_interval) {
  CAF_CHECK(fsync_of("\"always\"").first == fsync_policy::always);
  CAF_CHECK(fsync_of("\"never\"").first == fsync_policy::never);
  CAF_CHECK(fsync_of("\"5s\"") == std::pair(fsync_policy::interval, std::chrono::nanoseconds{5s}));
  CAF_CHECK(fsync_of("\"1ms\"") == std::pair(fsync_policy::interval, std::chrono::nanoseconds{1ms}));
  const std::string note = " (or \"always\", \"never\", or another duration from 1ms to 24h)";
  const std::string at = "t.toml:4:9: evidence.fsync: ";
  CAF_CHECK_EQUAL(
      evidence_error("fsync = \"100\""),
      at + "\"100\" is neither always, never nor a duration of at most 24h; write fsync = \"100ms\"" + note);
  CAF_CHECK_EQUAL(
      evidence_error("fsync = \"alway\""),
      at + "\"alway\" is neither always, never nor a duration of at most 24h; write fsync = \"always\"" + note);
  CAF_CHECK_EQUAL(evidence_error("fsync = \"250us\""),
                  at + "\"250us\" is out of range; write fsync = \"100ms\"" + note);
  CAF_CHECK_EQUAL(evidence_error("fsync = \"1.5ms\""),
                  at + "\"1.5ms\" is finer than whole steps of 1ms; write fsync = \"100ms\"" + note);
  CAF_CHECK_EQUAL(evidence_error("fsync = false"),
                  at + "is a boolean, not a duration in quotes; write fsync = \"100ms\"" + note);
}

CAF_TEST(a_duration_has_a_form_a_least_and_a_greatest) {
  CAF_CHECK(cell_with("keepalive_window = \"250.5ms\"").keepalive_window == 250'500us);
  CAF_CHECK(cell_with("keepalive_window = \"24h\"").keepalive_window == 24h);
  const std::string remedy = "; write keepalive_window = \"10s\" (from 1ms to 24h, in us, ms, s, m, h)";
  const std::string at = "t.toml:9:20: cell[0].keepalive_window: ";
  CAF_CHECK_EQUAL(cell_error("keepalive_window = \"10\""), at + "\"10\" is not a duration of at most 24h" + remedy);
  CAF_CHECK_EQUAL(cell_error("keepalive_window = \"0s\""), at + "\"0s\" is not a duration of at most 24h" + remedy);
  CAF_CHECK_EQUAL(cell_error("keepalive_window = \"25h\""), at + "\"25h\" is not a duration of at most 24h" + remedy);
  CAF_CHECK_EQUAL(cell_error("keepalive_window = \"999us\""), at + "\"999us\" is out of range" + remedy);
  CAF_CHECK(table_error("intake", "half_frame_timeout = \"\"").starts_with("t.toml:5:22: intake.half_frame_timeout: "));
}

CAF_TEST(a_share_is_a_percentage_or_off) {
  const auto share = [](const std::string& text) {
    return configuration_in(smallest + "cell_share = \"" + text + "\"\n").evidence.cell_share;
  };
  CAF_CHECK_EQUAL(share("1%"), 1u);
  CAF_CHECK_EQUAL(share("100%"), 100u);
  CAF_CHECK_EQUAL(share("off"), 0u);
  const std::string remedy = "; write cell_share = \"25%\" (a whole percentage from \"1%\" to \"100%\", or \"off\")";
  const std::string at = "t.toml:4:14: evidence.cell_share: ";
  for (const char* bad : {"0%", "101%", "25", "2.5%", "", "%", "-1%", "25%%"}) {
    CAF_CHECK_EQUAL(evidence_error("cell_share = \"" + std::string{bad} + "\""),
                    at + "\"" + bad + "\" is not a percentage" + remedy);
  }
  CAF_CHECK_EQUAL(evidence_error("cell_share = 25"), at + "is an integer, not a percentage in quotes" + remedy);
}

CAF_TEST(a_size_has_a_form_a_least_and_a_greatest) {
  CAF_CHECK_EQUAL(configuration_in(smallest + "max_bytes = \"1GB\"\n").evidence.max_bytes, 1'000'000'000u);
  const std::string units = ", in B, KiB, MiB, GiB, TiB, KB, MB, GB, TB)";
  const std::string remedy = "; write max_bytes = \"10GiB\" (from 64KiB to 1024TiB" + units;
  const std::string at = "t.toml:4:13: evidence.max_bytes: ";
  CAF_CHECK_EQUAL(evidence_error("max_bytes = \"10 GiB\""), at + "\"10 GiB\" is not a size" + remedy);
  CAF_CHECK_EQUAL(evidence_error("max_bytes = \"10G\\u001b\""), at + "\"10G\\x1b\" is not a size" + remedy);
  CAF_CHECK_EQUAL(evidence_error("max_bytes = \"63KiB\""), at + "\"63KiB\" is out of range" + remedy);
  CAF_CHECK_EQUAL(evidence_error("max_bytes = \"1025TiB\""), at + "\"1025TiB\" is out of range" + remedy);
  CAF_CHECK_EQUAL(
      table_error("intake", "byte_budget = \"1KiB\""),
      "t.toml:5:15: intake.byte_budget: \"1KiB\" is out of range; write byte_budget = \"64MiB\" (from 64KiB to "
      "1TiB" +
          units);
  CAF_CHECK_EQUAL(
      evidence_error("segment_bytes = \"9GiB\""),
      "t.toml:4:17: evidence.segment_bytes: \"9GiB\" is out of range; write segment_bytes = \"64MiB\" (from "
      "4KiB to 8GiB" +
          units);
}

CAF_TEST(a_number_has_a_least_and_a_greatest) {
  struct bounded {
    std::string table, name;
    std::int64_t least, most;
  };
  for (const auto& [table, name, least, most] :
       {bounded{"intake", "chunks_per_cell", 2, 64}, bounded{"intake", "connections_per_cell", 1, 64},
        bounded{"scheduler", "threads", 0, 1024}}) {
    for (auto value : {least, most}) {
      CAF_CHECK_EQUAL(table_error(table, fmt::format("{} = {}", name, value)), "no error");
    }
    for (auto value : {least - 1, most + 1, std::numeric_limits<std::int64_t>::max()}) {
      auto message = table_error(table, fmt::format("{} = {}", name, value));
      CAF_CHECK(message.starts_with(fmt::format("t.toml:5:{}: {}.{}: {} is out of range; write {} = ", name.size() + 4,
                                                table, name, value, name)));
      CAF_CHECK(message.ends_with(fmt::format(" (from {} to {})", least, most)));
    }
  }
}

CAF_TEST(a_uid_is_any_but_nobody_s_number) {
  CAF_CHECK_EQUAL(cell_with("expected_uid = 4294967294").expected_uid.value_or(1), 4'294'967'294u);
  CAF_CHECK_EQUAL(
      cell_error("expected_uid = 4294967295"),
      "t.toml:9:16: cell[0].expected_uid: 4294967295 is out of range; write expected_uid = 10002 (from 0 to "
      "4294967294)");
  CAF_CHECK(cell_error("expected_uid = -1").starts_with("t.toml:9:16: cell[0].expected_uid: -1 is out of range; "));
}

CAF_TEST(a_choice_is_reported_with_the_nearest_and_all_others) {
  CAF_CHECK_EQUAL(cell_error("on_agent_failure = \"fail_cell\""),
                  "t.toml:9:20: cell[0].on_agent_failure: \"fail_cell\" is not a value it can have; write "
                  "on_agent_failure = \"fail-cell\" (one of report, fail-cell)");
  CAF_CHECK_EQUAL(table_error("log", "level = \"loud\""),
                  "t.toml:5:9: log.level: \"loud\" is not a value it can have; write level = \"info\" (one of trace, "
                  "debug, info, warn, error)");
  CAF_CHECK_EQUAL(table_error("log", "format = \"JSON\""),
                  "t.toml:5:10: log.format: \"JSON\" is not a value it can have; write format = \"text\" (one of text, "
                  "json)");
  for (auto level : {"trace", "debug", "info", "warn", "error"}) {
    CAF_CHECK_EQUAL(table_error("log", std::string{"level = \""} + level + '"'), "no error");
  }
}

CAF_TEST(a_list_of_collectors_says_what_is_wrong_with_it) {
  const auto error = [](const std::string& value) {
    return error_in(smallest + "[tls]\nplain_loopback = true\n[forward]\ncollectors = " + value + "\n");
  };
  const std::string at = "t.toml:7:14: forward.collectors: ";
  const std::string remedy = "; write collectors = [\"collector-1.example:7440\"]";
  CAF_CHECK_EQUAL(error("\"a:1\""), at + "is a string, not an array of addresses" + remedy);
  CAF_CHECK(error("[]").starts_with(at + "is empty"));
  CAF_CHECK(error("[\"a\"]").starts_with(at + "\"a\" is not an address and a port"));
  CAF_CHECK(error("[\"a:0\"]").starts_with(at + "\"a:0\" has no port to connect to"));
  CAF_CHECK(error("[\"a:1\", \"b:1\", \"a:1\"]").starts_with(at + "has \"a:1\" twice"));
  std::string many;
  for (int i = 1; i <= 17; ++i) many += "\"a:" + std::to_string(i) + "\", ";
  CAF_CHECK(error("[" + many + "]").starts_with(at + "has 17 collectors, more than 16"));
  CAF_CHECK(table_error("collector", "denied_hosts = [\"a/b\"]").find("denied_hosts: ") != std::string::npos);
  CAF_CHECK(table_error("tls", "plain_loopback = 1").find("is an integer, not true or false") != std::string::npos);
}
