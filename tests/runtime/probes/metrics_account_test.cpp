#include "runtime/probes/metrics_account.hpp"

#include <random>

#define CAF_SUITE metrics_account
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::uint64_t value(const metrics_account& account, std::string_view name) {
  const auto place = account.values().find(name);
  return place == account.values().end() ? 0 : place->second;
}

}  // namespace

CAF_TEST(what_counts_is_added_up_and_what_was_a_moment_is_replaced) {
  metrics_account account;
  account.take(R"({"utc_timestamp_ms":1000,"net":{"rx_packets_count":5,"tx_bytes_count":10},"vmm":{"panic_count":0},)"
               R"("vcpu":{"exit_io_in":7,"exit_io_in_agg":{"min_us":3,"max_us":9,"sum_us":12}},)"
               R"("signals":{"sigpipe":1,"sigsegv":0},"latencies_us":{"pause_vm":50},"seccomp":{"num_faults":0}})"
               "\n");
  account.take(R"({"utc_timestamp_ms":61000,"net":{"rx_packets_count":2,"tx_bytes_count":0},"vmm":{"panic_count":1},)"
               R"("vcpu":{"exit_io_in":1,"exit_io_in_agg":{"min_us":4,"max_us":5,"sum_us":4}},)"
               R"("signals":{"sigpipe":1,"sigsegv":1},"latencies_us":{"pause_vm":20},"seccomp":{"num_faults":0}})"
               "\n");
  CAF_CHECK_EQUAL(account.documents(), 2u);
  CAF_CHECK_EQUAL(value(account, "net.rx_packets_count"), 7u);
  CAF_CHECK_EQUAL(value(account, "net.tx_bytes_count"), 10u);
  CAF_CHECK_EQUAL(value(account, "vcpu.exit_io_in"), 8u);
  CAF_CHECK_EQUAL(value(account, "vcpu.exit_io_in_agg.sum_us"), 16u);
  CAF_CHECK_EQUAL(value(account, "vcpu.exit_io_in_agg.max_us"), 5u);
  CAF_CHECK_EQUAL(value(account, "signals.sigpipe"), 2u);
  CAF_CHECK_EQUAL(value(account, "signals.sigsegv"), 1u);
  CAF_CHECK_EQUAL(value(account, "latencies_us.pause_vm"), 20u);
  CAF_CHECK_EQUAL(value(account, "vmm.panic_count"), 1u);
  CAF_CHECK_EQUAL(value(account, "utc_timestamp_ms"), 61000u);
  CAF_CHECK(!account.values().contains("seccomp.num_faults"));
  CAF_CHECK(account.last_document().starts_with(R"({"latencies_us":{"pause_vm":20},"net":)"));
}

CAF_TEST(pieces_of_any_size_are_the_same_documents) {
  std::string text;
  for (int i = 1; i <= 50; ++i) text += R"({"net":{"rx_bytes_count":)" + std::to_string(i) + R"(},"s":"\n"})" + "\n";
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random{seed};
    metrics_account account;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = 1 + random() % 60;
      account.take(std::string_view{text}.substr(at, length));
      at += length;
    }
    CAF_CHECK_EQUAL(account.documents(), 50u);
    CAF_CHECK_EQUAL(value(account, "net.rx_bytes_count"), 1275u);
    CAF_CHECK_EQUAL(account.malformed_lines(), 0u);
  }
}

CAF_TEST(half_a_document_is_none_until_the_rest_is_there) {
  metrics_account account;
  account.take(R"({"net":{"rx_bytes)");
  CAF_CHECK_EQUAL(account.documents(), 0u);
  CAF_CHECK_EQUAL(account.malformed_lines(), 0u);
  account.take("_count\":4}}\n");
  CAF_CHECK_EQUAL(account.documents(), 1u);
}

CAF_TEST(a_line_that_is_none_costs_itself_alone) {
  metrics_account account;
  for (const std::string line : {"null", "[1]", "{\"a\":1", "{\"a\":1,\"a\":2}", "garbage", "{\"a\":\xff}"}) {
    account.take(line + "\n");
  }
  CAF_CHECK_EQUAL(account.malformed_lines(), 6u);
  CAF_CHECK(account.values().empty());
  account.take("\n\n{\"a\":1}\n");
  CAF_CHECK_EQUAL(account.documents(), 1u);
  CAF_CHECK_EQUAL(value(account, "a"), 1u);
}

CAF_TEST(what_a_vmm_can_make_its_host_keep_is_bounded) {
  metrics_limits limits;
  limits.document_bytes = 1000;
  limits.values = 10;
  limits.name_bytes = 20;
  metrics_account account{limits};
  for (int i = 0; i < 1000; ++i) account.take(std::string(100'000, 'x'));
  CAF_CHECK_EQUAL(account.malformed_lines(), 1u);
  account.take("\n");
  for (int i = 0; i < 1000; ++i) account.take("{\"name" + std::to_string(i) + "\":1}\n");
  CAF_CHECK_EQUAL(account.values().size(), 10u);
  CAF_CHECK_EQUAL(account.values_left_out(), 990u);
  account.take("{\"" + std::string(500, '[') + "\":1}\n{\"a\":" + std::string(400, '[') + std::string(400, ']') +
               "}\n");
  CAF_CHECK_EQUAL(account.values_left_out(), 991u);
  CAF_CHECK_EQUAL(account.malformed_lines(), 2u);
}

CAF_TEST(sums_stop_at_the_largest_number) {
  metrics_account account;
  account.take("{\"a\":18446744073709551615,\"b\":-5,\"c\":1.5,\"d\":true}\n{\"a\":18446744073709551615}\n");
  CAF_CHECK_EQUAL(value(account, "a"), UINT64_MAX);
  CAF_CHECK_EQUAL(account.values().size(), 1u);
}
