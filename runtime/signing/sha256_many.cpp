// The low-level functions, for the reason sha256.cpp gives.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "runtime/signing/sha256_many.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace cellos {

void compress_pair(std::array<std::uint32_t*, 2> states, std::array<const std::uint8_t*, 2> texts, std::size_t blocks);

namespace {

SHA256_CTX context_at(const sha256_state& state, std::uint64_t hashed_before) {
  SHA256_CTX context;
  SHA256_Init(&context);
  std::copy(state.begin(), state.end(), context.h);
  const std::uint64_t bits = hashed_before * 8;
  context.Nl = static_cast<SHA_LONG>(bits);
  context.Nh = static_cast<SHA_LONG>(bits >> 32);
  return context;
}

digest hash_one(const sha256_text& text) {
  SHA256_CTX context = context_at(*text.state, text.hashed_before);
  SHA256_Update(&context, text.bytes.data(), text.bytes.size());
  digest out;
  SHA256_Final(out.data(), &context);
  return out;
}

/// A text on its way: its whole blocks where they lie, then its end, padded as FIPS 180-4, section 5.1.1, says.
class text_in_work {
 public:
  void begin(const sha256_text& text, digest& out) {
    state_ = *text.state;
    out_ = &out;
    next_ = text.bytes.data();
    blocks_ = text.bytes.size() / sha256_block;
    const std::size_t rest = text.bytes.size() % sha256_block;
    tail_blocks_ = rest + 9 > sha256_block ? 2 : 1;
    std::memset(tail_.data(), 0, tail_blocks_ * sha256_block);
    if (rest != 0) std::memcpy(tail_.data(), text.bytes.data() + text.bytes.size() - rest, rest);
    tail_[rest] = 0x80;
    std::uint64_t bits = (text.hashed_before + text.bytes.size()) * 8;
    for (std::size_t at = tail_blocks_ * sha256_block; bits != 0; bits >>= 8) {
      tail_[--at] = static_cast<std::uint8_t>(bits);
    }
    if (blocks_ == 0) begin_tail();
  }

  /// How many blocks lie side by side from `next` on; 0 when the digest is out.
  std::size_t blocks() const { return blocks_; }
  const std::uint8_t* next() const { return next_; }
  std::uint32_t* state() { return state_.data(); }

  void absorbed(std::size_t blocks) {
    next_ += blocks * sha256_block;
    blocks_ -= blocks;
    if (blocks_ != 0) return;
    if (tail_blocks_ != 0) return begin_tail();
    *out_ = digest_of(state_);
  }

 private:
  void begin_tail() {
    next_ = tail_.data();
    blocks_ = std::exchange(tail_blocks_, 0);
  }

  sha256_state state_{};
  digest* out_ = nullptr;
  const std::uint8_t* next_ = nullptr;
  std::size_t blocks_ = 0;
  std::size_t tail_blocks_ = 0;
  std::array<std::uint8_t, 2 * sha256_block> tail_;
};

void hash_in_pairs(std::span<const sha256_text> texts, std::span<digest> out) {
  std::array<text_in_work, 2> pair;
  std::size_t next = 0;
  while (true) {
    for (text_in_work& each : pair) {
      if (each.blocks() != 0 || next == texts.size()) continue;
      each.begin(texts[next], out[next]);
      ++next;
    }
    const std::size_t both = std::min(pair[0].blocks(), pair[1].blocks());
    if (both == 0) break;
    compress_pair({pair[0].state(), pair[1].state()}, {pair[0].next(), pair[1].next()}, both);
    for (text_in_work& each : pair) each.absorbed(both);
  }
  // The last text, or its end, has nobody beside it: its blocks keep an unread state company.
  text_in_work& left = pair[0].blocks() != 0 ? pair[0] : pair[1];
  while (left.blocks() != 0) {
    sha256_state unread{};
    const std::size_t blocks = left.blocks();
    compress_pair({left.state(), unread.data()}, {left.next(), left.next()}, blocks);
    left.absorbed(blocks);
  }
}

/// Every length up to some blocks, an odd number of texts.
bool agrees_with_openssl() {
  constexpr std::size_t most_bytes = 5 * sha256_block + 2;
  std::vector<std::uint8_t> bytes(most_bytes);
  for (std::size_t i = 0; i < most_bytes; ++i) bytes[i] = static_cast<std::uint8_t>(i * 151 + 7);
  std::vector<sha256_text> texts;
  for (std::size_t length = 0; length <= most_bytes; ++length) texts.push_back({std::span{bytes}.first(length)});
  std::vector<digest> found(texts.size());
  hash_in_pairs(texts, found);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (found[i] != sha256::of(texts[i].bytes)) return false;
  }
  return true;
}

}  // namespace

digest digest_of(const sha256_state& state) {
  digest out;
  for (std::size_t word = 0; word < state.size(); ++word) {
    const std::uint32_t swapped = __builtin_bswap32(state[word]);
    std::memcpy(out.data() + word * sizeof swapped, &swapped, sizeof swapped);
  }
  return out;
}

void absorb(sha256_state& state, const std::uint8_t* block) {
  SHA256_CTX context = context_at(state, 0);
  SHA256_Transform(&context, block);
  std::copy(std::begin(context.h), std::end(context.h), state.begin());
}

void absorb_many(std::span<sha256_state> states, const std::uint8_t* const* texts, std::size_t blocks) {
  std::size_t next = 0;
  if (chosen_sha256() == sha256_method::in_pairs) {
    for (; next + 1 < states.size(); next += 2) {
      compress_pair({states[next].data(), states[next + 1].data()}, {texts[next], texts[next + 1]}, blocks);
    }
  }
  for (; next < states.size(); ++next) {
    for (std::size_t block = 0; block < blocks; ++block) absorb(states[next], texts[next] + block * sha256_block);
  }
}

bool has_sha_instructions() {
#if defined(__x86_64__)
  // CPUID leaf 7, EBX bit 29: __builtin_cpu_supports has no name for it in GCC 12.
  std::uint32_t eax = 7;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  __builtin_cpu_init();
  return (ebx >> 29 & 1) != 0 && __builtin_cpu_supports("sse4.1") != 0 && __builtin_cpu_supports("ssse3") != 0;
#else
  return false;
#endif
}

sha256_method chosen_sha256() {
  static const sha256_method chosen =
      has_sha_instructions() && agrees_with_openssl() ? sha256_method::in_pairs : sha256_method::one_by_one;
  return chosen;
}

void sha256_many(std::span<const sha256_text> texts, std::span<digest> out, sha256_method method) {
  if (method == sha256_method::in_pairs) return hash_in_pairs(texts, out);
  std::transform(texts.begin(), texts.end(), out.begin(), hash_one);
}

void sha256_many(std::span<const sha256_text> texts, std::span<digest> out) {
  sha256_many(texts, out, chosen_sha256());
}

}  // namespace cellos
