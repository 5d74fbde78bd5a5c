#include "runtime/probes/nftables_probe.hpp"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstdint>
#include <string>

#include "runtime/probes/nft_source.hpp"
#include "tests/runtime/probes/netlink_text.hpp"
#include "tests/runtime/probes/network_test_namespace.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE nftables_probe
#include "caf/test/dsl.hpp"

using namespace cellos;
using cellos::test::attribute;
using cellos::test::count_in;
using cellos::test::done;
using cellos::test::message;
using cellos::test::outcome;
using cellos::test::output_of;
using cellos::test::take;
using cellos::test::turn;

namespace {

const nft_table_name cell1{"inet", "cell1"};

constexpr std::uint16_t nft(int type) { return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type); }

std::string text(std::uint16_t type, const std::string& value) { return attribute(type, value + std::string(1, '\0')); }
std::string number(std::uint16_t type, std::uint64_t value) {
  const auto ordered = htobe64(value);
  return attribute(type, {reinterpret_cast<const char*>(&ordered), sizeof ordered});
}
std::string counts(std::uint64_t packets, std::uint64_t bytes) {
  return number(NFTA_COUNTER_BYTES, bytes) + number(NFTA_COUNTER_PACKETS, packets);
}
std::string of_family(std::uint8_t family, const std::string& attributes) {
  const nfgenmsg head{family, NFNETLINK_V0, 0};
  return std::string{reinterpret_cast<const char*>(&head), sizeof head} + attributes;
}
std::string table(const std::string& name, std::uint8_t family = NFPROTO_INET) {
  return message(nft(NFT_MSG_NEWTABLE), 1, of_family(family, text(NFTA_TABLE_NAME, name)));
}
std::string named_counter(const std::string& name, const std::string& content) {
  const auto type = htobe32(NFT_OBJECT_COUNTER);
  return message(nft(NFT_MSG_NEWOBJ), 1,
                 of_family(NFPROTO_INET, text(NFTA_OBJ_TABLE, "cell1") + text(NFTA_OBJ_NAME, name) +
                                             attribute(NFTA_OBJ_TYPE, {reinterpret_cast<const char*>(&type), 4}) +
                                             number(NFTA_OBJ_HANDLE, 2) + attribute(NFTA_OBJ_DATA, content)));
}
std::string expression(const std::string& name, const std::string& data = "") {
  return attribute(NFTA_LIST_ELEM, text(NFTA_EXPR_NAME, name) + attribute(NFTA_EXPR_DATA, data));
}
std::string rule(std::uint64_t handle, const std::string& expressions, const std::string& comment) {
  std::string user_data{"\x05\x01?\0", 3};
  user_data += '\0';
  user_data += static_cast<char>(comment.size() + 1);
  user_data += comment + std::string(1, '\0');
  return message(
      nft(NFT_MSG_NEWRULE), 1,
      of_family(NFPROTO_INET, text(NFTA_RULE_TABLE, "cell1") + text(NFTA_RULE_CHAIN, "out") +
                                  number(NFTA_RULE_HANDLE, handle) + attribute(NFTA_RULE_EXPRESSIONS, expressions) +
                                  attribute(NFTA_RULE_USERDATA, user_data)));
}

/// What a kernel answers, in one datagram.
std::string listing() {
  return table("cell1") + table("empty", NFPROTO_IPV4) + named_counter("syn", counts(3, 180)) +
         rule(4, expression("meta") + expression("cmp") + expression("counter", counts(9, 900)), "all") +
         rule(5, expression("payload") + expression("objref"), "") + message(NLMSG_DONE, 1, done);
}

/// A ruleset for the namespace: what comes in by its pair of interfaces is counted.
constexpr std::string_view real_rules = R"(table inet cell1 {
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
  nft_ruleset ruleset;
  nft_dump dump{1, ruleset};
  CAF_REQUIRE(take(dump, listing()) == netlink_dump::progress::complete);
  CAF_CHECK_EQUAL(ruleset.size(), 2u);
  CAF_CHECK((ruleset.at({"ip", "empty"}).empty()));
  const auto& rows = ruleset.at(cell1);
  CAF_REQUIRE_EQUAL(rows.size(), 2u);
  CAF_CHECK_EQUAL(rows[0].name, "syn");
  CAF_CHECK_EQUAL(rows[0].packets, 3u);
  CAF_CHECK_EQUAL(rows[0].bytes, 180u);
  CAF_CHECK_EQUAL(rows[0].handle, 2u);
  CAF_CHECK_EQUAL(rows[1].chain, "out");
  CAF_CHECK_EQUAL(rows[1].handle, 4u);
  CAF_CHECK_EQUAL(rows[1].bytes, 900u);
  CAF_CHECK_EQUAL(rows[1].comment, "all");
  CAF_CHECK_EQUAL(rows[1].expressions, "meta,cmp,counter");
}

CAF_TEST(an_answer_of_another_form_is_refused_and_its_end_is_never_passed) {
  const auto is_refused = [](const std::string& datagram) {
    nft_ruleset ruleset;
    nft_dump dump{1, ruleset};
    return take(dump, datagram) == netlink_dump::progress::malformed;
  };
  CAF_CHECK(is_refused(table("")));
  CAF_CHECK(is_refused(table("\xff")));
  CAF_CHECK(is_refused(named_counter("", counts(1, 1))));
  CAF_CHECK(is_refused(message(nft(NFT_MSG_NEWRULE), 1, "ab")));
  CAF_CHECK(!is_refused(named_counter("short", "ab")));
  const std::string whole = listing();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    nft_ruleset ruleset;
    nft_dump dump{1, ruleset};
    CAF_CHECK(take(dump, whole.substr(0, length)) != netlink_dump::progress::complete);
    // Whatever the inner lengths say.
    std::string other = whole;
    other[length] = '\xff';
    nft_ruleset damaged;
    nft_dump again{1, damaged};
    take(again, other);
  }
}

CAF_TEST(a_long_rule_is_known_by_its_handle_alone) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += expression("bitwise");
  nft_ruleset ruleset;
  nft_dump dump{1, ruleset};
  take(dump, rule(3, many + expression("counter", counts(1, 2)), ""));
  CAF_CHECK((ruleset.at(cell1).front().expressions.empty()));
}

CAF_TEST(more_counters_than_any_host_has_are_refused) {
  nft_ruleset ruleset;
  nft_dump dump{1, ruleset};
  const std::string one = named_counter("syn", counts(1, 1));
  for (std::size_t i = 0; i < nft_dump::most_counters; ++i) (void)dump.take({one.data(), one.size()});
  CAF_CHECK(take(dump, one) == netlink_dump::progress::malformed);
}

CAF_TEST(counters_of_a_real_table_are_as_nft_says) {
  const test::network_test_namespace in;
  test::temporary_directory dir;
  test::write_file(dir / "rules", real_rules);
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
  test::write_file(dir / "rules", real_rules);
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
  CAF_CHECK_EQUAL(outcome(read_nft_ruleset("/run/netns/cellos-test-absent", monotonic_time::max())), "io");
}
