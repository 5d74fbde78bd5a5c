#include "runtime/forwarding/forwarding_service.hpp"

#include <sys/random.h>

#include <caf/all.hpp>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/forwarding/forwarding_files.hpp"

namespace cellos {

namespace {

/// After a bug ended a FORWARDER; chosen here.
constexpr std::chrono::milliseconds replacement_pause{1000};
constexpr std::size_t longest_path_shown = 512;
/// Above what a drain may take by itself; only a hung actor takes longer.
constexpr std::chrono::milliseconds answer_margin{2000};

}  // namespace

forwarding_service::opening forwarding_service::open(const forwarding_service_settings& settings,
                                                     forwarding_surroundings surroundings) {
  const auto log = read_or_make_log_id(settings.dir);
  if (log.failure) {
    return {nullptr, "the log's id \"" + escaped((settings.dir / "log-id").native(), longest_path_shown) +
                         "\" cannot be read or made: " + log.failure.message()};
  }
  std::uint64_t nonce = 0;
  if (::getentropy(&nonce, sizeof nonce) != 0) return {nullptr, "there are no random numbers"};
  forwarder_settings of_forwarder;
  of_forwarder.delivery.host_id = settings.host_id;
  of_forwarder.delivery.log = log.id;
  of_forwarder.delivery.boot_nonce = of_forwarder.delivery.seed = nonce;
  of_forwarder.delivery.bytes_per_second = settings.bytes_per_second;
  of_forwarder.collectors = settings.collectors;
  of_forwarder.dir = settings.dir;
  opening opened;
  opened.service.reset(new forwarding_service{std::move(of_forwarder), std::move(surroundings)});
  opened.service->spawn(std::chrono::milliseconds{0});
  return opened;
}

forwarding_service::forwarding_service(forwarder_settings settings, forwarding_surroundings surroundings)
    : surroundings_(std::move(surroundings)),
      settings_(std::move(settings)),
      source_(settings_.dir, surroundings_.committed),
      environment_{source_,
                   surroundings_.connector,
                   surroundings_.events,
                   surroundings_.delivered,
                   [this](const forwarding_status& now) { show(now); },
                   surroundings_.cells} {}

forwarding_service::~forwarding_service() { stop(); }

void forwarding_service::spawn(std::chrono::milliseconds begin_after) {
  {
    const std::lock_guard guard{mutex_};
    if (stopping_) return;
    ++alive_;
    before_ = shown_;
  }
  auto settings = settings_;
  settings.begin_after = begin_after;
  // It reads files.
  const forwarder_actor spawned =
      surroundings_.system.spawn<caf::detached>(make_forwarder, std::move(settings), std::cref(environment_));
  {
    const std::lock_guard guard{mutex_};
    forwarder_ = spawned;
  }
  // At once, where it has ended already: not under the lock.
  spawned->attach_functor([this](const caf::error&) { on_end(); });
}

void forwarding_service::on_end() {
  {
    const std::lock_guard guard{mutex_};
    if (!stopping_) ++replaced_;
  }
  spawn(replacement_pause);
  const std::lock_guard guard{mutex_};
  --alive_;
  ended_.notify_all();
}

forwarder_actor forwarding_service::forwarder() const {
  const std::lock_guard guard{mutex_};
  return forwarder_;
}

bool forwarding_service::drain(std::chrono::milliseconds timeout) {
  bool complete = false;
  caf::scoped_actor self{surroundings_.system};
  const drain_request request{surroundings_.system.clock().now() + timeout};
  self->request(forwarder(), timeout + answer_margin, request)
      .receive([&](const forwarder_status& is) { complete = is.is_complete; }, [](const caf::error&) {});
  return complete;
}

std::optional<forwarder_status> forwarding_service::status(std::chrono::milliseconds timeout) const {
  std::optional<forwarder_status> status;
  caf::scoped_actor self{surroundings_.system};
  self->request(forwarder(), timeout, status_atom::value)
      .receive([&](const forwarder_status& is) { status = is; }, [](const caf::error&) {});
  return status;
}

void forwarding_service::stop() {
  std::unique_lock guard{mutex_};
  if (std::exchange(stopping_, true)) return;
  // One that was being replaced may come up while we wait; it is the last.
  constexpr std::chrono::milliseconds look_again{50};
  while (alive_ > 0) {
    caf::anon_send_exit(forwarder_, caf::exit_reason::user_shutdown);
    ended_.wait_for(guard, look_again, [this] { return alive_ == 0; });
  }
  forwarder_ = nullptr;
}

void forwarding_service::show(forwarding_status now) {
  const std::lock_guard guard{mutex_};
  now.lines_delivered += before_.lines_delivered;
  now.bytes_delivered += before_.bytes_delivered;
  now.bytes_sent += before_.bytes_sent;
  now.gaps += before_.gaps;
  shown_ = std::move(now);
}

forwarding_status forwarding_service::shown() const {
  const std::lock_guard guard{mutex_};
  return shown_;
}

std::uint64_t forwarding_service::replaced() const {
  const std::lock_guard guard{mutex_};
  return replaced_;
}

}  // namespace cellos
