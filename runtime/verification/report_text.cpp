#include "runtime/verification/report_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "messages/escaped_text.hpp"

namespace cellos::verification {

namespace {

struct palette {
  const char* red = "";
  const char* yellow = "";
  const char* green = "";
  const char* dim = "";
  const char* reset = "";
};

constexpr palette coloured{"\x1b[1;31m", "\x1b[33m", "\x1b[32m", "\x1b[2m", "\x1b[0m"};

using row = std::vector<std::string>;

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string keys_of(const chain_report& chain) {
  std::string out;
  for (const verification_key* each : chain.facts.keys) out += (out.empty() ? "" : ",") + escaped(each->key_id(), 128);
  return out.empty() ? "-" : out;
}

std::string state_of(const chain_report& chain) {
  if (chain.is_host()) return chain.state == chain_state::ended ? "stopped" : "running";
  if (chain.state == chain_state::open) return "open";
  return chain.facts.end_reason.empty() ? "ended" : "ended, " + chain.facts.end_reason;
}

std::string proven(const verification_report& report, const chain_report& chain) {
  if (!report.signatures_checked) return "not checked";
  if (chain.closed_by_host || (chain.signed_until == chain.last && chain.signed_until > 0)) return "all";
  if (chain.signed_until == 0) return "nothing";
  return "to " + grouped(chain.signed_until) + ", not the last " + grouped(chain.unsigned_tail());
}

std::string remarks_of(const chain_report& chain) {
  std::vector<std::string> said;
  const range_facts& facts = chain.facts;
  for (const auto& [first, last] : chain.gaps) {
    if (said.size() == 4) {
      said.push_back(fmt::format("{} more gaps", chain.gaps.size() - said.size()));
      break;
    }
    said.push_back(first == last ? fmt::format("without {}", first) : fmt::format("without {}-{}", first, last));
  }
  if (facts.silences > 0) {
    said.push_back(fmt::format("fell silent{}", facts.resumptions > 0 ? " and resumed" : ""));
  }
  for (const drop_note& each : facts.drops) {
    const std::string frames = each.more && each.frames == 0 ? "an unknown number" : grouped(each.frames);
    const char* more = each.more && each.frames > 0 ? " and more" : "";
    said.push_back(fmt::format("lost {}{} ({})", frames, more, each.reason));
  }
  if (chain.copies > 0) said.push_back(fmt::format("{} in several logs", grouped(chain.copies)));
  std::string out;
  for (const std::string& each : said) out += (out.empty() ? "" : "; ") + each;
  return out;
}

row row_of(const verification_report& report, const chain_report& chain) {
  return {escaped(chain.host, 128),
          chain.is_host() ? "(host)" : escaped(chain.cell, 128),
          escaped(chain.run, 128),
          grouped(chain.events),
          fmt::format("{}-{}", chain.first, chain.last),
          proven(report, chain),
          keys_of(chain),
          state_of(chain),
          remarks_of(chain)};
}

std::string table(const verification_report& report, const palette& colour) {
  std::vector<row> rows{{"HOST", "CELL", "RUN", "EVENTS", "SEQUENCE", "PROVEN", "KEY", "STATE", "REMARKS"}};
  for (const chain_report& chain : report.chains) rows.push_back(row_of(report, chain));
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const row& each : rows) {
    for (std::size_t i = 0; i < each.size(); ++i) widths[i] = std::max(widths[i], each[i].size());
  }
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) line += fmt::format("{:<{}}  ", rows[r][i], widths[i]);
    line.resize(line.find_last_not_of(' ') + 1);
    out += r == 0 ? fmt::format("{}{}{}\n", colour.dim, line, colour.reset) : line + "\n";
  }
  return out;
}

std::string text_of(const finding& each, const palette& colour) {
  std::string where = each.chain;
  if (each.sequence > 0) where += fmt::format(" {}", each.sequence);
  const std::string at = each.line > 0 ? fmt::format("{}:{}", escaped(each.file, 512), each.line) : "";
  return fmt::format("{}{}{}  {}{}{}: {}\n", colour.red, to_string(each.cause), colour.reset, where,
                     where.empty() || at.empty() ? "" : "  ", at, each.words);
}

}  // namespace

std::string summary_of(const verification_report& report) {
  std::set<std::string> hosts;
  std::uint64_t events = 0;
  for (const chain_report& chain : report.chains) {
    hosts.insert(chain.host);
    events += chain.events;
  }
  const std::uint64_t wrong = report.findings.size() + report.findings_left_out;
  const auto plural = [](std::uint64_t number) { return number == 1 ? "" : "s"; };
  std::string out = fmt::format("{} chain{} of {} host{}, {} event{}{}: ", grouped(report.chains.size()),
                                plural(report.chains.size()), hosts.size(), plural(hosts.size()), grouped(events),
                                plural(events), report.signatures_checked ? "" : ", signatures not checked");
  if (wrong == 0) return out + "nothing wrong";
  out += fmt::format("{} finding{} (", grouped(wrong), plural(wrong));
  bool first = true;
  for (std::size_t i = 0; i < finding_words.size(); ++i) {
    if (report.findings_by_cause[i] == 0) continue;
    out += fmt::format("{}{} {}", first ? "" : ", ", grouped(report.findings_by_cause[i]), finding_words[i]);
    first = false;
  }
  return out + ")";
}

std::string text_of(const verification_report& report, bool colours) {
  const palette colour = colours ? coloured : palette{};
  std::string out = table(report, colour);
  if (!report.findings.empty()) out += '\n';
  for (const finding& each : report.findings) out += text_of(each, colour);
  if (report.findings_left_out > 0) out += fmt::format("... and {} more\n", grouped(report.findings_left_out));
  if (!report.notes.empty()) out += '\n';
  for (const std::string& each : report.notes) out += fmt::format("{}note{}  {}\n", colour.yellow, colour.reset, each);
  const bool clean = report.clean();
  return out + fmt::format("\n{}{}{}\n", clean ? colour.green : colour.red, summary_of(report), colour.reset);
}

}  // namespace cellos::verification
