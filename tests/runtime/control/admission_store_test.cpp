#include "runtime/control/admission_store.hpp"

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE admission_store
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

cell_specification cell_named(const std::string& id) {
  cell_specification cell;
  cell.cell_id = id;
  cell.run_id = "run-of-" + id;
  cell.vsock_uds_base = "/run/" + id;
  cell.spec_signature_hash = "sha256:" + id;
  cell.keepalive_window = std::chrono::milliseconds{1500};
  cell.expected_uid = 7;
  cell.on_agent_failure = agent_failure_policy::fail_cell;
  return cell;
}

struct fixture {
  temporary_directory home;
  std::atomic<int> kept{0};
  std::atomic<int> refused{0};

  std::filesystem::path file() const { return home / "cells.json"; }
  std::unique_ptr<admission_store> open() const {
    auto opened = admission_store::open(file());
    CAF_REQUIRE_EQUAL(opened.refusal, "");
    return std::move(opened.cells);
  }
  admission_store::settled counting() {
    return [this](std::error_code failed) { ++(failed ? refused : kept); };
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(admission_store_tests, fixture)

CAF_TEST(what_was_answered_is_there_again_member_for_member) {
  {
    const auto cells = open();
    cells->remember(cell_named("a"), counting());
    cells->remember(cell_named("b"), counting());
    cells->forget("a", counting());
    CAF_CHECK(holds_within(test_timeout, [&] { return kept == 3; }));
  }
  const auto again = open();
  CAF_REQUIRE_EQUAL(again->all().size(), 1u);
  CAF_CHECK(again->all().front() == cell_named("b"));
  struct stat there {};
  CAF_CHECK_EQUAL(::stat(file().c_str(), &there), 0);
  CAF_CHECK_EQUAL(there.st_mode & 0777u, 0600u);
}

CAF_TEST(many_at_once_are_all_answered_and_all_kept) {
  constexpr int many = 2000;
  {
    const auto cells = open();
    for (int i = 0; i < many; ++i) cells->remember(cell_named("c" + std::to_string(i)), counting());
  }
  CAF_CHECK_EQUAL(kept, many);
  CAF_CHECK_EQUAL(open()->all().size(), static_cast<std::size_t>(many));
}

CAF_TEST(the_same_again_is_answered_without_writing) {
  const auto cells = open();
  cells->remember(cell_named("a"), counting());
  CAF_CHECK(holds_within(test_timeout, [&] { return kept == 1; }));
  struct stat before {};
  CAF_REQUIRE_EQUAL(::stat(file().c_str(), &before), 0);
  cells->remember(cell_named("a"), counting());
  CAF_CHECK(holds_within(test_timeout, [&] { return kept == 2; }));
  struct stat after {};
  CAF_REQUIRE_EQUAL(::stat(file().c_str(), &after), 0);
  CAF_CHECK_EQUAL(before.st_ino, after.st_ino);
}

CAF_TEST(a_file_cut_off_anywhere_is_refused_by_name) {
  {
    const auto cells = open();
    cells->remember(cell_named("a"), counting());
  }
  std::ifstream in{file()};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  CAF_MESSAGE("the last newline says nothing");
  for (std::size_t bytes = 0; bytes + 1 < text.size(); ++bytes) {
    std::ofstream{file(), std::ios::trunc} << text.substr(0, bytes);
    const auto opened = admission_store::open(file());
    if (opened.cells || opened.refusal.find("cells.json") == std::string::npos) {
      CAF_ERROR("accepted " << bytes << " bytes of " << text.size());
    }
  }
}

CAF_TEST(a_failed_write_is_reported_and_tried_again_with_the_next_change) {
  const auto folder = home / "gone";
  std::filesystem::create_directory(folder);
  auto opened = admission_store::open(folder / "cells.json");
  std::filesystem::remove_all(folder);
  opened.cells->remember(cell_named("a"), counting());
  CAF_CHECK(holds_within(test_timeout, [&] { return refused == 1; }));
  std::filesystem::create_directory(folder);
  opened.cells->remember(cell_named("a"), counting());
  CAF_CHECK(holds_within(test_timeout, [&] { return kept == 1; }));
  opened.cells.reset();
  CAF_CHECK_EQUAL(admission_store::open(folder / "cells.json").cells->all().size(), 1u);
}

CAF_TEST(one_daemon_at_a_time_has_the_file) {
  auto first = open();
  const auto second = admission_store::open(file());
  CAF_CHECK(!second.cells);
  CAF_CHECK(second.refusal.find("cells.json\" is in use") != std::string::npos);
  first.reset();
  CAF_CHECK(open());
}

CAF_TEST(whose_lock_was_removed_and_taken_by_another_writes_nothing_more) {
  auto first = open();
  std::filesystem::remove(file().string() + ".lock");
  auto second = open();
  second->remember(cell_named("theirs"), counting());
  CAF_CHECK(holds_within(test_timeout, [&] { return kept == 1; }));
  first->remember(cell_named("ours"), counting());
  CAF_CHECK(holds_within(test_timeout, [&] { return refused == 1; }));
  first.reset();
  second.reset();
  CAF_CHECK_EQUAL(open()->all().size(), 1u);
}

CAF_TEST(what_a_crash_left_beside_the_file_does_no_harm) {
  std::ofstream{home / "cells.json.new"} << "{\"version\":1,\"cells\":{\"half";
  auto cells = open();
  CAF_CHECK(cells->all().empty());
  cells->remember(cell_named("a"), counting());
  CAF_CHECK(holds_within(test_timeout, [&] { return kept == 1; }));
  cells.reset();
  CAF_CHECK_EQUAL(open()->all().size(), 1u);
}

CAF_TEST(a_cell_about_to_be_forgotten_is_not_admitted_anew) {
  const auto cells = open();
  cells->remember(cell_named("a"), counting());
  cells->expect_forgetting("a");
  CAF_CHECK(cells->contains("a"));
  CAF_CHECK(cells->all().empty());
  cells->remember(cell_named("a"), counting());
  CAF_CHECK_EQUAL(cells->all().size(), 1u);
}

CAF_TEST(no_cell_begins_to_go_while_all_are_looked_at) {
  const auto cells = open();
  cells->remember(cell_named("a"), counting());
  std::atomic<bool> going{false};
  std::jthread removal;
  cells->with_all([&](const std::vector<cell_specification>& all) {
    CAF_CHECK_EQUAL(all.size(), 1u);
    removal = std::jthread{[&] {
      cells->expect_forgetting("a");
      going = true;
    }};
    CAF_CHECK(!holds_within(std::chrono::milliseconds{50}, [&] { return going.load(); }));
  });
  CAF_CHECK(holds_within(test_timeout, [&] { return going.load(); }));
  cells->with_all([](const std::vector<cell_specification>& all) { CAF_CHECK(all.empty()); });
}

CAF_TEST(what_is_no_state_file_is_refused_and_ends_nobody) {
  const auto refusal = [this] { return admission_store::open(file()).refusal; };
  const auto write = [this](const std::string& text) { std::ofstream{file(), std::ios::trunc} << text; };
  std::filesystem::create_directory(file());
  CAF_CHECK(refusal().find("is not a regular file") != std::string::npos);
  std::filesystem::remove(file());
  CAF_REQUIRE_EQUAL(::mkfifo(file().c_str(), 0600), 0);
  CAF_CHECK(refusal().find("is not a regular file") != std::string::npos);
  std::filesystem::remove(file());
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  write(R"({"version":1,"cells":{"a":{"run_id":)" + deep + "}}}");
  CAF_CHECK(refusal().find("is not a JSON object") != std::string::npos);
  write(R"({"version":1,"cells":{"a\u001b[31m":7}})");
  CAF_CHECK(!refusal().empty());
  CAF_CHECK_EQUAL(refusal().find('\x1b'), std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
