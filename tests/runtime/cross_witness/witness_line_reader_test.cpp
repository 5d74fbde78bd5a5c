#include "runtime/cross_witness/witness_line_reader.hpp"

#include "messages/cloud_event.hpp"
#include "tests/runtime/cross_witness/scripted_cell.hpp"

#define CAF_SUITE witness_line_reader
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

constexpr wall_time noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 28} + 12h};

/// The one line that the daemon writes.
template <class Write>
std::optional<witness_line> written(Write write) {
  const auto stamp = std::make_shared<const host_stamp>(host_stamp{"h", "c", "r", "sha256:x"});
  run_projection projection{stamp, {"h/c/r/1", 5}};
  std::string out;
  write(out, projection, *stamp);
  out.pop_back();
  const auto line = parse_event_line(out);
  if (!line) throw std::runtime_error{out};
  return witness_line_reader{}.read(*line);
}

std::optional<witness_line> read(const std::string& text, const std::string& counter = {}) {
  const auto line = parse_event_line(text);
  if (!line) throw std::runtime_error{text};
  return witness_line_reader{counter}.read(*line);
}

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == text.npos) throw std::runtime_error{"no " + from + " in " + text};
  return text.replace(at, from.size(), to);
}

}  // namespace

CAF_TEST(what_the_daemon_writes_of_a_declaration_is_read) {
  const auto line = written([](std::string& out, run_projection& to, const host_stamp& who) {
    const guest_declaration declared{probe_source::net_connect_attempted, 77, 1, "\"guestPid\":5"};
    to.declaration(out, stamp(declared, who, noon));
  });
  CAF_REQUIRE(line);
  CAF_CHECK_EQUAL(line->sequence, 5u);
  CAF_CHECK(line->at == noon);
  const auto& declared = std::get<witnessed::declaration>(line->what);
  CAF_CHECK(declared.source == probe_source::net_connect_attempted);
  CAF_CHECK_EQUAL(declared.guest_pid, 77u);
}

CAF_TEST(what_the_daemon_writes_of_silence_loss_and_ends_is_read) {
  const auto silence = written([](std::string& out, run_projection& to, const host_stamp&) {
    to.agent_silenced(out, noon, {.window = 10s, .last_accepted = monotonic_time{1s}, .observed = monotonic_time{12s}});
  });
  CAF_CHECK(std::get<witnessed::silence>(silence.value().what).silent_for == 11s);
  const auto loss = written([](std::string& out, run_projection& to, const host_stamp&) {
    to.telemetry_dropped(out, noon, {loss_reason::sequence_gap, 3, {}, {}});
  });
  CAF_CHECK(std::holds_alternative<witnessed::loss>(loss.value().what));
  const auto resumed =
      written([](std::string& out, run_projection& to, const host_stamp&) { to.agent_resumed(out, noon); });
  CAF_CHECK(std::holds_alternative<witnessed::resumption>(resumed.value().what));
  const auto ended = written([](std::string& out, run_projection& to, const host_stamp&) {
    to.run_ended(out, noon, run_end_reason::retired, {});
  });
  CAF_CHECK(std::holds_alternative<witnessed::end>(ended.value().what));
  const auto restart =
      written([](std::string& out, run_projection& to, const host_stamp&) { to.run_resumed(out, noon, {}); });
  CAF_CHECK(std::holds_alternative<witnessed::restart>(restart.value().what));
  CAF_CHECK(!written([](std::string& out, run_projection& to, const host_stamp&) { to.run_checkpoint(out, noon); }));
}

CAF_TEST(the_named_counter_is_compared_or_else_the_packets_of_the_tap) {
  const auto attempts =
      test::log_line({1, noon, witnessed::network_reading{witnessed::network_counter::connection_attempts, 12, 2}});
  const auto packets =
      test::log_line({1, noon, witnessed::network_reading{witnessed::network_counter::packets, 34, 5}});
  const auto counted = std::get<witnessed::network_reading>(read(attempts, "syn").value().what);
  CAF_CHECK_EQUAL(counted.value, 12u);
  CAF_CHECK_EQUAL(counted.instance, 2u);
  CAF_CHECK(!read(packets, "syn"));
  CAF_CHECK(!read(attempts));
  CAF_CHECK(!read(attempts, "absent"));
  CAF_CHECK(std::get<witnessed::network_reading>(read(packets).value().what).value == 34u);
}

CAF_TEST(groups_of_either_version_are_read) {
  const std::string v2 = test::log_line({1, noon, witnessed::cgroup_reading{3, 4}});
  CAF_CHECK(std::get<witnessed::cgroup_reading>(read(v2).value().what).oom_kills == 3u);
  const std::string v1 =
      changed(v2, R"({"v2":{"memory.events":{"oom_kill":"3"},"pids.events":{"max":"4"}}})",
              R"({"memory":{"memory.oom_control":{"oom_kill":"5"}},"pids":{"pids.events":{"max":"6"}}})");
  CAF_CHECK(std::get<witnessed::cgroup_reading>(read(v1).value().what).oom_kills == 5u);
  CAF_CHECK(std::get<witnessed::cgroup_reading>(read(v1).value().what).refused_forks == 6u);
}

CAF_TEST(a_line_that_says_nothing_of_this_is_none) {
  const std::string line = test::log_line({1, noon, witnessed::declaration{probe_source::process_spawned, 4}});
  CAF_CHECK(read(line));
  CAF_CHECK(!read(changed(line, R"("guestPid":4)", R"("guestPid":-4)")));
  CAF_CHECK(!read(changed(line, R"("guestPid":4)", R"("guestPid":4294967296)")));
  CAF_CHECK(!read(changed(line, "2026-11-28", "2026-11-99")));
  CAF_CHECK(!read(changed(line, "dev.cellos", "org.others")));
  CAF_CHECK(!read(changed(line, "process_spawned", "process_imagined")));
  const std::string vmm = test::log_line({1, noon, witnessed::vmm_reading{true}});
  CAF_CHECK(!read(changed(vmm, "true", "\"true\"")));
  CAF_CHECK(!read(changed(vmm, R"("output")", R"("other")")));
}
