// Two blocks of two texts at once with the processor's SHA instructions. One text's rounds wait for each other, four
// cycles a pair of rounds; the other text's fill the wait. Compiled for these instructions: called only where the
// processor has them.

#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)

#include <immintrin.h>

namespace cellos {

namespace {

// FIPS 180-4, section 4.2.2.
alignas(16) constexpr std::array<std::uint32_t, 64> constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

__m128i load(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
void store(void* to, __m128i words) { _mm_storeu_si128(static_cast<__m128i*>(to), words); }

/// One text's half of the work. The instructions want the state as ABEF and CDGH.
struct text_rounds {
  __m128i abef;
  __m128i cdgh;
  __m128i schedule[4];

  void begin(const std::uint32_t* state, const std::uint8_t* block) {
    const __m128i dcba = _mm_shuffle_epi32(load(state), 0xB1);
    const __m128i hgfe = _mm_shuffle_epi32(load(state + 4), 0x1B);
    abef = _mm_alignr_epi8(dcba, hgfe, 8);
    cdgh = _mm_blend_epi16(hgfe, dcba, 0xF0);
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    for (std::size_t i = 0; i < 4; ++i) schedule[i] = _mm_shuffle_epi8(load(block + 16 * i), big_endian);
  }

  [[gnu::always_inline]] void four_rounds(std::size_t group, __m128i words) {
    const __m128i with_constants = _mm_add_epi32(words, load(constants.data() + 4 * group));
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, with_constants);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(with_constants, 0x0E));
  }

  /// The schedule's next four words, which take the place of the oldest.
  [[gnu::always_inline]] __m128i extend(std::size_t group) {
    __m128i& oldest = schedule[group % 4];
    const __m128i& latest = schedule[(group + 3) % 4];
    const __m128i seventh = _mm_alignr_epi8(latest, schedule[(group + 2) % 4], 4);
    oldest = _mm_add_epi32(_mm_sha256msg1_epu32(oldest, schedule[(group + 1) % 4]), seventh);
    oldest = _mm_sha256msg2_epu32(oldest, latest);
    return oldest;
  }

  void end(std::uint32_t* state, __m128i abef_before, __m128i cdgh_before) {
    const __m128i feba = _mm_shuffle_epi32(_mm_add_epi32(abef, abef_before), 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(_mm_add_epi32(cdgh, cdgh_before), 0xB1);
    store(state, _mm_blend_epi16(feba, dchg, 0xF0));
    store(state + 4, _mm_alignr_epi8(dchg, feba, 8));
  }
};

}  // namespace

/// Absorbs `blocks` blocks of each of two texts into their states.
void compress_pair(std::array<std::uint32_t*, 2> states, std::array<const std::uint8_t*, 2> texts, std::size_t blocks) {
  text_rounds one;
  text_rounds other;
  for (; blocks > 0; --blocks) {
    one.begin(states[0], texts[0]);
    other.begin(states[1], texts[1]);
    const __m128i before[4] = {one.abef, one.cdgh, other.abef, other.cdgh};
#pragma GCC unroll 4
    for (std::size_t group = 0; group < 4; ++group) {
      one.four_rounds(group, one.schedule[group]);
      other.four_rounds(group, other.schedule[group]);
    }
#pragma GCC unroll 12
    for (std::size_t group = 4; group < 16; ++group) {
      one.four_rounds(group, one.extend(group));
      other.four_rounds(group, other.extend(group));
    }
    one.end(states[0], before[0], before[1]);
    other.end(states[1], before[2], before[3]);
    for (const std::uint8_t*& text : texts) text += 64;
  }
}

}  // namespace cellos

#else

namespace cellos {

/// Never called: `has_sha_instructions` says no.
void compress_pair(std::array<std::uint32_t*, 2>, std::array<const std::uint8_t*, 2>, std::size_t) {}

}  // namespace cellos

#endif
