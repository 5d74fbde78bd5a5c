#include "runtime/evidence/journal_content.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/text/base64.hpp"

namespace cellos {

namespace {

constexpr std::size_t tag_length = base64_length(std::tuple_size_v<journal_tag>);

/// The record in `line`, if it follows the one whose tag is `before`; that one's tag is replaced.
std::optional<std::string_view> authentic(std::string_view line, const journal_mac& mac, journal_tag& before) {
  if (line.size() <= tag_length || line[tag_length] != ' ') return std::nullopt;
  journal_tag claimed{};
  if (decode_base64(line.substr(0, tag_length), claimed) != claimed.size()) return std::nullopt;
  const std::string_view record = line.substr(tag_length + 1);
  if (mac.tag(before, record) != claimed) return std::nullopt;
  before = claimed;
  return record;
}

/// The next whole line of `text`, which begins behind it then.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

void take_record(std::vector<journal_record>& records, journal_record&& record) {
  while (!records.empty() && records.back().begin >= record.begin) records.pop_back();
  records.push_back(std::move(record));
}

bool read_header(journal_content& content, std::string_view line, const std::vector<journal_mac_ptr>& macs) {
  for (const journal_mac_ptr& mac : macs) {
    journal_tag tag{};
    const auto record = mac ? authentic(line, *mac, tag) : std::nullopt;
    if (!record) continue;
    content.header = parse_journal_header(*record);
    content.mac = mac;
    content.last_tag = tag;
    return content.header.has_value();
  }
  return false;
}

}  // namespace

journal_content read_journal(std::string_view text, const std::vector<journal_mac_ptr>& macs,
                             std::string_view boot_id) {
  journal_content content;
  const std::size_t whole = text.size();
  const auto first = take_line(text);
  if (!first || !read_header(content, *first, macs)) {
    content.header.reset();
    content.trouble = whole == 0 ? journal_trouble::absent : journal_trouble::unauthentic;
    return content;
  }
  content.bytes = whole - text.size();
  while (const auto line = take_line(text)) {
    const auto text_of_record = authentic(*line, *content.mac, content.last_tag);
    auto record = text_of_record ? parse_journal_record(*text_of_record) : std::nullopt;
    if (!record) {
      if (content.same_boot(boot_id)) content.trouble = journal_trouble::unauthentic;
      break;
    }
    take_record(content.records, std::move(*record));
    content.bytes = whole - text.size();
  }
  return content;
}

std::string journal_line(const journal_mac& mac, journal_tag& tag, std::string_view record) {
  tag = mac.tag(tag, record);
  std::string line;
  line.reserve(tag_length + record.size() + 2);
  append_base64(line, tag);
  line += ' ';
  line += record;
  line += '\n';
  return line;
}

namespace {

void take_head(expected_chains& chains, const chain_head& head, segment_position end) {
  expected_chain& chain = chains[head.position.chain];
  // What comes later and says less was cut back on record.
  std::erase_if(chain.milestones,
                [&](const milestone& each) { return each.head.position.next_event >= head.position.next_event; });
  chain.milestones.push_back({head, end});
  if (head.run && head.run->ended) chain.closed = true;
  for (const run_listing& listing : head.listings) {
    expected_chain& run = chains[listing.chain];
    if (listing.what == run_listing::kind::opened) run.listed = true;
    if (listing.what == run_listing::kind::closed) run.closed = run.closing_listed = true;
  }
}

/// A host has one chain that goes on: the one it wrote to last.
void close_former_host_chains(expected_chains& chains, const std::string& present) {
  for (auto& [name, chain] : chains) {
    if (!chain.milestones.empty() && !chain.last().run && name != present) chain.closed = true;
  }
}

}  // namespace

expected_chains expected_by(const journal_header& header, const std::vector<journal_record>& records) {
  expected_chains chains;
  std::string host_chain;
  for (const journaled_chain& each : header.chains) {
    expected_chain& chain = chains[each.head.position.chain];
    chain.milestones.push_back({each.head, header.begin});
    chain.closed = chain.closing_listed = each.closed;
    chain.listed = true;
  }
  for (const journal_record& record : records) {
    for (const chain_head& head : record.heads) {
      take_head(chains, head, record.end());
      if (!head.run) host_chain = head.position.chain;
    }
  }
  if (!host_chain.empty()) close_former_host_chains(chains, host_chain);
  return chains;
}

}  // namespace cellos
