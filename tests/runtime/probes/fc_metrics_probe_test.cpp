#include "runtime/probes/fc_metrics_probe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE fc_metrics_probe
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;
using cellos::test::count_in;
using cellos::test::outcome;
using cellos::test::output_of;
using cellos::test::turn;
namespace fs = std::filesystem;

namespace {

/// Writes as Firecracker does: one document a line, in which counters are what was added since the one before.
std::string flushed(std::uint64_t packets) {
  return R"({"utc_timestamp_ms":1,"net":{"rx_packets_count":)" + std::to_string(packets) + "}}\n";
}

struct jail {
  std::string path(std::string_view name = "metrics") const { return (chroot / name).string(); }
  fc_metrics_probe probe(std::optional<uid_t> owner = {}) const {
    return fc_metrics_probe{{chroot.path().string(), "metrics", owner}};
  }

  test::temporary_directory chroot;
};

std::uint64_t packets_in(const probe_result<probe_reading>& reading) {
  return count_in(output_of(reading).at("totals"), "net.rx_packets_count");
}

}  // namespace

CAF_TEST(a_file_that_grows_is_read_from_where_it_was) {
  jail at;
  test::write_file(at.path(), flushed(5));
  auto probe = at.probe();
  const auto first = probe.read(turn(1));
  CAF_CHECK_EQUAL(packets_in(first), 5u);
  CAF_CHECK(output_of(first).at("document").at("net").at("rx_packets_count") == 5);
  CAF_CHECK(test::is_canonical(first->output));
  CAF_CHECK(test::is_canonical(first->inputs));
  const auto nothing_new = output_of(probe.read(turn(2)));
  CAF_CHECK(!nothing_new.contains("document"));
  CAF_CHECK(nothing_new.at("documents") == "1");
  test::add_to_file(at.path(), flushed(2) + flushed(3) + R"({"half")");
  CAF_CHECK_EQUAL(packets_in(probe.read(turn(3))), 10u);
  test::add_to_file(at.path(), ":1}\n");
  CAF_CHECK(output_of(probe.read(turn(4))).at("documents") == "4");
}

CAF_TEST(the_bytes_that_inputs_name_have_the_document) {
  jail at;
  test::write_file(at.path(), flushed(5));
  auto probe = at.probe();
  probe.read(turn(1));
  test::add_to_file(at.path(), flushed(7));
  const auto reading = probe.read(turn(2));
  const auto inputs = test::inputs_of(reading);
  const auto from = count_in(inputs, "fromByte");
  const std::string bytes =
      test::content_of(inputs.at("path").get<std::string>()).substr(from, count_in(inputs, "toByte") - from);
  CAF_CHECK(nlohmann::json::parse(bytes) == output_of(reading).at("document"));
}

CAF_TEST(a_file_that_is_begun_anew_or_replaced_is_read_from_its_begin) {
  jail at;
  test::write_file(at.path(), flushed(5) + flushed(5));
  auto probe = at.probe();
  CAF_CHECK_EQUAL(packets_in(probe.read(turn(1))), 10u);
  test::write_file(at.path(), flushed(1));
  CAF_CHECK_EQUAL(packets_in(probe.read(turn(2))), 11u);
  test::write_file(at.path("new"), flushed(2) + flushed(2) + flushed(2) + flushed(2));
  fs::rename(at.path("new"), at.path());
  CAF_CHECK_EQUAL(packets_in(probe.read(turn(3))), 19u);
  fs::remove(at.path());
  CAF_CHECK_EQUAL(outcome(probe.read(turn(4))), "io");
  test::write_file(at.path(), flushed(1));
  CAF_CHECK_EQUAL(packets_in(probe.read(turn(5))), 20u);
}

CAF_TEST(a_fifo_is_read_without_waiting_whoever_writes) {
  jail at;
  CAF_REQUIRE_EQUAL(::mkfifo(at.path().c_str(), 0600), 0);
  auto probe = at.probe();
  CAF_CHECK(output_of(probe.read(turn(1))).at("documents") == "0");
  for (int life = 0; life < 3; ++life) {
    // Each writer ends, as Firecracker may; the FIFO stays.
    const file_descriptor writer{::open(at.path().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
    CAF_REQUIRE(writer);
    const std::string document = flushed(4);
    CAF_REQUIRE_EQUAL(::write(writer.get(), document.data(), document.size()), static_cast<ssize_t>(document.size()));
    CAF_CHECK_EQUAL(packets_in(probe.read(turn(2))), 4u * (static_cast<unsigned>(life) + 1));
  }
  CAF_CHECK_EQUAL(outcome(probe.read(turn(3))), "a reading");
}

CAF_TEST(a_vmm_that_writes_nothing_for_too_long_is_timed_out_and_recovers) {
  jail at;
  CAF_REQUIRE_EQUAL(::mkfifo(at.path().c_str(), 0600), 0);
  auto probe = at.probe();
  CAF_CHECK_EQUAL(outcome(probe.read(turn(1, monotonic_time{0s}))), "a reading");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(2, monotonic_time{150s}))), "a reading");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(3, monotonic_time{151s}))), "timed_out");
  const file_descriptor writer{::open(at.path().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
  const std::string document = flushed(4);
  CAF_REQUIRE(::write(writer.get(), document.data(), document.size()) > 0);
  CAF_CHECK_EQUAL(outcome(probe.read(turn(4, monotonic_time{160s}))), "a reading");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(5, monotonic_time{300s}))), "a reading");
}

