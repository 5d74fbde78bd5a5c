#include "runtime/control/host_list.hpp"

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#define CAF_SUITE host_list
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;
using json = nlohmann::json;
using query = std::map<std::string, std::string, std::less<>>;

namespace {

host_status host(std::string id, bool connected, bool silent, std::uint32_t forks, std::chrono::seconds lag) {
  host_status made;
  made.host_id = std::move(id);
  made.is_connected = connected;
  made.is_silent = silent;
  made.forks = forks;
  made.lag = forwarding_lag{1, 1, lag};
  made.cells = cell_figures{10, 2};
  return made;
}

std::vector<host_status> some_hosts() {
  return {host("a", true, false, 0, 1s), host("b", false, false, 0, 9s), host("c", true, false, 1, 0s),
          host("d", false, true, 0, 5s), host("e", true, false, 0, 7s)};
}

json ask(const query& asked) {
  const http_answer answer = list_hosts(some_hosts(), asked);
  CAF_REQUIRE_EQUAL(answer.status, 200u);
  return json::parse(answer.body);
}

std::string names(const json& answer) {
  std::string all;
  for (const json& each : answer.at("hosts")) all += each.at("host_id").get<std::string>();
  return all;
}

}  // namespace

CAF_TEST(hosts_come_by_name_or_those_first_that_need_somebody) {
  CAF_CHECK_EQUAL(names(ask({})), "abcde");
  CAF_CHECK_EQUAL(names(ask({{"order", "attention"}})), "dcbea");
}

CAF_TEST(a_page_is_a_part_of_what_matches_and_counts_are_of_all) {
  const json page = ask({{"state", "connected"}, {"offset", "1"}, {"limit", "1"}});
  CAF_CHECK_EQUAL(names(page), "c");
  CAF_CHECK_EQUAL(page.at("matching"), 3);
  CAF_CHECK_EQUAL(page.at("offset"), 1);
  CAF_CHECK_EQUAL(page.at("counts").at("all"), 5);
  CAF_CHECK_EQUAL(page.at("counts").at("connected"), 3);
  CAF_CHECK_EQUAL(page.at("counts").at("disconnected"), 1);
  CAF_CHECK_EQUAL(page.at("counts").at("silenced"), 1);
  CAF_CHECK_EQUAL(page.at("counts").at("forked"), 1);
  CAF_CHECK_EQUAL(page.at("counts").at("silenced_cells"), 10);
  CAF_CHECK_EQUAL(names(ask({{"offset", "77"}})), "");
  CAF_CHECK_EQUAL(names(ask({{"name", "d"}})), "d");
}

CAF_TEST(what_is_not_known_is_null) {
  host_status unknown;
  unknown.host_id = "x";
  const json only = json::parse(list_hosts({unknown}, {}).body).at("hosts").at(0);
  CAF_CHECK(only.at("lag").is_null());
  CAF_CHECK(only.at("cells").is_null());
  CAF_CHECK(only.at("silenced_cells").is_null());
}

CAF_TEST(however_many_hosts_there_are_an_answer_has_a_thousand_at_most) {
  std::vector<host_status> many(10'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].host_id = std::to_string(i);
  CAF_CHECK_EQUAL(json::parse(list_hosts(many, {}).body).at("hosts").size(), 100u);
  CAF_CHECK_EQUAL(json::parse(list_hosts(many, {{"limit", "1000"}}).body).at("hosts").size(), 1000u);
  CAF_CHECK(list_hosts(many, {{"limit", "1001"}}).status == 400);
}

CAF_TEST(a_parameter_that_there_is_not_or_that_has_no_such_value_is_refused_with_what_to_write) {
  for (const auto& [key, value] :
       query{{"ordre", "name"}, {"order", "size"}, {"state", "ok"}, {"limit", "0"}, {"offset", "-1"}}) {
    const http_answer refused = list_hosts(some_hosts(), {{key, value}});
    CAF_CHECK_EQUAL(refused.status, 400u);
    CAF_CHECK(!json::parse(refused.body).at("hint").get<std::string>().empty());
  }
}
