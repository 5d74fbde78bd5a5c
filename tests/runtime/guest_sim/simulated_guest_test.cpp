#include "runtime/guest_sim/simulated_guest.hpp"

#include <string>
#include <string_view>

#include "tests/runtime/guest_sim/framing_host.hpp"

#define CAF_SUITE simulated_guest
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::guest_sim;
using namespace std::chrono_literals;

namespace {

simulation_options options_for(const framing_host& host, std::string_view name, std::uint64_t frames) {
  simulation_options options;
  options.socket = host.path();
  options.what = find_scenario(name);
  options.frames = frames;
  options.hold = 1ms;
  if (options.what->needs_loss_counters) options.content_version = wire::content_version_1_1;
  return options;
}

tally run(const simulation_options& options) {
  stop_signal never;
  simulated_guest guest{options, never};
  guest.run();
  return guest.sent();
}

/// The value of `guest_monotonic_ns` in a body that holds it in shortest form.
std::uint64_t index_in(std::string_view body) {
  constexpr std::string_view key = "guest_monotonic_ns";
  const auto value = body.substr(body.find(key) + key.size());
  const auto head = static_cast<std::uint8_t>(value[0]);
  if (head < 24) return head;
  std::uint64_t index = 0;
  for (auto byte : value.substr(1, std::size_t{1} << (head - 24))) index = index << 8 | static_cast<std::uint8_t>(byte);
  return index;
}

bool numbered_from_1(const framing_walk& walk) {
  std::uint64_t expected = 1;
  for (const auto& body : walk.bodies) {
    if (index_in(body) != expected++) return false;
  }
  return true;
}

}  // namespace

CAF_TEST(the_tally_is_what_a_walk_over_the_frames_finds) {
  for (const auto& played : scenarios()) {
    CAF_MESSAGE(played.name);
    framing_host host;
    const auto sent = run(options_for(host, played.name, played.name == "slow-drip" ? 3 : 700));
    const auto& walk = host.finish();
    CAF_CHECK_EQUAL(walk.frames(), sent.frames);
    CAF_CHECK_EQUAL(walk.torn, sent.refused[telemetry_errc::torn_frame]);
    CAF_CHECK_EQUAL(walk.framing_lost, sent.refused[telemetry_errc::framing_lost]);
    CAF_CHECK_EQUAL(walk.connections, sent.connections);
    CAF_CHECK_EQUAL(walk.bytes, sent.bytes);
    CAF_CHECK_EQUAL(sent.accepted + sent.refused.total(), sent.frames);
  }
}

CAF_TEST(scenarios_do_what_they_are_named_for) {
  const auto sent_by = [](std::string_view name) {
    framing_host host;
    return run(options_for(host, name, 1000));
  };
  CAF_CHECK_EQUAL(sent_by("honest").declarations(), 1000u);
  CAF_CHECK_EQUAL(sent_by("heartbeat-only").heartbeats, 1000u);
  CAF_CHECK_EQUAL(sent_by("forged").accepted, 1000u);
  CAF_CHECK(sent_by("forged").forged_attribution > 500);
  CAF_CHECK(sent_by("garbage").refused[telemetry_errc::malformed_frame] > 300);
  CAF_CHECK(sent_by("garbage").refused[telemetry_errc::unknown_probe_source] > 10);
  CAF_CHECK(sent_by("wrong-major").refused[telemetry_errc::unsupported_version] > 300);
  CAF_CHECK(sent_by("truncated").refused[telemetry_errc::torn_frame] > 10);
  CAF_CHECK(sent_by("oversized").refused[telemetry_errc::framing_lost] > 10);
  CAF_CHECK(sent_by("reconnecting").connections > 10);
  CAF_CHECK(sent_by("lossy").missing_seq > 100);
  CAF_CHECK(sent_by("lossy").dropped_by_guest > 100);
  CAF_CHECK_EQUAL(sent_by("silent-after-N").frames, 500u);
}

CAF_TEST(accepted_declarations_are_numbered_from_1_across_connections) {
  for (auto name : {"honest", "reconnecting", "truncated", "oversized", "lossy"}) {
    CAF_MESSAGE(name);
    framing_host host;
    run(options_for(host, name, 2000));
    CAF_CHECK(numbered_from_1(host.finish()));
  }
}

