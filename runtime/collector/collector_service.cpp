#include "runtime/collector/collector_service.hpp"

#include <caf/all.hpp>

#include <system_error>
#include <thread>
#include <utility>

namespace cellos {

namespace {

/// When so much waits, the disk is worth its while at once: a host has no more unanswered than its window, so whoever
/// is waited for longer waits, too. Two usual batches; chosen here.
constexpr std::size_t commit_at_once = std::size_t{512} << 10;

ingest_limits limits_of(const collector_service_settings& settings) {
  ingest_limits limits;
  limits.window_bytes = settings.window_bytes;
  limits.silence_window = settings.hosts.silence_window;
  limits.host_bytes_per_second = settings.hosts.host_bytes_per_second;
  limits.signers = settings.signers.get();
  return limits;
}

}  // namespace

collector_service::opening collector_service::open(collector_service_settings settings, collector_events& events,
                                                   file_system& files) {
  auto store = collector_store::open(settings.dir, settings.copies, files);
  if (!store.store) return {nullptr, std::move(store.refusal)};
  opening opened;
  opened.service.reset(new collector_service{std::move(settings), events, std::move(store.store)});
  return opened;
}

collector_service::collector_service(collector_service_settings settings, collector_events& events,
                                     std::unique_ptr<collector_store> store)
    : settings_(std::move(settings)),
      events_(events),
      store_(std::move(store)),
      commits_(*store_),
      environment_{*store_, commits_, events_, limits_of(settings_)} {}

collector_service::~collector_service() { stop(); }

void collector_service::start(caf::actor_system& system) {
  std::error_code unlisted;
  system_ = &system;
  committer_.emplace(commits_, settings_.commit_pause, commit_at_once);
  supervisor_ = system.spawn(make_collector_supervisor, settings_.hosts, store_->hosts(unlisted), &events_);
  const std::lock_guard guard{mutex_};
  stopping_ = false;
}

caf::strong_actor_ptr collector_service::spawn_session(const peer_identity& peer) {
  {
    const std::lock_guard guard{mutex_};
    if (stopping_) return nullptr;
    ++sessions_;
  }
  caf::strong_actor_ptr session;
  try {
    // CAF counts an actor before it has the thread of its own, and waits for ever for one that got none.
    if (environment_.limits.signers != nullptr) std::thread{[] {}}.join();
    session = spawn_ingest_session(*system_, peer, supervisor_, environment_);
  } catch (const std::system_error&) {
    // There is no thread for it: whoever connects tries again.
    const std::lock_guard guard{mutex_};
    --sessions_;
    session_ended_.notify_all();
    return nullptr;
  }
  // At once, where it has ended already: not under the lock.
  session->get()->attach_functor([this](const caf::error&) {
    const std::lock_guard ended{mutex_};
    --sessions_;
    session_ended_.notify_all();
  });
  return session;
}

void collector_service::stop() {
  {
    const std::lock_guard guard{mutex_};
    if (std::exchange(stopping_, true)) return;
  }
  // They monitor it, and end with it.
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  {
    std::unique_lock guard{mutex_};
    session_ended_.wait(guard, [this] { return sessions_ == 0; });
  }
  {
    caf::scoped_actor self{*system_};
    self->wait_for(supervisor_);
  }
  supervisor_ = nullptr;
  committer_.reset();
}

void collector_service::recall(std::vector<std::string> silent_hosts) {
  caf::anon_send(supervisor_, recall_atom::value, std::move(silent_hosts));
}

std::optional<std::vector<host_status>> collector_service::hosts(std::chrono::milliseconds timeout) const {
  std::optional<std::vector<host_status>> all;
  caf::scoped_actor self{*system_};
  self->request(supervisor_, timeout, status_atom::value)
      .receive([&](std::vector<host_status>& given) { all = std::move(given); }, [](const caf::error&) {});
  return all;
}

collection_status collector_service::taken() const {
  collection_status all = settings_.hosts.board->taken();
  all.commit_failures = commits_.failures();
  all.commits = commits_.durations();
  return all;
}

std::size_t collector_service::sessions() const {
  const std::lock_guard guard{mutex_};
  return sessions_;
}

}  // namespace cellos
