#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "messages/event_seal.hpp"
#include "runtime/signing/signing_key.hpp"
#include "runtime/signing/signing_settings.hpp"

namespace cellos {

/// Digests and DSSE signatures as docs/evidence.md defines them.
class host_sealing final : public event_sealing {
 public:
  /// More events than a chain will have.
  static constexpr std::uint64_t never = std::uint64_t{1} << 62;

  /// Without a key, events get digests only. `former` signs handovers besides; it may be null.
  host_sealing(std::shared_ptr<const signing_key> key, std::shared_ptr<const signing_key> former,
               std::uint64_t events_per_signature,
               std::chrono::nanoseconds checkpoint_interval = signing_settings{}.checkpoint_interval);

  std::unique_ptr<event_seal> begin(const chain_constants& constants) const override;

  const std::string& key_id() const override { return key_id_; }
  const std::string& former_key_id() const override { return former_key_id_; }
  std::uint64_t events_per_signature() const override { return events_per_signature_; }
  signing_statement statement() const override;
  std::chrono::nanoseconds checkpoint_interval() const { return checkpoint_interval_; }
  std::string digest_text(const event_digest& digest) const override;

  const std::shared_ptr<const signing_key>& key() const { return key_; }
  const std::shared_ptr<const signing_key>& former_key() const { return former_; }

 private:
  std::shared_ptr<const signing_key> key_;
  std::shared_ptr<const signing_key> former_;
  std::string key_id_;
  std::string former_key_id_;
  std::uint64_t events_per_signature_;
  std::chrono::nanoseconds checkpoint_interval_;
};

}  // namespace cellos