CAF_TEST(a_flood_is_numbered_through_though_its_blocks_repeat) {
  framing_host host;
  const auto sent = run(options_for(host, "flood", 90'000));
  CAF_CHECK_EQUAL(sent.declarations(), 90'000u);
  CAF_CHECK_EQUAL(host.finish().bodies.size(), 90'000u);
  CAF_CHECK(numbered_from_1(host.finish()));
}

CAF_TEST(the_same_seed_sends_the_same_frames) {
  const auto bodies_of = [](std::string_view name, std::uint64_t seed) {
    framing_host host;
    auto options = options_for(host, name, 500);
    options.seed = seed;
    run(options);
    return host.finish().bodies;
  };
  for (auto name : {"honest", "garbage", "mixed", "reconnecting", "flood"}) {
    CAF_MESSAGE(name);
    const auto once = bodies_of(name, 5);
    CAF_CHECK(once == bodies_of(name, 5));
    CAF_CHECK(once != bodies_of(name, 6));
  }
}

CAF_TEST(a_guest_that_resumes_after_its_silence_sends_the_rest) {
  framing_host host;
  auto options = options_for(host, "silent-after-N", 100);
  options.silent_after = 30;
  options.resume = true;
  CAF_CHECK_EQUAL(run(options).frames, 100u);
  CAF_CHECK_EQUAL(host.finish().connections, 1u);
}

CAF_TEST(a_rate_spaces_the_frames_evenly) {
  framing_host host;
  auto options = options_for(host, "heartbeat-only", 11);
  options.rate = 200;
  stop_signal never;
  simulated_guest guest{options, never};
  guest.run();
  CAF_CHECK(guest.elapsed() >= 50ms);
}

CAF_TEST(stopping_ends_between_two_frames_when_the_host_reads_on) {
  stop_signal stop;
  framing_host host{[&](std::uint64_t bytes) {
    if (bytes > 1'000'000) stop.request();
    return true;
  }};
  simulated_guest guest{options_for(host, "honest", 0), stop};
  guest.run();
  const auto& walk = host.finish();
  CAF_CHECK_EQUAL(walk.bodies.size(), guest.sent().declarations());
  CAF_CHECK_EQUAL(walk.torn, 0u);
  CAF_CHECK_EQUAL(walk.bytes, guest.sent().bytes);
}

CAF_TEST(stopping_ends_a_write_to_a_host_that_has_stopped_reading) {
  stop_signal stop;
  framing_host host{[&](std::uint64_t bytes) {
    if (bytes <= 1'000'000) return true;
    stop.request();
    return false;
  }};
  simulated_guest guest{options_for(host, "flood", 0), stop};
  guest.run();
  const auto& walk = host.finish();
  CAF_CHECK_EQUAL(walk.bodies.size(), guest.sent().declarations());
  CAF_CHECK_EQUAL(walk.torn, guest.sent().refused[telemetry_errc::torn_frame]);
  CAF_CHECK_EQUAL(walk.bytes, guest.sent().bytes);
}

CAF_TEST(a_silence_ends_when_stopping_is_asked_for) {
  framing_host host;
  auto options = options_for(host, "silent-after-N", 10);
  options.hold = 1h;
  stop_signal stop;
  simulated_guest guest{options, stop};
  std::thread stopper{[&] { stop.request(); }};
  guest.run();
  stopper.join();
  CAF_CHECK_EQUAL(host.finish().bodies.size(), guest.sent().frames);
}

CAF_TEST(no_host_is_a_failure_of_its_own) {
  framing_host host;
  auto options = options_for(host, "honest", 10);
  options.socket += ".not";
  options.connect_timeout = 1ms;
  stop_signal never;
  simulated_guest guest{options, never};
  try {
    guest.run();
    CAF_FAIL("connected to nothing");
  } catch (const connection_failure& failure) {
    CAF_CHECK(failure.what_failed == connection_failure::kind::unreachable);
  }
  CAF_CHECK(guest.sent() == tally{});
}

CAF_TEST(a_host_that_closes_unasked_is_noticed) {
  framing_host host;
  // A bad length is the one thing this host closes for; honest frames after it find a broken connection.
  static constexpr scenario rude{.name = "rude", .meaning = "", .play = [](simulated_guest& guest) {
                                   guest.add(guest.maker().bad_length());
                                   guest.await_close();
                                   guest.add(guest.maker().honest());
                                   guest.flush();
                                 }};
  auto options = options_for(host, "honest", 10);
  options.what = &rude;
  stop_signal never;
  simulated_guest guest{options, never};
  try {
    guest.run();
    CAF_FAIL("wrote to a closed connection");
  } catch (const connection_failure& failure) {
    CAF_CHECK(failure.what_failed == connection_failure::kind::broken);
  }
  CAF_CHECK_EQUAL(guest.sent().frames, 1u);
}
