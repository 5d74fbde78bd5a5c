#include "runtime/signing/secret.hpp"

#include <sodium.h>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace cellos {

void start_libsodium() {
  if (::sodium_init() < 0) throw std::runtime_error("libsodium cannot start: no source of randomness");
}

secret::secret(std::size_t bytes) : size_(bytes) {
  start_libsodium();
  bytes_.reset(static_cast<std::uint8_t*>(::sodium_malloc(bytes)));
  if (bytes_ == nullptr) throw std::bad_alloc{};
  ::sodium_memzero(bytes_.get(), bytes);
}

secret::secret(std::span<const std::uint8_t> bytes) : secret(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), bytes_.get());
}

void secret::wipe_and_free::operator()(std::uint8_t* bytes) const noexcept { ::sodium_free(bytes); }

}  // namespace cellos
