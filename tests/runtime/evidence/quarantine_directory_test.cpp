#include "runtime/evidence/quarantine_directory.hpp"

#include <filesystem>
#include <iterator>
#include <string>

#include "tests/support/files.hpp"
#include "tests/support/temporary_directory.hpp"

#define CAF_SUITE quarantine_directory
#include "caf/test/dsl.hpp"

using namespace cellos;
using cellos::test::content_of;
using cellos::test::memory_directory;

namespace {

received_chunk chunk_of(std::uint64_t sequence, std::string_view bytes) {
  received_chunk chunk;
  chunk.sequence = sequence;
  chunk.bytes.assign(bytes.begin(), bytes.end());
  return chunk;
}

}  // namespace

CAF_TEST(a_chunk_is_kept_as_the_guest_sent_it) {
  const memory_directory scratch;
  quarantine_directory quarantine{scratch / "quarantine"};
  const auto name = quarantine.set_aside("cell-1", chunk_of(7, std::string{"\0\n\xff", 3}));
  CAF_REQUIRE(name);
  CAF_CHECK(name->starts_with("cell-1-"));
  CAF_CHECK_EQUAL(content_of(scratch / "quarantine" / *name), (std::string{"\0\n\xff", 3}));
}

CAF_TEST(beyond_the_limit_nothing_is_written) {
  const memory_directory scratch;
  quarantine_directory quarantine{scratch / "quarantine"};
  for (std::uint64_t i = 1; i <= quarantine_directory::max_files; ++i) {
    CAF_REQUIRE(quarantine.set_aside("cell-1", chunk_of(i, "x")));
  }
  CAF_CHECK(!quarantine.set_aside("cell-1", chunk_of(quarantine_directory::max_files + 1, "x")));
  const std::filesystem::directory_iterator files{scratch / "quarantine"};
  CAF_CHECK_EQUAL(static_cast<std::size_t>(std::distance(begin(files), end(files))), quarantine_directory::max_files);
}

CAF_TEST(a_place_that_takes_nothing_is_reported) {
  const memory_directory scratch;
  test::write_file(scratch / "quarantine", "a file");
  quarantine_directory quarantine{scratch / "quarantine"};
  CAF_CHECK(!quarantine.set_aside("cell-1", chunk_of(1, "x")));
}
