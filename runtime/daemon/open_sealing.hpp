#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "messages/event_seal.hpp"
#include "runtime/signing/signing_settings.hpp"

namespace cellos {

/// A variable of the environment, or nothing.
using environment = std::function<std::optional<std::string>(const char* name)>;

/// As it was when the process began: keys were taken out of it since.
std::optional<std::string> process_environment(const char* name);

struct sealing_outcome {
  /// Null when signing is off.
  event_sealing_ptr sealing;
  /// Empty, or why the daemon may not run: a sentence with the remedy. Never says anything of a key's bytes.
  std::string refusal;
};

/// The sealing that `[signing]` asks for. Where that says nothing, the environment names of the original system are
/// heeded: CELLOS_HOST_TELEMETRY_SIGN_ALG, _SIGN_KID, _SIGN_ED25519_KEY, _SIGN_HMAC_KEY. Strict: whatever is half
/// configured is refused, so that nothing runs unsigned by mistake.
sealing_outcome open_sealing(const signing_settings& wanted, const environment& variables);

/// The sealing that a host goes over to which seals with `running`: `running` itself where the key is the same,
/// whatever file it comes from. How often it signs stays as it is: chains say so in their first event. A new key needs
/// a new id, since a verifier finds one key under an id; the handover is signed with the key that is running, wherever
/// its file is by then.
sealing_outcome reopen_sealing(const event_sealing_ptr& running, const signing_settings& wanted,
                               const environment& variables);

}  // namespace cellos
