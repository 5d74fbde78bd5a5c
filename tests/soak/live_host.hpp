#pragma once

#include <caf/all.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/host_supervisor.hpp"
#include "runtime/evidence/quarantine_directory.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/socket_service/socket_service.hpp"
#include "tests/soak/event_counter.hpp"
#include "tests/soak/planted_faults.hpp"

namespace cellos::soak {

struct live_host_options {
  /// Sockets and evidence are made below.
  std::filesystem::path dir;
  /// Threads that run actors.
  std::size_t threads = 4;
  std::size_t sinks = 2;
  segment_log_options log{};
  socket_service_options sockets{};
};

/// What the daemon boots, in this process, with faults to plant: real sockets, real log, real actors on real threads.
class live_host {
 public:
  explicit live_host(const live_host_options& options, file_system& files = real_file_system());
  live_host(const live_host&) = delete;
  live_host& operator=(const live_host&) = delete;
  ~live_host();

  cell_specification cell(const std::string& id) const;
  caf::expected<cell_status> admit(const cell_specification& cell);
  caf::expected<run_totals> retire(const std::string& id);
  /// Cells whose supervisor answered; nothing if the HOST SUPERVISOR did not.
  std::vector<cell_status> status();
  /// Retires every cell; how many did not end cleanly.
  std::uint64_t stop();
  std::filesystem::path evidence_dir() const { return options_.dir / "evidence"; }

  segment_log& log() { return *log_; }
  faulty_log& log_front() { return *front_; }
  faulty_decoding& decoding() { return decoding_; }
  activity_registry& activities() { return activities_; }
  event_counter& reported() { return *reported_; }
  operator_events& events() { return *events_; }

 private:
  class clock final : public wall_clock {
   public:
    wall_time now() const override;
  };
  class actor_configuration : public caf::actor_system_config {
   public:
    explicit actor_configuration(std::size_t threads);
  };

  template <class Answer, class... Words>
  caf::expected<Answer> ask(Words&&... words);

  live_host_options options_;
  clock clock_;
  std::shared_ptr<event_counter> reported_;
  std::optional<operator_events> events_;
  std::unique_ptr<segment_log> log_;
  std::optional<faulty_log> front_;
  faulty_decoding decoding_;
  std::optional<socket_service> sockets_;
  std::optional<quarantine_directory> quarantine_;
  activity_registry activities_;
  std::optional<host_environment> environment_;
  host_resources resources_;
  std::optional<actor_configuration> configuration_;
  std::optional<caf::actor_system> system_;
  host_supervisor_actor supervisor_;
};

}  // namespace cellos::soak
