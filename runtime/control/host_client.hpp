#pragma once

#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "actors/interfaces.hpp"

namespace cellos {

/// Asks the HOST SUPERVISOR from threads that are no actors and must not wait: answers come to a callback, on an
/// actor's thread, each once, unless this object is gone by then.
class host_client {
 public:
  template <class Answer>
  using heard = std::function<void(const caf::expected<Answer>&)>;

  host_client(caf::actor_system& system, host_supervisor_actor host);
  ~host_client();

  /// Returns when no callback runs any more; from then on nothing is asked or answered.
  void stop();

  host_client(const host_client&) = delete;
  host_client& operator=(const host_client&) = delete;

  void admit(const cell_specification& cell, heard<cell_status> answer) const;
  void retire(const std::string& cell_id, heard<run_totals> answer) const;
  void status(const std::string& cell_id, heard<cell_status> answer) const;
  void accounts(heard<host_accounts> answer) const;
  /// Whether it comes to its mail at all: how many cells there are. Asks no cell.
  void alive(heard<std::uint64_t> answer) const;

  struct question;
  using asking_actor = caf::typed_actor<caf::reacts_to<question>>;
  struct question {
    std::function<void(asking_actor::pointer, const host_supervisor_actor&)> ask;
  };

 private:
  template <class Answer, class... Words>
  void ask(std::chrono::seconds timeout, heard<Answer> answer, Words... words) const;

  caf::actor_system& system_;
  asking_actor asker_;
  bool stopped_ = false;
};

}  // namespace cellos

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cellos::host_client::question)
