#pragma once

#include <linux/limits.h>

#include <array>
#include <cstddef>
#include <cstdint>

/// What the daemon and its privileged reader say to each other, each a datagram of a SOCK_SEQPACKET pair of one program
/// on one machine.
namespace cellos {

/// Of the program that both are; chosen here.
inline constexpr std::uint32_t reader_form = 0x63'65'6c'31;

enum class reader_question : std::uint32_t {
  // As kernel_listing has them.
  links,
  nft_tables,
  nft_named_counters,
  nft_rules,
  /// With the descriptor of a /proc/PID.
  stat_of_ended,
};

inline constexpr std::uint32_t reader_questions = 5;

/// One question; nothing of another size is one.
struct reader_request {
  std::uint32_t form = reader_form;
  /// Answers have it; not 0.
  std::uint32_t id = 0;
  reader_question question{};
  /// Which number the kernel's answers are to have.
  std::uint32_t listing_number = 0;
  std::uint32_t timeout_ms = 0;
  /// Of the namespace, ended by a zero; empty: the reader's own, which is the daemon's.
  std::array<char, PATH_MAX> path{};
};

/// No dump takes longer: a reader that is asked for more gives up then. Chosen here.
inline constexpr std::uint32_t longest_reader_timeout_ms = 60'000;

enum class reader_word : std::uint32_t {
  /// Whoever answers from here on has no question yet. `value`: nothing; behind it: its capabilities, 8 bytes.
  ready,
  /// Behind it: a datagram of the kernel's.
  piece,
  /// Of a dump: that was all.
  ended,
  /// Of a dump: some of it was lost.
  lost,
  /// Behind it: a file.
  text,
  /// `value`: a probe_error_kind; behind it: words.
  refused,
};

/// Begins each answer.
struct reader_answer {
  std::uint32_t form = reader_form;
  /// Of the request; 0 where there was none that could be read.
  std::uint32_t id = 0;
  reader_word word{};
  std::uint32_t value = 0;
};

/// As large as the kernel makes a datagram of a dump for a reader with room.
inline constexpr std::size_t longest_kernel_datagram = 32768;
inline constexpr std::size_t longest_reader_answer = sizeof(reader_answer) + longest_kernel_datagram;

/// Which descriptors the reader begins with, beside the standard ones.
inline constexpr int reader_socket = 3;
/// Whose end is the daemon's; a byte: the reader does not answer any more.
inline constexpr int reader_lifeline = 4;

/// The one argument of the program that is to be a reader.
inline constexpr const char* reader_argument = "--privileged-reader";

}  // namespace cellos
