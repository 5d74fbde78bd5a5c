#include "runtime/probes/nftables_probe.hpp"

#include "runtime/probes/nft_source.hpp"
#include "tests/runtime/probes/network_test_namespace.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE nftables_probe
#include "caf/test/dsl.hpp"

using namespace cellos;
using cellos::test::count_in;
using cellos::test::outcome;
using cellos::test::output_of;
using cellos::test::turn;

namespace {

const nft_table_name cell1{"inet", "cell1"};

constexpr std::string_view document = R"({"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
  {"table": {"family": "inet", "name": "cell1", "handle": 1}}, {"table": {"family": "ip", "name": "empty", "handle": 2}},
  {"counter": {"family": "inet", "name": "syn", "table": "cell1", "handle": 2, "packets": 3, "bytes": 180}},
  {"chain": {"family": "inet", "table": "cell1", "name": "out", "handle": 1}},
  {"rule": {"family": "inet", "table": "cell1", "chain": "out", "handle": 4, "comment": "all", "expr": [
    {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "tap0"}},
    {"counter": {"packets": 9, "bytes": 900}}, {"accept": null}]}},
  {"rule": {"family": "inet", "table": "cell1", "chain": "out", "handle": 5, "expr": [{"counter": "syn"}]}}]})";

/// A ruleset for the namespace: what comes in by its pair of interfaces is counted.
constexpr std::string_view ruleset = R"(table inet cell1 {
  counter syn { }
  chain in {
    type filter hook input priority 0; policy accept;
    tcp flags syn / fin,syn,rst,ack counter name syn
    iifname "cfc-veth" counter comment "all"
  }
}
table inet other {
  counter unused { }
}
)";

}  // namespace

CAF_TEST(named_counters_and_those_of_rules_are_rows_of_their_table) {
  const auto parsed = parse_nft_ruleset(document);
  CAF_REQUIRE(parsed);
  CAF_CHECK_EQUAL(parsed->size(), 2u);
  CAF_CHECK((parsed->at({"ip", "empty"}).empty()));
  const auto& rows = parsed->at(cell1);
  CAF_REQUIRE_EQUAL(rows.size(), 2u);
  CAF_CHECK_EQUAL(rows[0].name, "syn");
  CAF_CHECK_EQUAL(rows[0].packets, 3u);
  CAF_CHECK_EQUAL(rows[1].chain, "out");
  CAF_CHECK_EQUAL(rows[1].handle, 4u);
  CAF_CHECK_EQUAL(rows[1].bytes, 900u);
  CAF_CHECK_EQUAL(rows[1].comment, "all");
  CAF_CHECK_EQUAL(rows[1].expressions,
                  R"({"match":{"left":{"meta":{"key":"iifname"}},"op":"==","right":"tap0"}},{"accept":null})");
}

CAF_TEST(a_document_of_another_form_is_refused) {
  for (
      const std::string text :
      {"", "{", "[]", "{}", R"({"nftables": {}})", R"({"nftables": [1]})",
       R"({"nftables": [{"table": {"family": "ip"}}]})",
       R"({"nftables": [{"counter": {"family": "ip", "table": "t", "name": "c", "packets": -1, "bytes": 0}}]})",
       R"({"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c"}}]})",
       R"({"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [{"counter": {"packets": 1}}]}}]})"}) {
    CAF_CHECK(!parse_nft_ruleset(text));
  }
  CAF_CHECK(parse_nft_ruleset(R"({"nftables": []})"));
  CAF_CHECK(!parse_nft_ruleset(R"({"nftables": )" + std::string(1000, '[') + std::string(1000, ']') + "}"));
  for (std::size_t length = 0; length < document.size(); ++length) {
    CAF_CHECK(!parse_nft_ruleset(document.substr(0, length)));
  }
}

CAF_TEST(a_long_rule_is_known_by_its_handle_alone) {
  const std::string comment(600, 'x');
  const auto parsed = parse_nft_ruleset(
      R"({"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 3, "expr": [{"log": ")" +
      comment + R"("}, {"counter": {"packets": 1, "bytes": 2}}]}}]})");
  CAF_REQUIRE(parsed);
  CAF_CHECK((parsed->at({"ip", "t"}).front().expressions.empty()));
}

CAF_TEST(counters_of_a_real_table_are_as_nft_says) {
  const test::network_test_namespace in;
  test::temporary_directory dir;
  test::write_file(dir / "rules", ruleset);
  if (!in || !in.run("nft -f " + (dir / "rules").string())) {
    CAF_MESSAGE("no nftables table can be made here");
    return;
  }
  const auto counters = counters_of(in.path());
  nftables_probe probe{counters, in.path(), cell1};
  const auto row = [&](std::uint64_t number, const std::string& key, const std::string& value) {
    const auto output = output_of(probe.read(turn(number)));
    for (const auto& each : output.at("rows")) {
      if (each.value(key, "") == value) return each;
    }
    return nlohmann::json{};
  };
  CAF_CHECK_EQUAL(count_in(row(1, "name", "syn"), "packets"), 0u);
  // Nobody listens: three segments that open a connection, three resets as answers.
  for (int i = 0; i < 3; ++i) in.run_at_peer("bash -c 'exec 3<>/dev/tcp/10.99.0.1/9' 2>/dev/null");
  CAF_CHECK_EQUAL(count_in(row(2, "name", "syn"), "packets"), 3u);
  const auto said = nlohmann::json::parse(in.run("nft -j list counter inet cell1 syn").value());
  for (const auto& each : said.at("nftables")) {
    if (!each.contains("counter")) continue;
    CAF_CHECK(each.at("counter").at("packets") == 3);
    CAF_CHECK(each.at("counter").at("bytes").get<std::uint64_t>() == count_in(row(3, "name", "syn"), "bytes"));
  }
  CAF_CHECK(count_in(row(3, "comment", "all"), "packets") >= 3);
  CAF_CHECK(row(3, "comment", "all").at("chain") == "in");
  CAF_CHECK(test::is_canonical(probe.read(turn(3))->output));
}

CAF_TEST(a_table_that_is_gone_is_an_error_and_comes_back_by_itself) {
  const test::network_test_namespace in;
  test::temporary_directory dir;
  test::write_file(dir / "rules", ruleset);
  if (!in || !in.run("nft -f " + (dir / "rules").string())) {
    CAF_MESSAGE("no nftables table can be made here");
    return;
  }
  const auto counters = counters_of(in.path());
  nftables_probe probe{counters, in.path(), cell1};
  nftables_probe other{counters, in.path(), {"inet", "other"}};
  CAF_CHECK_EQUAL(outcome(probe.read(turn(1))), "a reading");
  in.run("nft delete table inet cell1");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(2))), "io");
  CAF_CHECK_EQUAL(outcome(other.read(turn(2))), "a reading");
  in.run("nft -f " + (dir / "rules").string());
  CAF_CHECK_EQUAL(outcome(probe.read(turn(3))), "a reading");
}

CAF_TEST(a_namespace_that_is_not_there_is_an_error) {
  CAF_CHECK_EQUAL(outcome(read_nft_ruleset("/run/netns/cellos-test-absent")), "io");
}
