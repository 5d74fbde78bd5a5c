#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "messages/signing_statement.hpp"

/// The seam between events and the keys that vouch for them. Nothing here knows a hash or a key; runtime/signing does.
namespace cellos {

/// Digest of one event: its MATERIAL, as docs/evidence.md defines it.
using event_digest = std::array<std::uint8_t, 32>;

/// What the first event of a chain has before it.
inline constexpr event_digest no_event{};

/// How an event is vouched for.
enum class seal_kind : std::uint8_t {
  /// By the next signature in its chain.
  chained,
  /// By a signature of its own.
  signature,
  /// By a signature of the former key and one of the new key.
  handover,
};

/// Where the pieces of one rendered event lie in its buffer; bytes from the buffer's begin.
struct rendered_event {
  struct piece {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  piece type;
  piece time;
  /// The 20 digits.
  piece sequence;
  /// What `event_seal::placeholder` left open.
  piece placeholder;
  piece data;
  seal_kind kind{};
};

/// Seals the events of one chain, in their order. Used by one thread at a time.
class event_seal {
 public:
  event_seal() = default;
  event_seal(const event_seal&) = delete;
  event_seal& operator=(const event_seal&) = delete;
  virtual ~event_seal() = default;

  /// The attributes a line of this kind has between `sequence` and `data`, with room for their values; the same length
  /// for every event of a kind. As line_form has it: closes the text before, and leaves its own last one open.
  virtual std::string_view placeholder(seal_kind kind) const = 0;

  /// Fills in the placeholders of `events`. `before` is the digest of the event before the first of them. Answers with
  /// the digest of the last. Throws if a key cannot sign; then the lines are of no use.
  virtual event_digest seal(std::string& lines, std::span<const rendered_event> events, event_digest before) = 0;
};

/// What is the same in every event of a chain.
struct chain_constants {
  std::string_view chain;
  std::string_view source;
  std::string_view subject;
};

/// How this host seals its events: with one key, at one rate. Immutable and thread-safe; a new key is a new one.
class event_sealing {
 public:
  event_sealing() = default;
  event_sealing(const event_sealing&) = delete;
  event_sealing& operator=(const event_sealing&) = delete;
  virtual ~event_sealing() = default;

  virtual std::unique_ptr<event_seal> begin(const chain_constants& constants) const = 0;

  /// Empty: events get digests only.
  virtual const std::string& key_id() const = 0;
  /// The key whose signatures a `handover` carries besides; empty if there is none.
  virtual const std::string& former_key_id() const = 0;
  /// A chain has at most so many events in a row without a signature; 1 signs each.
  virtual std::uint64_t events_per_signature() const = 0;
  /// What chains that are sealed so say of it.
  virtual signing_statement statement() const = 0;
  /// As `prevdigest` spells it.
  virtual std::string digest_text(const event_digest& digest) const = 0;
};

using event_sealing_ptr = std::shared_ptr<const event_sealing>;

/// Of chains with this sealing; null: off.
inline signing_statement statement_of(const event_sealing_ptr& sealing) {
  return sealing ? sealing->statement() : signing_statement{};
}

}  // namespace cellos
