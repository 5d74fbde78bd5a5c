#pragma once

#include <chrono>

#include "runtime/collector/chain_recorder.hpp"
#include "runtime/collector/collector_events.hpp"

namespace cellos {

/// A collector's events, of which the collector's own chain says those that matter later.
class recorded_collector_events final : public collector_events {
 public:
  /// Both must outlive it; `events` gets everything.
  recorded_collector_events(collector_events& events, chain_recorder& recorder, std::chrono::nanoseconds silence_window)
      : events_(events), recorder_(recorder), silence_window_(silence_window) {}

  void host_connected(const peer_identity& host) override {
    events_.host_connected(host);
    recorder_.say(seen_host{host.host_id});
  }
  void host_refused(const peer_identity& host, node_refusal reason) override { events_.host_refused(host, reason); }
  void host_silenced(std::string_view host_id, std::chrono::nanoseconds unheard_for) override {
    events_.host_silenced(host_id, unheard_for);
    recorder_.say(silenced_host{std::string{host_id}, unheard_for, silence_window_});
  }
  void host_resumed(std::string_view host_id) override {
    events_.host_resumed(host_id);
    recorder_.say(resumed_host{std::string{host_id}});
  }
  void host_doubled(const peer_identity& refused) override { events_.host_doubled(refused); }
  void history_forked(std::string_view host_id, const begun_fork& fork) override;
  void copy_failed(std::string_view host_id, const std::error_code& cause) override {
    events_.copy_failed(host_id, cause);
  }

 private:
  collector_events& events_;
  chain_recorder& recorder_;
  const std::chrono::nanoseconds silence_window_;
};

}  // namespace cellos
