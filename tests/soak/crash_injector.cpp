#include "tests/soak/crash_injector.hpp"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "tests/support/wait.hpp"

namespace cellos::soak {

namespace {

/// An actor dies when its running handler is done.
constexpr std::chrono::seconds death_timeout{10};
/// Without load nobody comes to throw: then somebody else must die. Chosen here.
constexpr std::chrono::milliseconds throw_timeout{500};
constexpr std::array<std::string_view, 5> roles{"LISTENER", "DECODER", "KEEPALIVE", "SINK", "CELL SUPERVISOR"};

}  // namespace

bool crash_injector::strike() {
  const std::uint32_t kind = random_.below(static_cast<std::uint32_t>(roles.size()) + 2);
  if (kind == roles.size()) return make_decoder_throw();
  if (kind == roles.size() + 1) return make_sink_throw();
  return kill(roles.at(kind));
}

activity_ptr crash_injector::pick(std::string_view role) {
  std::vector<activity_ptr> candidates;
  for (activity_ptr& actor : host_.activities().present()) {
    if (actor->role() == role) candidates.push_back(std::move(actor));
  }
  return candidates.empty() ? nullptr : random_.pick(candidates);
}

bool crash_injector::kill(std::string_view role) {
  activity_ptr victim = pick(role);
  if (!victim) return false;
  const auto handle = caf::actor_cast<caf::strong_actor_ptr>(victim->actor());
  if (!handle) return false;
  const auto reason = random_.one_in(2) ? caf::exit_reason::kill : caf::exit_reason::unhandled_exception;
  caf::anon_send_exit(caf::actor_cast<caf::actor>(handle), reason);
  const std::weak_ptr<activity> gone{std::exchange(victim, nullptr)};
  if (!test::holds_within(death_timeout, [&] { return gone.expired(); })) return false;
  ++deaths_[std::string{role} + " killed"];
  return true;
}

bool crash_injector::make_decoder_throw() {
  const std::uint64_t before = host_.decoding().deaths();
  host_.decoding().die_next(true);
  const bool died = test::holds_within(throw_timeout, [&] { return host_.decoding().deaths() > before; });
  host_.decoding().die_next(false);
  if (died) ++deaths_["DECODER threw"];
  return died;
}

bool crash_injector::make_sink_throw() {
  const std::uint64_t before = host_.log_front().deaths();
  host_.log_front().throw_next(true);
  const bool died = test::holds_within(throw_timeout, [&] { return host_.log_front().deaths() > before; });
  host_.log_front().throw_next(false);
  if (died) ++deaths_["SINK threw"];
  return died;
}

}  // namespace cellos::soak
