#include "tests/forge/forge_home.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <stdexcept>
#include <utility>
#include <variant>

#include "runtime/guest_sim/frame_writer.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/signing/sha256.hpp"
#include "runtime/text/base64.hpp"
#include "runtime/verification/log_files.hpp"
#include "runtime/verification/verify_logs.hpp"

namespace cellos::forge {

namespace {

file_descriptor connect_to(const std::string& path) {
  file_descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) socket.reset();
  return socket;
}

std::string literal(std::string_view text) { return "'" + std::string{text} + "'\n"; }

std::string kibibytes(std::uint64_t bytes) { return literal(std::to_string(bytes >> 10) + "KiB"); }

}  // namespace

std::string host_plan::key_id(std::uint64_t number) const {
  return host_id + '-' + std::string{to_string(algorithm)} + '-' + std::to_string(number);
}

/// Always the same bytes for one name, so that a seed signs the same way again.
void forge_home::make_key(const host_plan& plan, std::uint64_t number) {
  const std::string id = plan.key_id(number);
  const std::filesystem::path path = root_ / (id + ".key");
  if (std::filesystem::exists(path)) return;
  const digest secret = sha256::of("a key of tests: " + id);
  auto made = signing_key::from_secret(plan.algorithm, id, secret);
  const auto& key = std::get<signing_key>(made);
  const auto public_half = key.public_key();
  const std::span<const std::uint8_t> listed =
      public_half.empty() ? std::span<const std::uint8_t>{secret} : std::span<const std::uint8_t>{public_half};
  if (!keys_.add(id, plan.algorithm, listed, {plan.host_id})) throw std::runtime_error("no key of a list: " + id);
  std::string text;
  append_base64(text, secret);
  std::ofstream{path} << text << '\n';
  ::chmod(path.c_str(), 0600);
}

void forge_home::configure(const host_plan& plan) {
  make_key(plan, plan.key);
  std::string toml = "host_id = " + literal(plan.host_id) + "[evidence]\ndir = " + literal(evidence_dir().native());
  toml += "fsync = " + literal(plan.fsync) + "max_bytes = " + kibibytes(plan.max_bytes) +
          "segment_bytes = " + kibibytes(plan.segment_bytes);
  // A share of so little is soon spent.
  toml += "cell_share = 'off'\n[signing]\nalg = ";
  toml += literal(to_string(plan.algorithm)) + "kid = " + literal(plan.key_id(plan.key)) +
          "key_file = " + literal((root_ / (plan.key_id(plan.key) + ".key")).native());
  if (plan.former_key > 0) {
    const std::string former = plan.key_id(plan.former_key);
    toml += "former_kid = " + literal(former) + "former_key_file = " + literal((root_ / (former + ".key")).native());
  }
  // Time signs nothing: what is in the log does not depend on how fast this machine is.
  toml += std::string{"mode = "} + literal(plan.sign_every_event ? "event" : "checkpoint") +
          "checkpoint_events = " + std::to_string(plan.checkpoint_events) +
          "\ncheckpoint_interval = '1h'\n[scheduler]\nthreads = 1\n";
  for (const cell_plan& cell : plan.cells) {
    toml += "[[cell]]\nid = " + literal(cell.id) + "run_id = " + literal(cell.run_id()) +
            "vsock_uds_base = " + literal(socket_base(cell)) + "spec_signature_hash = " + literal("sha256:" + cell.id) +
            "keepalive_window = " + literal(cell.silent ? "1ms" : "1h");
  }
  std::ofstream file{configuration(), std::ios::trunc};
  file << toml;
  if (!file.flush()) throw std::runtime_error("cannot write " + configuration().string());
}

bool forge_home::log_contains(std::string_view part) const { return log_count(part, {}) > 0; }

std::size_t forge_home::log_count(std::string_view part, std::string_view other_part) const {
  std::size_t found = 0;
  const evidence_image seen = image();
  for (const std::string& name : seen.segments()) {
    std::string_view rest = seen.files.at(name);
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      const std::string_view line = rest.substr(0, end);
      if (line.find(part) != std::string_view::npos && line.find(other_part) != std::string_view::npos) ++found;
      rest.remove_prefix(end + 1);
    }
  }
  return found;
}

bool forge_home::declare(const cell_plan& cell, std::uint64_t frames) {
  const file_descriptor socket = connect_to(socket_base(cell) + "_9001");
  if (!socket) return false;
  std::string bytes;
  for (std::uint64_t i = 0; i < frames; ++i) {
    guest_sim::frame_writer writer;
    guest_sim::declaration declared;
    declared.source = "process.spawned";
    declared.pid = 42;
    declared.comm = "work";
    declared.monotonic_ns = next_declaration_++;
    writer.start();
    guest_sim::write_map(writer, declared);
    const auto framed = writer.framed();
    bytes.append(reinterpret_cast<const char*>(framed.data()), framed.size());
  }
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t taken = ::send(socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (taken <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(taken));
  }
  const std::string last = R"("guestMonotonicNs":")" + std::to_string(next_declaration_ - 1) + '"';
  return wait_until([&] { return log_contains(last); });
}

verification::verification_report forge_home::verify(bool finished, const std::string& host_id,
                                                     const verification::earlier_ends& earlier) const {
  verification::verification_options options;
  options.finished = finished;
  options.hosts = {host_id};
  options.earlier = earlier;
  const auto files = verification::find_log_files({evidence_dir()});
  if (const auto* refusal = std::get_if<std::string>(&files)) throw std::runtime_error(*refusal);
  auto report = verification::verify_logs(std::get<0>(files).files, &keys_, options, 1);
  if (const auto* failure = std::get_if<std::string>(&report)) throw std::runtime_error(*failure);
  return std::move(std::get<0>(report));
}

}  // namespace cellos::forge
