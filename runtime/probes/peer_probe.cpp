#include "runtime/probes/peer_probe.hpp"

#include <utility>

#include "runtime/probes/process_probe.hpp"
#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

probe_reading nothing_to_say(host_probe source) { return {source, {}, {}, std::nullopt}; }

bool is_of_the_end(const probe_reading& reading) { return reading.output.starts_with(R"({"alive":false)"); }

}  // namespace

void peer_probe::connected(named_peer peer) {
  const std::lock_guard hold{mutex_};
  named_ = std::move(peer);
}

std::optional<cgroup_place> peer_probe::group() const {
  const std::lock_guard hold{mutex_};
  return group_;
}

std::optional<named_peer> peer_probe::take_named() {
  const std::lock_guard hold{mutex_};
  return std::exchange(named_, std::nullopt);
}

probe_result<probe_reading> peer_probe::read(const probe_context& context) {
  if (auto peer = take_named()) return look_at(std::move(*peer), context);
  if (identity_.pid == 0 && !end_) return nothing_to_say(source());
  return look_again(context);
}

probe_result<probe_reading> peer_probe::look_at(named_peer peer, const probe_context& context) {
  const pid_t pid = peer.pid;
  const bool by_pidfd = static_cast<bool>(peer.pidfd);
  auto found = look_up(peer, proc_root_);
  if (!found) {
    identity_ = {};
    end_.reset();
    const std::lock_guard hold{mutex_};
    group_.reset();
    if (!says_ended(found.error())) {
      // Nobody could look: again next time, unless somebody else has connected.
      if (!named_) named_ = std::move(peer);
      return found.error();
    }
    end_ = ended_unseen({pid, {}, by_pidfd, {}});
    return *end_;
  }
  end_.reset();
  identity_ = found->identity;
  named_by_pidfd_ = found->named_by_pidfd;
  auto place = place_of(*found);
  {
    const std::lock_guard hold{mutex_};
    group_ = place ? std::optional{std::move(*place)} : std::nullopt;
  }
  process_probe once{std::move(*found), by_};
  auto reading = once.read(context);
  if (reading && is_of_the_end(*reading)) end_ = *reading;
  return reading;
}

probe_result<probe_reading> peer_probe::look_again(const probe_context& context) {
  if (end_) return *end_;
  auto process = reopen(identity_, named_by_pidfd_, proc_root_);
  if (!process) {
    if (!says_ended(process.error())) return process.error();
    end_ = ended_unseen({identity_.pid, {}, named_by_pidfd_, {}});
    return *end_;
  }
  process_probe once{std::move(*process), by_};
  auto reading = once.read(context);
  if (reading && is_of_the_end(*reading)) end_ = *reading;
  return reading;
}

/// Its parent had collected the status before anybody looked.
probe_reading peer_probe::ended_unseen(const named_peer& peer) const {
  probe_reading reading = nothing_to_say(source());
  reading.inputs = json_object([&](json::object_writer& inputs) {
    inputs.text("identifiedBy", peer.by_pidfd ? "pidfd" : "credentials");
    inputs.number("pid", static_cast<std::uint64_t>(peer.pid));
    if (identity_.pid != 0) inputs.count("startTicks", identity_.start_ticks);
  });
  reading.output = json_object([](json::object_writer& output) {
    write_flag(output, "alive", false);
    output.text("ended", "unknown");
  });
  return reading;
}

probe_result<probe_reading> peer_cgroup_probe::read(const probe_context& context) {
  auto place = peer_->group();
  if (!place) return nothing_to_say(source());
  return cgroup_probe{roots_, std::move(*place)}.read(context);
}

}  // namespace cellos
