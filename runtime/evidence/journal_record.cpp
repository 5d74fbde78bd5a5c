#include "runtime/evidence/journal_record.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "messages/chain_name.hpp"
#include "messages/json_text.hpp"
#include "runtime/text/base64.hpp"

namespace cellos {

namespace {

using json_value = nlohmann::json;

constexpr std::uint64_t form = 1;

/// What a record holds that was made by hand, or by accident.
struct not_a_record {};

template <class Range, class Write>
auto array_of(const Range& range, Write write) {
  return [&range, write](std::string& out) {
    out += '[';
    for (const auto& each : range) {
      if (&each != &*range.begin()) out += ',';
      write(out, each);
    }
    out += ']';
  };
}

auto position_text(segment_position position) {
  return [position](std::string& out) {
    out += '[';
    json::append_decimal(out, position.segment);
    out += ',';
    json::append_decimal(out, position.offset);
    out += ']';
  };
}

/// Zeros are left out: most are.
void count_unless_zero(json::object_writer& object, std::string_view key, std::uint64_t count) {
  if (count != 0) object.count(key, count);
}

void flag(json::object_writer& object, std::string_view key, bool set) {
  if (set) object.number(key, 1);
}

void write_run(std::string& out, const run_state& run) {
  json::object_writer object{out};
  const run_totals& totals = run.totals;
  count_unless_zero(object, "appended", totals.appended);
  count_unless_zero(object, "connections", totals.connections);
  flag(object, "ended", run.ended);
  count_unless_zero(object, "forged", totals.forged_attribution);
  count_unless_zero(object, "heartbeats", totals.heartbeats);
  count_unless_zero(object, "quarantined", totals.quarantined);
  count_unless_zero(object, "received", totals.received);
  if (totals.refused.total() != 0) {
    object.member("refused", [&](std::string& to) {
      json::object_writer kinds{to};
      for (telemetry_errc kind : refusal_kinds) count_unless_zero(kinds, to_string(kind), totals.refused[kind]);
    });
  }
  flag(object, "resumed", run.resumed);
  flag(object, "silenced", run.silence_told);
  object.text("spec", run.attribution->spec_signature_hash);
}

void write_head(std::string& out, const chain_head& head, bool closed, std::uint64_t segment) {
  json::object_writer object{out};
  object.text("chain", head.position.chain);
  flag(object, "closed", closed);
  if (head.position.sealed) {
    object.member("digest", [&](std::string& to) {
      to += '"';
      append_base64(to, head.position.digest);
      to += '"';
    });
  }
  if (!head.position.key_id.empty()) object.text("key", head.position.key_id);
  if (!head.listings.empty()) {
    object.member("listed", array_of(head.listings, [](std::string& to, const run_listing& each) {
                    json::object_writer listing{to};
                    listing.text(each.what == run_listing::kind::opened ? "opened" : "closed", each.chain);
                  }));
  }
  object.count("next", head.position.next_event);
  if (head.run) object.member("run", [&](std::string& to) { write_run(to, *head.run); });
  count_unless_zero(object, "segment", segment);
}

std::uint64_t decimal(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) throw not_a_record{};
  return number;
}

std::string text_in(const json_value& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end()) return {};
  if (!member->is_string()) throw not_a_record{};
  return member->get<std::string>();
}

std::uint64_t count_in(const json_value& object, const char* key) {
  return object.contains(key) ? decimal(text_in(object, key)) : 0;
}

const json_value& member_of(const json_value& object, const char* key, bool right_type(const json_value&)) {
  const auto member = object.find(key);
  if (member == object.end() || !right_type(*member)) throw not_a_record{};
  return *member;
}

bool is_array(const json_value& value) { return value.is_array(); }
bool is_object(const json_value& value) { return value.is_object(); }

segment_position position_in(const json_value& object, const char* key) {
  const json_value& pair = member_of(object, key, is_array);
  if (pair.size() != 2 || !pair[0].is_number_unsigned() || !pair[1].is_number_unsigned()) throw not_a_record{};
  return {pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()};
}

run_state read_run(const json_value& object, const std::string& chain) {
  const auto who = parse_chain_name(chain);
  if (!who || who->run.empty()) throw not_a_record{};
  run_state run;
  run.attribution = std::make_shared<const host_stamp>(
      host_stamp{std::string{who->host}, std::string{who->cell}, std::string{who->run}, text_in(object, "spec")});
  run.totals.appended = count_in(object, "appended");
  run.totals.connections = count_in(object, "connections");
  run.totals.forged_attribution = count_in(object, "forged");
  run.totals.heartbeats = count_in(object, "heartbeats");
  run.totals.quarantined = count_in(object, "quarantined");
  run.totals.received = count_in(object, "received");
  if (object.contains("refused")) {
    const json_value& kinds = member_of(object, "refused", is_object);
    for (telemetry_errc kind : refusal_kinds) {
      run.totals.refused.add(kind, count_in(kinds, std::string{to_string(kind)}.c_str()));
    }
  }
  run.ended = object.contains("ended");
  run.resumed = object.contains("resumed");
  run.silence_told = object.contains("silenced");
  return run;
}

