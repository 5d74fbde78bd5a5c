#include "runtime/probes/source_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "tests/runtime/probes/probe_results.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE source_file
#include "caf/test/dsl.hpp"

using namespace cellos;
using cellos::test::outcome;
namespace fs = std::filesystem;

namespace {

struct jail {
  jail() : directory(std::move(*open_trusted_directory(trusted.path().string()))) {}

  std::string open(const std::string& path, const source_demands& demands = {}) {
    return outcome(open_source(directory.get(), path, demands));
  }

  test::temporary_directory trusted;
  file_descriptor directory;
};

std::string all_of(const opened_source& source) {
  std::string content(100, '\0');
  const auto bytes = ::read(source.file.get(), content.data(), content.size());
  content.resize(static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
  return content;
}

}  // namespace

CAF_TEST(a_file_beneath_the_directory_is_opened) {
  jail at;
  fs::create_directories(at.trusted / "root/run");
  test::write_file(at.trusted / "root/run/metrics", "content");
  const auto source = open_source(at.directory.get(), "root/run/metrics", {});
  CAF_REQUIRE(source);
  CAF_CHECK_EQUAL(all_of(*source), "content");
  CAF_CHECK(!source->is_fifo());
}

CAF_TEST(no_link_is_followed_wherever_it_is) {
  jail at;
  fs::create_directory(at.trusted / "real");
  test::write_file(at.trusted / "real/metrics", "content");
  fs::create_symlink("/etc/passwd", at.trusted / "absolute");
  fs::create_symlink("real/metrics", at.trusted / "relative");
  fs::create_directory_symlink("real", at.trusted / "folder");
  CAF_CHECK_EQUAL(at.open("absolute"), "malformed_source");
  CAF_CHECK_EQUAL(at.open("relative"), "malformed_source");
  CAF_CHECK(at.open("folder/metrics") != "a reading");
  CAF_CHECK_EQUAL(at.open("real/metrics"), "a reading");
}

CAF_TEST(the_directory_is_not_left) {
  jail at;
  CAF_CHECK_EQUAL(at.open("../../etc/passwd"), "malformed_source");
  CAF_CHECK_EQUAL(at.open("/etc/passwd"), "malformed_source");
  CAF_CHECK(at.open("") != "a reading");
}

CAF_TEST(what_is_no_regular_file_is_refused_without_being_opened) {
  jail at;
  fs::create_directory(at.trusted / "directory");
  // To open it for reading would wait for a writer.
  CAF_REQUIRE_EQUAL(::mkfifo((at.trusted / "fifo").c_str(), 0600), 0);
  CAF_CHECK_EQUAL(at.open("directory"), "malformed_source");
  CAF_CHECK_EQUAL(at.open("fifo"), "malformed_source");
  CAF_CHECK_EQUAL(at.open("fifo", {source_kind::regular_or_fifo, {}, true}), "a reading");
  CAF_CHECK_EQUAL(at.open("nothing"), "io");
  if (::geteuid() != 0) return;
  CAF_REQUIRE_EQUAL(::mknod((at.trusted / "device").c_str(), S_IFCHR | 0600, makedev(1, 5)), 0);
  CAF_CHECK_EQUAL(at.open("device", {source_kind::regular_or_fifo, {}, false}), "malformed_source");
}

CAF_TEST(another_name_of_a_file_and_another_users_file_are_refused) {
  jail at;
  test::write_file(at.trusted / "secret", "{}");
  fs::create_hard_link(at.trusted / "secret", at.trusted / "metrics");
  CAF_CHECK_EQUAL(at.open("metrics", {source_kind::regular, {}, true}), "malformed_source");
  CAF_CHECK_EQUAL(at.open("metrics", {source_kind::regular, {}, false}), "a reading");
  if (::geteuid() != 0) return;
  CAF_REQUIRE_EQUAL(::chown((at.trusted / "secret").c_str(), 4711, 4711), 0);
  CAF_CHECK_EQUAL(at.open("metrics", {source_kind::regular, 4712, false}), "malformed_source");
  CAF_CHECK_EQUAL(at.open("metrics", {source_kind::regular, 4711, false}), "a reading");
}

CAF_TEST(what_is_not_there_is_nothing_and_what_is_too_long_is_an_error) {
  jail at;
  test::write_file(at.trusted / "file", std::string(5000, 'x'));
  const auto whole = read_kernel_file(at.directory.get(), "file", 5000);
  CAF_REQUIRE(whole && *whole);
  CAF_CHECK_EQUAL((*whole)->size(), 5000u);
  CAF_CHECK_EQUAL(outcome(read_kernel_file(at.directory.get(), "file", 4999)), "malformed_source");
  const auto absent = read_kernel_file(at.directory.get(), "absent", 10);
  CAF_CHECK(absent && !*absent);
  CAF_CHECK_EQUAL(outcome(open_trusted_directory((at.trusted / "absent").string())), "io");
}

CAF_TEST(errors_of_the_system_have_their_kinds) {
  CAF_CHECK(probe_error_kind_of(EACCES) == probe_error_kind::permission_denied);
  CAF_CHECK(probe_error_kind_of(EPERM) == probe_error_kind::permission_denied);
  CAF_CHECK(probe_error_kind_of(ENOSYS) == probe_error_kind::platform_unsupported);
  CAF_CHECK(probe_error_kind_of(ENOPROTOOPT) == probe_error_kind::platform_unsupported);
  CAF_CHECK(probe_error_kind_of(ELOOP) == probe_error_kind::malformed_source);
  CAF_CHECK(probe_error_kind_of(EIO) == probe_error_kind::io);
  CAF_CHECK(probe_error_kind_of(ETIMEDOUT) == probe_error_kind::timed_out);
}
