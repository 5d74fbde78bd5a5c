#pragma once

#include <optional>
#include <string>

namespace cellos {

/// Variables of the environment that hold a key.
inline constexpr const char* ed25519_variable = "CELLOS_HOST_TELEMETRY_SIGN_ED25519_KEY";
inline constexpr const char* hmac_variable = "CELLOS_HOST_TELEMETRY_SIGN_HMAC_KEY";

/// Moves keys from the environment, which /proc/PID/environ shows, to locked memory. Once, before any thread.
void take_environment_secrets();

/// A key that was taken; the caller wipes it.
std::optional<std::string> taken_secret(const std::string& variable);

}  // namespace cellos
