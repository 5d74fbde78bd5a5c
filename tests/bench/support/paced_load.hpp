#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace cellos::bench {

using steady_time = std::chrono::steady_clock::time_point;

/// A window of time that a figure is about.
struct period {
  steady_time begin;
  steady_time end;
  bool holds(steady_time when) const { return begin <= when && when < end; }
};

/// Milliseconds, of many measurements.
struct distribution {
  std::vector<double> milliseconds;

  void add(std::chrono::nanoseconds took) {
    milliseconds.push_back(std::chrono::duration<double, std::milli>(took).count());
  }
  /// By nearest rank; 0 without measurements. Sorts.
  double percentile(double percent);
  double most() { return percentile(100); }
};

/// One agent a socket, from one thread: each sends a frame every `1 / rate` seconds, spread evenly over that time. A
/// frame carries the time it was sent as its `guest_monotonic_ns`. A full socket costs the frame.
class paced_guests {
 public:
  paced_guests(std::vector<std::string> sockets, double frames_per_second);
  ~paced_guests();

  struct tally {
    std::vector<steady_time> due;
    /// Frames a full socket did not take.
    std::uint64_t not_taken = 0;
    std::string problem;
  };
  tally finish();

 private:
  void run();

  std::vector<std::string> sockets_;
  std::chrono::nanoseconds interval_;
  tally sent_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// One agent at full speed, from a thread of its own, until it is stopped.
class flooding_guest {
 public:
  explicit flooding_guest(std::string socket);
  ~flooding_guest();
  /// Frames the socket took.
  std::uint64_t finish();

 private:
  void run();

  std::string socket_;
  std::uint64_t frames_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// Follows a log from its beginning and notes when each declaration of the paced cells could be read in it. What it
/// notes is therefore late by as much as this reader is: an upper bound.
class log_observer {
 public:
  /// Lines of the cells in `ignored` are only counted.
  log_observer(std::filesystem::path evidence_dir, const std::vector<std::string>& ignored);
  ~log_observer();

  struct sighting {
    steady_time sent;
    steady_time seen;
    std::chrono::nanoseconds since_receipt;
  };
  struct sightings {
    std::vector<sighting> all;
    std::uint64_t ignored = 0;
    std::string problem;
  };
  /// Reads on until nothing has come for a moment.
  sightings finish();

 private:
  void run();
  void take(std::string_view line);

  std::filesystem::path evidence_dir_;
  std::vector<std::string> ignored_;
  sightings found_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// Connects to one socket after the other, one connect every few milliseconds, and closes at once.
class connect_probe {
 public:
  explicit connect_probe(std::vector<std::string> sockets);
  ~connect_probe();

  struct attempts {
    struct attempt {
      steady_time began;
      std::chrono::nanoseconds took;
    };
    std::vector<attempt> all;
    std::uint64_t failed = 0;
  };
  attempts finish();

 private:
  void run();

  std::vector<std::string> sockets_;
  attempts made_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// Connects, says one frame if `speak`, and closes; waits as long as the kernel does. False if refused.
bool connect_once(const std::string& socket, bool speak);

/// The wire form of one declaration.
std::vector<std::uint8_t> frame_of(std::uint64_t monotonic_ns);

}  // namespace cellos::bench
