#include "runtime/signing/host_sealing.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/run_ledger.hpp"
#include "runtime/signing/dsse.hpp"
#include "runtime/signing/key_list.hpp"
#include "runtime/signing/line_digest.hpp"
#include "runtime/signing/material.hpp"

#define CAF_SUITE host_sealing
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const signing_key> key(const std::string& id) {
  return std::make_shared<const signing_key>(signing_key::generate(signing_algorithm::ed25519, id));
}

struct fixture {
  std::shared_ptr<const signing_key> first = key("first");
  std::shared_ptr<const signing_key> second = key("second");
  host_stamp_ptr who = std::make_shared<const host_stamp>(host_stamp{"host-a", "cell-1", "run-1", "sha256:x"});
  wall_time now{std::chrono::seconds{1'700'000'000}};
  std::string log;

  event_sealing_ptr every_event() const { return std::make_shared<const host_sealing>(first, nullptr, 1); }
  event_sealing_ptr every(std::uint64_t events) const {
    return std::make_shared<const host_sealing>(first, nullptr, events);
  }

  run_ledger opened(const event_sealing_ptr& sealing) {
    run_ledger ledger{who, "host-a/cell-1/run-1/1700000000000", sealing};
    ledger.open(log, now, {"test", 10s, {}});
    return ledger;
  }

  batch declarations(std::uint64_t chunk_sequence, std::size_t count) const {
    received_chunk chunk;
    chunk.sequence = chunk_sequence;
    chunk.frames = static_cast<std::uint32_t>(count);
    chunk.received_at = now + std::chrono::milliseconds{chunk_sequence};
    batch made;
    made.attribution = who;
    made.chunk = std::make_shared<const received_chunk>(std::move(chunk));
    for (std::size_t i = 0; i < count; ++i) {
      made.declarations.push_back({probe_source::process_spawned, static_cast<std::uint32_t>(i), i, "a \"comm\"\n"});
    }
    return made;
  }

  std::vector<std::string_view> lines() const {
    std::vector<std::string_view> found;
    for (std::string_view rest = log; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      found.push_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    return found;
  }

  /// Checks that each line names the digest of the one before, and each signature; answers with the signed sequences.
  std::vector<std::uint64_t> checked(const std::vector<std::shared_ptr<const signing_key>>& keys) const {
    std::vector<std::uint64_t> signed_at;
    digest before = no_event_before;
    std::uint64_t sequence = 0;
    for (const std::string_view line : lines()) {
      const auto event = nlohmann::json::parse(line);
      CAF_CHECK(event["prevdigest"].get<std::string>() == prevdigest_text{before}.view());
      CAF_CHECK_EQUAL(event["signedextattrs"].get<std::string>(), chain_extensions);
      CAF_CHECK_EQUAL(std::stoull(event["sequence"].get<std::string>()), ++sequence);
      before = line_digest(line);
      if (!event.contains("dssematerial")) continue;
      const auto envelope = dsse::read_envelope(event["dssematerial"].get<std::string>());
      CAF_REQUIRE(envelope);
      CAF_CHECK(envelope->material == before);
      const dsse::signed_message message{before};
      for (const auto& signature : envelope->signatures) {
        bool good = false;
        for (const auto& each : keys) {
          if (each->key_id() != signature.key_id) continue;
          // Ed25519 is deterministic.
          const auto again = each->sign(message.bytes());
          good = std::equal(again.view().begin(), again.view().end(), signature.bytes().begin());
        }
        CAF_CHECK(good);
      }
      signed_at.push_back(sequence);
    }
    return signed_at;
  }

  std::size_t signatures_in(std::string_view line) const {
    return dsse::read_envelope(nlohmann::json::parse(line)["dssematerial"].get<std::string>())->signatures.size();
  }
};

using sequences = std::vector<std::uint64_t>;

}  // namespace

CAF_TEST_FIXTURE_SCOPE(host_sealing_tests, fixture)

CAF_TEST(every_event_is_signed_and_names_the_one_before) {
  run_ledger ledger = opened(every_event());
  ledger.take(log, declarations(1, 3));
  ledger.close(log, now, run_end_reason::retired, 3, 1);
  CAF_CHECK_EQUAL(checked({first}), (sequences{1, 2, 3, 4, 5}));
  CAF_CHECK_EQUAL(ledger.unsigned_events(), 0u);
}

CAF_TEST(a_checkpoint_is_written_after_so_many_events_and_no_sooner) {
  run_ledger ledger = opened(every(3));
  ledger.take(log, declarations(1, 7));
  // 1 started, 2 3 4, 5 checkpoint, 6 7 8, 9 checkpoint, 10
  CAF_CHECK_EQUAL(checked({first}), (sequences{1, 5, 9}));
  CAF_CHECK_EQUAL(ledger.unsigned_events(), 1u);
  ledger.checkpoint(log, now);
  ledger.checkpoint(log, now);
  CAF_CHECK_EQUAL(checked({first}), (sequences{1, 5, 9, 11}));
  CAF_CHECK_EQUAL(ledger.unsigned_events(), 0u);
}

CAF_TEST(silence_and_the_end_are_signed_and_cover_what_came_before) {
  run_ledger ledger = opened(every(1000));
  ledger.take(log, declarations(1, 2));
  CAF_CHECK_EQUAL(ledger.unsigned_events(), 2u);
  ledger.silence(log, now, {10s, monotonic_time{1s}, monotonic_time{12s}});
  CAF_CHECK_EQUAL(ledger.unsigned_events(), 0u);
  ledger.take(log, declarations(2, 1));
  ledger.close(log, now, run_end_reason::retired, 3, 1);
  CAF_CHECK_EQUAL(checked({first}), (sequences{1, 4, 7}));
}

CAF_TEST(without_a_key_there_are_digests_alone) {
  run_ledger ledger = opened(std::make_shared<const host_sealing>(nullptr, nullptr, 1000));
  ledger.take(log, declarations(1, 2));
  ledger.close(log, now, run_end_reason::retired, 2, 1);
  CAF_CHECK_EQUAL(checked({}), sequences{});
  CAF_CHECK_EQUAL(ledger.unsigned_events(), 0u);
  CAF_CHECK_EQUAL(lines().front().find("keyId"), std::string_view::npos);
}

CAF_TEST(a_change_of_keys_is_signed_by_both) {
  run_ledger ledger = opened(every(1000));
  ledger.take(log, declarations(1, 2));
  ledger.change_key(log, now, std::make_shared<const host_sealing>(second, first, 1000));
  ledger.take(log, declarations(2, 1));
  ledger.close(log, now, run_end_reason::retired, 3, 1);
  CAF_CHECK_EQUAL(checked({first, second}), (sequences{1, 4, 6}));
  CAF_CHECK_EQUAL(signatures_in(lines()[3]), 2u);
  CAF_CHECK(lines()[3].find("run.v1.key_changed") != std::string_view::npos);
  CAF_CHECK(lines()[3].find(R"("formerKeyId":"first")") != std::string_view::npos);
  CAF_CHECK_EQUAL(signatures_in(lines()[5]), 1u);
}

CAF_TEST(the_former_key_signs_only_a_change_from_itself) {
  run_ledger ledger = opened(every_event());
  ledger.change_key(log, now, std::make_shared<const host_sealing>(second, key("neither"), 1));
  CAF_CHECK_EQUAL(signatures_in(lines()[1]), 1u);
}

CAF_TEST(the_same_key_at_another_rate_is_no_change_of_keys) {
  run_ledger ledger = opened(every_event());
  ledger.change_key(log, now, every(2));
  ledger.take(log, declarations(1, 2));
  CAF_CHECK_EQUAL(checked({first}), (sequences{1, 4}));
}

CAF_TEST(a_recovered_chain_goes_on_under_another_key) {
  run_ledger ledger = opened(every(1000));
  ledger.take(log, declarations(1, 2));
  recovered_run left;
  static_cast<chain_position&>(left) = ledger.position();
  CAF_CHECK_EQUAL(left.key_id, "first");
  CAF_CHECK_EQUAL(left.next_event, 4u);
  CAF_CHECK(left.sealed);

  run_ledger successor{who, left, std::make_shared<const host_sealing>(second, first, 1000)};
  successor.restarted(log, now);
  successor.open(log, now, {"test", 10s, left});
  successor.take(log, declarations(1, 1));
  successor.checkpoint(log, now);
  // 4 key changed, 5 dropped, 6 resumed, 7, 8 checkpoint
  CAF_CHECK_EQUAL(checked({first, second}), (sequences{1, 4, 6, 8}));
  CAF_CHECK_EQUAL(signatures_in(lines()[3]), 2u);
}

CAF_TEST(what_is_cut_back_is_not_sealed_with_what_follows) {
  run_ledger ledger = opened(every_event());
  const std::string before = log;
  run_ledger other{who, "host-a/cell-1/run-1/2", every_event()};
  other.open(log, now, {"test", 10s, {}});
  log = before;
  ledger.take(log, declarations(1, 1));
  CAF_CHECK_EQUAL(checked({first}), (sequences{1, 2}));
}

CAF_TEST_FIXTURE_SCOPE_END()
