// CELLOS_SIGKILLS: how often the daemon dies, 6 unless given. CELLOS_SIGKILLS_SEED: the printed one, to have
// it die at the same sizes of the log again.

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "messages/cloud_event.hpp"
#include "messages/wire_format.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "tests/support/daemon_process.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/simulator.hpp"

#define CAF_SUITE sigkill
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

constexpr std::uint64_t frames_of_the_last_life = 3000;
/// A life ends at the latest when the log has grown by this: several segments, several commits.
constexpr std::uint32_t most_growth = 24u << 20;

const daemon_settings four_cells{.cells = {{.id = "c1"}, {.id = "c2"}, {.id = "c3"}, {.id = "c4"}},
                                 .evidence = "fsync = '100ms'\nsegment_bytes = '4MiB'\n"};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const given = std::getenv(name);
  return given == nullptr ? otherwise : std::stoull(given);
}

/// Another in each life, as another guest would send other frames.
std::uint64_t seed_of(std::size_t life, std::size_t cell) { return life * four_cells.cells.size() + cell + 1; }

std::vector<simulator> start_guests(const daemon_home& home, std::size_t life, std::uint64_t frames_each) {
  std::vector<simulator> guests;
  guests.reserve(four_cells.cells.size());
  for (std::size_t cell = 0; cell < four_cells.cells.size(); ++cell) {
    // A guest that comes too late must not wait for the next daemon.
    guests.emplace_back(simulation{.socket = home.socket_of(four_cells.cells[cell]),
                                   .frames = frames_each,
                                   .seed = seed_of(life, cell),
                                   .further = {"--connect-timeout", "100ms"}});
  }
  return guests;
}

std::vector<std::uint64_t> segment_sizes(const daemon_home& home) {
  std::vector<std::uint64_t> sizes;
  for (const auto& entry : std::filesystem::directory_iterator{home.evidence_dir()}) {
    if (entry.path().extension() == ".jsonl") sizes.push_back(entry.file_size());
  }
  return sizes;
}

std::uint64_t bytes_in_log(const daemon_home& home) {
  std::uint64_t sum = 0;
  for (const std::uint64_t size : segment_sizes(home)) sum += size;
  return sum;
}

/// What each guest, in the order of the cells, handed to the kernel in one life.
using sent_declarations = std::vector<std::uint64_t>;

/// Neither the daemon nor a guest is left afterwards.
sent_declarations die_under_load(const daemon_home& home, daemon_process& daemon, std::size_t life,
                                 guest_sim::splitmix& random) {
  const std::uint64_t deadly_size = bytes_in_log(home) + random.below(most_growth);
  auto guests = start_guests(home, life, 0);
  CAF_REQUIRE(holds_within(test_timeout, [&] { return bytes_in_log(home) >= deadly_size; }));
  daemon.send(SIGKILL);
  CAF_CHECK_EQUAL(daemon.wait(), 128 + SIGKILL);
  sent_declarations sent;
  for (simulator& guest : guests) {
    const int code = guest.wait();
    CAF_CHECK(code == 1 || code == 3);  // Cut off, or too late to connect.
    sent.push_back(guest.report().declarations);
  }
  return sent;
}

/// One run as it appears in the log read from the first segment to the last.
struct logged_chain {
  std::uint64_t events = 0;
  /// Of each life; each guest numbers them from 1.
  std::vector<std::uint64_t> declarations;
  std::size_t restarts_reported = 0;
  std::size_t resumptions = 0;
  std::size_t ends = 0;
  /// The first thing that is not as it must be.
  std::string fault;
  std::string last_type;

  void take(const event& next);

 private:
  void demand(bool holds, const event& next) {
    if (!holds && fault.empty()) fault = next.id + " (" + next.type + ") follows " + last_type;
  }
};

void logged_chain::take(const event& next) {
  ++events;
  // With what `visit_events` checks, no id comes twice.
  demand(next.sequence == events, next);
  demand((events == 1) == (next.type == name_of(event_type::run_started)) && ends == 0, next);
  const bool reported = last_type == name_of(event_type::telemetry_dropped);
  demand(reported == (next.type == name_of(event_type::run_resumed)), next);
  if (next.type == name_of(event_type::run_started)) {
    declarations.push_back(0);
  } else if (next.is_declaration()) {
    demand(!declarations.empty() && next.guest_monotonic_ns == ++declarations.back(), next);
  } else if (next.type == name_of(event_type::telemetry_dropped)) {
    demand(next.reason == to_string(loss_reason::daemon_restart), next);
    ++restarts_reported;
  } else if (next.type == name_of(event_type::run_resumed)) {
    ++resumptions;
    declarations.push_back(0);
  } else {
    demand(next.type == name_of(event_type::run_ended), next);
    ++ends;
  }
  last_type = next.type;
}

