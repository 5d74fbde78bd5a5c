#define CAF_SUITE progress_board
#include "actors/progress_board.hpp"

#include <caf/send.hpp>

#include <atomic>
#include <thread>

#include "tests/support/host_fixture.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

struct fixture : host_fixture {
  fixture() { start_host(2); }

  host_counts counts() const { return environment->board->read(); }

  static run_totals sum(const host_counts& all) {
    run_totals out = all.ended.totals;
    for (const cell_on_board& each : all.cells) out += each.counts.totals;
    return out;
  }
  /// Of the one cell there is.
  cell_counts only_cell() const {
    const host_counts all = counts();
    CAF_REQUIRE_EQUAL(all.cells.size(), 1u);
    return all.cells.front().counts;
  }
};

cell_progress_ptr bound_progress(const std::shared_ptr<manual_intake>& intake) {
  auto progress = std::make_shared<cell_progress>();
  progress->bind(intake, {});
  return progress;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(progress_board_tests, fixture)

CAF_TEST(what is settled and what is in flight is read without a message) {
  CAF_REQUIRE(admit(cell("cell-1")));
  receive("cell-1", {frame_of("process.spawned", 1), malformed_frame()});
  CAF_CHECK_EQUAL(only_cell().totals.received, 2u);
  CAF_CHECK_EQUAL(only_cell().totals.in_flight(), 2u);
  consume_messages();
  const cell_counts settled = only_cell();
  CAF_CHECK_EQUAL(settled.totals.appended, 1u);
  CAF_CHECK_EQUAL(settled.totals.refused.total(), 1u);
  CAF_CHECK_EQUAL(settled.totals.in_flight(), 0u);
  CAF_CHECK(settled.bound);
  CAF_CHECK(!sched.has_job());
}

CAF_TEST(the board says what the accounts of all actors together say) {
  for (const char* id : {"cell-1", "cell-2", "cell-3"}) CAF_REQUIRE(admit(cell(id)));
  receive("cell-1", {frame_of("process.spawned", 1), malformed_frame()});
  receive("cell-2", {frame_of("process.spawned", 1)});
  consume_messages();
  CAF_REQUIRE(retire("cell-2"));
  pass(11s);
  const auto accounts = ask<host_accounts>(accounts_atom::value);
  CAF_REQUIRE(accounts);
  run_totals asked = accounts->ended;
  for (const cell_status& each : accounts->cells) asked += each.since_start();
  CAF_CHECK(asked == sum(counts()));
  const host_counts board = counts();
  CAF_REQUIRE_EQUAL(board.cells.size(), accounts->cells.size());
  for (std::size_t i = 0; i < accounts->cells.size(); ++i) {
    CAF_CHECK_EQUAL(board.cells[i].id, accounts->cells[i].cell_id);
    CAF_CHECK(board.cells[i].counts.state() == accounts->cells[i].state);
  }
  CAF_CHECK(board.cells.front().counts.state() == cell_state::silenced);
}

CAF_TEST(what a cell counted stays counted when it ends and under its name when it comes back) {
  CAF_REQUIRE(admit(cell("cell-1")));
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  const run_totals before = sum(counts());
  CAF_REQUIRE(retire("cell-1"));
  CAF_CHECK(sum(counts()) == before);
  CAF_CHECK(counts().cells.empty());
  cell_specification again = cell("cell-1");
  again.run_id = "run-2";
  CAF_REQUIRE(admit(again));
  const host_counts back = counts();
  CAF_CHECK_EQUAL(back.cells.front().counts.totals.received, 0u);
  CAF_CHECK_EQUAL(back.cells.front().of_all_runs().appended, 1u);
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  CAF_REQUIRE(retire("cell-1"));
  CAF_REQUIRE(admit(cell("cell-1")));
  const host_counts twice = counts();
  CAF_CHECK_EQUAL(twice.cells.front().of_all_runs().appended, 2u);
  CAF_CHECK_EQUAL(sum(twice).appended, 2u);
}

CAF_TEST(a SINK that dies loses no count) {
  CAF_REQUIRE(admit(cell("cell-1")));
  receive("cell-1", {frame_of("process.spawned", 1)});
  consume_messages();
  for (const activity_ptr& actor : activities.present()) {
    if (std::string_view{actor->role()} == "HOST SUPERVISOR") continue;
    if (const auto handle = caf::actor_cast<caf::strong_actor_ptr>(actor->actor())) {
      caf::anon_send_exit(caf::actor_cast<caf::actor>(handle), caf::exit_reason::kill);
    }
  }
  consume_messages();
  CAF_CHECK_EQUAL(only_cell().totals.appended, 1u);
  receive("cell-1", {frame_of("process.spawned", 2)});
  pass(1s);
  CAF_CHECK_EQUAL(only_cell().totals.appended, 2u);
  CAF_CHECK_EQUAL(only_cell().totals.in_flight(), 0u);
}

CAF_TEST(a cell is absent until its socket accepts and after it ended) {
  sockets.refusals["cell-2"] = "no room";
  CAF_REQUIRE(admit(cell("cell-1")));
  CAF_CHECK(!admit(cell("cell-2")));
  const auto found = environment->board->absent_among({"cell-1", "cell-2", "cell-3"});
  CAF_CHECK_EQUAL(found.cells, 1u);
  CAF_REQUIRE_EQUAL(found.missing.size(), 2u);
  CAF_CHECK_EQUAL(found.missing.front(), "cell-2");
  CAF_REQUIRE(retire("cell-1"));
  CAF_CHECK_EQUAL(environment->board->absent_among({"cell-1"}).missing.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(of a run that a predecessor left only what is new counts) {
  const auto intake = std::make_shared<manual_intake>();
  run_totals before;
  before.received = 10;
  before.appended = 8;
  cell_progress progress;
  progress.bind(intake, before);
  CAF_CHECK(progress.read().totals == run_totals{});
  progress.run()->publish(before, before.received, false);
  CAF_CHECK(progress.read().totals == run_totals{});
  intake->totals.frames_received = 3;
  run_totals now = before;
  now.appended = 10;
  progress.run()->publish(now, before.received, false);
  CAF_CHECK_EQUAL(progress.read().totals.received, 3u);
  CAF_CHECK_EQUAL(progress.read().totals.appended, 2u);
  CAF_CHECK_EQUAL(progress.read().totals.in_flight(), 1u);
}

CAF_TEST(a successor under the same name is not taken for the cell that is removed late) {
  progress_board board;
  const auto first_intake = std::make_shared<manual_intake>();
  const auto first = bound_progress(first_intake);
  board.add("cell-1", first);
  board.remove("cell-1", first);
  const auto second_intake = std::make_shared<manual_intake>();
  const auto second = bound_progress(second_intake);
  board.add("cell-1", second);
  board.remove("cell-1", first);
  CAF_CHECK_EQUAL(board.read().cells.size(), 1u);
}

CAF_TEST(cells that come and go do not make the board grow for ever) {
  progress_board board;
  constexpr std::size_t cells = 20'000;
  for (std::size_t i = 0; i < cells; ++i) {
    const auto intake = std::make_shared<manual_intake>();
    intake->totals.frames_received = 1;
    const auto progress = bound_progress(intake);
    board.add("cell-" + std::to_string(i), progress);
    board.remove("cell-" + std::to_string(i), progress);
  }
  const auto last = bound_progress(std::make_shared<manual_intake>());
  board.add("cell-" + std::to_string(cells - 1), last);
  board.add("cell-0", bound_progress(std::make_shared<manual_intake>()));
  const host_counts now = board.read();
  CAF_CHECK_EQUAL(now.ended.totals.received, cells);
  CAF_REQUIRE_EQUAL(now.cells.size(), 2u);
  CAF_CHECK_EQUAL(now.cells.front().earlier.received, 0u);
  CAF_CHECK_EQUAL(now.cells.back().earlier.received, 1u);
}

CAF_TEST(a reading balances while frames are received and settled) {
  /// Counts as the I/O thread does: received first, then handed on.
  class counting_intake final : public cell_intake {
   public:
    void attach(std::uint64_t, delivery) override {}
    void acknowledge(std::uint64_t) override {}
    void drain(std::function<void()>) override {}
    chunk_ptr unacknowledged(std::uint64_t) const override { return nullptr; }
    intake_counts counts() const override {
      intake_counts seen;
      seen.frames_received = frames;
      return seen;
    }
    std::atomic<std::uint64_t> frames{0};
  };
  const auto intake = std::make_shared<counting_intake>();
  cell_progress progress;
  progress.bind(intake, {});
  std::atomic<bool> done{false};
  std::thread data_path{[&] {
    run_totals settled;
    for (int i = 0; i < 300'000; ++i) {
      intake->frames += 2;
      ++settled.appended;
      settled.refused.add(telemetry_errc::malformed_frame);
      progress.run()->publish(settled, 0, false);
    }
    done = true;
  }};
  std::size_t faults = 0;
  run_totals before;
  while (!done) {
    const run_totals now = progress.read().totals;
    const bool went_back = now.received < before.received || now.appended < before.appended;
    faults += now.received < now.settled() || went_back ? 1 : 0;
    before = now;
  }
  data_path.join();
  CAF_CHECK_EQUAL(faults, 0u);
  CAF_CHECK_EQUAL(progress.read().totals.in_flight(), 0u);
}
