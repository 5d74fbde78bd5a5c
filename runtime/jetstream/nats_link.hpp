#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/jetstream/jetstream_settings.hpp"
#include "runtime/jetstream/stream_link.hpp"

namespace cellos {

class link_events;
class nats_session;
struct nats_session_settings;

/// NATS by way of libnats: a thread a connection, so that one that hangs is left to itself.
class nats_link final : public stream_link {
 public:
  nats_link(const jetstream_settings& settings, const std::string& host_id);
  /// Waits for threads for as long as a server may take to answer, not for those that hang.
  ~nats_link() override;

  void connect(std::uint64_t session) override;
  void hang_up(std::uint64_t session) override;
  void ask_tail(std::uint64_t session) override;
  void publish(std::uint64_t session, std::vector<stream_message> messages) override;
  std::vector<link_event> take_events(std::chrono::milliseconds at_most) override;

 private:
  nats_session* find(std::uint64_t session);

  std::shared_ptr<const nats_session_settings> settings_;
  std::shared_ptr<link_events> events_;
  std::uint64_t current_number_ = 0;
  std::shared_ptr<nats_session> current_;
  /// Left, and not ended when they were looked at last.
  std::vector<std::shared_ptr<nats_session>> left_;
};

}  // namespace cellos
