#include "runtime/evidence/removed_positions.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "messages/chain_name.hpp"
#include "messages/event_types.hpp"
#include "runtime/evidence/read_statement.hpp"
#include "runtime/text/base64.hpp"

namespace cellos {

namespace {

std::string text_in(const nlohmann::json& data, const char* name) {
  const auto member = data.find(name);
  return member != data.end() && member->is_string() ? member->get<std::string>() : std::string{};
}

}  // namespace

void removed_positions::take(std::string_view line) {
  const auto event = reader_.read(line);
  // Whoever finds such a line in the log says so; there is nothing to say of its removal.
  if (!event) return;
  auto known = chains_.find(event->chain);
  if (known == chains_.end()) known = chains_.emplace(event->chain, position{}).first;
  known->second.sequence = std::max(known->second.sequence, event->sequence);
  if (event->sealed && known->second.sequence == event->sequence) {
    auto last = last_lines_.find(event->chain);
    if (last == last_lines_.end()) last = last_lines_.emplace(event->chain, std::string{}).first;
    last->second = line;
  }
  const bool begins =
      event->sequence == 1 && (event->type == event_type::run_started || event->type == event_type::host_started);
  if (begins) {
    const auto data = nlohmann::json::parse(event->data, nullptr, false);
    if (data.is_object()) known->second.signing = read_statement(data);
  }
  if (names_host_event(event->type_name)) take_host_event(*event);
}

void removed_positions::take_host_event(const recovery_line& line) {
  const bool ends_another = line.type == event_type::host_run_closed || line.type == event_type::host_chain_abandoned;
  if (!ends_another && line.type != event_type::host_started) return;
  const auto data = nlohmann::json::parse(line.data, nullptr, false);
  if (!data.is_object()) return;
  const std::string other = text_in(data, ends_another ? "chain" : "formerChain");
  // It is the last word on a chain of its own host only.
  const auto speaker = parse_chain_name(line.chain);
  const auto subject = parse_chain_name(other);
  if (speaker && subject && speaker->host == subject->host && other != line.chain) ended_.insert(other);
}

void removed_positions::settle() {
  for (const auto& [chain, line] : last_lines_) {
    if (!reader_.read(line)) continue;
    std::string text;
    append_base64(text, reader_.digest());
    chains_[chain].digest = std::move(text);
  }
  last_lines_.clear();
}

std::vector<removed_chain> removed_positions::listing(const open_chains& open) {
  settle();
  std::vector<removed_chain> listed;
  for (const auto& [chain, at] : chains_) {
    removed_chain& each = listed.emplace_back(removed_chain{chain, at.sequence, at.digest, false, {}, at.signing});
    const auto head = open.find(chain);
    if (!head) continue;
    each.open = true;
    if (head->run && head->position.next_event == at.sequence + 1) each.run = head->run;
  }
  return listed;
}

void removed_positions::forget_ended() {
  for (const std::string& chain : ended_) chains_.erase(chain);
  ended_.clear();
}

}  // namespace cellos
