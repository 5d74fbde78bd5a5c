// A collector's hosts, as a table: page by page, so that neither end holds ten thousand of them as one document.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "runtime/cli/commands.hpp"
#include "runtime/cli/control_client.hpp"
#include "runtime/cli/metrics_text.hpp"
#include "runtime/cli/text_table.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::ordered_json;

struct host_options {
  std::string socket;
  std::string order = "name";
  std::string state;
  std::string name;
  bool as_json = false;
};

/// What the API answers with at most.
constexpr std::size_t page = 1000;

std::string path_of(const host_options& options, std::size_t offset) {
  std::string path =
      "/hosts?order=" + options.order + "&limit=" + std::to_string(page) + "&offset=" + std::to_string(offset);
  if (!options.state.empty()) path += "&state=" + options.state;
  if (!options.name.empty()) path += "&name=" + control_client::escape(options.name);
  return path;
}

std::string seconds_in(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return "-";
  return fmt::format("{:.1f}s", found->get<double>());
}

std::string bytes_in(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return "-";
  return bytes_text(found->get<double>());
}

std::string silenced_of(const json& host) {
  const auto cells = host.find("cells");
  if (cells == host.end() || !cells->is_number()) return "-";
  return text_of(host, "silenced_cells") + " of " + text_of(host, "cells");
}

void add_row(text_table& table, const json& host) {
  const json lag = host.value("lag", json::object());
  const json& said = lag.is_object() ? lag : json::object();
  table.add({text_of(host, "host_id"), text_of(host, "state"), seconds_in(host, "last_seen_seconds"),
             seconds_in(said, "seconds"), text_of(said, "events"), bytes_in(said, "bytes"), silenced_of(host),
             text_of(host, "forks")});
}

void print_counts(const json& counts) {
  std::printf("%s hosts: %s connected, %s disconnected, %s silenced, %s forked; %s cells silenced\n",
              text_of(counts, "all").c_str(), text_of(counts, "connected").c_str(),
              text_of(counts, "disconnected").c_str(), text_of(counts, "silenced").c_str(),
              text_of(counts, "forked").c_str(), text_of(counts, "silenced_cells").c_str());
}

exit_code run_hosts(const host_options& options) {
  control_client client{options.socket};
  text_table table{{{"HOST"},
                    {"STATE"},
                    {"SEEN", true},
                    {"LAG", true},
                    {"EVENTS", true},
                    {"BYTES", true},
                    {"SILENCED CELLS", true},
                    {"FORKS", true}}};
  json counts;
  for (std::size_t offset = 0, matching = 1; offset < matching; offset += page) {
    exit_code failed = exit_success;
    const auto answer = fetch(client, path_of(options, offset), failed);
    if (!answer) return failed;
    matching = count_of(*answer, "matching");
    counts = answer->value("counts", json::object());
    for (const json& host : answer->value("hosts", json::array())) {
      if (options.as_json) {
        std::printf("%s\n", host.dump().c_str());
      } else {
        add_row(table, host);
      }
    }
  }
  if (options.as_json) return exit_success;
  for (const std::string& line : table.lines()) std::printf("%s\n", line.c_str());
  print_counts(counts);
  return exit_success;
}

}  // namespace

command add_hosts(CLI::App& app) {
  auto options = std::make_shared<host_options>();
  add_socket_option(app, options->socket);
  app.add_option("--order", options->order, "\"name\", or \"attention\": what needs somebody comes first")
      ->check(CLI::IsMember({"name", "attention"}));
  app.add_option("--state", options->state, "Only hosts that are so")
      ->check(CLI::IsMember({"connected", "disconnected", "silenced"}));
  app.add_option("--name", options->name, "Only hosts whose id has this text");
  app.add_flag("--json", options->as_json, "As the API says it, one host a line");
  return [options] { return run_hosts(*options); };
}

}  // namespace cellos::cli
