// A table of the cells that is drawn anew with each look: silent cells first, then those with most frames a second.

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/cli/commands.hpp"
#include "runtime/cli/control_client.hpp"
#include "runtime/cli/metrics_text.hpp"
#include "runtime/cli/terminal.hpp"
#include "runtime/cli/text_table.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::ordered_json;
using clock = std::chrono::steady_clock;

struct top_options {
  std::string socket;
  double interval = 1;
  bool once = false;
  bool as_json = false;
};

struct look {
  clock::time_point at;
  json cells;
  std::vector<metric_sample> samples;
};

struct busy_cell {
  json cell;
  double rate = 0;
};

volatile sig_atomic_t interrupted = 0;

std::optional<look> take_look(control_client& client, exit_code& failed) {
  auto cells = fetch(client, "/cells", failed);
  if (!cells) return std::nullopt;
  const auto metrics = client.ask("GET", "/metrics");
  if (!metrics) {
    failed = complain_unreachable(client);
    return std::nullopt;
  }
  return look{clock::now(), cells->value("cells", json::array()), samples_of(metrics->body)};
}

std::vector<busy_cell> by_urgency(const look& before, const look& after) {
  std::map<std::string, std::uint64_t> received;
  for (const json& cell : before.cells) {
    received[text_of(cell, "chain")] = count_of(cell.value("totals", json::object()), "received");
  }
  const double seconds = std::max(1e-3, std::chrono::duration<double>(after.at - before.at).count());
  std::vector<busy_cell> out;
  for (const json& cell : after.cells) {
    const std::uint64_t total = count_of(cell.value("totals", json::object()), "received");
    const auto known = received.find(text_of(cell, "chain"));
    const std::uint64_t earlier = known == received.end() ? 0 : std::min(total, known->second);
    out.push_back({cell, static_cast<double>(total - earlier) / seconds});
  }
  const auto is_silent = [](const busy_cell& each) { return text_of(each.cell, "state") == "silenced"; };
  std::stable_sort(out.begin(), out.end(), [&](const busy_cell& a, const busy_cell& b) {
    return is_silent(a) != is_silent(b) ? is_silent(a) : a.rate > b.rate;
  });
  return out;
}

std::string countdown(const json& cell) {
  const auto left = cell.find("silence_in_seconds");
  if (left != cell.end() && left->is_number()) return fmt::format("{:.1f}s", left->get<double>());
  return text_of(cell, "state") == "silenced" ? "silent" : "-";
}

std::vector<std::string> heading_of(const look& seen, const std::vector<busy_cell>& cells) {
  double rate = 0;
  for (const busy_cell& each : cells) rate += each.rate;
  return {fmt::format("{} cells  {:.0f} frames/s  {:.0f} refused  {:.0f} in flight  log {}{}", cells.size(), rate,
                      sum_of(seen.samples, "frames_refused_total{"), value_of(seen.samples, "frames_in_flight"),
                      bytes_text(value_of(seen.samples, "evidence_bytes")),
                      value_of(seen.samples, "evidence_blocked") > 0 ? "  LOG BLOCKED" : ""),
          ""};
}

std::vector<std::string> picture(const look& before, const look& after) {
  const std::vector<busy_cell> cells = by_urgency(before, after);
  std::vector<std::string> lines = heading_of(after, cells);
  text_table table{{{"CELL"},
                    {"STATE"},
                    {"VMM"},
                    {"FRAMES/S", true},
                    {"RECEIVED", true},
                    {"REFUSED", true},
                    {"IN FLIGHT", true},
                    {"SILENT IN", true}}};
  for (const busy_cell& each : cells) {
    const json totals = each.cell.value("totals", json::object());
    table.add({text_of(each.cell, "cell_id"), text_of(each.cell, "state"), vmm_of(each.cell),
               fmt::format("{:.0f}", each.rate), text_of(totals, "received"), std::to_string(refused_of(totals)),
               text_of(totals, "in_flight"), countdown(each.cell)});
  }
  const auto rows = table.lines();
  lines.insert(lines.end(), rows.begin(), rows.end());
  return lines;
}