chain_head read_head(const json_value& object) {
  if (!object.is_object()) throw not_a_record{};
  chain_head head;
  head.position.chain = text_in(object, "chain");
  head.position.next_event = count_in(object, "next");
  head.position.key_id = text_in(object, "key");
  head.position.sealed = object.contains("digest");
  if (head.position.next_event == 0) throw not_a_record{};
  if (head.position.sealed &&
      decode_base64(text_in(object, "digest"), head.position.digest) != head.position.digest.size()) {
    throw not_a_record{};
  }
  if (object.contains("listed")) {
    for (const json_value& each : member_of(object, "listed", is_array)) {
      if (!each.is_object()) throw not_a_record{};
      const bool opened = each.contains("opened");
      head.listings.push_back({text_in(each, opened ? "opened" : "closed"),
                               opened ? run_listing::kind::opened : run_listing::kind::closed});
    }
  }
  if (object.contains("run")) head.run = read_run(member_of(object, "run", is_object), head.position.chain);
  return head;
}

signing_statement read_statement(const json_value& object) {
  signing_statement statement;
  statement.mode = parse_signing_mode(text_in(object, "mode")).value_or(signing_statement::kind::off);
  statement.events = count_in(object, "events");
  statement.interval = std::chrono::nanoseconds{static_cast<std::int64_t>(count_in(object, "intervalNs"))};
  return statement;
}

/// `read(object)` of what `text` holds.
template <class Read>
auto parsed(std::string_view text, Read read) -> std::optional<decltype(read(json_value{}))> {
  try {
    const auto object = json_value::parse(text, nullptr, false);
    if (!object.is_object()) return std::nullopt;
    return read(object);
  } catch (const not_a_record&) {
    return std::nullopt;
  }
}

}  // namespace

std::string to_text(const journal_header& header) {
  std::string out;
  json::object_writer object{out};
  object.member("begin", position_text(header.begin));
  object.text("boot", header.boot_id);
  object.member("committed", position_text(header.committed));
  object.member("chains", array_of(header.chains, [](std::string& to, const journaled_chain& each) {
                  write_head(to, each.head, each.closed, each.segment);
                }));
  object.count("epoch", header.highest_epoch);
  object.count("first", header.first_segment);
  object.number("form", form);
  object.text("host", header.host_id);
  object.member("signing", [&](std::string& to) { append_statement(to, header.signing); });
  return out;
}

std::string to_text(const journal_record& record) {
  std::string out;
  json::object_writer object{out};
  object.member("begin", position_text(record.begin));
  object.count("bytes", record.bytes);
  object.member("committed", position_text(record.committed));
  object.member(
      "heads", array_of(record.heads, [](std::string& to, const chain_head& head) { write_head(to, head, false, 0); }));
  return out;
}

std::optional<journal_header> parse_journal_header(std::string_view text) {
  return parsed(text, [](const json_value& object) {
    journal_header header;
    if (object.value("form", json_value{}) != form) throw not_a_record{};
    header.begin = position_in(object, "begin");
    header.boot_id = text_in(object, "boot");
    header.committed = position_in(object, "committed");
    header.highest_epoch = count_in(object, "epoch");
    header.first_segment = count_in(object, "first");
    header.host_id = text_in(object, "host");
    header.signing = read_statement(member_of(object, "signing", is_object));
    for (const json_value& each : member_of(object, "chains", is_array)) {
      header.chains.push_back({read_head(each), each.contains("closed"), count_in(each, "segment")});
    }
    return header;
  });
}

std::optional<journal_record> parse_journal_record(std::string_view text) {
  return parsed(text, [](const json_value& object) {
    journal_record record;
    record.begin = position_in(object, "begin");
    record.bytes = count_in(object, "bytes");
    record.committed = position_in(object, "committed");
    for (const json_value& each : member_of(object, "heads", is_array)) record.heads.push_back(read_head(each));
    return record;
  });
}

std::uint64_t epoch_of(std::string_view chain) {
  const auto name = parse_chain_name(chain);
  return name ? name->epoch_number().value_or(0) : 0;
}

}  // namespace cellos
