#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "messages/instants.hpp"
#include "messages/node_codec.hpp"
#include "messages/node_message.hpp"
#include "runtime/collector/byte_quota.hpp"
#include "runtime/collector/collector_store.hpp"
#include "runtime/collector/ingest_limits.hpp"
#include "runtime/collector/log_copy.hpp"
#include "runtime/collector/signature_check.hpp"

namespace cellos {

/// One connection's way through the protocol: who may speak, where lines go, what is answered. No threads, no actors;
/// one caller at a time.
class ingest {
 public:
  /// `host_id`: as the peer's certificate says. `store` must outlive it.
  ingest(collector_store& store, std::string host_id, ingest_limits limits);

  /// Why a hello is refused before anything is looked up; `none` if it is not.
  node_refusal refusal_of(const decoded_message<node_hello>& hello) const;

  struct welcomed {
    node_welcome welcome;
    /// Set: the welcome may be sent once this copy's end, in this generation, is durable.
    std::shared_ptr<log_copy> copy;
    std::uint64_t generation = 0;
    /// Set: this hello began a fork, behind a copy that ended there.
    std::optional<segment_position> contradicted;
    std::uint64_t torn_bytes = 0;
    std::error_code failure;
  };
  /// Opens the copy that the hello is about; from here on lines are taken.
  welcomed open(const node_hello& hello);
  static node_welcome refuse(node_refusal reason, bool permanent);

  struct taken {
    /// At once; else `copy` has the lines, and `settle` says the answer once they are durable or taken back.
    std::optional<node_answer> answer;
    std::shared_ptr<log_copy> copy;
    segment_position end;
    std::uint64_t generation = 0;
    std::size_t bytes = 0;
    std::size_t lines = 0;
    std::error_code failure;
  };
  taken take(std::span<const char> message, byte_quota& quota, monotonic_time now);

  static node_answer settle(const log_copy& copy, segment_position end, bool durable);

 private:
  static taken refused(node_refusal reason);

  collector_store& store_;
  const std::string host_id_;
  const ingest_limits limits_;
  std::shared_ptr<log_copy> copy_;
  std::optional<signature_check> signatures_;
};

}  // namespace cellos
