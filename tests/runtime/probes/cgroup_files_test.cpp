#include "runtime/probes/cgroup_files.hpp"

#define CAF_SUITE cgroup_files
#include "caf/test/dsl.hpp"

using namespace cellos;

CAF_TEST(flat_files_keep_their_order) {
  const auto values = parse_flat_values("low 0\nhigh 3\nmax 18446744073709551615\noom_kill 1\n");
  CAF_REQUIRE(values);
  CAF_CHECK(*values == (flat_values{{"low", 0}, {"high", 3}, {"max", UINT64_MAX}, {"oom_kill", 1}}));
  CAF_CHECK(parse_flat_values("max 4\nmax.imposed 5\n"));
  CAF_CHECK(parse_flat_values("")->empty());
}

CAF_TEST(what_is_no_flat_file_is_refused) {
  for (const char* text : {"low\n", "low x\n", "low -1\n", "low 1 2\n", " 1\n", "low 1\n\n", "low  1\n", "a\"b 1\n",
                           "low 1\nlow 2\n", "low 18446744073709551616\n", "Low 1\n", "low 1\r\n"}) {
    CAF_CHECK(!parse_flat_values(text));
  }
  std::string many;
  for (int i = 0; i < 300; ++i) many += "k" + std::to_string(i) + " 1\n";
  CAF_CHECK(!parse_flat_values(many));
}

CAF_TEST(a_single_value_is_one_number) {
  CAF_CHECK(parse_single_value("4096\n") == 4096u);
  CAF_CHECK(parse_single_value("0") == 0u);
  for (const char* text : {"", "\n", "max\n", "1\n2\n", "-1\n", "1 \n"}) CAF_CHECK(!parse_single_value(text));
}

CAF_TEST(pressure_has_what_some_and_what_all_tasks_lost) {
  const auto parsed = parse_pressure(
      "some avg10=1.25 avg60=0.00 avg300=100.00 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  CAF_REQUIRE(parsed && parsed->some && parsed->full);
  CAF_CHECK_EQUAL(parsed->some->avg10, "1.25");
  CAF_CHECK_EQUAL(parsed->some->avg300, "100.00");
  CAF_CHECK_EQUAL(parsed->some->total_us, 123456u);
  CAF_CHECK_EQUAL(parsed->full->total_us, 7u);
  CAF_CHECK(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"));
}

CAF_TEST(what_is_no_pressure_is_refused) {
  for (const char* text :
       {"", "some\n", "some avg10=0.00\n", "many avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "some avg10=\"x\" avg60=0.00 avg300=0.00 total=0\n", "some avg10=0.00 avg60=0.00 avg300=0.00 total=x\n",
        "some avg10=0 avg60=0.00 avg300=0.00 total=0\n", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0 more=1\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nsome avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"}) {
    CAF_CHECK(!parse_pressure(text));
  }
}

CAF_TEST(a_membership_has_a_path_for_each_hierarchy) {
  const auto groups = parse_cgroup_membership(
      "9:name=systemd:/\n8:pids:/jailer/cell-1\n4:memory:/a:b/c\n2:cpu,cpuacct:/jailer/cell-1\n0::/firecracker/"
      "cell-1\n");
  CAF_REQUIRE(groups);
  CAF_CHECK(groups->v2 == "firecracker/cell-1");
  CAF_CHECK(groups->v1_path("memory") == "a:b/c");
  CAF_CHECK(groups->v1_path("cpuacct") == "jailer/cell-1");
  CAF_CHECK(groups->v1_path("pids") == "jailer/cell-1");
  CAF_CHECK(!groups->v1_path("blkio"));
  CAF_CHECK(!groups->v1_path("systemd"));
}

CAF_TEST(a_membership_that_leads_out_of_the_hierarchy_is_refused) {
  for (const char* text : {"0::/../cell\n", "0::/a/../../b\n", "0::/..\n", "0::relative\n", "0:\n", "x::/\n",
                           "0::/a\n0::/b\n", "0:memory:/\n"}) {
    CAF_CHECK(!parse_cgroup_membership(text));
  }
  CAF_CHECK(parse_cgroup_membership("0::/..a/b..\n"));
}
