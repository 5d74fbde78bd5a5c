#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/guest_sim/expected_outcome.hpp"
#include "runtime/guest_sim/tally.hpp"

namespace cellos::guest_sim {

/// Frames made and not yet written, in order. A frame is tallied once its last byte is written.
class outbox {
 public:
  void add(const made_frame& made) {
    bytes_.insert(bytes_.end(), made.bytes.begin(), made.bytes.end());
    frames_.push_back({bytes_.size(), made.expected});
  }

  std::size_t bytes() const { return bytes_.size(); }
  std::size_t frames() const { return frames_.size(); }
  bool all_written() const { return written_ == bytes_.size(); }
  std::span<const std::uint8_t> unwritten() const { return std::span{bytes_}.subspan(written_); }

  /// What is left of a frame of which a part is written; empty between two frames.
  std::span<const std::uint8_t> unwritten_of_begun() const {
    const auto begins = tallied_ == 0 ? 0 : frames_[tallied_ - 1].end;
    if (written_ == begins) return {};
    return std::span{bytes_}.subspan(written_, frames_[tallied_].end - written_);
  }

  void written(std::size_t bytes, tally& sent) {
    written_ += bytes;
    sent.bytes += bytes;
    for (; tallied_ < frames_.size() && frames_[tallied_].end <= written_; ++tallied_)
      sent.add(frames_[tallied_].expected);
  }

  void clear() {
    bytes_.clear();
    frames_.clear();
    rewind();
  }

  /// All frames are to be written once more.
  void rewind() {
    written_ = 0;
    tallied_ = 0;
  }

  /// Calls `change(frame)` with the bytes of each frame, in order.
  template <class Change>
  void rewrite(Change change) {
    std::size_t begin = 0;
    for (const auto& frame : frames_) {
      change(std::span{bytes_}.subspan(begin, frame.end - begin));
      begin = frame.end;
    }
  }

 private:
  struct waiting_frame {
    std::size_t end;
    expected_outcome expected;
  };

  std::vector<std::uint8_t> bytes_;
  std::vector<waiting_frame> frames_;
  std::size_t written_ = 0;
  std::size_t tallied_ = 0;
};

}  // namespace cellos::guest_sim
