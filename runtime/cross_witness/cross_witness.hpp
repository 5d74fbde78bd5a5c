#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/witness_terms.hpp"
#include "runtime/cross_witness/witness_line.hpp"

namespace cellos {

/// How much of what a counter counts is nothing to speak of.
struct network_thresholds {
  /// Beyond the background, to be reported in a window where the one before was not; and where it was.
  std::uint64_t raise = 3;
  std::uint64_t keep = 1;
  /// Instead of learning it, what counts as background in each window.
  std::optional<std::uint64_t> background{};
  /// Most that a cell can teach its host to take for background.
  std::uint64_t most_background = 2;
  /// What one declared connection may add to the counter: an attempt is sent again up to six times (`tcp_syn_retries`).
  /// 0: any number.
  std::uint64_t explained_by_one = 7;
  /// For how long after it was declared. Linux gives an attempt up after 127 s.
  std::chrono::nanoseconds explained_for = std::chrono::seconds{127};
};

struct cross_witness_settings {
  /// Of wall time, aligned to its epoch. At least two periods of the probes and the agent's lag; default: chosen here
  /// for periods of 10 s.
  std::chrono::nanoseconds window = std::chrono::seconds{30};
  /// From what happens in a guest until the host has received its declaration: the agent polls every 250 ms, and
  /// queues.
  std::chrono::nanoseconds agent_lag = std::chrono::seconds{3};
  /// After which an agent is reported silent; until then nobody knows that it was.
  std::chrono::nanoseconds silence_window = std::chrono::seconds{10};
  /// Declared connections of a window without any traffic: to be reported, and to go on being reported.
  std::uint64_t raise_declarations = 2;
  std::uint64_t keep_declarations = 1;
  /// Windows from which the background is learnt: the least that was not explained in any of them.
  std::uint32_t learning_windows = 4;
  network_thresholds connection_attempts{};
  /// Packets are any protocol's, and one connection has any number of them for any time: ARP, neighbour discovery, DHCP
  /// and replies are among them.
  network_thresholds packets{.raise = 200,
                             .keep = 50,
                             .most_background = 100,
                             .explained_by_one = 0,
                             .explained_for = std::chrono::hours{24 * 365}};
};

/// With what is configured. Of what goes on, a quarter is reported, rounded up, as by default.
void apply(const witness_terms& terms, cross_witness_settings& to);

enum class contradiction : std::uint8_t {
  /// Connections were declared, and nothing came out of the cell. They may have stayed within the guest.
  declaration_unwitnessed,
  /// More came out of the cell than its declarations explain.
  undeclared_network,
  undeclared_oom_kill,
  undeclared_refused_forks,
  /// The VMM ended while the run went on.
  undeclared_exit,
};
inline constexpr std::array<std::string_view, 5> contradiction_names{
    "declaration_unwitnessed",  "undeclared_network", "undeclared_oom_kill",
    "undeclared_refused_forks", "undeclared_exit",
};
constexpr std::string_view to_string(contradiction kind) { return contradiction_names[static_cast<std::size_t>(kind)]; }

/// How much a contradiction proves.
enum class confidence : std::uint8_t {
  /// There are harmless explanations.
  soft,
  /// It happened, and was not declared.
  firm,
};
constexpr std::string_view to_string(confidence how) { return how == confidence::firm ? "firm" : "soft"; }

/// What declarations and readings of a window disagree about.
struct found_contradiction {
  contradiction kind{};
  confidence how = confidence::soft;
  /// Number of the window since the epoch of wall time.
  std::int64_t window = 0;
  /// From the window's first reading to the next window's: what was compared.
  wall_time from{};
  wall_time to{};
  /// Sequences of those readings in the chain.
  std::uint64_t first_reading = 0;
  std::uint64_t last_reading = 0;
  /// Of what was counted.
  std::uint64_t counted = 0;
  /// Declarations that were taken into account.
  std::uint64_t declared = 0;
  std::uint64_t background = 0;
  std::uint64_t threshold = 0;