CAF_TEST(of_a_hundred_megabytes_only_the_end_is_read) {
  jail at;
  {
    const file_descriptor file{::open(at.path().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)};
    // Sparse: it has the size, not the blocks.
    CAF_REQUIRE_EQUAL(::ftruncate(file.get(), 100'000'000), 0);
  }
  test::add_to_file(at.path(), "\n" + flushed(6));
  auto probe = at.probe();
  const auto reading = probe.read(turn(1));
  CAF_CHECK_EQUAL(packets_in(reading), 6u);
  const auto inputs = test::inputs_of(reading);
  CAF_CHECK(count_in(inputs, "toByte") - count_in(inputs, "fromByte") <= std::uint64_t{256} << 10);
  test::add_to_file(at.path(), flushed(1));
  CAF_CHECK_EQUAL(packets_in(probe.read(turn(2))), 7u);
}

CAF_TEST(a_flood_is_read_piece_by_piece) {
  jail at;
  test::write_file(at.path(), flushed(1));
  auto probe = at.probe();
  probe.read(turn(1));
  std::string flood;
  for (int i = 0; i < 50'000; ++i) flood += flushed(1);
  test::add_to_file(at.path(), flood);
  std::uint64_t total = 0;
  int reads = 0;
  for (; total < 50'001 && reads < 20; ++reads) {
    const auto reading = probe.read(turn(2));
    CAF_CHECK(count_in(test::inputs_of(reading), "toByte") - count_in(test::inputs_of(reading), "fromByte") <=
              1u << 20);
    total = packets_in(reading);
  }
  CAF_CHECK_EQUAL(total, 50'001u);
  CAF_CHECK(reads > 1);
}

CAF_TEST(lines_that_are_no_documents_are_one_error_and_what_follows_counts) {
  jail at;
  test::write_file(at.path(), "");
  auto probe = at.probe();
  test::add_to_file(at.path(), "no document\n");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(1))), "malformed_source");
  test::add_to_file(at.path(), flushed(3));
  const auto reading = probe.read(turn(2));
  CAF_CHECK_EQUAL(packets_in(reading), 3u);
  CAF_CHECK(output_of(reading).at("malformedLines") == "1");
}

CAF_TEST(a_hostile_vmm_gains_nothing_by_what_it_puts_in_its_metrics_place) {
  jail at;
  test::temporary_directory outside;
  test::write_file(outside / "secret", R"({"secret":{"value":42}})"
                                       "\n");
  auto probe = at.probe();
  const auto refused = [&](const char* what) {
    const auto reading = probe.read(turn(1));
    CAF_MESSAGE(what);
    CAF_CHECK(!reading);
    if (reading) return;
    CAF_CHECK(reading.error().words.find("42") == std::string::npos);
    CAF_CHECK(reading.error().kind == probe_error_kind::malformed_source);
    fs::remove_all(at.path());
  };
  fs::create_symlink(outside / "secret", at.path());
  refused("a symbolic link");
  fs::create_directory(at.path());
  refused("a directory");
  fs::create_hard_link(outside / "secret", at.path());
  refused("a hard link");
  if (::geteuid() == 0) {
    CAF_REQUIRE_EQUAL(::mknod(at.path().c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);
    refused("a device without end");
  }
  // A FIFO in the place of the file is a FIFO.
  CAF_REQUIRE_EQUAL(::mkfifo(at.path().c_str(), 0600), 0);
  CAF_CHECK_EQUAL(outcome(probe.read(turn(2))), "a reading");
  fs::remove(at.path());
  test::write_file(at.path(), flushed(8));
  CAF_CHECK_EQUAL(packets_in(probe.read(turn(3))), 8u);
}

CAF_TEST(a_file_of_another_user_is_refused_where_the_owner_is_known) {
  jail at;
  test::write_file(at.path(), flushed(8));
  if (::geteuid() != 0) return;
  CAF_REQUIRE_EQUAL(::chown(at.path().c_str(), 4711, 4711), 0);
  auto strict = at.probe(4712);
  CAF_CHECK_EQUAL(outcome(strict.read(turn(1))), "malformed_source");
  auto own = at.probe(4711);
  CAF_CHECK_EQUAL(outcome(own.read(turn(1))), "a reading");
}

CAF_TEST(a_directory_on_the_way_that_becomes_a_link_leads_nowhere) {
  test::temporary_directory trusted;
  test::temporary_directory outside;
  fs::create_directory(trusted / "run");
  test::write_file(trusted / "run/metrics", flushed(1));
  test::write_file(outside / "metrics", flushed(42));
  fc_metrics_probe probe{{trusted.path().string(), "run/metrics", {}}};
  CAF_CHECK_EQUAL(packets_in(probe.read(turn(1))), 1u);
  fs::rename(trusted / "run", trusted / "moved");
  fs::create_directory_symlink(outside.path(), trusted / "run");
  CAF_CHECK_EQUAL(outcome(probe.read(turn(2))), "malformed_source");
}
