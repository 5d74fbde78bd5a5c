// `./dev fuzz SECONDS basp_guard`: libFuzzer on what stands between a peer's bytes and CAF. Whatever passes is read
// again as CAF would read it; what could harm it there is a finding.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "runtime/transport/basp_guard.hpp"

namespace {

using cellos::basp_guard;
using cellos::basp_node_id;
using bytes = std::span<const std::uint8_t>;

constexpr std::uint64_t session = 17;
constexpr std::uint32_t longest_message = 600;
constexpr std::size_t header_bytes = 32;

[[noreturn]] void found(const char* what) {
  std::fprintf(stderr, "%s passed\n", what);
  std::abort();
}

std::uint64_t big_endian(bytes from, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | from[at + i];
  return value;
}

basp_node_id node(char fill) {
  basp_node_id id;
  id.fill(fill);
  constexpr std::array<unsigned char, 8> kind{0, 0, 0x3e, 0x9a, 0xab, 0x9b, 0xac, 0x79};
  std::ranges::copy(kind, id.begin());
  return id;
}

/// Reads sizes as CAF does.
struct reader {
  bytes left;

  std::uint64_t length() {
    std::uint32_t value = 0;
    int shift = 0;
    for (;;) {
      if (left.empty() || shift > 28) found("a length without end");
      const auto byte = left.front();
      left = left.subspan(1);
      value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
      shift += 7;
      if ((byte & 0x80) == 0) return value;
    }
  }
  bytes take(std::uint64_t size) {
    if (size > left.size()) found("a length beyond the end");
    const auto taken = left.first(static_cast<std::size_t>(size));
    left = left.subspan(taken.size());
    return taken;
  }

  void message(int depth) {
    if (big_endian(take(2), 0, 2) != 0) found("a type's number");
    const auto names = take(length());
    std::string_view types{reinterpret_cast<const char*>(names.data()), names.size()};
    if (!types.starts_with("@<>")) found("a message without types");
    types.remove_prefix(3);
    while (!types.empty()) {
      types.remove_prefix(1);
      const auto type = types.substr(0, types.find('+'));
      types.remove_prefix(type.size());
      value(type, depth);
    }
  }
  void value(std::string_view type, int depth) {
    constexpr std::array<std::string_view, 5> sizes[] = {
        {"@u8", "@i8", "bool"}, {"@u16", "@i16"}, {"@u32", "@i32"}, {"@u64", "@i64", "@atom"}};
    if (type == "@unit") return;
    if (type == "@charbuf" || type == "@str") {
      take(length());
      return;
    }
    if (type == "@error" && depth == 0) {
      take(9);
      return message(1);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      if (std::ranges::find(sizes[i], type) != sizes[i].end()) {
        take(std::uint64_t{1} << i);
        return;
      }
    }
    found("a forbidden type");
  }
};

/// What passed, whole messages of it.
void read_as_caf(bytes passed, bool server) {
  bool first = true;
  while (passed.size() >= header_bytes) {
    const auto operation = passed[0];
    const bool named = (passed[3] & 1) != 0;
    const auto size = big_endian(passed, 4, 4);
    const auto destination = big_endian(passed, 24, 8);
    const bool handshake = operation == (server ? 1 : 0);
    if (first != handshake && (first || !server)) found("a handshake out of order");
    if (handshake && size == 0) found("a handshake without payload");
    if (operation > 6 || operation == 3 || (operation < 2 && !handshake)) found("an operation");
    if (!handshake && size > 4096) found("a long message");
    if (operation == 2 && !named && server && destination != session) found("another receiver");
    passed = passed.subspan(header_bytes);
    if (passed.size() < size) return;
    if (operation == 2) {
      reader payload{passed.first(static_cast<std::size_t>(size))};
      if (payload.length() != 0) found("somebody in between");
      payload.message(0);
      if (!payload.left.empty()) found("bytes behind a message");
    }
    passed = passed.subspan(static_cast<std::size_t>(size));
    first = false;
  }
}

}  // namespace

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size < 2) return -1;
  const bool server = (input[0] & 1) != 0;
  const std::size_t piece = 1U + input[1];
  const bytes peer{input + 2, size - 2};
  cellos::basp_limits limits;
  limits.message_bytes = longest_message;
  auto guard = server ? basp_guard::for_server(node('o'), session, limits) : basp_guard::for_client(node('o'), limits);
  std::size_t passed = 0;
  while (passed < peer.size()) {
    const auto next = peer.subspan(passed, std::min(piece, peer.size() - passed));
    const std::span<const char> chars{reinterpret_cast<const char*>(next.data()), next.size()};
    if (guard.incoming(chars, {})) break;
    // What it says itself is what the other side heard, so that answers come.
    guard.outgoing(chars);
    passed += next.size();
  }
  read_as_caf(peer.first(passed), server);
  return 0;
}
