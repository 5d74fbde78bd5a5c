// What chaining and signing add to an append: the SINK's own journal, from a decoded batch to lines in a real segmented
// log with group commit, in one run and in turns. And how close each-event signing comes to libsodium alone.

#include <sodium.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "actors/sink_journal.hpp"
#include "messages/decode_chunk.hpp"
#include "runtime/evidence/segment_log.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/os/exit_code.hpp"
#include "runtime/signing/host_sealing.hpp"
#include "tests/bench/support/ingest_report.hpp"

namespace {

using namespace cellos;
using seconds = std::chrono::duration<double>;

constexpr std::size_t read_bytes = 64 * 1024;
/// As the SINK's.
constexpr std::size_t flush_bytes = 512 * 1024;

class system_clock final : public wall_clock {
 public:
  wall_time now() const override {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  }
};

struct bench_options {
  std::uint64_t events = 2'000'000;
  std::uint64_t signatures = 200'000;
  std::size_t rounds = 5;
  std::string dir = CELLOS_BIN_DIR "/..";
  bool verify = true;
};

/// A way to append.
struct variant {
  const char* name;
  /// 0: neither digests nor signatures; otherwise as `event_sealing::events_per_signature`.
  std::uint64_t events_per_signature;
  bool with_key;
  /// Of the events asked for; signing each is slow.
  std::uint64_t share;
};

constexpr std::array<variant, 4> variants{{
    {"plain", 0, false, 1},
    {"digests", std::uint64_t{1} << 62, false, 1},
    {"checkpoint, 1000 events", 1000, true, 1},
    {"each event", 1, true, 10},
}};

struct cost {
  double cpu_ns = 0;
  double events_per_second = 0;
};

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

std::shared_ptr<const signing_key> a_key() {
  return std::make_shared<const signing_key>(signing_key::generate(signing_algorithm::ed25519, "host-bench-2026"));
}

event_sealing_ptr sealing_of(const variant& how) {
  if (how.events_per_signature == 0) return nullptr;
  return std::make_shared<const host_sealing>(how.with_key ? a_key() : nullptr, nullptr, how.events_per_signature);
}

host_stamp_ptr stamp_of(std::size_t run) {
  return std::make_shared<const host_stamp>(
      host_stamp{"host-bench", "cell-" + std::to_string(run), "run-1", "sha256:" + std::string(64, 'a')});
}

/// One run's events, from batches that a DECODER would have made, to the log. Returns how many.
std::uint64_t append_run(evidence_log& log, const event_sealing_ptr& sealing, std::size_t run, std::uint64_t events) {
  const system_clock clock;
  sink_journal journal{log, clock, sealing};
  const host_stamp_ptr attribution = stamp_of(run);
  journal.open_run(attribution, {"bench", std::chrono::seconds{10}, {}});
  guest_sim::frame_maker maker{run, wire::content_version_1_0};
  received_chunk read;
  while (true) {
    const auto frame = maker.honest().bytes;
    if (read.bytes.size() + frame.size() > read_bytes) break;
    read.bytes.insert(read.bytes.end(), frame.begin(), frame.end());
    ++read.frames;
  }
  // Decoded once: its declarations borrow from this chunk, whatever chunk the batch says it is of.
  const auto bytes = std::make_shared<const received_chunk>(std::move(read));
  batch decoded = decode_chunk(bytes, attribution);
  std::uint64_t appended = 0;
  for (std::uint64_t sequence = 1; appended < events; ++sequence) {
    received_chunk next;
    next.sequence = sequence;
    next.frames = bytes->frames;
    next.received_at = clock.now();
    decoded.chunk = std::make_shared<const received_chunk>(std::move(next));
    journal.take(attribution, decoded, monotonic_time{}, decoded.declarations.size());
    appended += decoded.declarations.size();
    if (journal.pending_bytes() >= flush_bytes && journal.flush()) throw std::runtime_error("the log took nothing");
  }
  journal.close_run(attribution, {run_end_reason::retired, appended, 1});
  if (journal.flush()) throw std::runtime_error("the log took nothing");
  return appended;
}

/// `runs` at once, a thread each, as SINKs are.
cost measure(const variant& how, const bench_options& options, std::size_t runs) {
  const auto dir = std::filesystem::path{options.dir} / ("bench-evidence-" + std::to_string(::getpid()));
  segment_log_options log_options;
  log_options.dir = dir;
  auto opened = segment_log::open(log_options);
  if (!opened.log) throw std::runtime_error(opened.refusal);
  const event_sealing_ptr sealing = sealing_of(how);
  const double cpu = cpu_seconds();
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> appended(runs);
  std::vector<std::thread> threads;
  for (std::size_t run = 0; run < runs; ++run) {
    threads.emplace_back(
        [&, run] { appended[run] = append_run(*opened.log, sealing, run, options.events / how.share / runs); });
  }
  for (std::thread& each : threads) each.join();
  if (opened.log->close()) throw std::runtime_error("the log was not closed");
  const seconds took = std::chrono::steady_clock::now() - began;
  std::uint64_t events = 0;
  for (const std::uint64_t count : appended) events += count;
  const cost result{(cpu_seconds() - cpu) * 1e9 / static_cast<double>(events),
                    static_cast<double>(events) / took.count()};
  opened.log.reset();
  std::filesystem::remove_all(dir);
  return result;
}

/// Signatures a second of libsodium alone, over as many bytes as ours are over.
double bare_signatures(std::uint64_t count) {
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_key{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_key{};
  crypto_sign_keypair(public_key.data(), secret_key.data());
  std::array<unsigned char, 92> message{};
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    message[i % message.size()] ^= signature[0];
    crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_key.data());
  }
  return static_cast<double>(count) / seconds{std::chrono::steady_clock::now() - began}.count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct summary {
  std::vector<double> values;

  void print() const {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    std::printf(" %.2f (%.2f..%.2f) |", median(values), *least, *most);
  }
};

void compare(const bench_options& options) {
  struct column {
    summary cpu_ns;
    summary to_plain;
    summary millions_on_one;
    summary millions_on_two;
  };
  std::array<column, variants.size()> columns;
  summary bare;
  summary to_bare;
  for (std::size_t round = 0; round <= options.rounds; ++round) {
    // The first round warms up and is not kept.
    const bool kept = round > 0;
    const double sodium = bare_signatures(options.signatures);
    double plain_cpu = 1;
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const cost one = measure(variants[i], options, 1);
      const cost two = measure(variants[i], options, 2);
      if (i == 0) plain_cpu = one.cpu_ns;
      if (!kept) continue;
      columns[i].cpu_ns.values.push_back(one.cpu_ns);
      columns[i].to_plain.values.push_back(one.cpu_ns / plain_cpu);
      columns[i].millions_on_one.values.push_back(one.events_per_second / 1e6);
      columns[i].millions_on_two.values.push_back(two.events_per_second / 1e6);
      if (i + 1 == variants.size()) {
        bare.values.push_back(sodium / 1e6);
        to_bare.values.push_back(one.events_per_second / sodium);
      }
    }
  }
  std::printf(
      "| append | CPU, ns an event | CPU : plain | events/s, millions, one run | two runs |\n|---|---|---|---|---|\n");
  for (std::size_t i = 0; i < variants.size(); ++i) {
    std::printf("| %s |", variants[i].name);
    columns[i].cpu_ns.print();
    columns[i].to_plain.print();
    columns[i].millions_on_one.print();
    columns[i].millions_on_two.print();
    std::printf("\n");
  }
  std::printf("\nlibsodium alone, millions of signatures/s:");
  bare.print();
  std::printf("\neach event, one run : libsodium alone:");
  to_bare.print();
  std::printf("\n\n%s; medians of %zu (least..most)\n", bench::this_machine().c_str(), options.rounds);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What chaining and signing add to an append"};
  bench_options options;
  app.add_option("--events", options.events, "Events a measurement; a tenth of it where each is signed");
  app.add_option("--signatures", options.signatures, "Signatures of libsodium alone");
  app.add_option("--rounds", options.rounds, "Rounds that are kept")->check(CLI::Range(1, 100));
  app.add_option("--dir", options.dir, "Where the log is written, and removed");
  app.add_flag("--verify,!--no-verify", options.verify, "Then what checking a log costs");
  CLI11_PARSE(app, argc, argv);
  try {
    compare(options);
    if (options.verify) {
      std::fputc('\n', stdout);
      std::fflush(stdout);
      ::execl(CELLOS_BIN_DIR "/bench_verify", "bench_verify", "--dir", options.dir.c_str(), nullptr);
      throw std::runtime_error("bench_verify is not there");
    }
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench evidence: %s\n", problem.what());
    return exit_unavailable;
  }
  return exit_success;
}
