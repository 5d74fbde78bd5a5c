#pragma once

#include <optional>
#include <string_view>

#include "messages/node_message.hpp"

namespace cellos {

/// The lines of a message as they were before compression. Never more bytes than the message says, and that the codec
/// has bounded; a bomb is refused before anything is unpacked. Nothing if they are not what the message says: whole
/// lines, so many, of so many bytes.
///
/// Borrowed from the message, or from this thread until its next call: a connection that is idle keeps nothing.
std::optional<std::string_view> unpack_lines(const node_lines& lines);

}  // namespace cellos
