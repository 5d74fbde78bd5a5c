#define CAF_SUITE actor_death_sweep
#include <caf/message_priority.hpp>
#include <caf/scheduled_actor.hpp>

#include <cxxabi.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtime/signing/host_sealing.hpp"
#include "tests/simulation/log_checker.hpp"
#include "tests/support/host_fixture.hpp"

// ctest: TIMEOUT 120

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

enum class moment : std::uint8_t { before_the_message, after_the_message };

/// The text between `mark` and the next quote.
std::string_view behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + mark.size());
  return text.substr(0, text.find('"'));
}

std::uint64_t number_of(std::string_view decimal) {
  std::uint64_t number = 0;
  std::from_chars(decimal.data(), decimal.data() + decimal.size(), number);
  return number;
}

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable{
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free};
  return readable ? readable.get() : "(unreadable)";
}

std::shared_ptr<const signing_key> key(const std::string& id) {
  const std::array<std::uint8_t, 32> seed{1, 2, 3};
  return std::make_shared<const signing_key>(
      std::get<signing_key>(signing_key::from_secret(signing_algorithm::ed25519, id, seed)));
}

/// A cell's whole life, in which the actor that is about to take the n-th message dies.
struct life : host_fixture {
  life(std::uint64_t nth, moment when) : dies_at(nth), dies(when) {
    environment->limits = {50, 10s, 5s};
    environment->decode = [](chunk_ptr chunk, host_stamp_ptr run) {
      batch decoded = decode_chunk(std::move(chunk), std::move(run));
      for (const guest_declaration& declared : decoded.declarations) {
        if (declared.guest_comm == "poison") throw std::runtime_error{"poison"};
      }
      return decoded;
    };
    resources.sealing = sealing;
    resources.host_chain = &host_chain;
    host_chain.record(daemon_start{"test"});
    host = sys.spawn(make_host_supervisor, 1, &resources, std::cref(*environment));
  }

  /// While there is a chain.
  ~life() override {
    caf::anon_send_exit(host, caf::exit_reason::kill);
    consume_messages();
  }

  void change_key() {
    self->send(host, rekey_atom::value,
               event_sealing_ptr{std::make_shared<const host_sealing>(second_key, first_key, 1000)});
    run_all();
  }

  std::vector<std::string> broken_seals() const {
    key_list keys;
    for (const auto& each : {first_key, second_key}) keys.add(each->key_id(), each->algorithm(), each->public_key());
    return simulation::broken_seals(log.text, keys);
  }

  caf::scheduled_actor& next_actor() { return sched.next_job<caf::scheduled_actor>(); }

  /// The HOST SUPERVISOR is the daemon itself.
  bool next_is_mortal() { return std::string_view{next_actor().name()} != host_supervisor_state::name; }

  std::string next_message() {
    const caf::mailbox_element* waiting = next_actor().mailbox().peek();
    if (waiting == nullptr) return "start";
    const caf::type_erased_tuple& content = waiting->content();
    if (content.empty()) return "nothing";
    if (content.matches(0, caf::type_nr<caf::atom_value>::value, nullptr)) {
      return to_string(*static_cast<const caf::atom_value*>(content.get(0)));
    }
    const auto [number, type] = content.type(0);
    return type == nullptr ? caf::numbered_type_names[number - 1] : type_name(*type);
  }

  /// Ahead of everything in its mailbox.
  static void end(const caf::actor_addr& actor) {
    const auto victim = caf::actor_cast<caf::strong_actor_ptr>(actor);
    if (!victim) return;
    victim->enqueue(nullptr, caf::make_message_id(caf::message_priority::high),
                    caf::make_message(caf::exit_msg{actor, caf::exit_reason::kill}), nullptr);
  }

  void run_all() {
    while (sched.has_job()) {
      if (!next_is_mortal() || ++messages != dies_at) {
        sched.run_once();
        continue;
      }
      victim = std::string{next_actor().name()} + " " + next_message();
      const caf::actor_addr address = next_actor().address();
      if (dies == moment::before_the_message) end(address);
      sched.run_once();
      if (dies == moment::after_the_message) end(address);
    }
  }

  void let_pass(std::chrono::milliseconds duration, std::chrono::milliseconds step) {
    for (std::chrono::milliseconds passed{0}; passed < duration; passed += step) {
      clock.time += step;
      advance_time(step);
      run_all();
    }
  }

  /// As an orchestrator asks: again, if the one who should have answered died.
  template <class Answer, class... Words>
  Answer insist(const Words&... words) {
    std::string refusal;
    for (int attempt = 0; attempt < 5; ++attempt) {
      std::optional<Answer> answer;
      auto pending = self->request(host, caf::infinite, words...);
      bool refused = false;
      for (int waits = 0; waits < 200 && self->mailbox().empty(); ++waits) {
        run_all();
        if (self->mailbox().empty()) let_pass(500ms, 100ms);
      }
      if (self->mailbox().empty()) throw std::runtime_error("no answer");
      pending.receive([&](Answer& given) { answer = std::move(given); },
                      [&](caf::error& no) {
                        refused = true;
                        refusal = explanation(no);
                      });
      if (!refused) return std::move(*answer);
    }
    throw std::runtime_error("refused five times: " + refusal);
  }

