#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "messages/signing_statement.hpp"
#include "runtime/signing/algorithm.hpp"

namespace cellos {

/// How events are chained and vouched for, as `alg` says it.
struct signing_scheme {
  /// Each event has the digest of the one before it.
  bool digests = false;
  /// What the key that signs them is for. Nothing: no key; the digests show what was altered to whoever has the last
  /// one from elsewhere.
  std::optional<signing_algorithm> algorithm = std::nullopt;

  bool operator==(const signing_scheme&) const = default;
};

inline constexpr signing_scheme signing_off{};
inline constexpr signing_scheme digests_only{true, std::nullopt};

/// A key, as far as an operator names it.
struct key_source {
  std::string kid;
  std::optional<std::filesystem::path> file;
  /// Name of a systemd credential; looked for in `$CREDENTIALS_DIRECTORY`.
  std::optional<std::string> credential;

  bool operator==(const key_source&) const = default;
};

/// What an operator decides about signing.
struct signing_settings {
  signing_scheme alg = signing_off;
  key_source key;
  /// The key before this one, whose signature makes the change provable. The same algorithm.
  key_source former;
  /// `event` or `checkpoint`.
  signing_statement::kind mode = signing_statement::kind::event;
  /// With `checkpoint`: events of a run between two signatures, at most. Default: chosen here; a signature costs about
  /// as much as fifty digests, so that this adds a twentieth.
  std::uint32_t checkpoint_events = 1000;
  /// With `checkpoint`: the longest an event stays unsigned. Default: chosen here.
  std::chrono::nanoseconds checkpoint_interval = std::chrono::seconds{1};

  bool operator==(const signing_settings&) const = default;
};

}  // namespace cellos
