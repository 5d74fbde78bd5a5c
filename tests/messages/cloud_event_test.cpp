#include "messages/cloud_event.hpp"

#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/probe_events.hpp"

#define CAF_SUITE cloud_event
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

/// 2026-11-24T06:00:00.123456789Z
constexpr wall_time six_o_clock = std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} + 6h + 123'456'789ns;

const host_stamp plain{"host-a", "cell-1", "run-7", "sha256:abc"};
const std::string plain_chain = "host-a/cell-1/run-7/1";

/// Every character JSON has an opinion on, some that terminals and JavaScript have, and an imitation of our own
/// members.
const std::string hostile =
    "\"},\"cellId\":\"cell-2\",\"data\":{}\\ \b\f\n\r\t\x01\x1F\x7F caf\xC3\xA9 \xC2\x9B \xE2\x80\xA8"
    "\xE2\x80\xA9 \xEF\xBB\xBF \xF0\x9F\x98\x80" +
    std::string(1, '\0') + "</script>";

const guest_declaration bash{probe_source::process_spawned, 4242, 5'123'456'789, "bash"};

run_projection projection(const host_stamp& who = plain, const std::string& chain = plain_chain,
                          std::uint64_t next_event = 7) {
  return {std::make_shared<host_stamp>(who), {chain, next_event}};
}

run_opening opening() {
  run_opening known;
  known.daemon_version = "0.1.0";
  known.silence_window = 10s;
  return known;
}

run_totals some_totals() {
  run_totals totals;
  totals.received = 100;
  totals.appended = 60;
  totals.heartbeats = 7;
  totals.refused.add(telemetry_errc::malformed_frame, 5);
  totals.refused.add(telemetry_errc::unsupported_version, 4);
  totals.refused.add(telemetry_errc::unknown_probe_source, 3);
  totals.refused.add(telemetry_errc::framing_lost, 2);
  totals.refused.add(telemetry_errc::torn_frame, 1);
  totals.refused.add(telemetry_errc::over_quota, 6);
  totals.quarantined = 8;
  totals.forged_attribution = 9;
  totals.connections = 11;
  return totals;
}

agent_silenced silence() {
  return {.window = 10s, .last_accepted = monotonic_time{5s}, .observed = monotonic_time{15s + 1ns}};
}

telemetry_loss loss(loss_reason reason) {
  telemetry_loss lost;
  lost.reason = reason;
  if (reason != loss_reason::daemon_restart) lost.frames = 12;
  lost.refused = some_totals().refused;
  lost.file = "chunk-3.frames";
  return lost;
}

/// Appends one event. Every kind there is, by name.
struct event_kind {
  std::string name;
  std::function<void(run_projection&, std::string&)> append;
};

std::vector<event_kind> every_kind(const std::string& guest_text = "bash") {
  std::vector<event_kind> kinds{
      {"run_started", [](auto& run, auto& out) { run.run_started(out, six_o_clock, opening()); }},
      {"run_resumed", [](auto& run, auto& out) { run.run_resumed(out, six_o_clock, opening()); }},
      {"run_adopted",
       [](auto& run, auto& out) {
         run.run_adopted(out, six_o_clock, {plain_chain, 3, {5, "digest"}});
       }},
      {"agent_silenced", [](auto& run, auto& out) { run.agent_silenced(out, six_o_clock, silence()); }},
      {"agent_resumed", [](auto& run, auto& out) { run.agent_resumed(out, six_o_clock); }},
  };
  kinds.push_back({"agent_silenced watched",
                   [](auto& run, auto& out) { run.agent_silenced(out, six_o_clock, watched(silence())); }});
  for (const bool of_declaration : {true, false}) {
    kinds.push_back({"contradiction", [of_declaration](auto& run, auto& out) {
                       run.contradiction(out, six_o_clock, some_contradiction(of_declaration, six_o_clock));
                     }});
  }
  for (std::size_t i = 0; i < host_probe_names.size(); ++i) {
    kinds.push_back({std::string{host_probe_names[i]}, [i](auto& run, auto& out) {
                       run.host_reading(out, six_o_clock, some_reading(static_cast<host_probe>(i)));
                     }});
  }
  for (std::size_t i = 0; i < probe_source_names.size(); ++i) {
    kinds.push_back({std::string{probe_source_names[i]}, [i, guest_text](auto& run, auto& out) {
                       const guest_declaration declared{static_cast<probe_source>(i), 1, 2, guest_text};
                       run.declaration(out, stamp(declared, *run.attribution(), six_o_clock));
                     }});
  }
  for (auto reason : {run_end_reason::retired, run_end_reason::daemon_stopped, run_end_reason::cell_failed}) {
    kinds.push_back({"run_ended " + std::string{to_string(reason)},
                     [reason](auto& run, auto& out) { run.run_ended(out, six_o_clock, reason, some_totals()); }});
  }
  for (auto reason : {loss_reason::guest_queue_full, loss_reason::sequence_gap, loss_reason::frames_refused,
                      loss_reason::quarantined, loss_reason::daemon_restart}) {
    kinds.push_back({"telemetry_dropped " + std::string{to_string(reason)},
                     [reason](auto& run, auto& out) { run.telemetry_dropped(out, six_o_clock, loss(reason)); }});
  }
  return kinds;
}

/// The line of event 7 of the plain run.
std::string line(const std::string& type, const std::string& data) {
  return R"({"specversion":"1.0","id":"host-a/cell-1/run-7/1/00000000000000000007","source":"/cellos/host/host-a",)"
         R"("type":"dev.cellos.events.cell.observability.)" +
         type +
         R"(","subject":"urn:cellos:cell:cell-1","time":"2026-11-24T06:00:00.123456789Z",)"
         R"("datacontenttype":"application/json","chain":"host-a/cell-1/run-7/1","sequence":"00000000000000000007",)"
         R"("data":)" +
         data + "}\n";
}

