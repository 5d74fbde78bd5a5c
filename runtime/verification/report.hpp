#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "messages/instants.hpp"
#include "runtime/verification/chain_track.hpp"
#include "runtime/verification/finding.hpp"

namespace cellos::verification {

/// Where a chain stood when an earlier report was made.
struct earlier_end {
  std::uint64_t sequence = 0;
  /// As chain_report::last_digest; empty where there were no digests.
  std::string digest;
};

/// By the chain's name.
using earlier_ends = std::map<std::string, earlier_end, std::less<>>;

struct verification_options {
  /// A chain may begin after its first event, and runs and hosts' own chains may be absent: of a log that was pruned,
  /// or of a part of one.
  bool partial = false;
  /// Every run must have ended and every host stopped, with a signature over the last event.
  bool finished = false;
  /// Hosts that must be there: of a host without a line, nothing else shows it.
  std::vector<std::string> hosts{};
  /// Chains of an earlier report, by name: each must be here, and hold what it held then. So a log that was cut back,
  /// or made anew by whoever has the key, is noticed.
  earlier_ends earlier{};
  /// Logs of collectors, each verified by itself first, whose `host.v1.witnessed` events must agree with these.
  std::vector<std::filesystem::path> witnesses{};
  /// What these logs witness of the logs of such hosts is kept; of a witness's log.
  std::set<std::string, std::less<>> witness_of{};
  /// Only chains of this cell are reported, and at least one run of it must be there. Empty: all.
  std::string cell{};
  /// Chains with an event from here on, and with one until there.
  std::optional<wall_time> since{};
  std::optional<wall_time> until{};
};

/// How far a chain got.
enum class chain_state : std::uint8_t {
  open,
  /// `run.v1.ended` or `host.v1.stopped` is the last event.
  ended,
};

/// What the log holds of one chain, and what of it is proven.
struct chain_report {
  std::string chain;
  std::string host;
  /// Both empty for the host's own chain.
  std::string cell;
  std::string run;

  std::uint64_t first = 0;
  std::uint64_t last = 0;
  /// Different events; copies in other logs are counted apart.
  std::uint64_t events = 0;
  std::uint64_t copies = 0;
  /// First and last missing sequence of each.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;
  bool sealed = false;
  /// The chain begins where its host says, in its own chain, that retention took what came before.
  bool beginning_removed = false;
  /// 0: nothing is. Whatever comes after can be changed by whoever holds the log.
  std::uint64_t signed_until = 0;
  /// A closing in the host's own chain, signed where signatures count, names the last event's digest.
  bool closed_by_host = false;
  chain_state state = chain_state::open;
  std::optional<event_type> last_type;
  std::string first_time;
  std::string last_time;
  /// Base64, as the next event's prevdigest would be.
  std::string last_digest;
  range_facts facts;

  bool is_host() const { return cell.empty(); }
  std::uint64_t unsigned_tail() const { return last > signed_until ? last - signed_until : 0; }
};

/// What the logs show of a host.
struct host_report {
  /// Whose signatures are on its chains.
  std::set<const verification_key*> keys;
  /// The last segment that it says retention removes; 0: none.
  std::uint64_t removed_until = 0;
};

struct verification_report {
  /// By name.
  std::vector<chain_report> chains;
  /// By id; all of which there is a line, whatever is filtered.
  std::map<std::string, host_report, std::less<>> hosts;
  /// In the order they came to light; at most most_findings.
  std::vector<finding> findings;
  std::uint64_t findings_left_out = 0;
  std::array<std::uint64_t, finding_words.size()> findings_by_cause{};
  /// What a person should know and is nothing wrong.
  std::vector<std::string> notes;
  std::uint64_t files = 0;
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
  bool signatures_checked = false;

  static constexpr std::size_t most_findings = 10'000;

  bool clean() const { return findings.empty() && findings_left_out == 0; }
  void add(finding what);
};

}  // namespace cellos::verification
