#include "runtime/daemon/role_list.hpp"

#include <string>
#include <vector>

#define CAF_SUITE role_list
#include "caf/test/dsl.hpp"

using namespace cellos;

namespace {

/// Writes down what is done in which order; what stands in `refused` refuses.
struct diary {
  std::string done;
  std::string refused;

  boot_step step(const char* name) {
    return {name,
            [this, name] {
              done += std::string{"+"} + name + " ";
              return name == refused ? "cannot be had" : std::string{};
            },
            [this, name] { done += std::string{"-"} + name + " "; }};
  }
};

struct role_names {
  const char* claim;
  const char* open;
  const char* serve;
  const char* answer;
};

/// A role that only writes down what it is asked to do; what it answers is set.
class written_down_role final : public daemon_role {
 public:
  written_down_role(diary& notes, role_names names) : notes_(notes), names_(names) {}

  sign_of_life alive{"", 2};
  std::chrono::nanoseconds asked_for{0};
  std::vector<configuration_error> errors;

  std::size_t threads() const override { return 3; }
  std::vector<boot_step> claim_steps() override { return {notes_.step(names_.claim)}; }
  std::vector<boot_step> serve_steps() override { return {notes_.step(names_.open), notes_.step(names_.serve)}; }
  std::vector<boot_step> answer_steps() override { return {notes_.step(names_.answer)}; }
  served_cells cells() const override { return {5, 1}; }
  sign_of_life check_liveness(std::chrono::nanoseconds timeout) override {
    asked_for = timeout;
    return alive;
  }
  std::vector<std::string> unready_reasons() const override { return {names_.serve}; }
  std::vector<configuration_error> prepare_reload(const configuration&) override { return errors; }
  void take_over(const configuration&, reload_report& report) override {
    notes_.done += std::string{"took over in "} + names_.serve + " ";
    ++report.cells;
  }
  std::uint64_t cells_not_drained() const override { return 4; }

 private:
  diary& notes_;
  role_names names_;
};

struct fixture {
  diary notes;
  written_down_role host{notes, {"h.claim", "h.open", "h.serve", "h.answer"}};
  written_down_role collector{notes, {"c.claim", "c.open", "c.serve", "c.answer"}};

  boot_refusal run(const std::vector<daemon_role*>& roles) {
    process_steps own;
    own.before_claims = {notes.step("log")};
    own.before_serving = {notes.step("actors")};
    own.last = {notes.step("ready")};
    own.stopped = [this] { notes.done += "stopped "; };
    return run_boot_list(
        role_list{roles}.boot_steps(std::move(own)),
        [this](const boot_refusal& refusal) { notes.done += "!" + std::string{refusal.step} + " "; },
        [this] { notes.done += "* "; });
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(role_list_tests, fixture)

CAF_TEST(all roles claim before any serves and serve before any answers) {
  CAF_CHECK_EQUAL(run({&host, &collector}).cause, "");
  CAF_CHECK_EQUAL(
      notes.done,
      "+log +h.claim +c.claim +actors +h.open +h.serve +c.open +c.serve +h.answer +c.answer +ready * "
      "-ready -c.answer -h.answer -c.serve -c.open -h.serve -h.open stopped -actors -c.claim -h.claim -log ");
}

CAF_TEST(a role that fails in the middle has those before it stopped in reverse and is named by its step) {
  notes.refused = "c.serve";
  const boot_refusal refused = run({&host, &collector});
  CAF_CHECK_EQUAL(refused.step, std::string{"c.serve"});
  CAF_CHECK_EQUAL(refused.cause, "cannot be had");
  CAF_CHECK_EQUAL(notes.done,
                  "+log +h.claim +c.claim +actors +h.open +h.serve +c.open +c.serve !c.serve "
                  "-c.open -h.serve -h.open stopped -actors -c.claim -h.claim -log ");
}

CAF_TEST(a role that cannot claim what it needs keeps every role from serving) {
  notes.refused = "c.claim";
  CAF_CHECK_EQUAL(run({&host, &collector}).step, std::string{"c.claim"});
  CAF_CHECK_EQUAL(notes.done, "+log +h.claim +c.claim !c.claim -h.claim -log ");
}

CAF_TEST(nothing is reported as stopped that never began to serve) {
  notes.refused = "h.open";
  CAF_CHECK_EQUAL(run({&host}).step, std::string{"h.open"});
  CAF_CHECK_EQUAL(notes.done, "+log +h.claim +actors +h.open !h.open -actors -h.claim -log ");
}

CAF_TEST(a process without a role does its own steps) {
  CAF_CHECK_EQUAL(run({}).cause, "");
  CAF_CHECK_EQUAL(notes.done, "+log +actors +ready * -ready -actors -log ");
}

CAF_TEST(roles add up) {
  const role_list both{{&host, &collector}};
  CAF_CHECK_EQUAL(both.threads(), 6u);
  CAF_CHECK_EQUAL(both.cells().admitted, 10u);
  CAF_CHECK_EQUAL(both.cells().refused, 2u);
  CAF_CHECK_EQUAL(both.cells_not_drained(), 8u);
  CAF_CHECK((both.unready_reasons() == std::vector<std::string>{"h.serve", "c.serve"}));
}

CAF_TEST(all roles together are alive within the time of one or one says what hangs) {
  using namespace std::chrono_literals;
  const role_list both{{&host, &collector}};
  CAF_CHECK_EQUAL(both.check_liveness(8s).cells, 4u);
  CAF_CHECK(host.asked_for == 4s && collector.asked_for == 4s);
  CAF_CHECK_EQUAL(role_list{{&host}}.check_liveness(8s).cells, 2u);
  CAF_CHECK(host.asked_for == 8s);
  collector.alive.problem = "The collector does not answer";
  CAF_CHECK_EQUAL(both.check_liveness(8s).problem, "The collector does not answer");
}

CAF_TEST(a file that one role refuses is taken over by none) {
  const role_list both{{&host, &collector}};
  collector.errors.push_back({"f.toml", 1, 1, "collector", "is wrong", "mend it"});
  CAF_CHECK_EQUAL(both.prepare_reload({}).size(), 1u);
  CAF_CHECK_EQUAL(notes.done, "");
  collector.errors.clear();
  CAF_CHECK(both.prepare_reload({}).empty());
  reload_report report;
  both.take_over({}, report);
  CAF_CHECK_EQUAL(notes.done, "took over in h.serve took over in c.serve ");
  CAF_CHECK_EQUAL(report.cells, 2u);
}

CAF_TEST_FIXTURE_SCOPE_END()
