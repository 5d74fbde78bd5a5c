// The low-level functions, which OpenSSL 3 calls deprecated: EVP and the one-shot SHA256() look up the algorithm on
// each call, which for texts as short as ours costs more than the hashing, and their states are copied on the heap.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "runtime/signing/sha256.hpp"

#include <openssl/sha.h>

#include <type_traits>

namespace cellos {

namespace {

SHA256_CTX* context(std::array<std::byte, 112>& state) { return reinterpret_cast<SHA256_CTX*>(state.data()); }

}  // namespace

static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8 && std::is_trivially_copyable_v<SHA256_CTX>);

// SHA256_Init writes the state.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
sha256::sha256() { SHA256_Init(context(state_)); }

sha256& sha256::update(std::span<const std::uint8_t> bytes) {
  SHA256_Update(context(state_), bytes.data(), bytes.size());
  return *this;
}

digest sha256::finish() {
  digest out;
  SHA256_Final(out.data(), context(state_));
  return out;
}

}  // namespace cellos
