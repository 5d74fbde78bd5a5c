#include "tests/support/captured_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace cellos::test {

captured_output::captured_output(file_descriptor out, file_descriptor err) {
  streams_[0].pipe = std::move(out);
  streams_[1].pipe = std::move(err);
  reader_ = std::thread{[this] { read_to_the_end(); }};
}

captured_output::~captured_output() { reader_.join(); }

/// Only this thread changes the pipes, so it may look at them without the lock.
void captured_output::read_to_the_end() {
  while (!ended()) {
    // A negative descriptor is not looked at.
    std::array<pollfd, 2> watched{pollfd{streams_[0].pipe.get(), POLLIN, 0}, pollfd{streams_[1].pipe.get(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < watched.size(); ++i) {
      if (watched[i].revents != 0) read_some(streams_[i]);
    }
  }
}

void captured_output::read_some(stream& from) {
  std::array<char, 16384> buffer;
  const ssize_t got = ::read(from.pipe.get(), buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return;
  const std::lock_guard lock{mutex_};
  if (got > 0) {
    from.text.append(buffer.data(), static_cast<std::size_t>(got));
  } else {
    from.pipe.reset();
  }
  changed_.notify_all();
}

std::string captured_output::copy_of(std::size_t which) const {
  const std::lock_guard lock{mutex_};
  return streams_[which].text;
}

bool captured_output::wait_for_err(const std::function<bool(std::string_view)>& satisfied,
                                   std::chrono::nanoseconds limit) const {
  bool satisfied_once = false;
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, limit, [&] {
    satisfied_once = satisfied(streams_[1].text);
    return satisfied_once || ended();
  });
  return satisfied_once;
}

bool captured_output::wait_for_end(std::chrono::nanoseconds limit) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit, [&] { return ended(); });
}

}  // namespace cellos::test
