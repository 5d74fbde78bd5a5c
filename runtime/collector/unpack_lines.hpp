#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "messages/node_message.hpp"

namespace cellos {

/// Gives the lines of a message as they were before compression. Never more bytes than the message says, and that the
/// codec has bounded; a bomb is refused before anything is unpacked.
class line_unpacker {
 public:
  line_unpacker();
  line_unpacker(const line_unpacker&) = delete;
  line_unpacker& operator=(const line_unpacker&) = delete;
  ~line_unpacker();

  /// Borrowed from the message, or from this object until the next call. Nothing if they are not what the message says:
  /// whole lines, so many, of so many bytes.
  std::optional<std::string_view> unpack(const node_lines& lines);

 private:
  struct context;
  std::unique_ptr<context> context_;
  std::string raw_;
};

}  // namespace cellos
