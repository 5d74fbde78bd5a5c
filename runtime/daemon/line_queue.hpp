#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace cellos {

/// Lines on their way to a descriptor that at times takes none: a pipe nobody reads, a stopped terminal, a full disk.
///
/// Whoever adds a line never waits. Those the queue has no room for are lost and counted. Thread-safe.
class line_queue {
 public:
  struct options {
    /// Bytes that wait at most. Chosen here: some ten thousand lines.
    std::size_t most_bytes = std::size_t{1} << 20;
    /// How long the end waits for a descriptor that takes nothing. Chosen here.
    std::chrono::milliseconds farewell{1000};
  };

  /// Called on a thread of the queue's, once the descriptor takes lines again: so many were lost since the last call.
  /// May add a line.
  using loss_report = std::function<void(std::uint64_t lines)>;

  /// `descriptor` stays the caller's, and open. Throws std::system_error when no thread can be started.
  line_queue(int descriptor, options settings, loss_report report_loss);
  /// As `close`.
  ~line_queue();
  line_queue(const line_queue&) = delete;
  line_queue& operator=(const line_queue&) = delete;

  /// `line` ends with its newline.
  void add(std::string line);

  /// Writes what waits, and gives up when nothing was taken for `farewell`. Later lines are lost.
  void close();

  std::uint64_t lost() const;

 private:
  class writer;
  /// Shared with its thread: one that hangs in a write must not hold the process back.
  std::shared_ptr<writer> writer_;
};

}  // namespace cellos
