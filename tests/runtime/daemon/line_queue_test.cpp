#include "runtime/daemon/line_queue.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <csignal>
#include <string>

#include "runtime/os/file_descriptor.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE line_queue
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t line_bytes = 1024;
constexpr std::size_t queue_bytes = 256 * 1024;

/// More than a pipe and the queue hold together.
constexpr std::size_t too_many_lines = 1000;

struct reader_and_writer {
  file_descriptor read;
  file_descriptor write;

  static reader_and_writer pipe() {
    std::array<int, 2> ends{};
    CAF_REQUIRE_EQUAL(::pipe2(ends.data(), O_CLOEXEC), 0);
    return {file_descriptor{ends[0]}, file_descriptor{ends[1]}};
  }
  static reader_and_writer sockets() {
    std::array<int, 2> ends{};
    CAF_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {file_descriptor{ends[0]}, file_descriptor{ends[1]}};
  }

  /// Nothing is taken from now on until somebody reads. Answers with how many bytes that took.
  std::size_t fill() const {
    std::size_t filled = 0;
    ::fcntl(write.get(), F_SETFL, O_NONBLOCK);
    for (std::string piece(PIPE_BUF, '.'); !piece.empty(); piece.resize(piece.size() / 2)) {
      for (ssize_t taken = 0; (taken = ::write(write.get(), piece.data(), piece.size())) > 0;) {
        filled += static_cast<std::size_t>(taken);
      }
    }
    ::fcntl(write.get(), F_SETFL, 0);
    return filled;
  }

  /// Everything that comes until `enough` finds it so.
  template <class Enough>
  std::string read_until(Enough enough) const {
    std::string text;
    std::array<char, 65536> buffer;
    ::fcntl(read.get(), F_SETFL, O_NONBLOCK);
    CAF_CHECK(holds_within(test_timeout, [&] {
      const ssize_t got = ::read(read.get(), buffer.data(), buffer.size());
      if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
      return enough(text);
    }));
    return text;
  }
};

std::string numbered_line(std::size_t number) {
  std::string line = std::to_string(number) + ' ';
  line.resize(line_bytes - 1, 'x');
  return line + '\n';
}

std::size_t newlines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void fill_and_read(const reader_and_writer& ends) {
  // Full before the first line: else it depends on the writer's thread which lines find room.
  const std::size_t filled = ends.fill();
  std::atomic<std::uint64_t> reported{0};
  line_queue* self = nullptr;
  line_queue queue{ends.write.get(), {.most_bytes = queue_bytes, .farewell = 5s}, [&](std::uint64_t lines) {
                     reported += lines;
                     self->add("lost " + std::to_string(lines) + "\n");
                   }};
  self = &queue;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < too_many_lines; ++i) queue.add(numbered_line(i));
  CAF_CHECK(std::chrono::steady_clock::now() - began < 5s);
  CAF_CHECK_GREATER(queue.lost(), 0u);
  CAF_CHECK_EQUAL(reported.load(), 0u);
  const std::string text = ends.read_until([](const std::string& so_far) {
    const auto at = so_far.find("\nlost ");
    return at != std::string::npos && so_far.back() == '\n';
  });
  CAF_CHECK_EQUAL(reported.load(), queue.lost());
  CAF_CHECK_EQUAL(newlines_in(text), too_many_lines - queue.lost() + 1);
  // The first ones stay, whole and in order: they say how it began.
  for (std::size_t i = 0; i < too_many_lines - queue.lost(); ++i) {
    CAF_REQUIRE(text.compare(filled + i * line_bytes, line_bytes, numbered_line(i)) == 0);
  }
}

}  // namespace

CAF_TEST(a_full_pipe_holds_nobody_back_and_what_was_lost_is_counted_and_reported_once_it_flows) {
  fill_and_read(reader_and_writer::pipe());
}

CAF_TEST(a_full_socket_is_as_a_full_pipe) { fill_and_read(reader_and_writer::sockets()); }

CAF_TEST(the_end_does_not_wait_for_a_descriptor_that_takes_nothing) {
  const auto ends = reader_and_writer::pipe();
  const auto began = std::chrono::steady_clock::now();
  {
    line_queue queue{ends.write.get(), {.most_bytes = queue_bytes, .farewell = 100ms}, [](std::uint64_t) {}};
    for (std::size_t i = 0; i < too_many_lines; ++i) queue.add(numbered_line(i));
  }
  CAF_CHECK(std::chrono::steady_clock::now() - began < 5s);
}

CAF_TEST(the_end_writes_what_waits) {
  const auto ends = reader_and_writer::pipe();
  {
    line_queue queue{ends.write.get(), {}, [](std::uint64_t) {}};
    for (std::size_t i = 0; i < 20; ++i) queue.add(numbered_line(i));
  }
  CAF_CHECK_EQUAL(newlines_in(ends.read_until([](const std::string& text) { return text.size() == 20 * line_bytes; })),
                  20u);
}

CAF_TEST(lines_for_a_reader_that_left_are_lost_and_the_queue_goes_on) {
  ::signal(SIGPIPE, SIG_IGN);
  auto ends = reader_and_writer::pipe();
  line_queue queue{ends.write.get(), {}, [](std::uint64_t) {}};
  ends.read.reset();
  queue.add("nobody reads this\n");
  CAF_CHECK(holds_within(test_timeout, [&] { return queue.lost() == 1; }));
}
