#pragma once

#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "actors/ports.hpp"
#include "runtime/evidence/run_recovery.hpp"

namespace cellos::test {

/// What `text`, as the one segment of a log, comes to beside a journal.
inline recovery_conclusions recovered_from(std::string_view text, recovery_terms terms) {
  terms.last_segment = 1;
  run_recovery recovery{std::move(terms)};
  std::uint64_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    recovery.take(text.substr(begin, end - begin), {1, begin}, "evidence-00000000000000000001.jsonl", ++number);
    begin = end + 1;
  }
  return recovery.conclude();
}

/// A log in memory with the journal that a real one keeps beside it.
class recorded_log final : public evidence_log {
 public:
  explicit recorded_log(const signing_statement& signing, const std::string& host_id = "host-a") {
    journal.header.emplace();
    journal.header->host_id = host_id;
    journal.header->signing = signing;
    journal.header->boot_id = "boot-1";
    journal.header->begin = journal.header->committed = {1, 0};
  }

  /// The same lines and journal, for another course of events.
  recorded_log(const recorded_log& other)
      : evidence_log{}, text(other.text), journal(other.journal), committed(other.committed) {}

  using evidence_log::append;
  std::error_code append(std::string_view lines, std::span<const chain_head> heads) override {
    journal.records.push_back({{1, text.size()}, lines.size(), committed, {heads.begin(), heads.end()}});
    text += lines;
    return {};
  }

  std::string text;
  journal_content journal;
  /// Said by each append from now on.
  segment_position committed{1, 0};
};

}  // namespace cellos::test
