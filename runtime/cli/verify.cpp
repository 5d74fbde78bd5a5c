
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "messages/escaped_text.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/terminal.hpp"
#include "runtime/lines/rfc3339.hpp"
#include "runtime/signing/key_list.hpp"
#include "runtime/verification/log_files.hpp"
#include "runtime/verification/report_text.hpp"
#include "runtime/verification/verify_logs.hpp"

namespace cellos::cli {

namespace {

using namespace verification;

struct verify_options {
  std::vector<std::filesystem::path> logs;
  std::string keys;
  std::string since;
  std::string until;
  std::string earlier;
  bool no_signatures = false;
  bool json = false;
  verification_options verification;
};

exit_code complain(const std::string& words, exit_code code) {
  std::fprintf(stderr, "cellos-telemetryctl: %s\n", words.c_str());
  return code;
}

/// Redrawn in place, as often as a person sees.
class progress_bar {
 public:
  explicit progress_bar(bool shown) : shown_(shown) {}
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;
  ~progress_bar() {
    if (drawn_ >= 0) std::fputs("\r\x1b[K", stderr);
  }

  progress callback() {
    if (!shown_) return {};
    return [this](std::uint64_t bytes, std::uint64_t total) { draw(bytes, total); };
  }

 private:
  void draw(std::uint64_t bytes, std::uint64_t total) {
    const int percent = total == 0 ? 100 : static_cast<int>(bytes * 100 / total);
    if (percent == drawn_) return;
    drawn_ = percent;
    constexpr int width = 40;
    const std::string filled(static_cast<std::size_t>(percent * width / 100), '#');
    std::fprintf(stderr, "\r[%-*s] %3d %%  %.1f of %.1f MB", width, filled.c_str(), percent,
                 static_cast<double>(bytes) / 1e6, static_cast<double>(total) / 1e6);
  }

  bool shown_;
  int drawn_ = -1;
};

std::variant<earlier_ends, std::string> read_earlier(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const std::string name = "report \"" + escaped(path, 512) + "\" ";
  if (!file || file.bad()) return name + "cannot be read";
  auto ends = read_earlier_ends(text);
  if (const auto* refusal = std::get_if<std::string>(&ends)) return name + *refusal;
  return ends;
}

exit_code run_verify(const verify_options& options) {
  std::optional<key_list> keys;
  if (!options.no_signatures) {
    auto loaded = key_list::load(options.keys);
    if (const auto* refusal = std::get_if<std::string>(&loaded)) return complain(*refusal, exit_unavailable);
    keys = std::move(std::get<key_list>(loaded));
  }
  verification_options verification = options.verification;
  verification.since = instant_of(options.since);
  verification.until = instant_of(options.until);
  if (!options.earlier.empty()) {
    auto ends = read_earlier(options.earlier);
    if (const auto* refusal = std::get_if<std::string>(&ends)) return complain(*refusal, exit_unavailable);
    verification.earlier = std::move(std::get<0>(ends));
  }
  verification_outcome checked;
  {
    progress_bar bar{standard_error().can_redraw};
    checked = verify_logs(options.logs, keys ? &*keys : nullptr, verification, std::thread::hardware_concurrency(),
                          bar.callback());
  }
  if (const auto* failure = std::get_if<std::string>(&checked)) return complain(*failure, exit_unavailable);
  const auto& report = std::get<verification_report>(checked);
  const std::string out = options.json ? json_of(report) + "\n" : text_of(report, standard_output().has_colours);
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) return exit_unavailable;
  return report.clean() ? exit_success : exit_failure_found;
}

std::string refuse_time(const std::string& text) {
  return instant_of(text) ? std::string{} : "not an RFC 3339 date and time, as 2026-11-24T06:00:00Z";
}

}  // namespace

command add_verify(CLI::App& app) {
  auto options = std::make_shared<verify_options>();
  app.add_option("logs", options->logs,
                 "Evidence directories, collectors' directories of hosts' logs and .jsonl files, in any order")
      ->required();
  auto* keys = app.add_option("--keys", options->keys, "Key list: {\"KID\": \"base64url public key\"}");
  app.add_flag("--no-signatures", options->no_signatures, "Only digests and sequence; proves nothing against forgery")
      ->excludes(keys);
  app.add_flag("--partial", options->verification.partial, "Accept chains without their beginning, and absent runs");
  app.add_flag("--finished", options->verification.finished, "Every run must have ended, signed to its last event");
  app.add_option("--after", options->earlier,
                 "An earlier report (--json): the log must hold what it held, and may go on");
  app.add_option(
         "--witness", options->verification.witnesses,
         "A collector's own evidence log: what it saw of these logs must be in them; may be given more than once")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--host", options->verification.hosts, "A host that must be there; may be given more than once")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  // What is wrong with any other is said all the same.
  app.add_option("--cell", options->verification.cell, "List only runs of this cell, one of which must be there");
  app.add_option("--since", options->since, "List only runs with events after this time (RFC 3339)")
      ->check(refuse_time);
  app.add_option("--until", options->until, "List only runs with events before this time (RFC 3339)")
      ->check(refuse_time);
  app.add_flag("--json", options->json, "One JSON object instead of a table");
  app.callback([options, keys] {
    if (keys->count() == 0 && !options->no_signatures) {
      throw CLI::RequiredError("--keys FILE (or --no-signatures)");
    }
  });
  return [options] { return run_verify(*options); };
}

}  // namespace cellos::cli