template <class Append>
std::string seventh(Append&& append) {
  std::string out;
  auto run = projection();
  append(run, out);
  return out;
}

std::string seventh_loss(const telemetry_loss& lost) {
  return seventh([&](auto& run, auto& out) { run.telemetry_dropped(out, six_o_clock, lost); });
}

/// The bytes of `data`, as a verifier cuts them out.
std::string data_bytes(const std::string& event) {
  const std::size_t from = event.find(R"("data":)") + 7;
  return event.substr(from, event.size() - from - 2);
}

}  // namespace

CAF_TEST(a_declaration_is_exactly_this_line) {
  std::string out;
  projection().declaration(out, stamp(bash, plain, six_o_clock));
  CAF_CHECK_EQUAL(
      out,
      R"({"specversion":"1.0","id":"host-a/cell-1/run-7/1/00000000000000000007","source":"/cellos/host/host-a",)"
      R"("type":"dev.cellos.events.cell.observability.guest.v1.process_spawned","subject":"urn:cellos:cell:cell-1",)"
      R"("time":"2026-11-24T06:00:00.123456789Z","datacontenttype":"application/json",)"
      R"("chain":"host-a/cell-1/run-7/1","sequence":"00000000000000000007","data":{"cellId":"cell-1",)"
      R"("guestComm":"bash","guestMonotonicNs":"5123456789","guestPid":4242,)"
      R"("hostReceivedAt":"2026-11-24T06:00:00.123456789Z",)"
      R"("output":{"epistemicStatus":"declared","ruleClass":"guestAgentDeclaration","tier":1},)"
      R"("probeSource":"process.spawned","runId":"run-7","specSignatureHash":"sha256:abc"}})"
      "\n");
}

CAF_TEST(run_started_is_exactly_this_line) {
  CAF_CHECK_EQUAL(
      seventh([](auto& run, auto& out) { run.run_started(out, six_o_clock, opening()); }),
      line("run.v1.started", R"({"cellId":"cell-1","daemonVersion":"0.1.0","hostId":"host-a",)"
                             R"("output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},)"
                             R"("runId":"run-7","signing":{"mode":"off"},"silenceWindowNs":"10000000000",)"
                             R"("specSignatureHash":"sha256:abc",)"
                             R"("wireContentVersionMajor":1})"));
}

