#include "runtime/control/host_list.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "messages/escaped_text.hpp"

namespace cellos {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t usual_page = 100;
/// Some 300 KB of text. Chosen here.
constexpr std::size_t largest_page = 1000;

struct host_query {
  bool by_attention = false;
  std::string_view state;
  std::string_view name;
  std::size_t offset = 0;
  std::size_t limit = usual_page;
};

std::string_view state_of(const host_status& host) {
  if (host.is_silent) return "silenced";
  return host.is_connected ? "connected" : "disconnected";
}

std::optional<std::size_t> number_in(std::string_view text, std::size_t least, std::size_t most) {
  std::size_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

/// Takes one parameter; what would be right where it is not.
std::string take(host_query& into, const std::string& key, std::string_view value) {
  if (key == "order") {
    into.by_attention = value == "attention";
    return into.by_attention || value == "name" ? "" : "name or attention";
  }
  if (key == "state") {
    into.state = value;
    return value == "connected" || value == "disconnected" || value == "silenced"
               ? ""
               : "connected, disconnected or silenced";
  }
  if (key == "name") {
    into.name = value;
    return {};
  }
  const bool is_limit = key == "limit";
  const std::size_t most = is_limit ? largest_page : 1'000'000'000;
  const auto number = number_in(value, is_limit ? 1 : 0, most);
  if (!number) return fmt::format("a number from {} to {}", is_limit ? 1 : 0, most);
  (is_limit ? into.limit : into.offset) = *number;
  return {};
}

std::optional<http_answer> read_query(const std::map<std::string, std::string, std::less<>>& query, host_query& into) {
  constexpr std::string_view known[]{"order", "state", "name", "offset", "limit"};
  for (const auto& [key, value] : query) {
    if (std::ranges::find(known, key) == std::end(known)) {
      return refusal(400, fmt::format("{} is not a parameter of /hosts", escaped(key)), escaped(key),
                     "known are order, state, name, offset, limit");
    }
    if (const std::string wanted = take(into, key, value); !wanted.empty()) {
      return refusal(400, fmt::format("{} is {}", key, escaped(value)), key, "write " + wanted);
    }
  }
  return std::nullopt;
}

double seconds_of(std::chrono::nanoseconds span) { return std::chrono::duration<double>{span}.count(); }

json to_json(const host_status& host) {
  json lag = nullptr;
  if (host.lag) {
    lag = {{"events", host.lag->lines}, {"bytes", host.lag->bytes}, {"seconds", seconds_of(host.lag->age)}};
  }
  return {{"host_id", host.host_id},
          {"state", state_of(host)},
          {"last_seen_seconds", seconds_of(host.unheard_for)},
          {"lag", std::move(lag)},
          {"cells", host.cells ? json(host.cells->cells) : json()},
          {"silenced_cells", host.cells ? json(host.cells->silenced) : json()},
          {"forks", host.forks},
          {"received_bytes", host.bytes},
          {"received_events", host.lines},
          {"batches_held_back", host.held_back},
          {"kept_to", fmt::format("{}:{}", host.reached.kept.segment, host.reached.kept.offset)}};
}

struct host_counts_by_state {
  std::size_t connected = 0;
  std::size_t disconnected = 0;
  std::size_t silenced = 0;
  std::size_t forked = 0;
  std::uint64_t silenced_cells = 0;
};

json counts_of(const std::vector<host_status>& hosts) {
  host_counts_by_state all;
  for (const host_status& each : hosts) {
    ++(each.is_silent ? all.silenced : each.is_connected ? all.connected : all.disconnected);
    if (each.forks > 0) ++all.forked;
    if (each.cells) all.silenced_cells += each.cells->silenced;
  }
  return {{"all", hosts.size()},      {"connected", all.connected}, {"disconnected", all.disconnected},
          {"silenced", all.silenced}, {"forked", all.forked},       {"silenced_cells", all.silenced_cells}};
}

/// Whether `a` needs somebody sooner than `b`.
bool is_more_urgent(const host_status& a, const host_status& b) {
  const auto urgency = [](const host_status& host) {
    return (host.is_silent ? 4 : 0) + (host.forks > 0 ? 2 : 0) + (host.is_connected ? 0 : 1);
  };
  if (urgency(a) != urgency(b)) return urgency(a) > urgency(b);
  const auto age = [](const host_status& host) { return host.lag ? host.lag->age : std::chrono::nanoseconds{0}; };
  return age(a) > age(b);
}

}  // namespace

http_answer list_hosts(std::vector<host_status> hosts, const std::map<std::string, std::string, std::less<>>& query) {
  host_query wanted;
  if (auto refused = read_query(query, wanted)) return *std::move(refused);
  json out{{"hosts", json::array()}, {"counts", counts_of(hosts)}};
  std::erase_if(hosts, [&](const host_status& each) {
    return (!wanted.state.empty() && state_of(each) != wanted.state) ||
           each.host_id.find(wanted.name) == std::string::npos;
  });
  if (wanted.by_attention) std::ranges::stable_sort(hosts, is_more_urgent);
  const std::size_t begin = std::min(wanted.offset, hosts.size());
  const std::size_t end = std::min(begin + wanted.limit, hosts.size());
  for (std::size_t i = begin; i < end; ++i) out["hosts"].push_back(to_json(hosts[i]));
  out["matching"] = hosts.size();
  out["offset"] = begin;
  http_answer answer;
  answer.body = out.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
  return answer;
}

}  // namespace cellos
