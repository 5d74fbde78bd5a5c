// Worker processes, each with every n-th history; each writes one block of text an attempt into a pipe, and what it
// comes to is added up here.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/os/exit_code.hpp"
#include "tests/forge/forge.hpp"

namespace {

using namespace cellos;
using namespace cellos::forge;
using nlohmann::json;

struct run_options {
  std::uint64_t seeds = 1000;
  std::uint64_t from = 0;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  /// Failed attempts that are shown in full.
  std::uint64_t shown = 20;
  bool verbose = false;
  std::string blind;
  forge_options forge;
};

json to_json(const attempt& made) {
  return {{"seed", made.seed},       {"rewrites", made.rewrites},
          {"actions", made.actions}, {"expected", std::string{to_string(made.expected)}},
          {"idle", made.idle},       {"outcome", made.outcome},
          {"story", made.story},     {"violations", made.violations}};
}

/// One line each, in pieces that the pipe may cut.
void write_line(int to, const std::string& line) {
  for (std::size_t at = 0; at < line.size();) {
    const ssize_t wrote = ::write(to, line.data() + at, line.size() - at);
    if (wrote <= 0) ::_exit(exit_unavailable);
    at += static_cast<std::size_t>(wrote);
  }
}

void work(const run_options& options, unsigned worker, int to) {
  adversary one{options.forge};
  for (std::uint64_t seed = options.from; seed < options.from + options.seeds; ++seed) {
    if (seed / adversary::attempts_on_one_history % options.jobs != worker) continue;
    try {
      write_line(to, to_json(one.attack(seed)).dump(-1, ' ', false, json::error_handler_t::replace) + '\n');
    } catch (const std::exception& error) {
      throw std::runtime_error("seed " + std::to_string(seed) + ": " + error.what());
    }
  }
}

int start_worker(const run_options& options, unsigned worker) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  std::fflush(nullptr);
  if (const pid_t child = ::fork(); child != 0) {
    ::close(ends[1]);
    return child < 0 ? -1 : ends[0];
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::close(ends[0]);
  int code = exit_success;
  try {
    work(options, worker, ends[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cellos-forge: %s\n", error.what());
    code = exit_unavailable;
  }
  ::_exit(code);
}

struct tally {
  std::uint64_t tried = 0;
  std::uint64_t failed = 0;
  std::map<std::string, std::uint64_t> outcomes;
};

class summary {
 public:
  explicit summary(const run_options& options) : options_(options) {}

  void take(const json& made) {
    ++attempts_;
    if (made["idle"]) ++idle_;
    std::string name;
    for (const auto& each : made["rewrites"]) name += (name.empty() ? "" : "+") + each.get<std::string>();
    const bool combined = made["rewrites"].size() > 1;
    tally& of_name = by_name_[made["idle"]   ? "nothing to do it to"
                              : name.empty() ? "untouched"
                              : combined     ? "several"
                                             : name];
    ++of_name.tried;
    const std::string outcome = made["outcome"];
    ++of_name.outcomes[made["expected"].get<std::string>() + ": " + (outcome.empty() ? "clean" : outcome)];
    if (options_.verbose) show(made);
    if (made["violations"].empty()) return;
    ++of_name.failed;
    failures_.push_back(made["seed"]);
    if (failures_.size() <= options_.shown && !options_.verbose) show(made);
  }

  exit_code finish() {
    std::printf("%-34s %7s %7s\n", "rewrite", "tried", "failed");
    for (const auto& [name, each] : by_name_) {
      std::printf("%-34s %7llu %7llu\n", name.c_str(), static_cast<unsigned long long>(each.tried),
                  static_cast<unsigned long long>(each.failed));
    }
    std::sort(failures_.begin(), failures_.end());
    if (!failures_.empty()) {
      std::printf("failing seeds:");
      for (std::size_t i = 0; i < failures_.size() && i < 200; ++i) {
        std::printf(" %llu", static_cast<unsigned long long>(failures_[i]));
      }
      std::printf("%s\n", failures_.size() > 200 ? " ..." : "");
    }
    std::printf("%llu attempts from seed %llu, %llu with nothing to do them to: %zu failed\n",
                static_cast<unsigned long long>(attempts_), static_cast<unsigned long long>(options_.from),
                static_cast<unsigned long long>(idle_), failures_.size());
    if (attempts_ != options_.seeds) {
      std::printf("%llu attempts are missing: a worker died\n",
                  static_cast<unsigned long long>(options_.seeds - attempts_));
      return exit_unavailable;
    }
    return failures_.empty() ? exit_success : exit_failure_found;
  }

 private:
  static void show(const json& made) {
    std::printf("seed %llu, expected %s, found: %s\n", static_cast<unsigned long long>(made["seed"]),
                made["expected"].get<std::string>().c_str(), made["outcome"].get<std::string>().c_str());
    for (const auto& each : made["story"]) std::printf("    %s\n", each.get<std::string>().c_str());
    for (std::size_t i = 0; i < made["rewrites"].size(); ++i) {
      std::printf("  %s: %s\n", made["rewrites"][i].get<std::string>().c_str(),
                  made["actions"][i].get<std::string>().c_str());
    }
    for (const auto& each : made["violations"]) std::printf("  VIOLATION %s\n", each.get<std::string>().c_str());
  }

  const run_options& options_;
  std::uint64_t attempts_ = 0;
  std::uint64_t idle_ = 0;
  std::map<std::string, tally> by_name_;
  std::vector<std::uint64_t> failures_;
};

exit_code run(const run_options& options) {
  std::vector<std::FILE*> workers;
  for (unsigned i = 0; i < options.jobs; ++i) {
    const int from = start_worker(options, i);
    if (from < 0) return exit_unavailable;
    workers.push_back(::fdopen(from, "r"));
  }
  summary sum{options};
  char* line = nullptr;
  std::size_t capacity = 0;
  // A worker that is not read from waits: all of them are at most a pipe ahead of this.
  for (bool any = true; any;) {
    any = false;
    for (std::FILE* each : workers) {
      const ssize_t bytes = ::getline(&line, &capacity, each);
      if (bytes <= 0) continue;
      any = true;
      sum.take(json::parse(line, line + bytes));
    }
  }
  std::free(line);
  for (std::FILE* each : workers) std::fclose(each);
  while (::wait(nullptr) > 0) {}
  return sum.finish();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Rewrites signed logs without any key, restarts the daemon over them, and asks the verifier"};
  run_options options;
  bool list = false;
  app.add_option("--seeds", options.seeds, "How many attempts")->capture_default_str();
  app.add_option("--from", options.from, "The first; a failing seed replays with --seeds 1")->capture_default_str();
  app.add_option("--jobs", options.jobs, "Processes")->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--show", options.shown, "Failed attempts that are shown in full")->capture_default_str();
  app.add_option("--rewrite", options.forge.rewrite, "Only this one");
  app.add_option("--blind", options.blind, "Ignore findings of this cause, to see attempts fail");
  app.add_option("--keep", options.forge.keep, "Directory for the evidence of failed attempts");
  app.add_flag("--verbose", options.verbose, "Show every attempt");
  app.add_flag("--list", list, "Name the rewrites");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_success : exit_usage;
  }
  const auto& all = every_rewrite();
  if (list) {
    for (const rewrite& each : all) {
      std::printf("%-34s %s\n", std::string{each.name}.c_str(), std::string{to_string(each.expected)}.c_str());
    }
    return exit_success;
  }
  const auto is_named = [&](const rewrite& each) { return each.name == options.forge.rewrite; };
  if (!options.forge.rewrite.empty() && std::none_of(all.begin(), all.end(), is_named)) {
    std::fprintf(stderr, "no rewrite is called %s; --list names them\n", options.forge.rewrite.c_str());
    return exit_usage;
  }
  if (!options.blind.empty()) {
    const auto& words = verification::finding_words;
    const auto found = std::find(words.begin(), words.end(), options.blind);
    if (found == words.end()) {
      std::fprintf(stderr, "no finding is called %s\n", options.blind.c_str());
      return exit_usage;
    }
    options.forge.blind = static_cast<verification::finding_cause>(found - words.begin());
  }
  return run(options);
}