CAF_TEST(run_resumed_says_what_run_started_says) {
  const auto started = seventh([](auto& run, auto& out) { run.run_started(out, six_o_clock, opening()); });
  const auto resumed = seventh([](auto& run, auto& out) { run.run_resumed(out, six_o_clock, opening()); });
  CAF_CHECK_EQUAL(resumed, line("run.v1.resumed", data_bytes(started)));
}

CAF_TEST(run_adopted_is_exactly_this_line) {
  CAF_CHECK_EQUAL(
      seventh([](auto& run, auto& out) {
        run.run_adopted(out, six_o_clock, {plain_chain, 3, {5, "d"}});
      }),
      line("run.v1.adopted", R"({"adoptedFrom":"3","adoptedTo":"5","cellId":"cell-1","digest":"d",)"
                             R"("output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},)"
                             R"("runId":"run-7","specSignatureHash":"sha256:abc"})"));
}

CAF_TEST(run_ended_is_exactly_this_line) {
  const auto ended =
      seventh([](auto& run, auto& out) { run.run_ended(out, six_o_clock, run_end_reason::retired, some_totals()); });
  CAF_CHECK_EQUAL(
      ended, line("run.v1.ended",
                  R"({"cellId":"cell-1","output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},)"
                  R"("reason":"retired","runId":"run-7","specSignatureHash":"sha256:abc",)"
                  R"("totals":{"appended":"60","connections":"11","forgedAttribution":"9","heartbeats":"7",)"
                  R"("inFlight":"4","quarantined":"8","received":"100",)"
                  R"("refused":{"framing_lost":"2","malformed_frame":"5","over_quota":"6","torn_frame":"1",)"
                  R"("unknown_probe_source":"3","unsupported_version":"4"}}})"));
}

CAF_TEST(agent_silenced_is_exactly_this_line) {
  CAF_CHECK_EQUAL(seventh([](auto& run, auto& out) { run.agent_silenced(out, six_o_clock, silence()); }),
                  line("guest.v1.agent_silenced",
                       R"({"cellId":"cell-1","output":{"epistemicStatus":"observed","ruleClass":"opacity","tier":2},)"
                       R"("runId":"run-7","silenceWindowNs":"10000000000","silentForNs":"10000000001",)"
                       R"("specSignatureHash":"sha256:abc"})"));
}

CAF_TEST(agent_resumed_is_exactly_this_line) {
  CAF_CHECK_EQUAL(
      seventh([](auto& run, auto& out) { run.agent_resumed(out, six_o_clock); }),
      line("guest.v1.agent_resumed",
           R"({"cellId":"cell-1","output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},)"
           R"("runId":"run-7","specSignatureHash":"sha256:abc"})"));
}

CAF_TEST(telemetry_dropped_is_exactly_this_line_for_each_reason) {
  const std::string type = "guest.v1.telemetry_dropped";
  const std::string output = R"("output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},)";
  const std::string run = R"("runId":"run-7","specSignatureHash":"sha256:abc"})";
  CAF_CHECK_EQUAL(
      seventh_loss(loss(loss_reason::guest_queue_full)),
      line(type, R"({"cellId":"cell-1","frames":"12",)" + output + R"("reason":"guest_queue_full",)" + run));
  CAF_CHECK_EQUAL(seventh_loss(loss(loss_reason::sequence_gap)),
                  line(type, R"({"cellId":"cell-1","frames":"12",)" + output + R"("reason":"sequence_gap",)" + run));
  CAF_CHECK_EQUAL(
      seventh_loss(loss(loss_reason::frames_refused)),
      line(type, R"({"cellId":"cell-1","frames":"12",)" + output +
                     R"("reason":"frames_refused","refused":{"framing_lost":"2","malformed_frame":"5",)"
                     R"("over_quota":"6","torn_frame":"1","unknown_probe_source":"3","unsupported_version":"4"},)" +
                     run));
  CAF_CHECK_EQUAL(seventh_loss(loss(loss_reason::quarantined)),
                  line(type, R"({"cellId":"cell-1","frames":"12",)" + output +
                                 R"("quarantineFile":"chunk-3.frames","reason":"quarantined",)" + run));
  CAF_CHECK_EQUAL(seventh_loss(loss(loss_reason::daemon_restart)),
                  line(type, R"({"cellId":"cell-1",)" + output + R"("reason":"daemon_restart",)" + run));
}