  run_totals live() {
    insist<cell_status>(admit_atom::value, cell("cell-1"));
    receive("cell-1", {frame_of("process.spawned", 1), malformed_frame(), frame_of("process.spawned", 2)});
    run_all();
    receive("cell-1", {frame_of("agent.heartbeat", 2)});
    receive("cell-1", {frame_of("process.spawned", 99, "poison")});
    receive("cell-1", {frame_of("process.spawned", 3)});
    run_all();
    log.refusal = std::make_error_code(std::errc::no_space_on_device);
    receive("cell-1", {frame_of("process.spawned", 4)});
    let_pass(300ms, 50ms);
    log.refusal = {};
    let_pass(1s, 100ms);
    receive("cell-1", {malformed_frame()});
    let_pass(1s, 100ms);
    change_key();
    let_pass(12s, 200ms);  // falls silent
    receive("cell-1", {frame_of("process.spawned", 5)});
    let_pass(1s, 100ms);
    insist<std::vector<cell_status>>(status_atom::value);
    return insist<run_totals>(retire_atom::value, std::string{"cell-1"});
  }

  /// What is not as it must be, whoever died when; empty if nothing.
  std::string check(const run_totals& totals) {
    std::string wrong;
    const auto demand = [&](const char* what, std::uint64_t is, std::uint64_t must_be) {
      if (is != must_be)
        wrong += std::string{what} + " " + std::to_string(is) + " not " + std::to_string(must_be) + "; ";
    };
    demand("received", totals.received, 9);
    demand("appended", totals.appended, 5);
    demand("heartbeats", totals.heartbeats, 1);
    demand("refused", totals.refused.total(), 2);
    demand("quarantined", totals.quarantined, 1);
    demand("silences", log.count("guest.v1.agent_silenced"), 1);
    demand("resumptions", log.count("guest.v1.agent_resumed"), 1);
    demand("starts", log.count("run.v1.started"), 1);
    demand("ends", log.count("run.v1.ended"), 1);
    std::uint64_t sequence = 0;
    std::uint64_t declared = 0;
    for (const std::string& line : log.lines()) {
      const std::string_view id = behind(line, R"("id":")");
      if (id.find("/cell-1/") != std::string_view::npos)
        demand("sequence", number_of(id.substr(id.rfind('/') + 1)), ++sequence);
      const std::string_view number = behind(line, R"("guestMonotonicNs":")");
      if (!number.empty()) demand("declaration", number_of(number), ++declared);
    }
    demand("declarations", declared, 5);
    for (const std::string& broken : broken_seals()) wrong += broken + "; ";
    return wrong;
  }

  const std::shared_ptr<const signing_key> first_key = key("first");
  const std::shared_ptr<const signing_key> second_key = key("second");
  const event_sealing_ptr sealing = std::make_shared<const host_sealing>(first_key, nullptr, 1000);
  host_event_chain host_chain{"host-a", log, clock, sealing, std::nullopt, *resources.epochs};
  const std::uint64_t dies_at;
  const moment dies;
  std::uint64_t messages = 0;
  /// Who died and of which message; empty if nobody did.
  std::string victim;
};

/// Every message of every mortal actor in turn. Returns the kinds that were met.
std::set<std::string> sweep(moment when) {
  std::set<std::string> met;
  for (std::uint64_t nth = 1;; ++nth) {
    life one{nth, when};
    std::string wrong;
    try {
      wrong = one.check(one.live());
    } catch (const std::exception& thrown) {
      wrong = thrown.what();
    }
    if (!wrong.empty()) CAF_ERROR("message " << nth << ", " << one.victim << ": " << wrong);
    if (one.victim.empty()) break;
    met.insert(one.victim);
  }
  for (const std::string& kind : met) CAF_MESSAGE(kind);
  return met;
}

void demand_all_kinds(const std::set<std::string>& met) {
  for (const char* kind : {"cell.supervisor admit",
                           "cell.supervisor retire",
                           "cell.supervisor status",
                           "cell.supervisor @down",
                           "cell.supervisor @str",
                           "cell.supervisor @u64",
                           "cell.supervisor cellos::run_account",
                           "cell.supervisor cellos::run_totals",
                           "cell.listener drain",
                           "cell.listener drained",
                           "cell.decoder std::shared_ptr<cellos::received_chunk const>",
                           "cell.decoder barrier",
                           "cell.keepalive tick",
                           "host.sink openrun",
                           "host.sink std::shared_ptr<cellos::batch const>",
                           "host.sink std::shared_ptr<cellos::host_stamp const>",
                           "host.sink quarantine",
                           "host.sink flush",
                           "host.sink tick",
                           "host.sink totals",
                           "host.sink closerun",
                           "host.sink checkpoint",
                           "host.sink rekey",
                           "host.sink cellos::append_outcome",
                           "host.chain append",
                           "host.chain rekey"}) {
    CAF_CHECK_EQUAL(met.contains(kind) ? kind : "never met", kind);
  }
}

}  // namespace

CAF_TEST(a life in which nobody dies is as it must be) {
  life undisturbed{0, moment::before_the_message};
  CAF_CHECK_EQUAL(undisturbed.check(undisturbed.live()), "");
  CAF_CHECK(undisturbed.messages > 50);
}

CAF_TEST(whoever dies before any message loses nothing) { demand_all_kinds(sweep(moment::before_the_message)); }

CAF_TEST(whoever dies after any message loses nothing) { demand_all_kinds(sweep(moment::after_the_message)); }
