#include "runtime/probes/nftables_probe.hpp"

#include <utility>

#include "runtime/probes/nft_source.hpp"
#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

/// A cell has a handful; a table with more is not one cell's.
constexpr std::size_t most_rows = 256;

/// As the supervisor upstream has its rows, with the counters' names beside the rules'.
void write_row(std::string& out, const nft_table_name& table, const nft_counter& counter) {
  json::object_writer row{out};
  row.count("bytes", counter.bytes);
  if (!counter.chain.empty()) row.text("chain", counter.chain);
  if (!counter.comment.empty()) row.text("comment", counter.comment);
  row.text("family", table.family);
  row.number("handle", counter.handle);
  if (!counter.name.empty()) row.text("name", counter.name);
  row.count("packets", counter.packets);
  if (!counter.expressions.empty()) row.text("ruleRepr", counter.expressions);
  row.text("table", table.table);
}

}  // namespace

std::shared_ptr<nft_source> counters_of(const std::string& namespace_path, const privileged_reads_ptr& by) {
  return std::make_shared<nft_source>(
      [namespace_path, by](monotonic_time deadline) { return read_nft_ruleset(namespace_path, deadline, by); });
}

nftables_probe::nftables_probe(std::shared_ptr<nft_source> counters, const std::string& namespace_path,
                               nft_table_name table, const std::string& attempts_counter)
    : counters_(std::move(counters)), table_(std::move(table)), inputs_(json_object([&](json::object_writer& inputs) {
        if (!attempts_counter.empty()) inputs.text("connectionCounter", attempts_counter);
        inputs.text("family", table_.family);
        if (!namespace_path.empty()) inputs.text("networkNamespace", namespace_path);
        inputs.text("table", table_.table);
      })) {}

probe_result<probe_reading> nftables_probe::read(const probe_context& context) {
  const auto snapshot = counters_->of(context);
  const auto& ruleset = *snapshot;
  if (!ruleset) return ruleset.error();
  const auto place = ruleset->find(table_);
  if (place == ruleset->end()) {
    return probe_error{probe_error_kind::io, "there is no table " + table_.family + " " + table_.table};
  }
  if (place->second.size() > most_rows) {
    return probe_error{probe_error_kind::malformed_source,
                       "table " + table_.family + " " + table_.table + " has too many counters"};
  }
  probe_reading reading{source(), inputs_, {}, std::nullopt};
  reading.output = json_object([&](json::object_writer& output) {
    output.member("rows", [&](std::string& out) {
      out += '[';
      for (const nft_counter& each : place->second) {
        if (&each != &place->second.front()) out += ',';
        write_row(out, table_, each);
      }
      out += ']';
    });
  });
  return reading;
}

}  // namespace cellos
