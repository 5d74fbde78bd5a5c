#pragma once

#include <caf/test/dsl.hpp>

#include <spdlog/sinks/ostream_sink.h>

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "actors/failure.hpp"
#include "actors/host_supervisor.hpp"
#include "runtime/guest_sim/frame_writer.hpp"
#include "tests/support/manual_world.hpp"

namespace cellos::test {

/// Bytes of one valid frame, as the simulator writes it.
inline std::vector<std::uint8_t> frame_of(std::string_view source, std::uint64_t monotonic_ns,
                                          std::string_view comm = "sh") {
  guest_sim::frame_writer writer;
  guest_sim::declaration declared;
  declared.source = source;
  declared.pid = 42;
  declared.comm = comm;
  declared.monotonic_ns = monotonic_ns;
  writer.start();
  guest_sim::write_map(writer, declared);
  const auto bytes = writer.framed();
  return {bytes.begin(), bytes.end()};
}

/// A frame that is whole but says nothing a host understands.
inline std::vector<std::uint8_t> malformed_frame() { return {1, 0, 0, 0, 0xFF}; }

/// A host whose clock, sockets and log the test holds in its hand, run by CAF's test coordinator.
struct host_fixture : test_coordinator_fixture<> {
  host_fixture() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(operator_log);
    events = std::make_unique<operator_events>(std::make_shared<spdlog::logger>("test", sink), log_format::text);
    environment = std::make_unique<host_environment>(
        host_environment{"host-a", "test", sockets, log, quarantine, clock, *events, activities});
  }

  ~host_fixture() override {
    if (host) caf::anon_send_exit(host, caf::exit_reason::kill);
    consume_messages();
  }

  void start_host(std::size_t sinks = 1) {
    host = sys.spawn(make_host_supervisor, sinks, &resources, std::cref(*environment));
    consume_messages();
  }

  static cell_specification cell(const std::string& id) {
    cell_specification specification;
    specification.cell_id = id;
    specification.run_id = "run-1";
    specification.vsock_uds_base = "/cells/" + id + "/v.sock";
    specification.spec_signature_hash = "sha256:" + id;
    return specification;
  }

  caf::expected<cell_status> admit(const cell_specification& specification) {
    return ask<cell_status>(admit_atom::value, specification);
  }
  caf::expected<run_totals> retire(const std::string& id) { return ask<run_totals>(retire_atom::value, id); }
  std::vector<cell_status> status() { return *ask<std::vector<cell_status>>(status_atom::value); }

  template <class Answer, class... Words>
  caf::expected<Answer> ask(Words&&... words) {
    caf::expected<Answer> answer{caf::sec::none};
    auto pending = self->request(host, caf::infinite, std::forward<Words>(words)...);
    consume_messages();
    pending.receive([&](Answer& given) { answer = std::move(given); },
                    [&](caf::error& refused) { answer = std::move(refused); });
    return answer;
  }

  /// Lets time pass in steps, with everything that falls due.
  void pass(std::chrono::milliseconds duration, std::chrono::milliseconds step = std::chrono::milliseconds{10}) {
    for (std::chrono::milliseconds passed{0}; passed < duration; passed += step) {
      clock.time += step;
      advance_time(step);
      consume_messages();
    }
  }

  monotonic_time now() { return sched.clock().now(); }

  /// The guest of `id` sends frames that all arrive in one read.
  void receive(const std::string& id, const std::vector<std::vector<std::uint8_t>>& frames) {
    std::vector<std::uint8_t> bytes;
    for (const auto& frame : frames) bytes.insert(bytes.end(), frame.begin(), frame.end());
    sockets.intake(id)->receive(std::move(bytes), static_cast<std::uint32_t>(frames.size()), now());
  }

  manual_clock clock;
  memory_log log;
  manual_sockets sockets;
  manual_quarantine quarantine;
  activity_registry activities;
  std::ostringstream operator_log;
  std::unique_ptr<operator_events> events;
  std::unique_ptr<host_environment> environment;
  host_resources resources;
  host_supervisor_actor host;
};

}  // namespace cellos::test
