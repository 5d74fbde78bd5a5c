#include "runtime/collector/recorded_hosts.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <variant>

#include "messages/event_types.hpp"

namespace cellos {

namespace {

using json = nlohmann::json;

std::string text_in(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string{};
}

std::uint64_t count_in(const json& object, const char* name) {
  const std::string digits = text_in(object, name);
  std::uint64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

std::optional<node_statement> statement_of(event_type type, const json& data) {
  std::string host_id = text_in(data, "ofHost");
  // A host's own word on a fork is of no other host.
  if (host_id.empty()) return std::nullopt;
  const segment_position at{count_in(data, "segment"), count_in(data, "offset")};
  const auto nanoseconds = [&](const char* name) {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(count_in(data, name))};
  };
  switch (type) {
    case event_type::host_seen: return seen_host{std::move(host_id)};
    case event_type::host_silenced:
      return silenced_host{std::move(host_id), nanoseconds("unheardForNs"), nanoseconds("silenceWindowNs")};
    case event_type::host_resumed: return resumed_host{std::move(host_id)};
    case event_type::host_history_forked:
      return forked_history{std::move(host_id), text_in(data, "logId"), at, text_in(data, "keptIn")};
    case event_type::host_witnessed:
      return witnessed_log{std::move(host_id),
                           text_in(data, "logId"),
                           static_cast<std::uint32_t>(count_in(data, "fork")),
                           at,
                           text_in(data, "digest"),
                           count_in(data, "from"),
                           text_in(data, "bytesDigest")};
    default: return std::nullopt;
  }
}

}  // namespace

void recorded_hosts::add(const node_statement& said) {
  std::visit([this](const auto& what) { hosts_.try_emplace(what.host_id, false); }, said);
  if (const auto* silenced = std::get_if<silenced_host>(&said)) {
    hosts_[silenced->host_id] = true;
  } else if (const auto* resumed = std::get_if<resumed_host>(&said)) {
    hosts_[resumed->host_id] = false;
  } else if (const auto* witnessed = std::get_if<witnessed_log>(&said)) {
    witnessed_[{witnessed->host_id, witnessed->log_id, witnessed->fork}] = witnessed->at;
  }
}

bool recorded_hosts::has(const node_statement& said) const {
  const auto is_silent = [this](const std::string& host_id) {
    const auto host = hosts_.find(host_id);
    return host != hosts_.end() && host->second;
  };
  if (const auto* seen = std::get_if<seen_host>(&said)) return knows(seen->host_id);
  if (const auto* silenced = std::get_if<silenced_host>(&said)) return is_silent(silenced->host_id);
  if (const auto* resumed = std::get_if<resumed_host>(&said)) return !is_silent(resumed->host_id);
  if (const auto* log = std::get_if<witnessed_log>(&said)) {
    return log->at <= witnessed(log->host_id, log->log_id, log->fork);
  }
  return false;
}

std::vector<std::string> recorded_hosts::silent_hosts() const {
  std::vector<std::string> silent;
  for (const auto& [host_id, is_silent] : hosts_) {
    if (is_silent) silent.push_back(host_id);
  }
  return silent;
}

segment_position recorded_hosts::witnessed(const std::string& host_id, const std::string& log_id,
                                           std::uint32_t fork) const {
  const auto known = witnessed_.find({host_id, log_id, fork});
  return known == witnessed_.end() ? segment_position{} : known->second;
}

std::optional<node_statement> read_node_statement(std::string_view line) {
  // Most lines are of other types, and need not be taken apart.
  if (line.find(R"("ofHost":)") == std::string_view::npos) return std::nullopt;
  const json event = json::parse(line, nullptr, false);
  if (!event.is_object()) return std::nullopt;
  const std::string attribute = text_in(event, "type");
  const auto name = event_name_in(attribute);
  const auto type = name ? find_event_type(*name) : std::nullopt;
  const auto data = event.find("data");
  if (!type || data == event.end() || !data->is_object()) return std::nullopt;
  return statement_of(*type, *data);
}

}  // namespace cellos
