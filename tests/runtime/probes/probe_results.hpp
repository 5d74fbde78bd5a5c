#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "messages/host_probe.hpp"
#include "runtime/probes/probe.hpp"

namespace cellos::test {

/// The error's name, or `a reading`.
template <class Value>
std::string outcome(const probe_result<Value>& result) {
  return result ? "a reading" : std::string{to_string(result.error().kind)};
}

/// What a reading says. An error is an exception, so that no test goes on without one.
inline nlohmann::json output_of(const probe_result<probe_reading>& result) {
  if (!result) throw std::runtime_error{outcome(result) + ": " + result.error().words};
  return nlohmann::json::parse(result->output);
}

inline nlohmann::json inputs_of(const probe_result<probe_reading>& result) {
  if (!result) throw std::runtime_error{outcome(result) + ": " + result.error().words};
  return nlohmann::json::parse(result->inputs);
}

/// A decimal string as a number.
inline std::uint64_t count_in(const nlohmann::json& object, const std::string& key) {
  return std::stoull(object.at(key).get<std::string>());
}

inline probe_context turn(std::uint64_t number, monotonic_time now = monotonic_time{}) {
  return {nullptr, number, now, monotonic_time::max()};
}

/// Whether a text is RFC 8785's, as far as the order of members and white space go.
inline bool is_canonical(const std::string& text) { return nlohmann::json::parse(text).dump() == text; }

}  // namespace cellos::test
