#include "runtime/guest_sim/frame_maker.hpp"

#include <array>

#include "runtime/guest_sim/forged_frames.hpp"
#include "runtime/guest_sim/malformed_frames.hpp"

namespace cellos::guest_sim {

namespace {

using namespace std::string_view_literals;

constexpr std::array original_sources{
    to_string(probe_source::process_spawned),   to_string(probe_source::process_exited),
    to_string(probe_source::capability_denied), to_string(probe_source::net_connect_attempted),
    to_string(probe_source::fs_inotify_fired),
};

constexpr std::array plain_comms{
    "systemd"sv, "bash"sv,           "sh"sv,   "python3"sv,        "node"sv,    "nginx"sv, "postgres"sv,
    "curl"sv,    "kworker/0:1-ev"sv, "java"sv, "containerd-shi"sv, "dnsmasq"sv, "sshd"sv,  "cellos-agent"sv,
};

/// Valid, and each a trap for whoever prints or escapes it.
constexpr std::array odd_comms{
    ""sv,
    "caf\xc3\xa9"sv,
    "\xe3\x83\x87\xe3\x83\xbc\xe3\x82\xbf"sv,
    "\xd0\xbf\xd1\x80\xd0\xbe\xd0\xba\xd1\x81\xd0\xb8"sv,
    "\xf0\x9f\x90\xa7-worker"sv,
    "say \"hi\""sv,
    "C:\\temp\\u0041"sv,
    "two\nlines"sv,
    "\x1b[31mred\x1b[0m"sv,
    "tab\tbell\a\r"sv,
    "nul\0inside"sv,
    "del\x7f"sv,
    "c1\xc2\x85"
    "control"sv,
    "\xe2\x80\xae"
    "override"sv,
    "\xe2\x80\xa8separator"sv,
    "\xef\xbb\xbf"
    "bom\xef\xbf\xbf"sv,
    "</script>&'"sv,
    "%s%n${x}`id`"sv,
};

constexpr std::uint32_t largest_pid = 4194304;

constexpr expected_outcome refused(telemetry_errc kind) { return {.refusal = kind}; }

}  // namespace

frame_maker::frame_maker(std::uint64_t seed, std::uint16_t content_version)
    : random_(seed), content_version_(content_version) {
  constexpr std::uint32_t workers = 64;
  for (std::uint32_t i = 0; i < workers; ++i) worker_names_.push_back("worker-" + std::to_string(random_.below(1000)));
}

void frame_maker::begin_connection() { losses_ = {}; }

std::string_view frame_maker::draw_comm() {
  const auto kind = random_.below(16);
  if (kind == 0) return random_.pick(odd_comms);
  return kind < 6 ? std::string_view{random_.pick(worker_names_)} : random_.pick(plain_comms);
}

declaration frame_maker::draw() {
  return {.content_version = content_version_,
          .source = random_.pick(original_sources),
          .pid = random_.between(1, largest_pid),
          .comm = draw_comm(),
          .monotonic_ns = next_index_,
          .losses = {}};
}

void frame_maker::account_accepted(declaration& declared) {
  if (content_version_ != wire::content_version_1_1) return;
  declared.losses = losses_;
  ++losses_.seq;
}

made_frame frame_maker::honest() {
  auto declared = draw();
  account_accepted(declared);
  ++next_index_;
  writer_.start();
  write_map(writer_, declared);
  return written({});
}

made_frame frame_maker::heartbeat() {
  declaration beat{.content_version = content_version_,
                   .source = to_string(probe_source::agent_heartbeat),
                   .pid = 1,
                   .comm = "cellos-agent",
                   .monotonic_ns = next_index_ - 1,
                   .losses = {}};
  account_accepted(beat);
  writer_.start();
  write_map(writer_, beat);
  return written({.heartbeat = true});
}

made_frame frame_maker::forged() {
  auto declared = draw();
  account_accepted(declared);
  ++next_index_;
  writer_.start();
  const bool attribution = write_forged(writer_, random_, declared);
  return written({.forged = attribution});
}

made_frame frame_maker::garbage() {
  auto declared = draw();
  writer_.start();
  const auto kinds = malformed_kinds();
  const auto choice = random_.below(static_cast<std::uint32_t>(kinds.size()) + 2);
  if (choice < kinds.size()) {
    kinds[choice].write(writer_, random_, declared);
    return written(refused(telemetry_errc::malformed_frame));
  }
  declared.source = unknown_source(random_);
  write_map(writer_, declared);
  return written(refused(telemetry_errc::unknown_probe_source));
}

made_frame frame_maker::wrong_major() {
  writer_.start();
  write_wrong_major(writer_, random_);
  return written(refused(telemetry_errc::unsupported_version));
}

made_frame frame_maker::mixed() {
  switch (random_.below(4)) {
    case 0: return garbage();
    case 1: return forged();
    case 2: return wrong_major();
    default: return random_.one_in(8) ? heartbeat() : honest();
  }
}

made_frame frame_maker::lossy() {
  constexpr std::uint32_t most_at_once = 20;
  expected_outcome expected;
  // A first frame's numbers are where the host starts counting from, so nothing is lost before it.
  if (losses_.seq > 0 && random_.one_in(8)) expected.missing_seq = random_.between(1, most_at_once);
  if (losses_.seq > 0 && random_.one_in(8)) expected.dropped = random_.between(1, most_at_once);
  losses_.seq += expected.missing_seq;
  losses_.dropped += expected.dropped;
  auto made = honest();
  made.expected = expected;
  return made;
}

made_frame frame_maker::torn() {
  const auto declared = draw();
  writer_.start();
  write_map(writer_, declared);
  const auto whole = writer_.framed();
  const auto kept = random_.between(1, static_cast<std::uint32_t>(whole.size()) - 1);
  return {whole.first(kept), refused(telemetry_errc::torn_frame)};
}

made_frame frame_maker::bad_length() {
  static constexpr std::array<std::uint32_t, 7> lengths{
      0, wire::max_frame_body_bytes + 1, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffb, 0xffffffff};
  auto length = random_.pick(lengths);
  if (random_.one_in(4)) length = random_.between(wire::max_frame_body_bytes + 1, 0xfffffffe);
  writer_.start();
  auto header = std::array<std::uint8_t, wire::frame_header_bytes>{};
  for (std::size_t i = 0; i < header.size(); ++i) header[i] = static_cast<std::uint8_t>(length >> 8 * i);
  writer_.raw(header);
  return {writer_.framed().subspan(wire::frame_header_bytes), refused(telemetry_errc::framing_lost)};
}

}  // namespace cellos::guest_sim
