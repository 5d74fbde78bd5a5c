#include "runtime/signing/environment_secrets.hpp"

#include <string.h>

#include <array>
#include <cstdlib>
#include <map>
#include <string_view>

#include "runtime/signing/secret.hpp"

namespace cellos {

namespace {

std::map<std::string, secret>& taken() {
  static std::map<std::string, secret> secrets;
  return secrets;
}

}  // namespace

void take_environment_secrets() {
  for (const char* variable : std::array{ed25519_variable, hmac_variable}) {
    char* const value = std::getenv(variable);
    if (value == nullptr) continue;
    const std::string_view text{value};
    // An empty one is said to be empty by whoever wants it.
    secret kept{text.size() + 1};
    std::copy(text.begin(), text.end(), kept.bytes().begin());
    kept.shrink(text.size());
    taken().insert_or_assign(variable, std::move(kept));
    ::explicit_bzero(value, text.size());
    ::unsetenv(variable);
  }
}

std::optional<std::string> taken_secret(const std::string& variable) {
  const auto found = taken().find(variable);
  if (found == taken().end()) return std::nullopt;
  const auto bytes = found->second.bytes();
  return std::string{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace cellos
