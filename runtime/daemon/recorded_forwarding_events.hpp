#pragma once

#include <filesystem>
#include <utility>

#include "runtime/collector/own_chain.hpp"
#include "runtime/forwarding/forwarding_events.hpp"

namespace cellos {

/// A forwarder's events; that a collector has another history of the log, the host's own chain says as well.
class recorded_forwarding_events final : public forwarding_events {
 public:
  /// `events`, which gets everything, and `chain` must outlive it.
  recorded_forwarding_events(forwarding_events& events, own_chain& chain, std::filesystem::path evidence_dir)
      : events_(events), chain_(chain), evidence_dir_(std::move(evidence_dir)) {}

  void noted(const delivery_event& event, std::string_view collector, std::string_view cause) override;

 private:
  forwarding_events& events_;
  own_chain& chain_;
  const std::filesystem::path evidence_dir_;
};

}  // namespace cellos
