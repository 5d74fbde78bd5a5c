#pragma once

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/verification/report.hpp"
#include "runtime/verification/report_text.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/verified_lines.hpp"

/// Logs of two hosts with two keys, and what a verifier says of them once they were changed.
namespace cellos::test {

using verification::chain_report;
using verification::finding;
using verification::verification_options;
using verification::verification_report;

using lines = std::vector<std::string>;

struct verified_log {
  signing_key key = signing_key::generate(signing_algorithm::ed25519, "host-2026");
  signing_key next_key = signing_key::generate(signing_algorithm::ed25519, "host-2027");
  key_list keys = keys_of({&key, &next_key});

  sample checkpointed() const {
    sample what;
    what.key = &key;
    what.next_key = &next_key;
    return what;
  }

  verification_report verify(const lines& log, const verification_options& options = {}) const {
    std::string text;
    for (const std::string& line : log) text += line;
    return verify_text(text, &keys, options);
  }
};

/// `cause chain-or-empty sequence line`, for all findings; prints them too.
inline std::vector<std::string> reported(const verification_report& report) {
  std::vector<std::string> out;
  for (const finding& each : report.findings) {
    CAF_MESSAGE(to_string(each.cause) << " " << each.chain << " " << each.sequence << " line " << each.line << ": "
                                      << each.words);
    out.push_back(std::string{to_string(each.cause)} + " " + each.chain + " " + std::to_string(each.sequence) + " " +
                  std::to_string(each.line));
  }
  return out;
}

inline std::size_t index_of(const lines& log, std::string_view part, std::size_t nth = 1) {
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (log[i].find(part) != std::string::npos && --nth == 0) return i;
  }
  throw std::runtime_error("no such line");
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace");
  return text.replace(at, from.size(), to);
}

inline const chain_report& chain_of(const verification_report& report, std::string_view name) {
  const auto found = std::find_if(report.chains.begin(), report.chains.end(),
                                  [name](const chain_report& each) { return each.chain == name; });
  if (found == report.chains.end()) throw std::runtime_error("no such chain");
  return *found;
}

inline constexpr std::string_view first_run = "host-a/cell-1/run-1/1767225600001";
inline constexpr std::string_view second_run = "host-a/cell-2/run-2/1767225600001";

}  // namespace cellos::test
