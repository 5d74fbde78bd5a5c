// What checking a log costs: the real `cellos-telemetryctl verify` on logs written here, as many events as asked, and
// the primitives below it, one thread each.

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/os/exit_code.hpp"
#include "runtime/signing/dsse.hpp"
#include "runtime/signing/key_list.hpp"
#include "runtime/text/base64.hpp"
#include "runtime/verification/line_verifier.hpp"
#include "tests/support/process.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

using namespace cellos;
using namespace cellos::test;
using steady = std::chrono::steady_clock;

struct bench_options {
  std::vector<std::uint64_t> events{100'000, 1'000'000};
  std::uint64_t signed_events = 50'000;
  std::uint64_t runs = 100;
  std::uint64_t checkpoint_events = 256;
  std::string dir = "/tmp";
};

double seconds_since(steady::time_point start) { return std::chrono::duration<double>(steady::now() - start).count(); }

/// Of the calls made for about a quarter of a second, after as many to warm up.
double nanoseconds_each(const std::function<void()>& call) {
  constexpr double enough = 0.25;
  const auto rounds_in = [&](double seconds) {
    std::uint64_t rounds = 0;
    for (const auto start = steady::now(); seconds_since(start) < seconds;) {
      for (int i = 0; i < 64; ++i) call();
      rounds += 64;
    }
    return rounds;
  };
  (void)rounds_in(enough);
  const auto start = steady::now();
  const auto rounds = static_cast<double>(rounds_in(enough));
  return seconds_since(start) * 1e9 / rounds;
}

/// Ended runs whose lines alternate, of one host that stopped.
void write_log(const std::filesystem::path& path, const bench_options& options, std::uint64_t events,
               const signing_key& key, bool sign_every_event) {
  std::ofstream log{path, std::ios::binary};
  reference_chain host{"host-bench", "", "", "1767225600000", &key};
  std::vector<reference_chain> runs;
  log << host.host_started();
  for (std::uint64_t r = 0; r < options.runs; ++r) {
    runs.emplace_back("host-bench", "cell-" + std::to_string(r), "run-1", "1767225600001", &key);
    log << host.run_opened(runs.back().chain()) << runs.back().started();
  }
  const std::uint64_t each = events / options.runs;
  for (std::uint64_t d = 1; d <= each; ++d) {
    for (reference_chain& run : runs) {
      log << run.declaration(sign_every_event);
      if (!sign_every_event && d % options.checkpoint_events == 0) log << run.checkpoint();
    }
  }
  for (reference_chain& run : runs) log << run.ended(each) << host.run_closed(run);
  log << host.host_stopped();
  if (!log.flush()) throw std::runtime_error("cannot write " + path.string());
}

void check(const bench_options& options, std::uint64_t events, signing_algorithm algorithm, bool sign_every_event) {
  const temporary_directory home;
  const temporary_directory directory{options.dir};
  const signing_key key = signing_key::generate(algorithm, "bench");
  const std::filesystem::path log = directory / "log.jsonl";
  const auto public_key = key.public_key();
  std::ofstream{home / "keys.json"} << "{\"bench\": \"" << base64url(public_key) << "\"}\n";
  write_log(log, options, events, key, sign_every_event);
  const auto bytes = static_cast<double>(std::filesystem::file_size(log));

  double best = 1e9;
  std::uint64_t peak = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = steady::now();
    process verify{{program_path("cellos-telemetryctl"),
                    {"verify", "--json", "--finished", "--keys", home / "keys.json", log.string()}}};
    const int code = verify.wait(std::chrono::minutes{30});
    best = std::min(best, seconds_since(start));
    peak = verify.peak_resident_bytes();
    if (code != 0) throw std::runtime_error("the log was not clean: " + verify.out().substr(0, 2000));
  }
  std::printf("%-12s %10llu events %7.0f bytes each  %6.2f s  %9.0f events/s  %6.0f MB/s  peak %5.1f MB\n",
              sign_every_event ? "every event" : "checkpoints", static_cast<unsigned long long>(events),
              bytes / static_cast<double>(events), best, static_cast<double>(events) / best, bytes / best / 1e6,
              static_cast<double>(peak) / 1e6);
  std::fflush(stdout);
}