std::map<std::string, logged_chain> read_chains(const daemon_home& home) {
  std::map<std::string, logged_chain> by_cell;
  std::map<std::string, std::string> chain_of;
  visit_events(home.evidence_dir(), [&](const event& next) {
    logged_chain& chain = by_cell[next.cell_id];
    if (chain.events == 0) chain_of[next.cell_id] = next.chain;
    if (next.chain != chain_of[next.cell_id]) chain.fault = next.id + " is in another chain";
    chain.take(next);
  });
  return by_cell;
}

/// Bytes of the frames that a guest sent after the first `logged`.
std::uint64_t bytes_lost(std::uint64_t seed, std::uint64_t logged, std::uint64_t sent) {
  guest_sim::frame_maker maker{seed, wire::content_version_1_0};
  maker.begin_connection();
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < sent; ++i) {
    const std::size_t frame = maker.honest().bytes.size();
    if (i >= logged) bytes += frame;
  }
  return bytes;
}

}  // namespace

CAF_TEST(a_daemon_killed_again_and_again_under_load_goes_on_with_every_chain_and_loses_only_ends) {
  const std::uint64_t deaths = from_environment("CELLOS_SIGKILLS", 6);
  const std::uint64_t seed = from_environment("CELLOS_SIGKILLS_SEED", std::random_device{}());
  CAF_MESSAGE("CELLOS_SIGKILLS_SEED=" << seed);
  guest_sim::splitmix random{seed};
  const daemon_home home{four_cells};
  std::vector<sent_declarations> sent;
  std::size_t torn_tails = 0;
  for (std::size_t life = 0; life < deaths; ++life) {
    auto daemon = daemon_process::ready(home);
    torn_tails += count_lines(daemon.err(), " evidence_recovered ");
    CAF_CHECK_EQUAL(count_lines(daemon.err(), " runs_recovered runs=4"), life == 0 ? 0u : 1u);
    sent.push_back(die_under_load(home, daemon, life, random));
  }
  auto last = daemon_process::ready(home);
  torn_tails += count_lines(last.err(), " evidence_recovered ");
  for (simulator& guest : start_guests(home, deaths, frames_of_the_last_life)) guest.finish();
  CAF_CHECK_EQUAL(last.stop(), 0);
  sent.emplace_back(four_cells.cells.size(), frames_of_the_last_life);

  CAF_CHECK(segment_sizes(home).size() > 1);
  const auto chains = read_chains(home);
  CAF_REQUIRE_EQUAL(chains.size(), four_cells.cells.size());
  std::uint64_t most_frames_lost = 0;
  std::uint64_t most_bytes_lost = 0;
  for (std::size_t cell = 0; cell < four_cells.cells.size(); ++cell) {
    CAF_MESSAGE(four_cells.cells[cell].id);
    const logged_chain& chain = chains.at(four_cells.cells[cell].id);
    CAF_CHECK_EQUAL(chain.fault, "");
    CAF_CHECK_EQUAL(chain.restarts_reported, deaths);
    CAF_CHECK_EQUAL(chain.resumptions, deaths);
    CAF_CHECK_EQUAL(chain.ends, 1u);
    CAF_REQUIRE_EQUAL(chain.declarations.size(), sent.size());
    CAF_CHECK_EQUAL(chain.declarations.back(), frames_of_the_last_life);
    for (std::size_t life = 0; life < deaths; ++life) {
      const std::uint64_t logged = chain.declarations[life];
      CAF_REQUIRE_LESS_OR_EQUAL(logged, sent[life][cell]);
      most_frames_lost = std::max(most_frames_lost, sent[life][cell] - logged);
      most_bytes_lost = std::max(most_bytes_lost, bytes_lost(seed_of(life, cell), logged, sent[life][cell]));
    }
  }
  CAF_MESSAGE(deaths << " deaths, " << torn_tails << " torn lines, log of " << bytes_in_log(home)
                     << " bytes; lost at most " << most_frames_lost << " frames, " << most_bytes_lost
                     << " bytes of one cell; 8 chunks of 64 KiB are 524288 bytes, the socket's buffer comes on top");
}
