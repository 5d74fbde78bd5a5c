#include "runtime/probes/probe_runner.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

#include "runtime/os/system_clocks.hpp"
#include "runtime/probes/shared_source.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE probe_runner
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

host_stamp_ptr cell(const std::string& id) { return std::make_shared<const host_stamp>(host_stamp{"h", id, "r", "s"}); }

class scripted_probe final : public probe {
 public:
  using answer = std::function<probe_result<probe_reading>(const probe_context&)>;
  explicit scripted_probe(answer read, host_probe source = host_probe::process)
      : read_(std::move(read)), source_(source) {}
  host_probe source() const override { return source_; }
  probe_result<probe_reading> read(const probe_context& context) override { return read_(context); }

 private:
  answer read_;
  host_probe source_;
};

probe_reading some_reading(host_probe source = host_probe::process) { return {source, "{}", "{}", std::nullopt}; }

/// Holds up whoever comes, until it is opened.
class gate {
 public:
  void pass() {
    std::unique_lock hold{guard_};
    changed_.wait(hold, [this] { return open_; });
  }
  void open() {
    const std::lock_guard hold{guard_};
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex guard_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// What a listener heard.
struct heard {
  std::mutex guard;
  std::map<std::string, int> readings;
  std::vector<std::pair<std::string, std::optional<probe_error_kind>>> changes;
  bool all_dated = true;

  probe_listener listener() {
    return {[this](const host_stamp_ptr& who, const probe_reading& reading) {
              const std::lock_guard hold{guard};
              ++readings[who->cell_id];
              all_dated = all_dated && reading.host_received_at.has_value();
            },
            [this](const host_stamp_ptr& who, host_probe, const probe_health::change& change, const std::string&) {
              const std::lock_guard hold{guard};
              changes.emplace_back(who->cell_id, change.failing);
            }};
  }
  int readings_of(const std::string& id) {
    const std::lock_guard hold{guard};
    return readings[id];
  }
  std::vector<std::pair<std::string, std::optional<probe_error_kind>>> all_changes() {
    const std::lock_guard hold{guard};
    return changes;
  }
  bool reads(const std::string& id, int times) {
    return test::holds_within(test::test_timeout, [&] { return readings_of(id) >= times; });
  }
};

probe_runner_settings quick() {
  probe_runner_settings settings;
  settings.schedule.period = 5ms;
  settings.read_timeout = 10s;
  return settings;
}

}  // namespace

CAF_TEST(readings_come_again_and_again_and_are_dated) {
  heard what;
  const wall_clock& clock = system_wall_clock();
  probe_runner runner{quick(), clock, what.listener()};
  runner.add(cell("a"), std::make_shared<scripted_probe>([](const probe_context&) { return some_reading(); }));
  runner.add(cell("b"), std::make_shared<scripted_probe>([](const probe_context&) { return some_reading(); }));
  CAF_CHECK(what.reads("a", 5));
  CAF_CHECK(what.reads("b", 5));
  CAF_CHECK(what.all_dated);
  CAF_CHECK(what.all_changes().empty());
  CAF_CHECK(runner.counted().readings >= 10);
}

CAF_TEST(cells_that_share_a_source_share_its_reading) {
  heard what;
  const wall_clock& clock = system_wall_clock();
  std::atomic<int> dumps{0};
  auto links = std::make_shared<shared_source<int>>([&](monotonic_time) -> probe_result<int> { return ++dumps; });
  {
    probe_runner runner{quick(), clock, what.listener()};
    for (int i = 0; i < 20; ++i) {
      const auto read = [links](const probe_context& context) -> probe_result<probe_reading> {
        links->of(context);
        return some_reading(host_probe::tap_link);
      };
      runner.add(cell(std::to_string(i)), std::make_shared<scripted_probe>(read, host_probe::tap_link), "links");
    }
    for (int i = 0; i < 20; ++i) CAF_CHECK(what.reads(std::to_string(i), 5));
  }
  int most = 0;
  for (int i = 0; i < 20; ++i) most = std::max(most, what.readings_of(std::to_string(i)));
  CAF_CHECK(dumps <= most + 1);
}

CAF_TEST(a_source_that_fails_is_reported_once_and_once_that_it_is_back) {
  heard what;
  const wall_clock& clock = system_wall_clock();
  std::atomic<int> reads{0};
  probe_runner runner{quick(), clock, what.listener()};
  runner.add(cell("a"), std::make_shared<scripted_probe>([&](const probe_context&) -> probe_result<probe_reading> {
               if (++reads <= 20) return probe_error{probe_error_kind::permission_denied, "no"};
               return some_reading();
             }));
  CAF_REQUIRE(what.reads("a", 3));
  const auto changes = what.all_changes();
  CAF_REQUIRE_EQUAL(changes.size(), 2u);
  CAF_CHECK(changes[0].second == probe_error_kind::permission_denied);
  CAF_CHECK(!changes[1].second);
  CAF_CHECK(runner.counted().errors[static_cast<std::size_t>(probe_error_kind::permission_denied)] == 20u);
}

CAF_TEST(a_read_that_hangs_is_timed_out_once_and_holds_up_nobody_else_and_recovers) {
  heard what;
  const wall_clock& clock = system_wall_clock();
  gate held;
  auto settings = quick();
  settings.read_timeout = 50ms;
  settings.readers = 1;
  probe_runner runner{settings, clock, what.listener()};
  runner.add(cell("hangs"), std::make_shared<scripted_probe>([&](const probe_context&) {
               held.pass();
               return some_reading();
             }));
  const auto hangs = [&] { return runner.counted().hanging == 1; };
  CAF_REQUIRE(test::holds_within(test::test_timeout, hangs));
  runner.add(cell("good"), std::make_shared<scripted_probe>([](const probe_context&) { return some_reading(); }));
  CAF_CHECK(what.reads("good", 10));
  CAF_CHECK_EQUAL(what.readings_of("hangs"), 0);
  CAF_CHECK(runner.counted().errors[static_cast<std::size_t>(probe_error_kind::timed_out)] == 1u);
  held.open();
  CAF_CHECK(what.reads("hangs", 2));
  const auto changes = what.all_changes();
  CAF_CHECK(changes.size() >= 2);
  CAF_CHECK(changes[0] == (std::pair{std::string{"hangs"}, std::optional{probe_error_kind::timed_out}}));
}

CAF_TEST(of_a_cell_that_was_removed_nothing_is_heard) {
  heard what;
  const wall_clock& clock = system_wall_clock();
  probe_runner runner{quick(), clock, what.listener()};
  runner.add(cell("a"), std::make_shared<scripted_probe>([](const probe_context&) { return some_reading(); }));
  runner.add(cell("b"), std::make_shared<scripted_probe>([](const probe_context&) { return some_reading(); }));
  CAF_REQUIRE(what.reads("a", 1));
  runner.remove("a");
  const int readings = what.readings_of("a");
  CAF_CHECK(what.reads("b", what.readings_of("b") + 10));
  CAF_CHECK_EQUAL(what.readings_of("a"), readings);
}

CAF_TEST(a_probe_in_the_place_of_another_is_the_one_that_is_read) {
  heard what;
  const wall_clock& clock = system_wall_clock();
  std::atomic<int> present{0};
  probe_runner runner{quick(), clock, what.listener()};
  runner.add(cell("a"), std::make_shared<scripted_probe>([](const probe_context&) { return some_reading(); }), "one");
  CAF_REQUIRE(what.reads("a", 1));
  runner.add(cell("a"), std::make_shared<scripted_probe>([&](const probe_context&) {
               ++present;
               return some_reading();
             }),
             "two");
  CAF_CHECK(test::holds_within(test::test_timeout, [&] { return present >= 5; }));
}

CAF_TEST(an_end_waits_for_no_read_that_hangs) {
  heard what;
  const wall_clock& clock = system_wall_clock();
  const auto held = std::make_shared<gate>();
  {
    auto settings = quick();
    settings.read_timeout = 20ms;
    probe_runner runner{settings, clock, what.listener()};
    runner.add(cell("hangs"), std::make_shared<scripted_probe>([held](const probe_context&) {
                 held->pass();
                 return some_reading();
               }));
    CAF_REQUIRE(test::holds_within(test::test_timeout, [&] { return runner.counted().hanging == 1; }));
  }
  held->open();
  CAF_CHECK_EQUAL(what.readings_of("hangs"), 0);
}
