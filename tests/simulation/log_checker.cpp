#include "tests/simulation/log_checker.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "messages/cloud_event.hpp"
#include "runtime/verification/line_verifier.hpp"
#include "runtime/verification/log_verifier.hpp"

namespace cellos::simulation {

namespace {

using json = nlohmann::json;

/// What the log says of one chain.
struct reported_chain {
  std::string cell_id;
  std::string run_id;
  std::uint64_t last_sequence = 0;
  std::vector<std::uint64_t> declarations;
  std::uint64_t silences = 0;
  std::uint64_t resumptions = 0;
  std::uint64_t ended = 0;
  json totals;
};

class log_checker {
 public:
  explicit log_checker(bool power_lost) : power_lost_(power_lost) {}

  std::vector<std::string> violations;

  void read(std::string_view log) {
    while (!log.empty()) {
      const std::size_t end = log.find('\n');
      if (end == std::string_view::npos) return complain("the log ends inside a line");
      take(json::parse(log.substr(0, end), nullptr, false));
      log.remove_prefix(end + 1);
    }
  }

  void compare(const std::vector<simulated_run>& runs) {
    std::map<std::string, std::vector<const simulated_run*>> openings;
    for (const simulated_run& run : runs) openings[run.cell_id + "/" + run.run_id].push_back(&run);
    for (const auto& [name, opened] : openings) compare_run(name, opened);
    compare_list();
  }

 private:
  void complain(std::string sentence) {
    if (violations.size() < 10) violations.push_back(std::move(sentence));
  }

  void take(const json& event) {
    if (!event.is_object() || !event.contains("data")) return complain("a line is not an event");
    const std::string name = event["chain"];
    reported_chain& chain = chains_[name];
    const std::uint64_t sequence = std::stoull(event["sequence"].get<std::string>());
    if (sequence != chain.last_sequence + 1) {
      complain(name + ": sequence " + std::to_string(sequence) + " after " + std::to_string(chain.last_sequence));
    }
    chain.last_sequence = sequence;
    if (!ids_.insert(event["id"].get<std::string>()).second) complain("id twice: " + event["id"].get<std::string>());
    if (chain.ended > 0) complain(name + ": an event after run.v1.ended");
    const json& data = event["data"];
    if (event["type"].get<std::string>().find(".host.v1.") != std::string::npos) return take_host(name, event);
    if (sequence == 1) {
      chain.cell_id = data["cellId"];
      chain.run_id = data["runId"];
    }
    if (data["cellId"] != chain.cell_id || data["runId"] != chain.run_id) complain(name + ": another's attribution");
    take_meaning(chain, name, event["type"].get<std::string>().substr(event_type_prefix.size()), data);
  }

  /// Lines that were not synced are gone, or the journal's word for them is; and the host's own chain goes on behind
  /// nothing that nobody vouches for.
  bool is_by_loss_of_power(const std::string& type, const json& data) const {
    if (!power_lost_) return false;
    if (type.ends_with("evidence_lost") || type.ends_with("range_adopted")) return true;
    return type.ends_with("chain_abandoned") && std::ranges::count(data["chain"].get<std::string>(), '/') == 1;
  }

  /// The host's chain lists what there is.
  void take_host(const std::string& name, const json& event) {
    const json& data = event["data"];
    if (data["hostId"] != "host-a") complain(name + ": another's attribution");
    const std::string type = event["type"];
    // The log of a simulation is as it was left, but for what a loss of power takes of it, and of its journal.
    for (const char* accusation : {"chain_abandoned", "journal_unusable", "range_adopted", "evidence_lost"}) {
      if (type.ends_with(accusation) && !is_by_loss_of_power(type, data)) {
        complain(name + ": " + accusation + " " + data.dump());
      }
    }
    if (!type.ends_with("run_opened") && !type.ends_with("run_closed")) return;
    const std::string listed = data["chain"];
    if (type.ends_with("run_opened")) {
      if (!listed_.insert(listed).second) complain(listed + ": opened twice");
    } else if (!closed_.emplace(listed, std::stoull(data["lastSequence"].get<std::string>())).second) {
      complain(listed + ": closed twice");
    }
  }

  void take_meaning(reported_chain& chain, const std::string& name, const std::string& type, const json& data) {
    if (data.contains("probeSource")) {
      chain.declarations.push_back(std::stoull(data["guestMonotonicNs"].get<std::string>()));
    } else if (type == name_of(event_type::agent_silenced)) {
      if (++chain.silences > 1) complain(name + ": silence reported " + std::to_string(chain.silences) + " times");
    } else if (type == name_of(event_type::agent_resumed)) {
      if (++chain.resumptions > chain.silences) complain(name + ": resumed without silence, or twice");
    } else if (type == name_of(event_type::run_ended)) {
      ++chain.ended;
      chain.totals = data["totals"];
    }
  }

