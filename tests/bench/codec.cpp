// The pure parts of the data path, one at a time, on the simulator's honest frames.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "messages/cloud_event.hpp"
#include "messages/decode_chunk.hpp"
#include "messages/wire_codec.hpp"
#include "messages/wire_format.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/socket_service/framer.hpp"

namespace {

using namespace cellos;

constexpr std::size_t read_bytes = 64 * 1024;

struct frame_stream {
  std::vector<std::uint8_t> bytes;
  /// Within `bytes`, without their lengths.
  std::vector<std::span<const std::uint8_t>> bodies;
};

/// Whole frames, as many as fit into one read.
const frame_stream& honest_stream() {
  static const frame_stream made = [] {
    guest_sim::frame_maker maker{1, wire::content_version_1_0};
    frame_stream stream;
    while (true) {
      const auto frame = maker.honest().bytes;
      if (stream.bytes.size() + frame.size() > read_bytes) break;
      stream.bytes.insert(stream.bytes.end(), frame.begin(), frame.end());
    }
    for (std::span<const std::uint8_t> rest{stream.bytes}; !rest.empty();) {
      const std::size_t body_bytes = wire::body_length(rest.data());
      stream.bodies.push_back(rest.subspan(wire::frame_header_bytes, body_bytes));
      rest = rest.subspan(wire::frame_header_bytes + body_bytes);
    }
    return stream;
  }();
  return made;
}

host_stamp_ptr some_stamp() {
  return std::make_shared<const host_stamp>(
      host_stamp{"host-bench", "cell-1", "run-1", "sha256:" + std::string(64, 'a')});
}

/// So that a frame's time is printed, and not that of a whole read.
void count_frames(benchmark::State& state, std::size_t frames_each) {
  const auto frames = static_cast<double>(state.iterations()) * static_cast<double>(frames_each);
  state.counters["a_frame"] = benchmark::Counter(frames, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void decode_frame_bodies(benchmark::State& state) {
  const auto& bodies = honest_stream().bodies;
  for (auto _ : state) {
    for (const auto body : bodies) benchmark::DoNotOptimize(decode_frame_body(body));
  }
  count_frames(state, bodies.size());
}
BENCHMARK(decode_frame_bodies)->Name("decode_frame_body");

void decode_whole_chunk(benchmark::State& state) {
  const auto attribution = some_stamp();
  received_chunk read;
  read.bytes = honest_stream().bytes;
  read.frames = static_cast<std::uint32_t>(honest_stream().bodies.size());
  const auto chunk = std::make_shared<const received_chunk>(std::move(read));
  for (auto _ : state) benchmark::DoNotOptimize(decode_chunk(chunk, attribution));
  count_frames(state, chunk->frames);
}
BENCHMARK(decode_whole_chunk)->Name("decode_chunk/64KiB");

void project_declarations(benchmark::State& state) {
  const auto attribution = some_stamp();
  run_projection projection{attribution, {"host-bench/cell-1/run-1/1767225600000"}};
  std::vector<guest_declaration> declarations;
  for (const auto body : honest_stream().bodies) declarations.push_back(decode_frame_body(body).declaration);
  const wall_time received{std::chrono::nanoseconds{1'767'225'600'123'456'789}};
  std::string lines;
  for (auto _ : state) {
    lines.clear();
    for (const auto& declared : declarations) projection.declaration(lines, stamp(declared, *attribution, received));
    benchmark::DoNotOptimize(lines.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
  count_frames(state, declarations.size());
}
BENCHMARK(project_declarations)->Name("run_projection::declaration");

/// Reads of 64 KiB that end inside a frame, as they do on a busy socket.
void cut_frames(benchmark::State& state) {
  const auto& stream = honest_stream();
  framer frames;
  std::size_t begin = 0;
  std::vector<std::uint8_t> twice = stream.bytes;
  twice.insert(twice.end(), stream.bytes.begin(), stream.bytes.end());
  constexpr std::size_t shift = 61;
  std::uint64_t cut = 0;
  for (auto _ : state) {
    const std::size_t end = begin + stream.bytes.size() - shift;
    framer::cut taken = frames.push(std::span{twice}.subspan(begin, end - begin));
    cut += taken.frames;
    benchmark::DoNotOptimize(taken.bytes.data());
    begin = end % stream.bytes.size();
  }
  state.counters["a_frame"] =
      benchmark::Counter(static_cast<double>(cut), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(cut_frames)->Name("framer::push/64KiB");

}  // namespace

BENCHMARK_MAIN();