CAF_TEST(every_reason_has_a_word_of_its_own) {
  CAF_CHECK_EQUAL(std::string{to_string(run_end_reason::retired)}, "retired");
  CAF_CHECK_EQUAL(std::string{to_string(run_end_reason::daemon_stopped)}, "daemon_stopped");
  CAF_CHECK_EQUAL(std::string{to_string(run_end_reason::cell_failed)}, "cell_failed");
  CAF_CHECK_EQUAL(std::string{to_string(loss_reason::guest_queue_full)}, "guest_queue_full");
  CAF_CHECK_EQUAL(std::string{to_string(loss_reason::sequence_gap)}, "sequence_gap");
  CAF_CHECK_EQUAL(std::string{to_string(loss_reason::frames_refused)}, "frames_refused");
  CAF_CHECK_EQUAL(std::string{to_string(loss_reason::quarantined)}, "quarantined");
  CAF_CHECK_EQUAL(std::string{to_string(loss_reason::daemon_restart)}, "daemon_restart");
}

CAF_TEST(the_type_of_a_declaration_is_its_source_with_an_underscore) {
  for (std::size_t i = 0; i < probe_source_names.size(); ++i) {
    std::string out;
    const guest_declaration declared{static_cast<probe_source>(i), 1, 2, "x"};
    projection().declaration(out, stamp(declared, plain, six_o_clock));
    const auto event = nlohmann::json::parse(out);
    std::string verb{probe_source_names[i]};
    verb[verb.find('.')] = '_';
    CAF_CHECK_EQUAL(event["type"].get<std::string>(), "dev.cellos.events.cell.observability.guest.v1." + verb);
    CAF_CHECK_EQUAL(event["data"]["probeSource"].get<std::string>(), std::string{probe_source_names[i]});
  }
}

CAF_TEST(every_event_is_one_line_of_compact_json_with_data_in_canonical_form) {
  const host_stamp hostile_stamp{hostile, hostile, hostile, hostile};
  auto plain_run = projection();
  auto hostile_run = projection(hostile_stamp, hostile);
  for (auto* run : {&plain_run, &hostile_run}) {
    for (const auto& kind : every_kind(hostile)) {
      CAF_MESSAGE(kind.name);
      std::string out;
      kind.append(*run, out);
      CAF_CHECK_EQUAL(nlohmann::ordered_json::parse(out).dump() + "\n", out);
      // Of plain ASCII keys and without floats, what the library dumps from a sorted map is RFC 8785's form.
      CAF_CHECK_EQUAL(nlohmann::json::parse(data_bytes(out)).dump(), data_bytes(out));
    }
  }
}

CAF_TEST(no_event_holds_a_raw_control_character) {
  const host_stamp hostile_stamp{hostile, hostile, hostile, hostile};
  for (const auto& kind : every_kind(hostile)) {
    std::string out;
    auto run = projection(hostile_stamp, hostile);
    kind.append(run, out);
    int controls = 0;
    for (char character : out) controls += static_cast<unsigned char>(character) < 0x20 ? 1 : 0;
    CAF_CHECK_EQUAL(controls, 1);
    CAF_CHECK_EQUAL(out.back(), '\n');
  }
}

CAF_TEST(what_a_guest_calls_itself_comes_back_exactly) {
  for (const std::string& comm : {hostile, std::string{}, std::string(4000, '"'), std::string(3, '\0'),
                                  std::string{"\xE2\x80\xA8"}, std::string{"\xF4\x8F\xBF\xBF"}}) {
    std::string out;
    const guest_declaration exited{probe_source::process_exited, 1, 2, comm};
    projection().declaration(out, stamp(exited, plain, six_o_clock));
    const auto event = nlohmann::json::parse(out);
    CAF_CHECK(event["data"]["guestComm"].get<std::string>() == comm);
    CAF_CHECK_EQUAL(event["data"]["cellId"].get<std::string>(), "cell-1");
    CAF_CHECK_EQUAL(event["data"].size(), 9u);
    CAF_CHECK_EQUAL(event.size(), 10u);
  }
}

