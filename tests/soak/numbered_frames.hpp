#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace cellos::soak {

/// Frames that say which they are: numbers from 1, in `guest_monotonic_ns`, so that one that is lost, told twice or out
/// of order shows. Made by changing eight bytes, so that making them costs next to nothing.
class numbered_frames {
 public:
  /// What a frame's guest_comm is, and what one that no DECODER survives has in its place; of the same length.
  static constexpr const char* ordinary_comm = "soak-guest";
  static constexpr const char* poison_comm = "POISONED!!";

  numbered_frames();

  /// Appends the frame with this number.
  void append(std::vector<std::uint8_t>& to, std::uint64_t number, bool poison = false);

  std::size_t frame_bytes() const { return frame_.size(); }
  /// The number in a line of the log, or 0 if it is no declaration.
  static std::uint64_t number_in(std::string_view line);

 private:
  std::vector<std::uint8_t> frame_;
  std::vector<std::uint8_t> poison_;
  std::size_t number_offset_ = 0;
};

/// Sends numbered frames to one cell as fast as they are taken, or at a rate, on a thread of its own.
class numbered_guest {
 public:
  struct plan {
    std::string socket;
    std::uint64_t frames = 0;
    /// Frames a second; 0: as fast as they are taken.
    std::uint64_t rate = 0;
    /// Every so many frames one is poison; 0: none.
    std::uint64_t poison_every = 0;
  };

  explicit numbered_guest(plan what);
  ~numbered_guest();
  numbered_guest(const numbered_guest&) = delete;
  numbered_guest& operator=(const numbered_guest&) = delete;

  /// Ends it after the frame at hand; waits.
  void stop();
  void join();
  std::uint64_t sent() const { return sent_; }
  std::uint64_t poisoned() const { return poisoned_; }
  const std::string& failure() const { return failure_; }

 private:
  void run();
  bool write_all(int fd, const std::vector<std::uint8_t>& bytes);

  const plan plan_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> poisoned_{0};
  std::atomic<bool> stopping_{false};
  /// Read after join().
  std::string failure_;
  std::thread thread_;
};

}  // namespace cellos::soak
