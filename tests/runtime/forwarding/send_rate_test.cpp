#include "runtime/forwarding/send_rate.hpp"

#include <chrono>

#define CAF_SUITE send_rate
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace std::chrono_literals;

namespace {

constexpr monotonic_time begin{1h};

/// Sends messages of `bytes` whenever it may, looking every 20 ms; how many bytes went in `span`.
std::uint64_t sent_in(send_rate& rate, std::uint64_t bytes, std::chrono::milliseconds span, monotonic_time from) {
  std::uint64_t sent = 0;
  for (auto now = from; now < from + span; now += 20ms) {
    while (rate.allows(now)) {
      rate.await_size();
      rate.take(bytes, now);
      sent += bytes;
    }
  }
  return sent;
}

}  // namespace

CAF_TEST(without_a_rate_nothing_waits) {
  send_rate rate{0};
  rate.await_size();
  CAF_CHECK(rate.allows(begin));
  rate.take(1 << 30, begin);
  CAF_CHECK(rate.allows(begin));
  CAF_CHECK(!rate.in_debt_until(begin));
}

CAF_TEST(over_time_the_rate_is_kept_to_whatever_a_message_has) {
  for (const std::uint64_t bytes : {100u, 10'000u, 250'000u}) {
    send_rate rate{100'000};
    const auto sent = sent_in(rate, bytes, 60s, begin);
    CAF_MESSAGE(bytes << " bytes a message: " << sent << " bytes in a minute");
    // Half a second's worth and a message more at most, and none of the rate is lost.
    CAF_CHECK(sent <= 6'000'000 + 50'000 + bytes);
    CAF_CHECK(sent >= 6'000'000);
  }
}

CAF_TEST(what_was_not_used_is_kept_for_half_a_second) {
  send_rate rate{100'000};
  (void)sent_in(rate, 1000, 1s, begin);
  const auto burst = sent_in(rate, 1000, 20ms, begin + 1h);
  CAF_CHECK(burst >= 50'000);
  CAF_CHECK(burst <= 51'000);
}

CAF_TEST(the_next_message_waits_for_the_size_of_the_last_and_then_for_its_time) {
  send_rate rate{1000};
  rate.await_size();
  CAF_CHECK(!rate.allows(begin));
  rate.take(1500, begin);
  CAF_CHECK(!rate.allows(begin));
  CAF_CHECK(rate.in_debt_until(begin) == begin + 1s);
  CAF_CHECK(rate.allows(begin + 1s));
  CAF_CHECK(!rate.in_debt_until(begin + 1s));
}
