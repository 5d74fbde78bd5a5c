#include "runtime/control/cell_document.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "runtime/configuration/keys.hpp"
#include "runtime/text/units.hpp"

#define CAF_SUITE cell_document
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

document_refusal refused(std::string_view id, std::string_view body) {
  const cell_or_refusal read = read_cell(id, body);
  const auto* refusal = std::get_if<document_refusal>(&read);
  return refusal == nullptr ? document_refusal{"accepted", "", ""} : *refusal;
}

constexpr std::string_view smallest = R"({"run_id":"r","vsock_uds_base":"/v","spec_signature_hash":"s"})";

}  // namespace

CAF_TEST(the_smallest_body_makes_a_cell_with_defaults) {
  const cell_or_refusal read = read_cell("c1", smallest);
  const auto* cell = std::get_if<cell_specification>(&read);
  CAF_REQUIRE(cell != nullptr);
  cell_specification expected;
  expected.cell_id = "c1";
  expected.run_id = "r";
  expected.vsock_uds_base = "/v";
  expected.spec_signature_hash = "s";
  CAF_CHECK(*cell == expected);
}

CAF_TEST(the_document_of_the_api_names_the_defaults_and_limits_that_count) {
  const auto file = std::filesystem::path{CELLOS_SOURCE_DIR} / "config" / "openapi.json";
  std::ifstream text{file};
  const auto fields =
      nlohmann::json::parse(text).at("components").at("schemas").at("CellSpecification").at("properties");
  const cell_specification defaults;
  CAF_CHECK_EQUAL(fields.at("keepalive_window").at("default").get<std::string>(),
                  duration_text(defaults.keepalive_window));
  CAF_CHECK_EQUAL(fields.at("on_agent_failure").at("default").get<std::string>(),
                  std::string{to_string(defaults.on_agent_failure)});
  for (const char* name : {"run_id", "vsock_uds_base", "spec_signature_hash"}) {
    const auto longest = fields.at(name).at("maxLength").get<std::size_t>();
    auto body = nlohmann::json::parse(smallest);
    body[name] = "/" + std::string(longest - 1, 'v');
    if (std::string_view{name} == "run_id") body[name] = std::string(longest, 'v');
    CAF_CHECK(std::holds_alternative<cell_specification>(read_cell("c1", body.dump())));
    body[name] = body[name].get<std::string>() + "v";
    CAF_CHECK(std::holds_alternative<document_refusal>(read_cell("c1", body.dump())));
  }
}

CAF_TEST(the_document_of_the_api_names_every_field_of_a_cell) {
  std::ifstream text{std::filesystem::path{CELLOS_SOURCE_DIR} / "config" / "openapi.json"};
  const auto fields =
      nlohmann::json::parse(text).at("components").at("schemas").at("CellSpecification").at("properties");
  std::set<std::string> described;
  for (const auto& [name, field] : fields.items()) described.insert(name);
  std::set<std::string> known;
  cell_specification any;
  for (const auto& key : settings::keys_of(any)) known.emplace(key.name);
  // The one is in the path, the other for the configuration file alone.
  CAF_CHECK_EQUAL(known.erase("id") + known.erase("exec_probe"), 2u);
  CAF_CHECK(described == known);
}

CAF_TEST(a_cell_written_is_read_as_the_same) {
  cell_specification cell;
  cell.cell_id = "c1";
  cell.run_id = "r";
  cell.vsock_uds_base = "/v \"quoted\" \xC3\xA9";
  cell.spec_signature_hash = "sha256:\\";
  cell.expected_uid = 0;
  cell.on_agent_failure = agent_failure_policy::fail_cell;
  cell.probes = {std::set{host_probe::cgroup}, "tap0", "inet t", "syn", "/n", "/m", "/api", std::nullopt, "/fc/c1",
                 witness_terms{6, 7, 0, 9, 8}};
  for (const auto window : {1'000'000ns, 1'000'001ns, 1'500'000'000ns, 90'000'000'000ns}) {
    cell.keepalive_window = window;
    const cell_or_refusal read = read_cell("c1", cell_to_json(cell).dump());
    CAF_CHECK(std::holds_alternative<cell_specification>(read) && std::get<cell_specification>(read) == cell);
  }
}

CAF_TEST(durations_are_written_as_they_are_read) {
  CAF_CHECK_EQUAL(duration_text(10s), "10s");
  CAF_CHECK_EQUAL(duration_text(250ms), "250ms");
  CAF_CHECK_EQUAL(duration_text(1500ms), "1500ms");
  CAF_CHECK_EQUAL(duration_text(7us), "7us");
  for (const auto duration : {1ns, 999ns, 1001ns, 123'456'789ns}) {
    CAF_CHECK(parse_duration(duration_text(duration)) == duration);
  }
}

