#pragma once

#include <spdlog/sinks/ringbuffer_sink.h>

#include <caf/all.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/host_environment.hpp"
#include "actors/host_supervisor.hpp"
#include "runtime/daemon/watchdog.hpp"
#include "runtime/evidence/quarantine_directory.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/socket_service/socket_service.hpp"

namespace cellos::soak {

/// A whole host without the process around it: real sockets, real log, real threads, and a hand on what the daemon
/// keeps to itself.
class host_in_process {
 public:
  struct options {
    segment_log_options log{};
    socket_service_options sockets{};
    /// Of the log; null: the real one.
    file_system* files = nullptr;
    restart_limits limits{};
    /// Hears of lines that were appended, on the SINK's thread; may be null.
    std::function<void(std::string_view lines)> appended{};
    /// Null: the real one.
    std::function<batch(chunk_ptr, host_stamp_ptr)> decode{};
    watchdog::options watching{};
    std::size_t scheduler_threads = 2;
    std::size_t sinks = 2;
  };

  explicit host_in_process(options settings);
  ~host_in_process();

  caf::expected<cell_status> admit(const cell_specification& cell) { return ask<cell_status>(admit_atom::value, cell); }
  caf::expected<run_totals> retire(const std::string& cell_id) { return ask<run_totals>(retire_atom::value, cell_id); }
  /// Of the cells that answered in time.
  std::vector<cell_status> status();
  /// Retires all cells; how many did not end cleanly.
  std::uint64_t stop();

  /// Sends an exit message to an actor of the host.
  static void kill(const activity& actor, caf::exit_reason reason);

  activity_census& census() { return census_; }
  segment_log& log() { return *log_; }
  /// The newest lines for the operator.
  std::vector<std::string> operator_lines() { return ring_->last_formatted(); }

 private:
  template <class Answer, class... Words>
  caf::expected<Answer> ask(Words&&... words) {
    caf::scoped_actor self{*system_};
    caf::expected<Answer> answer{caf::sec::none};
    self->request(supervisor_, std::chrono::minutes{2}, std::forward<Words>(words)...)
        .receive([&](Answer& given) { answer = std::move(given); }, [&](caf::error& refused) { answer = refused; });
    return answer;
  }

  /// The log, and somebody who listens.
  class overheard_log final : public evidence_log {
   public:
    overheard_log(segment_log& log, std::function<void(std::string_view)> appended)
        : log_(log), appended_(std::move(appended)) {}
    std::error_code append(std::string_view lines) override {
      const std::error_code refused = log_.append(lines);
      if (!refused && appended_) appended_(lines);
      return refused;
    }
    std::uint64_t current_segment() const override { return log_.current_segment(); }

   private:
    segment_log& log_;
    std::function<void(std::string_view)> appended_;
  };

  class system_clock final : public wall_clock {
   public:
    wall_time now() const override {
      return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
    }
  };

  system_clock clock_;
  std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> ring_ = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(4000);
  operator_events events_{std::make_shared<spdlog::logger>("soak", ring_), log_format::text};
  std::unique_ptr<segment_log> log_;
  std::optional<overheard_log> overheard_;
  std::optional<quarantine_directory> quarantine_;
  std::optional<socket_service> sockets_;
  activity_census census_;
  std::optional<host_environment> environment_;
  caf::actor_system_config configuration_;
  std::optional<caf::actor_system> system_;
  host_supervisor_actor supervisor_;
  std::optional<watchdog> watchdog_;
};

}  // namespace cellos::soak
