#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/signing/sha256.hpp"

/// SHA-256 of many short texts that do not depend on each other.
///
/// One text after the other costs the latency of every round. Two at a time fill each other's waits, with the
/// processor's SHA instructions. Where it has none, or the self-test finds a wrong digest, OpenSSL hashes one after the
/// other.
namespace cellos {

/// The chaining value between two blocks, FIPS 180-4.
using sha256_state = std::array<std::uint32_t, 8>;

inline constexpr std::size_t sha256_block = 64;

/// FIPS 180-4, section 5.3.3.
inline constexpr sha256_state sha256_begin{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// How texts are hashed on this machine.
enum class sha256_method : std::uint8_t { one_by_one, in_pairs };

constexpr std::string_view to_string(sha256_method method) {
  return method == sha256_method::in_pairs ? "in_pairs" : "one_by_one";
}

/// One text to hash. What was hashed before it is in `state`; `hashed_before` is its length, a multiple of the block.
struct sha256_text {
  std::span<const std::uint8_t> bytes;
  const sha256_state* state = &sha256_begin;
  std::uint64_t hashed_before = 0;
};

/// Digests of `texts`, in their order, into `out`, which has as many. Thread-safe.
void sha256_many(std::span<const sha256_text> texts, std::span<digest> out);

/// The same, by an explicit method, for tests and benchmarks. In pairs only where `has_sha_instructions`.
void sha256_many(std::span<const sha256_text> texts, std::span<digest> out, sha256_method method);

bool has_sha_instructions();

/// What `sha256_many` uses: pairs where the processor can and its digests of texts of every length up to some blocks
/// are OpenSSL's. Tried once a process.
sha256_method chosen_sha256();

digest digest_of(const sha256_state& state);

/// Absorbs one block.
void absorb(sha256_state& state, const std::uint8_t* block);

/// Absorbs `blocks` blocks of each text, one text a state. Nothing is padded.
void absorb_many(std::span<sha256_state> states, const std::uint8_t* const* texts, std::size_t blocks);

}  // namespace cellos
