#pragma once

#include <span>
#include <string>

#include "messages/node_codec.hpp"

namespace cellos::test {

/// Whether what was read says the same when it is written and read again.
template <class Message>
bool survives_a_round(const Message& message, decoded_message<Message> (*decode)(std::span<const char>)) {
  const node_bytes written = encode(message);
  const auto again = decode(written);
  return again && again.message == message;
}

/// Reads `bytes` as each kind of message. Nothing if all is well, else which kind does not survive.
inline std::string disagreement_about_message(std::span<const char> bytes) {
  const auto hello = decode_hello(bytes);
  if (hello && !survives_a_round(hello.message, decode_hello)) return "hello";
  const auto welcome = decode_welcome(bytes);
  if (welcome && !survives_a_round(welcome.message, decode_welcome)) return "welcome";
  const auto lines = decode_lines(bytes);
  if (lines && !survives_a_round(lines.message, decode_lines)) return "lines";
  if (lines && lines.message.raw_bytes > node_limits::largest_batch) return "lines beyond the limit";
  const auto answer = decode_answer(bytes);
  if (answer && !survives_a_round(answer.message, decode_answer)) return "answer";
  const auto alive = decode_alive(bytes);
  if (alive && !survives_a_round(alive.message, decode_alive)) return "alive";
  const int read_as = (hello ? 1 : 0) + (welcome ? 1 : 0) + (lines ? 1 : 0) + (answer ? 1 : 0) + (alive ? 1 : 0);
  return read_as > 1 ? "two kinds at once" : "";
}

}  // namespace cellos::test