  bool operator==(const found_contradiction&) const = default;
};

/// Why nothing can be said of a window.
enum class not_compared : std::uint8_t {
  agent_silent,
  declarations_lost,
  daemon_restarted,
  /// A window without a reading: a probe that failed, or was late.
  reading_missing,
  /// Its interface or counter is another one, or counts from the beginning.
  counter_restarted,
};
inline constexpr std::array<std::string_view, 5> not_compared_names{
    "agent_silent", "declarations_lost", "daemon_restarted", "reading_missing", "counter_restarted",
};
constexpr std::string_view to_string(not_compared why) { return not_compared_names[static_cast<std::size_t>(why)]; }

/// What is counted, each compared for itself.
enum class witnessed_count : std::uint8_t { network, oom_kills, refused_forks };

struct uncompared_window {
  witnessed_count what{};
  not_compared why{};
  std::int64_t window = 0;
  bool operator==(const uncompared_window&) const = default;
};

struct witness_results {
  std::vector<found_contradiction> contradictions;
  std::vector<uncompared_window> uncompared;
  bool operator==(const witness_results&) const = default;
};

/// Compares what a run's cell declared with what its host read, by windows of the host's clock. At most one
/// contradiction of a kind comes of a window.
///
/// Pure, and takes the lines of the run's chain in their order and nothing else: whoever has them comes to the same
/// results. A window is compared when the next one's first reading is there, and what might still be declared, or be
/// reported of a silent agent, has had its time.
class cross_witness {
 public:
  explicit cross_witness(const cross_witness_settings& settings) : settings_(settings) {}

  /// What can be said with this line that could not without it.
  witness_results take(const witness_line& line);

 private:
  struct sample {
    std::uint64_t sequence = 0;
    wall_time at{};
    std::uint64_t value = 0;
    std::uint64_t instance = 0;
    witnessed::network_counter counter{};
  };
  /// From a window's first reading to that of the next window that has one.
  struct interval {
    witnessed_count what{};
    std::int64_t window = 0;
    std::int64_t next_window = 0;
    sample from;
    sample to;
  };
  struct track {
    std::optional<sample> first;
    std::int64_t window = 0;
  };
  /// Declarations of nearly the same moment.
  struct declarations {
    wall_time first_at{};
    wall_time last_at{};
    std::uint64_t connections = 0;
    std::uint64_t exits = 0;
  };
  /// What nobody knows the declarations of.
  struct blind_span {
    wall_time from{};
    wall_time to{};
    not_compared why{};
  };

  void on(const witness_line& line, const witnessed::declaration& declared);
  void on(const witness_line& line, const witnessed::network_reading& reading);
  void on(const witness_line& line, const witnessed::cgroup_reading& reading);
  void on(const witness_line& line, const witnessed::vmm_reading& reading);
  void on(const witness_line& line, const witnessed::silence& silence);
  void on(const witness_line& line, const witnessed::resumption& resumption);
  void on(const witness_line& line, const witnessed::loss& loss);
  void on(const witness_line& line, const witnessed::restart& restart);
  void on(const witness_line& line, const witnessed::end& end);

  void add_blind(wall_time from, not_compared why);
  void take_sample(witnessed_count what, const sample& taken);
  void compare_due(witness_results& into);
  void compare(const interval& due, witness_results& into);
  void compare_network(const interval& due, witness_results& into);
  void compare_count(const interval& due, witness_results& into);
  void compare_exit(witness_results& into);
  std::optional<not_compared> why_not(const interval& due) const;
  std::uint64_t background_of(const network_thresholds& thresholds, std::uint64_t meanwhile) const;
  void forget_old();
  std::int64_t window_of(wall_time at) const;
  /// All connections declared, at least in part, in this time; those wholly in it.
  std::uint64_t touching(wall_time from, wall_time to) const;
  std::uint64_t within(wall_time from, wall_time to) const;
  bool exit_declared(wall_time from, wall_time to) const;

  cross_witness_settings settings_;
  wall_time now_{};
  std::array<track, 3> tracks_{};
  std::deque<interval> due_;
  std::deque<declarations> declared_;
  /// Connections declared in the run, ever.
  std::uint64_t connections_ever_ = 0;
  std::vector<blind_span> blind_;
  std::optional<wall_time> silent_since_;
  /// After its one silence a run reports no other: an agent is heard only when it declares.
  bool was_silent_ = false;
  std::optional<wall_time> last_line_;
  std::optional<sample> exit_;
  std::optional<std::int64_t> exit_window_;
  bool vmm_alive_ = true;
  bool ended_ = false;
  std::array<bool, contradiction_names.size()> raised_{};
  std::uint32_t learnt_windows_ = 0;
  std::optional<std::uint64_t> learnt_;
  /// What the network counted in the interval before, if it ended where this one begins.
  std::optional<std::pair<std::int64_t, std::uint64_t>> counted_before_;
};

/// All of it at once.
witness_results compare_all(const cross_witness_settings& settings, const std::vector<witness_line>& lines);

}  // namespace cellos
