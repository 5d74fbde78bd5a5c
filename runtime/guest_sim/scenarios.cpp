#include "runtime/guest_sim/scenarios.hpp"

#include <algorithm>
#include <array>

#include "runtime/guest_sim/simulated_guest.hpp"

namespace cellos::guest_sim {

namespace {

using namespace std::chrono_literals;

/// Frames a connection lives for, where a scenario ends connections.
std::uint32_t draw_lifetime(simulated_guest& guest) { return guest.maker().random().between(1, 50); }

template <class Make>
void steady(simulated_guest& guest, Make make) {
  while (guest.ready()) guest.add(make(guest.maker()));
  guest.flush();
}

void honest(simulated_guest& guest) {
  steady(guest, [](frame_maker& maker) { return maker.honest(); });
}

void burst(simulated_guest& guest) {
  constexpr std::uint64_t burst_frames = 1000;
  while (guest.ready()) {
    guest.add(guest.maker().honest());
    const bool burst_ends = guest.made() % burst_frames == 0 && !guest.finished();
    if (burst_ends && !guest.pause(50ms)) return;
  }
  guest.flush();
}

void garbage(simulated_guest& guest) {
  steady(guest, [](frame_maker& maker) { return maker.random().one_in(2) ? maker.garbage() : maker.honest(); });
}

void forged(simulated_guest& guest) {
  steady(guest, [](frame_maker& maker) { return maker.forged(); });
}

void wrong_major(simulated_guest& guest) {
  steady(guest, [](frame_maker& maker) { return maker.random().one_in(2) ? maker.wrong_major() : maker.honest(); });
}

void mixed(simulated_guest& guest) {
  steady(guest, [](frame_maker& maker) { return maker.mixed(); });
}

void lossy(simulated_guest& guest) {
  steady(guest, [](frame_maker& maker) { return maker.lossy(); });
}

void heartbeat_only(simulated_guest& guest) {
  steady(guest, [](frame_maker& maker) { return maker.heartbeat(); });
}

void slow_drip(simulated_guest& guest) {
  constexpr std::uint32_t bytes_per_second = 20000;
  while (guest.ready()) {
    guest.add(guest.maker().honest());
    if (!guest.drip(bytes_per_second)) return;
  }
}

void truncated(simulated_guest& guest) {
  auto whole_frames = draw_lifetime(guest);
  while (guest.ready()) {
    if (whole_frames-- > 0) {
      guest.add(guest.maker().honest());
      continue;
    }
    guest.add(guest.maker().torn());
    if (!guest.finished() && !guest.reconnect()) return;
    whole_frames = draw_lifetime(guest);
  }
  guest.flush();
}

void oversized(simulated_guest& guest) {
  auto good_frames = draw_lifetime(guest);
  while (guest.ready()) {
    if (good_frames-- > 0) {
      guest.add(guest.maker().honest());
      continue;
    }
    guest.add(guest.maker().bad_length());
    if (!guest.await_close()) return;
    if (!guest.finished() && !guest.reconnect()) return;
    good_frames = draw_lifetime(guest);
  }
  guest.flush();
}

void reconnecting(simulated_guest& guest) {
  auto frames_left = draw_lifetime(guest);
  while (guest.ready()) {
    guest.add(guest.maker().honest());
    if (--frames_left > 0 || guest.finished()) continue;
    if (!guest.reconnect()) return;
    frames_left = draw_lifetime(guest);
  }
  guest.flush();
}

void silent_after(simulated_guest& guest) {
  const auto& options = guest.options();
  const auto before_silence = options.silent_after.value_or(options.frames / 2);
  while (guest.made() < before_silence && guest.ready()) guest.add(guest.maker().honest());
  if (!guest.pause(options.hold) || !options.resume) return;
  guest.restart_pace();
  honest(guest);
}

/// Bytes of `guest_monotonic_ns` after its head.
std::size_t index_width(std::uint64_t index) {
  if (index < 24) return 0;
  if (index <= 0xff) return 1;
  if (index <= 0xffff) return 2;
  return index <= 0xffffffff ? 4 : 8;
}

/// Frames that differ from those of the last block only in `guest_monotonic_ns`, at their very end, need no encoding.
bool repeats(const simulated_guest& guest, std::uint64_t block_first, std::uint64_t next, std::uint64_t block_frames) {
  const auto width = index_width(block_first);
  return guest.options().content_version == wire::content_version_1_0 && guest.left() >= block_frames &&
         index_width(next - 1) == width && index_width(next + block_frames - 1) == width;
}

void renumber(outbox& block, std::uint64_t first) {
  const auto width = index_width(first);
  auto index = first;
  block.rewrite([&](std::span<std::uint8_t> frame) {
    auto rest = index++;
    const auto value = frame.last(width);
    for (std::size_t i = width; i > 0; --i, rest >>= 8) value[i - 1] = static_cast<std::uint8_t>(rest);
  });
}

void flood(simulated_guest& guest) {
  constexpr std::size_t block_bytes = 256 * 1024;
  auto& maker = guest.maker();
  while (guest.ready()) {
    const auto first = maker.next_index();
    do {
      guest.add(maker.honest());
    } while (!guest.finished() && guest.waiting().bytes() < block_bytes);
    if (!guest.flush()) return;
    const auto block_frames = guest.waiting().frames();
    while (repeats(guest, first, maker.next_index(), block_frames)) {
      renumber(guest.waiting(), maker.next_index());
      maker.skip(block_frames);
      if (!guest.flush_again()) return;
    }
  }
}

constexpr std::array table{
    scenario{.name = "honest", .meaning = "valid frames of the five original probe sources", .play = honest},
    scenario{.name = "burst",
             .meaning = "honest, 1000 frames at once every 50 ms; --rate is ignored",
             .paced = false,
             .play = burst},
    scenario{.name = "garbage", .meaning = "every kind of broken body among honest frames", .play = garbage},
    scenario{.name = "forged", .meaning = "valid frames that claim attribution and carry unknown keys", .play = forged},
    scenario{
        .name = "truncated", .meaning = "closes inside a frame every 1 to 50 frames, reconnects", .play = truncated},
    scenario{.name = "oversized",
             .meaning = "a length of 0 or over 4096 every 1 to 50 frames, reconnects once the host has closed",
             .play = oversized},
    scenario{.name = "wrong-major", .meaning = "frames of major version 0 or 2 among honest ones", .play = wrong_major},
    scenario{
        .name = "slow-drip", .meaning = "honest, one byte a write, at most 20,000 bytes a second", .play = slow_drip},
    scenario{.name = "silent-after-N",
             .meaning = "honest for --silent-after frames, then connected and silent for --hold",
             .falls_silent = true,
             .play = silent_after},
    scenario{.name = "reconnecting",
             .meaning = "closes between frames every 1 to 50 frames, reconnects",
             .play = reconnecting},
    scenario{.name = "flood",
             .meaning = "honest frames as fast as the socket takes them; --rate is ignored",
             .paced = false,
             .play = flood},
    scenario{.name = "heartbeat-only", .meaning = "signs of life and nothing else", .play = heartbeat_only},
    scenario{.name = "lossy",
             .meaning = "version 1.1 with gaps in seq and a rising drop counter",
             .needs_loss_counters = true,
             .play = lossy},
    scenario{
        .name = "mixed", .meaning = "garbage, forged, wrong-major, honest and heartbeats by chance", .play = mixed},
};

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

}  // namespace

std::span<const scenario> scenarios() { return table; }

const scenario* find_scenario(std::string_view name) {
  const auto found = std::ranges::find_if(
      table, [&](const scenario& candidate) { return std::ranges::equal(candidate.name, name, {}, lower, lower); });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace cellos::guest_sim