CAF_TEST(bodies_of_the_wrong_form_are_refused_as_a_whole) {
  for (const std::string_view body :
       {"", "x", "[]", "3", "null", "{", "\xFF", R"({"a":1}})", R"({"run_id":"\ud800"})"}) {
    const auto refusal = refused("c1", body);
    CAF_CHECK_NOT_EQUAL(refusal.error, "accepted");
    CAF_CHECK_EQUAL(refusal.field, "");
  }
  CAF_CHECK_EQUAL(refused("c1", R"({"run_id":[[[[[[[[[[1]]]]]]]]]]})").error, "the body is nested too deeply");
}

CAF_TEST(members_are_refused_by_name) {
  CAF_CHECK_EQUAL(refused("c1", "{}").field, "run_id");
  CAF_CHECK_EQUAL(refused("c1", R"({"run_id":7,"vsock_uds_base":"/v","spec_signature_hash":"s"})").error,
                  "is an integer, not a string");
  CAF_CHECK_EQUAL(
      refused("c1", R"({"expected_uid":1.5,"run_id":"r","vsock_uds_base":"/v","spec_signature_hash":"s"})").field,
      "expected_uid");
  CAF_CHECK_EQUAL(refused("c1", R"({"run_id":"a","run_id":"b"})").error, "is there twice");
  CAF_CHECK_EQUAL(refused("no spaces", smallest).field, "id");
  CAF_CHECK_EQUAL(refused("", smallest).field, "id");
  CAF_CHECK_EQUAL(refused("c1", R"({"\u0000":1})").field, "\\x00");
}

CAF_TEST(what_does_not_go_together_is_refused_as_in_the_file) {
  const auto with = [](const std::string& members) {
    return refused("c1", R"({"run_id":"r","vsock_uds_base":"/v","spec_signature_hash":"s",)" + members + "}");
  };
  const auto counter = with(R"("connection_counter":"syn")");
  CAF_CHECK_EQUAL(counter.field, "connection_counter");
  CAF_CHECK_EQUAL(counter.error, "names a counter of no table");
  CAF_CHECK_EQUAL(counter.hint, "write nft_table beside it");
  CAF_CHECK_EQUAL(with(R"("network_namespace":"/n")").field, "network_namespace");
  CAF_CHECK_EQUAL(with(R"("attempts_threshold":5)").field, "attempts_threshold");
  CAF_CHECK_EQUAL(with(R"("packets_background":5)").field, "packets_background");
  CAF_CHECK_EQUAL(with(R"("tap":"tap0","packets_background":5)").error, "accepted");
  CAF_CHECK_EQUAL(with(R"("cgroup":"fc/c1")").field, "cgroup");
  CAF_CHECK_EQUAL(with(R"("fc_metrics":"metrics")").field, "fc_metrics");
  CAF_CHECK_EQUAL(with(R"("fc_api_socket":"/api")").hint, "write fc_metrics beside it");
  CAF_CHECK_EQUAL(with(R"("fc_metrics":"/m","fc_api_socket":"/api/")").field, "fc_api_socket");
  CAF_CHECK_EQUAL(with(R"("network_namespace":"netns/c1","tap":"tap0")").field, "network_namespace");
  const auto unknown = with(R"("probes":["tap"])");
  CAF_CHECK_EQUAL(unknown.field, "probes");
  CAF_CHECK(unknown.hint.find("tap, nft_table") != std::string::npos);
}

CAF_TEST(a_program_to_run_is_for_the_configuration_file_alone) {
  const auto program =
      refused("c1", R"({"run_id":"r","vsock_uds_base":"/v","spec_signature_hash":"s","exec_probe":["/bin/sh"]})");
  CAF_CHECK_EQUAL(program.field, "exec_probe");
}

CAF_TEST(a_member_that_is_null_is_as_good_as_absent_where_it_is_optional) {
  const cell_or_refusal read =
      read_cell("c1", R"({"run_id":"r","vsock_uds_base":"/v","spec_signature_hash":"s",)"
                      R"("keepalive_window":null,"expected_uid":null,"on_agent_failure":null})");
  CAF_REQUIRE(std::holds_alternative<cell_specification>(read));
  CAF_CHECK(std::get<cell_specification>(read) == std::get<cell_specification>(read_cell("c1", smallest)));
  const auto refusal = refused("c1", R"({"run_id":null,"vsock_uds_base":"/v","spec_signature_hash":"s"})");
  CAF_CHECK_EQUAL(refusal.field, "run_id");
  CAF_CHECK_EQUAL(refusal.error, "is null, not a string");
}

CAF_TEST(a_status_says_how_old_it_is_only_where_it_is_old) {
  cell_status status;
  CAF_CHECK(!to_json(status).contains("stale_for_seconds"));
  status.stale_for = 2500ms;
  CAF_CHECK_EQUAL(to_json(status).at("stale_for_seconds").get<double>(), 2.5);
}
