#include "runtime/probes/process_files.hpp"

#include <string>

#define CAF_SUITE process_files
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

std::string stat_of(const std::string& name, const std::string& state = "S") {
  return "4242 (" + name + ") " + state +
         " 1 4242 4242 0 -1 4194304 1210 0 3 0 151 52 0 0 20 0 4 0 987654 1234567 890 18446744073709551615 1 2 3 0 0 0 "
         "0 4096 0 0 0 0 17 1 0 0 0 0 0 4 5 6 7 8 9 10 256\n";
}

}  // namespace

CAF_TEST(the_fields_of_stat_are_found_by_their_numbers) {
  const auto stat = parse_process_stat(stat_of("firecracker"));
  CAF_REQUIRE(stat);
  CAF_CHECK_EQUAL(stat->pid, 4242u);
  CAF_CHECK_EQUAL(stat->state, 'S');
  CAF_CHECK_EQUAL(stat->user_ticks, 151u);
  CAF_CHECK_EQUAL(stat->system_ticks, 52u);
  CAF_CHECK_EQUAL(stat->threads, 4u);
  CAF_CHECK_EQUAL(stat->start_ticks, 987654u);
  CAF_CHECK_EQUAL(stat->exit_status, 256u);
  CAF_CHECK(!stat->has_ended());
  CAF_CHECK(parse_process_stat(stat_of("vmm", "Z"))->has_ended());
}

CAF_TEST(a_name_cannot_move_the_fields) {
  for (const std::string name : {") R 1 2 3", "a) (b", "((((", "x\ny", " ", ") Z 1 1 1 1 1 1 1 1 1 1 1 9 9 1 1 1"}) {
    const auto stat = parse_process_stat(stat_of(name));
    CAF_REQUIRE(stat);
    CAF_CHECK_EQUAL(stat->state, 'S');
    CAF_CHECK_EQUAL(stat->start_ticks, 987654u);
  }
}

CAF_TEST(a_stat_that_is_cut_short_anywhere_is_refused_or_the_same) {
  const std::string whole = stat_of("vmm");
  for (std::size_t length = 0; length < whole.size() - 4; ++length) {
    CAF_CHECK(!parse_process_stat(whole.substr(0, length)));
  }
}

CAF_TEST(status_has_sizes_in_bytes_and_the_real_uid) {
  const auto status = parse_process_status(
      "Name:\tfirecracker\nUmask:\t0022\nState:\tS (sleeping)\nUid:\t123\t124\t125\t126\nVmHWM:\t  2048 kB\n"
      "VmRSS:\t    1024 kB\nThreads:\t4\nSeccomp:\t2\n");
  CAF_REQUIRE(status);
  CAF_CHECK_EQUAL(status->uid, 123u);
  CAF_CHECK_EQUAL(status->resident_bytes, 1024u * 1024);
  CAF_CHECK_EQUAL(status->peak_resident_bytes, 2048u * 1024);
  CAF_CHECK_EQUAL(status->seccomp_mode, 2u);
}

CAF_TEST(a_status_without_memory_has_no_sizes_and_one_without_uid_is_none) {
  const auto zombie = parse_process_status("Name:\tx\nUid:\t0\t0\t0\t0\n");
  CAF_REQUIRE(zombie);
  CAF_CHECK_EQUAL(zombie->resident_bytes, 0u);
  CAF_CHECK(!parse_process_status("Name:\tx\n"));
  CAF_CHECK(!parse_process_status(""));
  CAF_CHECK(!parse_process_status("Uid:\tx\n"));
  CAF_CHECK(!parse_process_status("Uid:\t0\nVmRSS:\t5 MB\n"));
  CAF_CHECK(!parse_process_status("Uid:\t0\nVmRSS:\t99999999999999999999 kB\n"));
}