void show(const char* what, double nanoseconds) {
  std::printf("%-52s %9.0f ns  %10.0f/s a core\n", what, nanoseconds, 1e9 / nanoseconds);
  std::fflush(stdout);
}

void hash_short_texts() {
  std::array<std::uint8_t, 44> text{};
  const auto next = [&text] { ++text[0]; };
  show("44 bytes, sha256::of", nanoseconds_each([&] {
         next();
         text[1] = sha256::of(std::span<const std::uint8_t>{text})[0];
       }));
  show("44 bytes, OpenSSL SHA256()", nanoseconds_each([&] {
         next();
         digest out;
         SHA256(text.data(), text.size(), out.data());
         text[1] = out[0];
       }));
  show("44 bytes, OpenSSL EVP_Digest()", nanoseconds_each([&] {
         next();
         digest out;
         EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr);
         text[1] = out[0];
       }));
}

void sign_and_verify() {
  const digest material = sha256::of("an event");
  const dsse::signed_message message{material};
  std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> public_half{};
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret_half{};
  std::array<std::uint8_t, crypto_sign_BYTES> bare{};
  crypto_sign_keypair(public_half.data(), secret_half.data());
  show("ed25519 sign, bare libsodium", nanoseconds_each([&] {
         crypto_sign_detached(bare.data(), nullptr, message.bytes().data(), message.bytes().size(), secret_half.data());
       }));
  for (const signing_algorithm algorithm : signing_algorithms) {
    const signing_key key = signing_key::generate(algorithm, "bench");
    const key_list keys = keys_of({&key});
    const std::string name{to_string(algorithm)};
    const auto signature = key.sign(message.bytes());
    show((name + " sign, signing_key").c_str(), nanoseconds_each([&] { (void)key.sign(message.bytes()); }));
    show((name + " verify, key_list").c_str(),
         nanoseconds_each([&] { (void)keys.verify("bench", message.bytes(), signature.view()); }));
    std::string envelope;
    show((name + " sign and render dssematerial").c_str(), nanoseconds_each([&] {
           envelope.clear();
           const auto made = key.sign(message.bytes());
           const std::array<dsse::signature, 1> one{dsse::signature{"bench", made.view()}};
           dsse::append_envelope(envelope, material, one);
         }));
  }
}

void check_single_lines() {
  const signing_key key = signing_key::generate(signing_algorithm::ed25519, "bench");
  const key_list keys = keys_of({&key});
  reference_chain run{"host-bench", "cell-1", "run-1", "1767225600001", &key};
  const std::string plain = run.declaration(false);
  const std::string sealed = run.declaration(true);
  verification::line_verifier verifier{&keys};
  const auto line = [](const std::string& text) { return std::string_view{text}.substr(0, text.size() - 1); };
  show("one line checked, unsigned", nanoseconds_each([&] { (void)verifier.verify(line(plain)); }));
  show("one line checked, ed25519", nanoseconds_each([&] { (void)verifier.verify(line(sealed)); }));
  const std::string spaced = " " + plain;
  show("one line checked, unsigned, of any form",
       nanoseconds_each([&] { verifier.begin_block(), (void)verifier.verify(line(spaced)); }));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What checking a log costs"};
  bench_options options;
  app.add_option("--events", options.events, "Events of each checkpointed log")->capture_default_str();
  app.add_option("--signed-events", options.signed_events, "Of the log that is signed event by event; 0: none")
      ->capture_default_str();
  app.add_option("--runs", options.runs, "Runs whose lines alternate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--checkpoint-events", options.checkpoint_events)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--dir", options.dir, "Where logs are written, about 750 bytes an event")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    start_libsodium();
    hash_short_texts();
    sign_and_verify();
    check_single_lines();
    for (const std::uint64_t events : options.events) check(options, events, signing_algorithm::ed25519, false);
    if (options.signed_events > 0) check(options, options.signed_events, signing_algorithm::ed25519, true);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_verify: %s\n", error.what());
    return exit_failure_found;
  }
  return exit_success;
}
