#include "tests/fleet/fleet_member.hpp"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "tests/support/files.hpp"

namespace cellos::fleet {

namespace {

using namespace std::chrono_literals;

/// A fleet's processes start while others work on the same cores.
constexpr auto ready_timeout = 60s;
constexpr auto stop_timeout = 60s;
/// Of a process that ended by itself, in a fault.
constexpr std::size_t longest_quote = 2000;

}  // namespace

fleet_member::fleet_member(std::string name, std::filesystem::path dir, std::string_view configuration)
    : name_(std::move(name)), dir_(std::move(dir)) {
  std::filesystem::create_directories(dir_);
  test::write_file(dir_ / "d.toml", configuration);
}

void fleet_member::start() {
  process_.emplace(test::command{test::program_path("cellos-telemetryd"), {"--config", dir_ / "d.toml"}});
}

void fleet_member::await_ready() const { process_->wait_for_line(" daemon_ready ", 1, ready_timeout); }

void fleet_member::kill(steady_time back_at) {
  ++kills_;
  if (test::count_lines(process_->err(), " daemon_ready ") == 0) ++kills_in_boot_;
  process_->send(SIGKILL);
  end(128 + SIGKILL);
  back_at_ = back_at;
}

void fleet_member::come_back(steady_time now) {
  if (!runs() && now >= back_at_) start();
}

void fleet_member::stop() {
  process_->send(SIGTERM);
  end(0);
}

void fleet_member::end(int expected) {
  const int code = process_->wait(stop_timeout);
  said_before_ += std::exchange(said_last_, process_->err());
  if (code != expected) {
    const auto skipped = said_last_.size() - std::min(said_last_.size(), longest_quote);
    faults_.push_back(name_ + " ended with " + std::to_string(code) + ": " + said_last_.substr(skipped));
  }
  process_.reset();
}

std::uint64_t fleet_member::noted_last(std::string_view event) const {
  const std::string word = " " + std::string{event};
  return test::count_lines(process_ ? process_->err() : said_last_, word);
}

std::uint64_t fleet_member::noted(std::string_view event) const {
  const std::string word = " " + std::string{event};
  const auto earlier = test::count_lines(said_before_, word);
  return earlier + (process_ ? test::count_lines(said_last_, word) : 0) + noted_last(event);
}

}  // namespace cellos::fleet
