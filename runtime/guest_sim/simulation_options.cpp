#include "runtime/guest_sim/simulation_options.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <vector>

#include <CLI/CLI.hpp>

#include "runtime/os/socket_path.hpp"
#include "runtime/text/nearest_name.hpp"
#include "runtime/text/units.hpp"
#include "runtime/version.hpp"

namespace cellos::guest_sim {

namespace {

constexpr const char* program_name = "cellos-guest-sim";

/// The texts of options that are not read by CLI11 itself.
struct raw_options {
  std::string scenario;
  std::string content_version;
  std::string connect_timeout = "5s";
  std::string hold = "15s";
  std::uint64_t silent_after = 0;
  bool list = false;
};

void describe_options(CLI::App& app, simulation_options& options, raw_options& raw) {
  const auto is_duration = CLI::Validator(
      [](const std::string& text) {
        return parse_duration(text) ? std::string{} : "not a duration such as 500ms or 15s: " + text;
      },
      "DURATION");
  // Left to itself CLI11 takes -1 for the largest number there is.
  const auto is_count = CLI::Validator(
      [](const std::string& text) {
        return text.starts_with('-') ? "not a number from 0 upwards: " + text : std::string{};
      },
      "");
  app.set_version_flag("--version", std::string{program_name} + " " + std::string{version});
  app.add_flag("--list", raw.list, "Name the scenarios and exit");
  app.add_option("--socket", options.socket, "Host-side Unix socket of the cell, <vsock_uds_base>_9001");
  app.add_option("--frames", options.frames, "Frames to send, refused ones included; 0: until SIGTERM")
      ->check(is_count);
  app.add_option("--rate", options.rate, "Frames a second; 0: as fast as the socket takes them")->capture_default_str();
  app.add_option("--scenario", raw.scenario, "What to do (see --list); honest unless given");
  app.add_option("--seed", options.seed, "The same seed sends the same bytes")->check(is_count)->capture_default_str();
  app.add_option("--content-version", raw.content_version, "1.1 adds seq and dropped to each frame; 1.0 unless given")
      ->check(CLI::IsMember({"1.0", "1.1"}));
  app.add_option("--connect-timeout", raw.connect_timeout, "Tries to connect for so long")
      ->check(is_duration)
      ->capture_default_str();
  app.add_option("--silent-after", raw.silent_after, "silent-after-N: frames before the silence; half unless given")
      ->check(is_count);
  app.add_option("--hold", raw.hold, "silent-after-N: how long the silence lasts")
      ->check(is_duration)
      ->capture_default_str();
  app.add_flag("--resume", options.resume, "silent-after-N: send the rest after the silence");
  app.add_flag("--impatient", options.impatient,
               "Reconnect at once, though the host may not have read the connection before");
  app.add_flag("--quiet", options.quiet, "No words on stderr but errors");
}

void list_scenarios(std::ostream& out) {
  std::size_t widest = 0;
  for (const auto& known : scenarios()) widest = std::max(widest, known.name.size());
  for (const auto& known : scenarios()) {
    out << known.name << std::string(widest + 2 - known.name.size(), ' ') << known.meaning << '\n';
  }
}

const scenario& chosen_scenario(const raw_options& raw) {
  if (raw.scenario.empty()) return scenarios().front();
  if (const auto* found = find_scenario(raw.scenario)) return *found;
  std::vector<std::string_view> names;
  for (const auto& known : scenarios()) names.push_back(known.name);
  const auto near = nearest_name(raw.scenario, names);
  throw CLI::ValidationError("--scenario", "no scenario is called " + raw.scenario +
                                               (near ? "; did you mean " + std::string{*near} + "?" : "; see --list"));
}

/// What no single option can check.
void complete(const CLI::App& app, simulation_options& options, const raw_options& raw) {
  if (options.socket.empty()) throw CLI::RequiredError("--socket");
  if (app.count("--frames") == 0) throw CLI::RequiredError("--frames");
  if (options.socket.size() > longest_socket_path) {
    throw CLI::ValidationError("--socket", "longer than a Unix socket path can be");
  }
  if (!std::isfinite(options.rate) || options.rate < 0) throw CLI::ValidationError("--rate", "not a rate");
  options.what = &chosen_scenario(raw);
  for (const auto* option : {"--silent-after", "--hold", "--resume"}) {
    if (app.count(option) > 0 && !options.what->falls_silent) {
      throw CLI::ValidationError(option, std::string{options.what->name} + " does not fall silent");
    }
  }
  const bool counts_losses = raw.content_version == "1.1" || options.what->needs_loss_counters;
  if (counts_losses && raw.content_version == "1.0") {
    throw CLI::ValidationError("--content-version", std::string{options.what->name} + " needs 1.1");
  }
  options.content_version = counts_losses ? wire::content_version_1_1 : wire::content_version_1_0;
  options.connect_timeout = *parse_duration(raw.connect_timeout);
  options.hold = *parse_duration(raw.hold);
  if (app.count("--silent-after") > 0) options.silent_after = raw.silent_after;
  if (options.frames != 0 && options.silent_after.value_or(0) > options.frames) {
    throw CLI::ValidationError("--silent-after", "more than --frames");
  }
}

}  // namespace

std::variant<simulation_options, exit_code> parse_command_line(std::span<const std::string> arguments,
                                                               std::ostream& out, std::ostream& err) {
  simulation_options options;
  raw_options raw;
  CLI::App app{"Simulates a cell's telemetry agent; prints on stdout, as JSON, what it sent.", program_name};
  describe_options(app, options, raw);
  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
    if (raw.list) {
      list_scenarios(out);
      return exit_success;
    }
    complete(app, options, raw);
  } catch (const CLI::ParseError& mistake) {
    return app.exit(mistake, out, err) == 0 ? exit_success : exit_usage;
  }
  return options;
}

}  // namespace cellos::guest_sim
