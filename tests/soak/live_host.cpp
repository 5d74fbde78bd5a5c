#include "tests/soak/live_host.hpp"

#include <spdlog/logger.h>

#include <stdexcept>
#include <utility>

#include "runtime/daemon/shared_queue.hpp"

namespace cellos::soak {

namespace {

/// Above every test_timeout inside.
constexpr std::chrono::seconds answer_timeout{60};

}  // namespace

wall_time live_host::clock::now() const {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

live_host::actor_configuration::actor_configuration(std::size_t threads) { use_shared_queue(*this, threads); }

live_host::live_host(const live_host_options& options, file_system& files)
    : options_(options), reported_(std::make_shared<event_counter>()) {
  events_.emplace(std::make_shared<spdlog::logger>("soak", reported_), log_format::text);
  options_.log.dir = evidence_dir();
  std::filesystem::create_directories(evidence_dir());
  segment_log::opening opened = segment_log::open(options_.log, files);
  if (!opened.log) throw std::runtime_error(opened.refusal);
  log_ = std::move(opened.log);
  front_.emplace(*log_);
  sockets_.emplace(options_.sockets, *events_);
  quarantine_.emplace(evidence_dir() / "quarantine");
  environment_.emplace(
      host_environment{"host-soak", "soak", *sockets_, *front_, *quarantine_, clock_, *events_, activities_});
  environment_->decode = [this](chunk_ptr chunk, host_stamp_ptr run) {
    return decoding_(std::move(chunk), std::move(run));
  };
  configuration_.emplace(options_.threads);
  system_.emplace(*configuration_);
  supervisor_ = system_->spawn(make_host_supervisor, options_.sinks, &resources_, std::cref(*environment_));
}

live_host::~live_host() {
  decoding_.release();
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  supervisor_ = nullptr;
  system_.reset();  // waits for every actor
}

cell_specification live_host::cell(const std::string& id) const {
  cell_specification specification;
  specification.cell_id = id;
  specification.run_id = "run-1";
  specification.vsock_uds_base = options_.dir / id;
  specification.spec_signature_hash = "sha256:spec-of-" + id;
  specification.keepalive_window = std::chrono::minutes{10};
  return specification;
}

template <class Answer, class... Words>
caf::expected<Answer> live_host::ask(Words&&... words) {
  caf::expected<Answer> answer{caf::sec::none};
  caf::scoped_actor self{*system_};
  self->request(supervisor_, answer_timeout, std::forward<Words>(words)...)
      .receive([&](Answer& given) { answer = std::move(given); }, [&](caf::error& no) { answer = std::move(no); });
  return answer;
}

caf::expected<cell_status> live_host::admit(const cell_specification& cell) {
  return ask<cell_status>(admit_atom::value, cell);
}

caf::expected<run_totals> live_host::retire(const std::string& id) { return ask<run_totals>(retire_atom::value, id); }

std::vector<cell_status> live_host::status() {
  auto answer = ask<std::vector<cell_status>>(status_atom::value);
  return answer ? std::move(*answer) : std::vector<cell_status>{};
}

std::uint64_t live_host::stop() {
  const auto not_drained = ask<std::uint64_t>(stop_atom::value);
  if (!not_drained) throw std::runtime_error("the host did not stop");
  return *not_drained;
}

}  // namespace cellos::soak
