#include "runtime/os/file_system.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "tests/runtime/evidence/faulty_file_system.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE file_system
#include "caf/test/dsl.hpp"

using namespace cellos;
using cellos::test::content_of;
using cellos::test::faulty_file_system;
using cellos::test::file_call;
using cellos::test::memory_directory;
using cellos::test::write_file;

namespace {

constexpr std::string_view before = "as it was";
constexpr std::string_view after = "as it is to be";

struct fixture {
  memory_directory scratch;
  std::filesystem::path path = scratch / "state";
  faulty_file_system files;

  fixture() { write_file(path, before); }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(file_system_tests, fixture)

CAF_TEST(a_replaced_file_has_the_content_and_the_mode_and_nothing_is_left_beside_it) {
  CAF_CHECK(!replace_file(files, path, after, 0600).failure);
  CAF_CHECK_EQUAL(content_of(path), after);
  struct stat there {};
  CAF_REQUIRE_EQUAL(::stat(path.c_str(), &there), 0);
  CAF_CHECK_EQUAL(there.st_mode & 0777u, 0600u);
  CAF_CHECK(!std::filesystem::exists(scratch / "state.new"));
}

CAF_TEST(whichever_call_fails_the_file_is_as_it_was) {
  for (const auto call :
       {file_call::open, file_call::write, file_call::fdatasync, file_call::rename, file_call::unlink}) {
    for (const bool torn : {false, true}) {
      files.torn_writes = torn;
      files.fault = [&](file_call made) { return made == call ? EIO : 0; };
      CAF_CHECK(replace_file(files, path, after, 0600).failure == std::errc::io_error);
      files.fault = nullptr;
      CAF_CHECK_EQUAL(content_of(path), before);
    }
  }
  CAF_CHECK(!replace_file(files, path, after, 0600).failure);
  CAF_CHECK_EQUAL(content_of(path), after);
}

CAF_TEST(content_is_written_whole_however_little_a_write_takes) {
  files.longest_write = 3;
  CAF_CHECK(!replace_file(files, path, after, 0600).failure);
  CAF_CHECK_EQUAL(content_of(path), after);
}

CAF_TEST(a_link_beside_it_leads_nowhere) {
  write_file(scratch / "elsewhere", before);
  std::filesystem::create_symlink(scratch / "elsewhere", scratch / "state.new");
  CAF_CHECK(!replace_file(files, path, after, 0600).failure);
  CAF_CHECK_EQUAL(content_of(path), after);
  CAF_CHECK_EQUAL(content_of(scratch / "elsewhere"), before);
}

CAF_TEST(what_is_added_to_a_replaced_file_goes_behind_its_content) {
  const auto replaced = replace_file(files, path, after, 0600);
  CAF_REQUIRE(!replaced.failure);
  CAF_CHECK(!write_all(files, replaced.file.get(), " and more"));
  CAF_CHECK_EQUAL(content_of(path), std::string{after} + " and more");
}

CAF_TEST(a_file_system_that_cannot_sync_directories_need_not) {
  files.fault = [](file_call made) { return made == file_call::fsync ? EINVAL : 0; };
  CAF_CHECK(!sync_directory(files, 0));
  files.fault = [](file_call made) { return made == file_call::fsync ? EIO : 0; };
  CAF_CHECK(sync_directory(files, 0) == std::errc::io_error);
}

CAF_TEST_FIXTURE_SCOPE_END()
