#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "messages/event_line.hpp"
#include "messages/event_types.hpp"
#include "messages/host_probe.hpp"
#include "messages/json_text.hpp"
#include "messages/timestamp.hpp"
#include "runtime/cross_witness/witness_line.hpp"

namespace cellos::test {

using namespace std::chrono_literals;

/// How a scripted cell behaves.
struct script {
  /// Attempts to connect a window, and how many of them are declared; declarations beyond those are of nothing.
  int connects = 0;
  int declares = 0;
  /// The agent says nothing from here on, and the host reports so.
  std::chrono::nanoseconds agent_dies_at = std::chrono::hours{24};
  std::chrono::nanoseconds vmm_dies_at = std::chrono::hours{24};
  /// The host reads nothing in this time.
  std::chrono::nanoseconds probe_fails_from = std::chrono::hours{24};
  std::chrono::nanoseconds probe_fails_until = std::chrono::hours{24};
};

/// Ten minutes of a cell, as the lines of its run's chain; the same seed, the same lines.
class scripted_cell {
 public:
  static constexpr std::chrono::nanoseconds length = 10min;
  static constexpr std::chrono::nanoseconds window = 30s;

  scripted_cell(std::uint64_t seed, const script& how) : random_(seed), how_(how) {
    // Windows begin anywhere in the cell's life.
    begin_ = wall_time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 28}} + drawn(0ns, window);
    live();
    std::stable_sort(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    for (std::size_t i = 0; i < lines_.size(); ++i) lines_[i].sequence = i + 1;
  }

  const std::vector<witness_line>& lines() const { return lines_; }

 private:
  std::chrono::nanoseconds drawn(std::chrono::nanoseconds from, std::chrono::nanoseconds to) {
    return from + std::chrono::nanoseconds{
                      static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>((to - from).count()))};
  }
  void add(std::chrono::nanoseconds at, decltype(witness_line::what) what) { lines_.push_back({0, begin_ + at, what}); }
  void declare(std::chrono::nanoseconds at, probe_source source) {
    if (at < how_.agent_dies_at) add(at, witnessed::declaration{source, 4242});
  }

  void live() {
    std::vector<std::chrono::nanoseconds> connected;
    for (auto at = 0ns; at < length; at += window) {
      const int most = std::max(how_.connects, how_.declares);
      for (int i = 0; i < most; ++i) {
        // Evenly, so that no window is left out.
        const auto moment = at + window / most * i + drawn(0ns, window / most / 2);
        if (i < how_.connects && moment < how_.vmm_dies_at) connected.push_back(moment);
        if (i < how_.declares) declare(moment + drawn(1ms, 2500ms), probe_source::net_connect_attempted);
      }
      for (int i = 0; i < 3; ++i) declare(at + drawn(0ns, window), probe_source::process_spawned);
    }
    if (how_.agent_dies_at < length) add(how_.agent_dies_at + 10s, witnessed::silence{10s});
    for (auto at = drawn(0ns, 10s); at < length; at += 10s) read(at + drawn(0ns, 1s), connected);
  }
  void read(std::chrono::nanoseconds at, const std::vector<std::chrono::nanoseconds>& connected) {
    if (at >= how_.probe_fails_from && at < how_.probe_fails_until) return;
    const auto count = std::ranges::count_if(connected, [at](auto moment) { return moment <= at; });
    add(at, witnessed::network_reading{witnessed::network_counter::connection_attempts,
                                       static_cast<std::uint64_t>(count), 2});
    add(at, witnessed::vmm_reading{at < how_.vmm_dies_at});
    add(at, witnessed::cgroup_reading{0, 0});
  }

  std::mt19937_64 random_;
  script how_;
  wall_time begin_;
  std::vector<witness_line> lines_;
};

/// The counter that these lines are about.
inline constexpr std::string_view attempts_counter = "syn";

namespace detail {

inline std::string reading_line(host_probe probe, std::string output) {
  std::string data = R"({"cellId":"c","reading":)";
  append_reading(data, {probe, "{}", std::move(output), std::nullopt});
  return data + R"(,"runId":"r"})";
}

struct line_content {
  std::string name;
  std::string data = "{}";
};

inline line_content content_of(const witnessed::declaration& said) {
  return {std::string{name_of(type_of(said.source))}, R"({"guestPid":)" + std::to_string(said.guest_pid) + "}"};
}
inline line_content content_of(const witnessed::network_reading& read) {
  const std::string value = std::to_string(read.value);
  const std::string instance = std::to_string(read.instance);
  if (read.counter == witnessed::network_counter::packets) {
    return {"tap_link",
            reading_line(host_probe::tap_link, R"({"index":)" + instance + R"(,"rxPackets":")" + value + "\"}")};
  }
  return {"nftables",
          reading_line(host_probe::nftables, R"({"rows":[{"bytes":"1","handle":1,"name":"other","packets":"9"},)"
                                             R"({"handle":)" +
                                                 instance + R"(,"name":"syn","packets":")" + value + "\"}]}")};
}
inline line_content content_of(const witnessed::cgroup_reading& read) {
  return {"cgroup", reading_line(host_probe::cgroup,
                                 R"({"v2":{"memory.events":{"oom_kill":")" + std::to_string(*read.oom_kills) +
                                     R"("},"pids.events":{"max":")" + std::to_string(*read.refused_forks) + "\"}}}")};
}
inline line_content content_of(const witnessed::vmm_reading& read) {
  return {"process", reading_line(host_probe::process, read.alive ? R"({"alive":true})" : R"({"alive":false})")};
}
inline line_content content_of(const witnessed::silence& silence) {
  return {std::string{name_of(event_type::agent_silenced)},
          R"({"silentForNs":")" + std::to_string(silence.silent_for.count()) + "\"}"};
}
inline line_content content_of(const witnessed::resumption&) {
  return {std::string{name_of(event_type::agent_resumed)}};
}
inline line_content content_of(const witnessed::loss&) { return {std::string{name_of(event_type::telemetry_dropped)}}; }
inline line_content content_of(const witnessed::restart&) { return {std::string{name_of(event_type::run_resumed)}}; }
inline line_content content_of(const witnessed::end&) { return {std::string{name_of(event_type::run_ended)}}; }

}  // namespace detail

/// The line as it stands in the log, without its newline.
inline std::string log_line(const witness_line& line) {
  auto content = std::visit([](const auto& what) { return detail::content_of(what); }, line.what);
  if (content.name.find('.') == std::string::npos) content.name = std::string{host_probe_event_begin} + content.name;
  const sequence_text sequence{line.sequence};
  const timestamp_text time{line.at};
  std::string text;
  for (const std::string_view piece :
       {line_form::before_id, std::string_view{"h/c/r/1/"}, sequence.view(), line_form::before_source,
        std::string_view{"/cellos/host/h"}, line_form::before_type, event_type_prefix, std::string_view{content.name},
        line_form::before_subject, std::string_view{"c"}, line_form::before_time, time.view(), line_form::before_chain,
        std::string_view{"h/c/r/1"}, line_form::before_sequence, sequence.view(), line_form::before_data,
        std::string_view{content.data}, std::string_view{"}"}}) {
    text += piece;
  }
  return text;
}

}  // namespace cellos::test
