#include "tests/support/basp_host.hpp"

#include <openssl/rand.h>

#include <caf/atom.hpp>

#include "tests/runtime/transport/basp_bytes.hpp"

namespace cellos::test {

namespace {

constexpr std::size_t header_bytes = 32;
/// The one actor of this node.
constexpr std::uint64_t forwarder = 1;

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return number;
}

std::string atom_bytes(caf::atom_value atom) { return big_endian(static_cast<std::uint64_t>(atom), 8); }
std::string buffer_bytes(const std::vector<char>& bytes) { return text_bytes({bytes.data(), bytes.size()}); }

/// An id of the usual kind.
std::string node_of(std::uint64_t number) {
  std::string node = node_bytes('n');
  node.replace(node.size() - 8, 8, big_endian(number, 8));
  return node;
}

/// The server's handshake: its id, the application's name, its session.
std::uint64_t session_in(std::string_view handshake) {
  constexpr std::string_view application = "generic-caf-app";
  const auto at = handshake.find(application);
  return at == std::string_view::npos ? 0 : number_at(handshake, at + application.size(), 8);
}

/// The one value of an answer, which is bytes.
std::optional<std::vector<char>> bytes_in(std::string_view answer) {
  const std::string begin = direct_bytes("@<>+@charbuf", "");
  if (!answer.starts_with(begin)) return std::nullopt;
  answer.remove_prefix(begin.size());
  std::uint64_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(answer.at(0));
    answer.remove_prefix(1);
    length |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (answer.size() != length) return std::nullopt;
  return std::vector<char>{answer.begin(), answer.end()};
}

}  // namespace

basp_host::basp_host(std::uint16_t port, const tls_settings& files, std::uint64_t number) : peer_(port, &files) {
  if (!peer_.shaken_hands() || !fill(header_bytes)) return;
  const auto bytes = number_at(came_, 4, 4);
  if (!fill(header_bytes + bytes)) return;
  session_ = session_in(take(header_bytes + bytes));
  // As CAF does: when it connects, and when it takes the connection for its own.
  const auto node = node_of(number);
  send(basp_header{.operation = client_handshake}.with(node) +
       basp_header{.operation = client_handshake, .flags = 2}.with(node));
}

bool basp_host::fill(std::size_t bytes) {
  if (came_.size() < bytes) came_ += peer_.receive(bytes - came_.size());
  return came_.size() >= bytes;
}

std::string basp_host::take(std::size_t bytes) {
  std::string taken = came_.substr(0, bytes);
  came_.erase(0, bytes);
  return taken;
}

std::string basp_host::request(std::string_view types, std::string_view values) {
  const basp_header header{
      .operation = direct_message, .bits = asynchronous | ++asked_, .source = forwarder, .destination = session_};
  return header.with(direct_bytes(types, values));
}

std::optional<std::vector<char>> basp_host::ask(const std::string& message) {
  send(message);
  while (fill(header_bytes)) {
    const auto payload = number_at(came_, 4, 4);
    const auto bits = number_at(came_, 8, 8);
    const bool is_answer = came_[0] == direct_message && (bits & answers) != 0;
    if (!fill(header_bytes + payload)) break;
    const auto all = take(header_bytes + payload);
    if (is_answer) return bytes_in(std::string_view{all}.substr(header_bytes));
  }
  return std::nullopt;
}

std::optional<node_welcome> basp_host::greet(const node_hello& hello) {
  const auto answer =
      ask(request("@<>+@atom+@u32+@charbuf",
                  atom_bytes(caf::atom("hello")) + big_endian(node_codec_version, 4) + buffer_bytes(encode(hello))));
  if (!answer) return std::nullopt;
  return decode_welcome(*answer).message;
}

std::optional<node_answer> basp_host::deliver(const node_lines& lines) {
  const auto answer = ask(request("@<>+@atom+@charbuf", atom_bytes(caf::atom("lines")) + buffer_bytes(encode(lines))));
  if (!answer) return std::nullopt;
  return decode_answer(*answer).message;
}

void basp_host::say_alive(const node_alive& alive) {
  const basp_header header{
      .operation = direct_message, .bits = asynchronous, .source = forwarder, .destination = session_};
  send(header.with(direct_bytes("@<>+@atom+@charbuf", atom_bytes(caf::atom("alive")) + buffer_bytes(encode(alive)))));
}

void basp_host::beat() {
  send(basp_header{.operation = heartbeat}.bytes(0));
  came_.clear();
  peer_.drop_what_came();
}

node_hello first_hello(std::string host_id) {
  node_hello hello;
  hello.host_id = std::move(host_id);
  RAND_bytes(hello.log.data(), static_cast<int>(hello.log.size()));
  RAND_bytes(reinterpret_cast<unsigned char*>(&hello.boot_nonce), sizeof hello.boot_nonce);
  hello.first_kept = hello.committed = hello.cursor.at = {1, 0};
  hello.codecs = 3;
  return hello;
}

node_lines lines_at(segment_position at, std::size_t count, std::size_t bytes, std::string& text) {
  text.clear();
  for (std::size_t i = 0; i < count; ++i) text += std::string(bytes - 1, 'x') + '\n';
  node_lines lines;
  lines.after = lines.from = at;
  lines.raw_bytes = static_cast<std::uint32_t>(text.size());
  lines.line_count = static_cast<std::uint32_t>(count);
  lines.bytes = text;
  return lines;
}

}  // namespace cellos::test
