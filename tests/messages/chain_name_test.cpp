#include "messages/chain_name.hpp"

#include <string>

#define CAF_SUITE chain_name
#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(what_is_spelled_is_read_again) {
  const std::string run = run_chain_name("host-a", "cell-1", "run-7", 1'700'000'000'000);
  CAF_CHECK_EQUAL(run, "host-a/cell-1/run-7/1700000000000");
  const auto of_run = parse_chain_name(run);
  CAF_REQUIRE(of_run.has_value());
  CAF_CHECK(*of_run == (chain_name{"host-a", "cell-1", "run-7", "1700000000000"}));
  CAF_CHECK(!of_run->is_host());
  CAF_CHECK_EQUAL(of_run->source(), "/cellos/host/host-a");
  CAF_CHECK_EQUAL(of_run->subject(), "urn:cellos:cell:cell-1");
  CAF_CHECK(of_run->subject().starts_with(cell_subject_begin));

  const std::string host = host_chain_name("host-a", 7);
  CAF_CHECK_EQUAL(host, "host-a/7");
  const auto of_host = parse_chain_name(host);
  CAF_REQUIRE(of_host.has_value());
  CAF_CHECK(of_host->is_host());
  CAF_CHECK_EQUAL(of_host->epoch_number().value_or(0), 7u);
  CAF_CHECK_EQUAL(of_host->source(), "/cellos/host/host-a");
  CAF_CHECK_EQUAL(of_host->subject(), "urn:cellos:host:host-a");
}

CAF_TEST(nothing_else_is_a_name) {
  for (const std::string& text :
       {std::string{}, std::string{"host-a"}, std::string{"host-a/"}, std::string{"/1"}, std::string{"host-a/x"},
        std::string{"host-a/cell-1/1"}, std::string{"host-a//run-1/1"}, std::string{"host-a/cell-1/run-1/1/1"},
        std::string{"host-a/cell-1/run-1/1x"}, std::string{"host a/1"}, std::string{"host\x1b/1"}, std::string{"h\"/1"},
        std::string{"h\\/1"}, std::string{"caf\xC3\xA9/1"}, std::string(511, 'h') + "/1"}) {
    CAF_MESSAGE(text);
    CAF_CHECK(!parse_chain_name(text));
  }
}

CAF_TEST(an_epoch_beyond_64_bits_is_a_name_without_a_number) {
  const auto name = parse_chain_name("host-a/18446744073709551616");
  CAF_REQUIRE(name.has_value());
  CAF_CHECK(!name->epoch_number());
}
