#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "runtime/os/capabilities.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/probes/privileged_reads.hpp"
#include "runtime/probes/reader_messages.hpp"

namespace cellos {

/// A process of its own that has the probes' capabilities (`reader_process`), as its daemon sees it: one question at a
/// time, and whoever comes meanwhile waits for its turn until its own deadline.
///
/// One that does not answer in time is `timed_out`, and killed and started anew by its other half; one that has ended
/// in the midst of a question is asked again.
class privileged_reader final : public privileged_reads {
 public:
  using started = std::variant<std::shared_ptr<privileged_reader>, std::string>;

  /// Runs `program` as one, with what is left of the probes' capabilities, and waits until it is ready; or why there is
  /// none. Only while this process has them, and before it gives them up.
  static started start(const std::string& program);
  /// Ends it.
  ~privileged_reader() override;

  /// Called when it begins not to answer, with the cause, and when it is there again, without; at once if that has been
  /// so before. By whoever asks; does not call back. Nobody is called once this is set to nothing.
  using listener = std::function<void(const std::optional<std::string>& failing)>;
  void report_to(listener report);

  /// What it has.
  capability_set capabilities() const { return capabilities_; }

  std::optional<probe_error> in_namespace(const std::string& path,
                                          const std::function<void(listing_session&)>& work) override;
  probe_result<std::string> stat_of_ended(int directory, monotonic_time deadline) override;

 private:
  class relayed_session;
  class turn;
  struct answer {
    reader_answer head;
    std::span<const char> behind;
  };
  privileged_reader(pid_t pid, file_descriptor socket, file_descriptor lifeline);

  std::optional<std::string> wait_until_ready(monotonic_time deadline);
  probe_result<bool> list(const std::string& path, kernel_listing what, std::uint32_t number, netlink_dump& dump,
                          monotonic_time deadline);
  probe_result<bool> send(reader_request& request, int passed, monotonic_time deadline);
  probe_result<answer> next_answer(monotonic_time deadline);
  void take_what_is_left();
  static probe_error refusal_in(const answer& of);
  probe_error give_up_on_it();
  probe_error has_gone();
  void report(const std::optional<std::string>& failing);

  const pid_t pid_;
  const file_descriptor socket_;
  const file_descriptor lifeline_;
  capability_set capabilities_ = 0;

  std::mutex mutex_;
  std::condition_variable freed_;
  bool in_use_ = false;
  // Whose turn it is uses these.
  std::uint32_t last_id_ = 0;
  std::unique_ptr<char[]> buffer_;
  /// Since when a question is there and no word was heard.
  std::optional<monotonic_time> unanswered_since_;
  bool has_been_ready_ = false;

  std::mutex reporting_;
  listener report_;
  std::optional<std::string> failing_;
};

}  // namespace cellos
