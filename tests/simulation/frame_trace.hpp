#pragma once

#include <caf/actor_addr.hpp>
#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/activity.hpp"
#include "tests/simulation/world.hpp"

namespace cellos::simulation {

/// The way of one declaration through a simulated host: from the guest's write to the credit that comes back for it.
///
/// It looks on and decides nothing, so that a seed runs the same with it and without it.
class frame_trace {
 public:
  struct step {
    /// Of the simulation; many things happen within one while the host comes to rest.
    std::uint64_t number = 0;
    /// Virtual time since the simulation began.
    std::chrono::milliseconds at{0};
    /// Who does something or is given a message: a guest, a role, a port.
    std::string who;
    std::string what;
  };

  /// `number` is the declaration's `guest_monotonic_ns`. Cells opened one after the other count from 1, 1,000,001,
  /// 2,000,001 and so on.
  explicit frame_trace(std::uint64_t number) : number_(number) {}

  /// When what is passed in next happens.
  void at(std::uint64_t step_number, std::chrono::milliseconds elapsed);
  /// The actor is about to take its next message. `present` says who it is.
  void takes(caf::scheduled_actor& actor, const std::vector<activity_ptr>& present);
  /// What the world does to the host.
  void suffers(std::string_view misfortune);
  /// Compares how things stand with how they stood; to be called after every action.
  void look(const std::vector<simulated_run>& runs, std::string_view log);

  const std::vector<step>& steps() const { return steps_; }
  /// What became of the frame, in a sentence.
  std::string conclusion() const;

 private:
  enum class stage : std::uint8_t { unwritten, unread, unappended, uncredited, done };

  bool find_writing(const std::vector<simulated_run>& runs);
  bool find_reading(const simulated_run& run);
  bool find_line(std::string_view log);
  bool find_credit(const simulated_run& run);
  void find_loss(std::string_view log);
  void add(std::string who, std::string what);
  /// The message that is being handled has to do with the frame.
  void add_message();
  /// The chunk went to an actor that has only now said whose it is.
  void add_first_message(const std::vector<activity_ptr>& present);

  const std::uint64_t number_;
  stage stage_ = stage::unwritten;
  std::uint64_t step_ = 0;
  std::chrono::milliseconds elapsed_{0};
  std::size_t run_ = 0;
  std::string cell_id_;
  std::uint64_t chunk_ = 0;
  bool quarantined_ = false;
  /// If the daemon's death decided it.
  std::string by_death_;
  std::size_t log_seen_ = 0;
  /// Where the frame's line ends in the log; 0 without one.
  std::size_t line_end_ = 0;
  std::string taker_;
  std::string message_;
  /// A chunk of this number was an actor's first message, with which it began.
  struct first_message {
    caf::actor_addr taker;
    step as;
  };
  std::optional<first_message> first_message_;
  std::vector<step> steps_;
};

/// `steps` as lines of a table, its heading first.
std::vector<std::string> to_lines(const std::vector<frame_trace::step>& steps);

}  // namespace cellos::simulation
