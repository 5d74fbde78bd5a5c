#include "runtime/probes/nft_document.hpp"

#include <simdjson.h>

#include <algorithm>

#include "runtime/lines/canonical_json.hpp"

namespace cellos {

namespace {

namespace dom = simdjson::dom;

/// Expressions of a rule deeper than this are not nftables'.
constexpr std::size_t most_nesting = 64;
/// The rest of what identifies a rule, its handle and chain, is there without them.
constexpr std::size_t longest_expressions = 512;

std::optional<std::string_view> text_of(dom::object object, std::string_view key) {
  std::string_view value;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> number_of(dom::object object, std::string_view key) {
  std::uint64_t value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<nft_table_name> table_of(dom::object object, std::string_view key) {
  const auto family = text_of(object, "family");
  const auto table = text_of(object, key);
  if (!family || !table) return std::nullopt;
  return nft_table_name{std::string{*family}, std::string{*table}};
}

bool take_counts(dom::object object, nft_counter& into) {
  const auto packets = number_of(object, "packets");
  const auto bytes = number_of(object, "bytes");
  if (!packets || !bytes) return false;
  into.packets = *packets;
  into.bytes = *bytes;
  return true;
}

bool take_named_counter(dom::object object, nft_ruleset& into) {
  const auto table = table_of(object, "table");
  const auto name = text_of(object, "name");
  nft_counter counter;
  if (!table || !name || !take_counts(object, counter)) return false;
  counter.name = *name;
  counter.handle = number_of(object, "handle").value_or(0);
  into[*table].push_back(std::move(counter));
  return true;
}

/// The counter of a rule, if the rule has one of its own; others name one.
bool take_expression(dom::element expression, nft_counter& into, bool& counts) {
  dom::object statement;
  dom::object counter;
  const bool is_counter =
      expression.get(statement) == simdjson::SUCCESS && statement["counter"].get(counter) == simdjson::SUCCESS;
  if (is_counter) {
    counts = true;
    return take_counts(counter, into);
  }
  if (!into.expressions.empty()) into.expressions += ',';
  return append_canonical(into.expressions, expression);
}

bool take_rule(dom::object object, nft_ruleset& into) {
  const auto table = table_of(object, "table");
  const auto chain = text_of(object, "chain");
  dom::array expressions;
  if (!table || !chain || object["expr"].get(expressions) != simdjson::SUCCESS) return false;
  nft_counter rule;
  rule.chain = *chain;
  rule.comment = text_of(object, "comment").value_or(std::string_view{});
  rule.handle = number_of(object, "handle").value_or(0);
  bool counts = false;
  for (const dom::element each : expressions) {
    if (!take_expression(each, rule, counts)) return false;
  }
  if (rule.expressions.size() > longest_expressions) rule.expressions.clear();
  if (counts) into[*table].push_back(std::move(rule));
  return true;
}

bool take_item(dom::object item, nft_ruleset& into) {
  dom::object content;
  if (item["table"].get(content) == simdjson::SUCCESS) {
    const auto table = table_of(content, "name");
    if (table) into.try_emplace(*table);
    return table.has_value();
  }
  if (item["counter"].get(content) == simdjson::SUCCESS) return take_named_counter(content, into);
  if (item["rule"].get(content) == simdjson::SUCCESS) return take_rule(content, into);
  return true;
}

}  // namespace

std::optional<nft_ruleset> parse_nft_ruleset(std::string_view document) {
  dom::parser parser;
  if (parser.allocate(std::max<std::size_t>(document.size(), 64), most_nesting) != simdjson::SUCCESS)
    return std::nullopt;
  dom::array items;
  if (parser.parse(document.data(), document.size())["nftables"].get(items) != simdjson::SUCCESS) return std::nullopt;
  nft_ruleset ruleset;
  for (const dom::element each : items) {
    dom::object item;
    if (each.get(item) != simdjson::SUCCESS || !take_item(item, ruleset)) return std::nullopt;
  }
  return ruleset;
}

}  // namespace cellos
