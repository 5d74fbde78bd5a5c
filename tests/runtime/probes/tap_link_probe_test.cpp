#include "runtime/probes/tap_link_probe.hpp"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <vector>

#include "runtime/probes/link_source.hpp"
#include "runtime/probes/network_namespace.hpp"
#include "tests/runtime/probes/netlink_text.hpp"
#include "tests/runtime/probes/network_test_namespace.hpp"
#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE tap_link_probe
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

using progress = link_dump::progress;

std::string link(const std::string& name) {
  ifinfomsg head{};
  head.ifi_index = 7;
  return std::string{reinterpret_cast<const char*>(&head), sizeof head} +
         attribute(IFLA_IFNAME, name + std::string(1, '\0')) + attribute(IFLA_OPERSTATE, "\x06");
}

nlohmann::json ip_says(const test::network_test_namespace& in, const std::string& interface) {
  return nlohmann::json::parse(in.run("ip -j -s link show dev " + interface).value()).at(0);
}

}  // namespace

CAF_TEST(a_dump_is_complete_when_the_kernel_says_so) {
  link_dump dump{3};
  CAF_CHECK(take(dump, message(RTM_NEWLINK, 3, link("lo")) + message(RTM_NEWLINK, 3, link("tap0"))) == progress::more);
  CAF_CHECK(take(dump, message(RTM_NEWLINK, 2, link("former"))) == progress::more);
  CAF_CHECK(take(dump, message(NLMSG_DONE, 3, done)) == progress::complete);
  CAF_CHECK_EQUAL(dump.links().size(), 2u);
  CAF_CHECK_EQUAL(dump.links().at("tap0").operstate, "up");
  CAF_CHECK_EQUAL(dump.links().at("tap0").index, 7u);
}

CAF_TEST(a_dump_that_links_changed_under_is_not_believed) {
  link_dump dump{1};
  CAF_CHECK(take(dump, message(RTM_NEWLINK, 1, link("lo"), NLM_F_DUMP_INTR)) == progress::more);
  CAF_CHECK(take(dump, message(NLMSG_DONE, 1, done)) == progress::interrupted);
}

CAF_TEST(a_refusal_has_its_number) {
  link_dump dump{1};
  const int error = -EPERM;
  CAF_CHECK(take(dump, message(NLMSG_ERROR, 1, {reinterpret_cast<const char*>(&error), sizeof error})) ==
            progress::refused);
  CAF_CHECK_EQUAL(dump.refusal(), EPERM);
}

CAF_TEST(no_length_is_believed) {
  const std::string good = message(RTM_NEWLINK, 1, link("tap0"));
  for (std::size_t length = 1; length < good.size(); ++length) {
    link_dump dump{1};
    CAF_CHECK(take(dump, good.substr(0, length)) != progress::complete);
    CAF_CHECK(dump.links().empty());
  }
  for (const std::uint32_t length : {0u, 1u, 15u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    std::string lying = good;
    std::memcpy(lying.data(), &length, sizeof length);
    link_dump dump{1};
    CAF_CHECK(take(dump, lying) == progress::malformed);
  }
  link_dump dump{1};
  CAF_CHECK(take(dump, message(RTM_NEWLINK, 1, "short")) == progress::malformed);
}

CAF_TEST(links_are_as_ip_says_in_a_namespace) {
  const test::network_test_namespace in;
  if (!in) {
    CAF_MESSAGE("no network namespace can be made here");
    return;
  }
  in.run_at_peer("ping -c 3 -i 0.2 -W 1 10.99.0.1");
  const auto links = links_of(in.path());
  tap_link_probe tap{links, in.path(), "cfc-tap"};
  tap_link_probe veth{links, in.path(), "cfc-veth"};
  CAF_CHECK(output_of(tap.read(turn(1))).at("operstate") == "down");
  CAF_CHECK(output_of(tap.read(turn(1))).at("carrier") == false);

  // Neighbour discovery comes when it likes: until both looked at the same moment.
  bool same = false;
  for (std::uint64_t attempt = 2; attempt < 30 && !same; ++attempt) {
    const auto before = ip_says(in, "cfc-veth");
    const auto reading = veth.read(turn(attempt));
    const auto after = ip_says(in, "cfc-veth");
    if (before != after) continue;
    const auto output = output_of(reading);
    const auto& rx = after.at("stats64").at("rx");
    const auto& tx = after.at("stats64").at("tx");
    CAF_CHECK_EQUAL(count_in(output, "rxPackets"), rx.at("packets").get<std::uint64_t>());
    CAF_CHECK_EQUAL(count_in(output, "rxBytes"), rx.at("bytes").get<std::uint64_t>());
    CAF_CHECK_EQUAL(count_in(output, "txPackets"), tx.at("packets").get<std::uint64_t>());
    CAF_CHECK_EQUAL(count_in(output, "txBytes"), tx.at("bytes").get<std::uint64_t>());
    CAF_CHECK(output.at("index") == after.at("ifindex"));
    CAF_CHECK(output.at("operstate") == "up");
    CAF_CHECK(count_in(output, "rxPackets") > 0);
    CAF_CHECK(test::is_canonical(reading->output));
    same = true;
  }
  CAF_CHECK(same);
}

CAF_TEST(an_interface_that_vanishes_and_comes_back_is_another_one) {
  const test::network_test_namespace in;
  if (!in) {
    CAF_MESSAGE("no network namespace can be made here");
    return;
  }
  tap_link_probe tap{links_of(in.path()), in.path(), "cfc-tap"};
  const auto first = output_of(tap.read(turn(1)));
  in.run("ip link del cfc-tap");
  CAF_CHECK_EQUAL(outcome(tap.read(turn(2))), "io");
  in.run("ip tuntap add cfc-tap mode tap");
  const auto second = output_of(tap.read(turn(3)));
  CAF_CHECK(first.at("index") != second.at("index"));
}

CAF_TEST(a_namespace_that_goes_is_an_error_and_is_not_kept) {
  std::string path;
  std::shared_ptr<link_source> links;
  {
    const test::network_test_namespace in;
    if (!in) {
      CAF_MESSAGE("no network namespace can be made here");
      return;
    }
    path = in.path();
    links = links_of(path);
    tap_link_probe tap{links, path, "cfc-tap"};
    CAF_CHECK_EQUAL(outcome(tap.read(turn(1))), "a reading");
  }
  tap_link_probe tap{links, path, "cfc-tap"};
  CAF_CHECK_EQUAL(outcome(tap.read(turn(2))), "io");
}

CAF_TEST(this_process_stays_in_its_own_namespace) {
  const auto own = read_links("", monotonic_time::max());
  CAF_REQUIRE(own);
  CAF_CHECK(own->contains("lo"));
  CAF_CHECK(!own->contains("cfc-tap"));
}

CAF_TEST(what_is_no_namespace_is_refused) {
  test::temporary_directory dir;
  CAF_REQUIRE_EQUAL(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  for (const std::string& path : {dir.path().string(), (dir / "fifo").string(), std::string{"/etc/passwd"}}) {
    CAF_CHECK_EQUAL(outcome(read_links(path, monotonic_time::max())), "malformed_source");
  }
  CAF_CHECK_EQUAL(outcome(read_links((dir / "absent").string(), monotonic_time::max())), "io");
}

CAF_TEST(an_answer_that_does_not_come_in_time_is_timed_out) {
  // The kernel answers at once: only a deadline that has passed is early enough, and it may still win.
  const auto late = read_links("", monotonic_time{});
  CAF_CHECK(late || late.error().kind == probe_error_kind::timed_out);
}