void print_json(const look& before, const look& after) {
  json cells = json::array();
  for (const busy_cell& each : by_urgency(before, after)) {
    json cell = each.cell;
    cell["frames_per_second"] = each.rate;
    cells.push_back(std::move(cell));
  }
  std::printf("%s\n", json{{"cells", std::move(cells)}}.dump().c_str());
  std::fflush(stdout);
}

/// As many lines as the terminal has, each cut to its width.
void draw(const std::vector<std::string>& lines, bool colours) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) size = {50, 200, 0, 0};
  std::string out = "\x1b[H";
  for (std::size_t i = 0; i < lines.size() && i + 1 < size.ws_row; ++i) {
    // The heading of the table stands out.
    const bool is_heading = colours && i == 2;
    out += is_heading ? "\x1b[1m" : "";
    out += lines[i].substr(0, size.ws_col);
    out += is_heading ? "\x1b[0m" : "";
    out += "\x1b[K\n";
  }
  out += "\x1b[J";
  std::fputs(out.c_str(), stdout);
  std::fflush(stdout);
}

/// A screen of our own while it lasts; what was there before comes back.
class own_screen {
 public:
  explicit own_screen(bool wanted) : on_(wanted) {
    if (on_) std::fputs("\x1b[?1049h\x1b[?25l", stdout);
  }
  ~own_screen() {
    if (on_) std::fputs("\x1b[?25h\x1b[?1049l", stdout);
    std::fflush(stdout);
  }
  own_screen(const own_screen&) = delete;
  own_screen& operator=(const own_screen&) = delete;

 private:
  const bool on_;
};

/// Returns how the daemon failed to answer, if it did; its words must not be lost with the screen.
exit_code run_top(const top_options& options) {
  struct sigaction stop {};
  stop.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &stop, nullptr);
  ::sigaction(SIGTERM, &stop, nullptr);
  control_client client{options.socket};
  exit_code failed = exit_success;
  auto before = take_look(client, failed);
  if (!before) return failed;
  const terminal screen_kind = standard_output();
  const bool live = !options.once && !options.as_json && screen_kind.can_redraw;
  auto screen = std::make_unique<own_screen>(live);
  while (interrupted == 0) {
    ::poll(nullptr, 0, static_cast<int>(options.interval * 1000));
    if (interrupted != 0) break;
    const auto after = take_look(client, failed);
    if (!after) {
      screen.reset();
      return failed == exit_unavailable ? complain_unreachable(client) : failed;
    }
    if (options.as_json) {
      print_json(*before, *after);
    } else if (live) {
      draw(picture(*before, *after), screen_kind.has_colours);
    } else {
      for (const std::string& line : picture(*before, *after)) std::printf("%s\n", line.c_str());
      std::fflush(stdout);
    }
    if (options.once || std::ferror(stdout) != 0) break;
    before = after;
  }
  return exit_success;
}

/// Not a number compares with nothing.
std::string refuse_interval(const std::string& text) {
  double seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_number = failed == std::errc{} && end == text.data() + text.size();
  return is_number && seconds >= 0.1 && seconds <= 3600 ? "" : "not a number of seconds from 0.1 to 3600";
}

}  // namespace

command add_top(CLI::App& app) {
  auto options = std::make_shared<top_options>();
  add_socket_option(app, options->socket);
  app.add_option("--interval", options->interval, "Seconds between two looks")
      ->check(refuse_interval)
      ->capture_default_str();
  app.add_flag("--once", options->once, "One table, without a terminal's control codes");
  app.add_flag("--json", options->as_json, "One object a look");
  return [options] { return run_top(*options); };
}

}  // namespace cellos::cli
