#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "messages/escaped_text.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/control_client.hpp"
#include "runtime/cli/event_text.hpp"
#include "runtime/cli/terminal.hpp"
#include "runtime/segments/copy_name.hpp"
#include "runtime/segments/piece_reader.hpp"
#include "runtime/segments/segment_reader.hpp"

namespace cellos::cli {

namespace {

struct tail_options {
  std::string socket;
  /// Of one log.
  std::vector<std::string> sources;
  std::string cell;
  std::string type;
  bool follow = false;
  bool json = false;
};

/// How often a followed log is looked at again. Chosen here: below what a person notices.
constexpr std::chrono::milliseconds look_again{100};

bool wanted(const tail_options& options, const event_summary& event) {
  if (!options.cell.empty() && event.cell_id != options.cell) return false;
  return options.type.empty() || event.type.find(options.type) != std::string::npos;
}

/// False when nobody reads what we print any more.
bool show(const tail_options& options, std::string_view line, const terminal& screen) {
  const auto event = summarise_event(line, screen.has_colours);
  if (!event || !wanted(options, *event)) return true;
  // Whoever reads it by program gets the bytes of the log.
  const std::string shown = options.json && screen.is_terminal ? harmless_json(line) : std::string{};
  const std::string_view out = !options.json ? std::string_view{event->text} : shown.empty() ? line : shown;
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fputc('\n', stdout) != EOF;
}

/// Cuts server-sent events into lines and shows those that carry one of ours.
class event_stream_reader {
 public:
  event_stream_reader(const tail_options& options, const terminal& screen) : options_(options), screen_(screen) {}

  bool take(std::string_view bytes) {
    pending_ += bytes;
    std::size_t begin = 0;
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', begin)) {
      if (!take_line(std::string_view{pending_}.substr(begin, end - begin))) return false;
      begin = end + 1;
    }
    pending_.erase(0, begin);
    return std::fflush(stdout) == 0;
  }

  bool was_dropped() const { return dropped_; }

 private:
  bool take_line(std::string_view line) {
    constexpr std::string_view field = "data: ";
    if (line == "event: dropped") dropped_ = true;
    return dropped_ || !line.starts_with(field) || show(options_, line.substr(field.size()), screen_);
  }

  const tail_options& options_;
  const terminal screen_;
  std::string pending_;
  bool dropped_ = false;
};

/// From the daemon, from here on.
exit_code tail_stream(const tail_options& options, const terminal& screen) {
  control_client client{options.socket};
  event_stream_reader reader{options, screen};
  const std::string path =
      "/events?cell=" + control_client::escape(options.cell) + "&type=" + control_client::escape(options.type);
  const auto ended = client.follow(path, [&](std::string_view bytes) { return reader.take(bytes); });
  if (!ended) return complain_unreachable(client);
  if (!ended->is_good()) return complain_refused(*ended);
  if (std::ferror(stdout) != 0) return exit_success;
  std::fprintf(stderr, "cellos-telemetryctl: %s\n",
               reader.was_dropped()
                   ? "the daemon ended the stream: we did not keep up; --evidence reads all that the log still has"
                   : "the daemon ended the stream");
  return reader.was_dropped() ? exit_failure_found : exit_unavailable;
}

void warn_of_other_files(const std::string& directory, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    std::fprintf(stderr, "cellos-telemetryctl: \"%s\" in \"%s\" is no segment of the log and is left out\n",
                 escaped(file, 256).c_str(), escaped(directory, 256).c_str());
  }
}

void warn_of_skipped(const segment_range& skipped) {
  std::fprintf(
      stderr,
      "cellos-telemetryctl: segments %llu to %llu were removed before they were read: events are missing here\n",
      static_cast<unsigned long long>(skipped.first), static_cast<unsigned long long>(skipped.last));
}

void warn_of_gap(const log_gap& gap) {
  std::fprintf(
      stderr, "cellos-telemetryctl: from byte %llu of segment %llu to byte %llu of segment %llu no copy has anything\n",
      static_cast<unsigned long long>(gap.from.offset), static_cast<unsigned long long>(gap.from.segment),
      static_cast<unsigned long long>(gap.to.offset), static_cast<unsigned long long>(gap.to.segment));
}

std::string names_of(const std::vector<std::string>& sources) {
  std::string names;
  for (const std::string& each : sources) names += (names.empty() ? "\"" : ", \"") + escaped(each, 256) + "\"";
  return names;
}

/// `before_line` says what is missing before the line that was read last, `at_end` what is to be said there, once.
template <class Reader, class BeforeLine, class AtEnd>
exit_code show_lines(const tail_options& options, const terminal& screen, Reader& reader, BeforeLine before_line,
                     AtEnd at_end) {
  bool is_empty = true;
  bool warned = false;
  while (true) {
    while (const auto line = reader.next()) {
      is_empty = false;
      before_line();
      if (!show(options, line->text, screen)) return exit_success;
    }
    if (!std::exchange(warned, true)) at_end();
    if (reader.failure()) {
      std::fprintf(stderr, "cellos-telemetryctl: %s\n", reader.failure()->explanation.c_str());
      return exit_unavailable;
    }
    if (std::fflush(stdout) != 0) return exit_success;
    if (!options.follow) {
      // A directory that holds another thing altogether looks the same.
      if (is_empty) {
        std::fprintf(stderr, "cellos-telemetryctl: no event is in %s\n", names_of(options.sources).c_str());
      }
      return exit_success;
    }
    ::poll(nullptr, 0, static_cast<int>(look_again.count()));
  }
}

/// What collectors keep of one log.
exit_code tail_copies(const tail_options& options, const terminal& screen) {
  piece_reader reader{{options.sources.begin(), options.sources.end()}};
  const auto before_line = [&] {
    if (const auto gap = reader.take_gap()) warn_of_gap(*gap);
  };
  return show_lines(options, screen, reader, before_line, [] {});
}

exit_code tail_evidence(const tail_options& options, const terminal& screen) {
  segment_reader reader{{options.sources.begin(), options.sources.end()}};
  const auto before_line = [&] {
    if (const auto skipped = reader.take_skipped()) warn_of_skipped(*skipped);
  };
  return show_lines(options, screen, reader, before_line,
                    [&] { warn_of_other_files(options.sources.front(), reader.other_files()); });
}

bool is_copy(const std::string& source) {
  std::error_code unlisted;
  return !list_pieces(source, unlisted).empty();
}

exit_code run_tail(const tail_options& options) {
  const terminal screen = standard_output();
  if (options.sources.empty()) return tail_stream(options, screen);
  if (std::ranges::all_of(options.sources, is_copy)) return tail_copies(options, screen);
  return tail_evidence(options, screen);
}

}  // namespace

command add_tail(CLI::App& app) {
  auto options = std::make_shared<tail_options>();
  app.add_option(
         "--evidence", options->sources,
         "Evidence directory, one .jsonl file, or a collector's copy (HOST/LOG_ID), which may be given of several "
         "collectors; without it, the daemon is asked")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_socket_option(app, options->socket);
  app.add_option("--cell", options->cell, "Only this cell's events");
  app.add_option("--type", options->type, "Only events whose type contains this");
  app.add_flag("--follow,-f", options->follow, "With --evidence: go on as the log grows");
  app.add_flag("--json", options->json, "The events themselves, one a line");
  return [options] { return run_tail(*options); };
}

}  // namespace cellos::cli