CAF_TEST(attribution_comes_back_exactly) {
  auto run = projection({"h" + hostile, "c" + hostile, "r" + hostile, "s" + hostile}, "k" + hostile);
  std::uint64_t sequence = 6;
  for (const auto& kind : every_kind()) {
    std::string out;
    kind.append(run, out);
    const auto event = nlohmann::json::parse(out);
    CAF_CHECK(event["data"]["cellId"] == "c" + hostile);
    CAF_CHECK(event["data"]["runId"] == "r" + hostile);
    CAF_CHECK(event["data"]["specSignatureHash"] == "s" + hostile);
    CAF_CHECK(event["source"] == "/cellos/host/h" + hostile);
    CAF_CHECK(event["subject"] == "urn:cellos:cell:c" + hostile);
    CAF_CHECK(event["chain"] == "k" + hostile);
    CAF_CHECK(event["id"] == "k" + hostile + "/" + std::string{sequence_text{++sequence}.view()});
  }
}

CAF_TEST(a_sequence_is_twenty_digits_so_that_text_order_is_chain_order) {
  for (const auto& [sequence, text] : {std::pair{std::uint64_t{1}, "00000000000000000001"},
                                       std::pair{std::uint64_t{1'000'000}, "00000000000001000000"},
                                       std::pair{~std::uint64_t{0}, "18446744073709551615"}}) {
    for (const auto& kind : every_kind()) {
      std::string out;
      auto run = projection(plain, plain_chain, sequence);
      kind.append(run, out);
      const auto event = nlohmann::json::parse(out);
      CAF_CHECK_EQUAL(event["sequence"].get<std::string>(), text);
      CAF_CHECK_EQUAL(event["id"].get<std::string>(), plain_chain + "/" + text);
    }
  }
}

CAF_TEST(numbers_beyond_2_to_the_53_stay_exact) {
  std::string out;
  const std::uint64_t largest = ~std::uint64_t{0};
  const guest_declaration exited{probe_source::process_exited, 0xFFFF'FFFF, largest, "x"};
  projection().declaration(out, stamp(exited, plain, six_o_clock));
  const auto declared = nlohmann::json::parse(out)["data"];
  CAF_CHECK_EQUAL(declared["guestMonotonicNs"].get<std::string>(), "18446744073709551615");
  CAF_CHECK_EQUAL(declared["guestPid"].get<std::uint64_t>(), 4'294'967'295u);
  run_totals totals;
  totals.received = largest;
  out.clear();
  projection().run_ended(out, six_o_clock, run_end_reason::retired, totals);
  CAF_CHECK_EQUAL(nlohmann::json::parse(out)["data"]["totals"]["received"].get<std::string>(), "18446744073709551615");
}

CAF_TEST(lines_are_appended_to_what_is_there) {
  std::string out = "before\n";
  auto run = projection();
  run.agent_resumed(out, six_o_clock);
  run.declaration(out, stamp(bash, plain, six_o_clock));
  std::string one;
  std::string two;
  auto again = projection();
  again.agent_resumed(one, six_o_clock);
  again.declaration(two, stamp(bash, plain, six_o_clock));
  CAF_CHECK_EQUAL(out, "before\n" + one + two);
}

CAF_TEST(a_projection_outlives_the_stamp_it_was_given) {
  auto who = std::make_shared<host_stamp>(plain);
  run_projection run{who, {plain_chain}};
  who.reset();
  std::string out;
  run.agent_resumed(out, six_o_clock);
  CAF_CHECK_EQUAL(nlohmann::json::parse(out)["data"]["runId"].get<std::string>(), "run-7");
  CAF_CHECK_EQUAL(run.chain().chain(), plain_chain);
}