  /// Where the host keeps a chain, it lists every run, and how each ended.
  void compare_list() {
    if (listed_.empty()) return;
    for (const auto& [name, chain] : chains_) {
      if (chain.cell_id.empty()) continue;
      if (!listed_.contains(name)) complain(name + ": not listed by the host");
      const auto closed = closed_.find(name);
      if (closed == closed_.end()) {
        complain(name + ": its end is not listed by the host");
      } else if (closed->second != chain.last_sequence) {
        complain(name + ": listed with another end");
      }
    }
  }

  /// One run may have been opened several times: the daemon restarted, and its chain went on.
  void compare_run(const std::string& name, const std::vector<const simulated_run*>& opened) {
    const auto chain = std::find_if(chains_.begin(), chains_.end(), [&](const auto& entry) {
      return entry.second.cell_id + "/" + entry.second.run_id == name;
    });
    if (chain == chains_.end()) return complain(name + ": no chain");
    if (chain->second.ended != 1) complain(name + ": ended " + std::to_string(chain->second.ended) + " times");
    auto reported = chain->second.declarations.begin();
    const auto end = chain->second.declarations.end();
    for (const simulated_run* run : opened) {
      // The daemon's death may cut the end off, and nothing out of the middle.
      bool cut = false;
      for (const auto& [sequence, record] : run->socket->records) {
        // A chunk whose batch had arrived before it was quarantined is in the log and not missed.
        if (record.quarantined &&
            !(reported != end && !record.declarations.empty() && *reported == record.declarations[0])) {
          continue;
        }
        for (const std::uint64_t number : record.declarations) {
          if (!cut && reported != end && *reported == number) {
            ++reported;
          } else if (run->cut_short && sequence > run->safe) {
            cut = true;
          } else {
            return complain(name + ": declaration " + std::to_string(number) + " is " +
                            (reported == end ? "missing" : "not where it should be, but " + std::to_string(*reported)));
          }
        }
      }
    }
    if (reported != end) complain(name + ": declaration " + std::to_string(*reported) + " too many");
    compare_totals(name, chain->second, opened);
  }

  void compare_totals(const std::string& name, const reported_chain& chain,
                      const std::vector<const simulated_run*>& opened) {
    const auto count = [&](const json& totals, const char* key) { return std::stoull(totals[key].get<std::string>()); };
    if (chain.totals.is_null()) return;
    std::uint64_t refused = 0;
    for (const auto& [kind, number] : chain.totals["refused"].items())
      refused += std::stoull(number.get<std::string>());
    const std::uint64_t settled = count(chain.totals, "appended") + count(chain.totals, "heartbeats") + refused +
                                  count(chain.totals, "quarantined");
    if (count(chain.totals, "received") != settled + count(chain.totals, "inFlight"))
      complain(name + ": totals do not balance");
    if (count(chain.totals, "appended") != chain.declarations.size())
      complain(name + ": appended is not what is there");
    if (opened.size() > 1 || opened.front()->cut_short) return;
    std::uint64_t quarantined = 0;
    std::uint64_t received = 0;
    for (const auto& [sequence, record] : opened.front()->socket->records) {
      received += record.frames();
      if (record.quarantined) quarantined += record.frames();
    }
    const std::uint64_t set_aside = count(chain.totals, "quarantined");
    if (count(chain.totals, "received") != received) complain(name + ": received is not what was read");
    if (set_aside > quarantined) complain(name + ": more quarantined than was set aside");
    if (count(chain.totals, "inFlight") != 0) complain(name + ": frames in flight at the end");
  }

  bool power_lost_;
  std::map<std::string, reported_chain> chains_;
  std::set<std::string> listed_;
  std::map<std::string, std::uint64_t> closed_;
  std::set<std::string> ids_;
};

}  // namespace

std::vector<std::string> broken_promises(std::string_view log, const std::vector<simulated_run>& runs,
                                         bool power_lost) {
  log_checker checked_log{power_lost};
  checked_log.read(log);
  checked_log.compare(runs);
  return std::move(checked_log.violations);
}

std::vector<std::string> broken_seals(std::string_view log, const key_list& keys) {
  verification::line_verifier lines{&keys};
  verification::log_verifier verifier{{{"log", 0}}, {}, true};
  std::uint64_t number = 0;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(line.size() + 1);
    verifier.take(0, ++number, lines.verify(line));
    lines.begin_block();
  }
  (void)verifier.merge();
  std::vector<std::string> found;
  for (const verification::finding& each : verifier.report().findings) {
    found.push_back(each.chain + " " + std::to_string(each.sequence) + ": " + std::string{to_string(each.cause)} +
                    ": " + each.words);
  }
  return found;
}

}  // namespace cellos::simulation
