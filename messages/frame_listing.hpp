#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "messages/wire_codec.hpp"

namespace cellos {

/// One frame where it stands among a guest's bytes, and what the decoder makes of it. Borrows from those bytes.
struct listed_frame {
  /// Of its length field, from the start of the bytes.
  std::size_t offset = 0;
  /// What its length field says; nothing if the bytes end inside that field.
  std::optional<std::uint32_t> length;
  /// What follows the length field and belongs to the frame; all that is left where the frame is torn or framing is
  /// lost.
  std::span<const std::uint8_t> body;
  /// Its refusal may also be `torn_frame` or `framing_lost`: then it is the last one listed.
  decoded_frame decoded;
};

/// Every frame of `bytes`, in their order; together they cover all of them. Total and pure.
std::vector<listed_frame> list_frames(std::span<const std::uint8_t> bytes);

}  // namespace cellos
