// Somebody who has got hold of the daemon's end of the real reader process, and says what they like.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/probes/reader_messages.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_status.hpp"
#include "tests/support/reader_fixture.hpp"
#include "tests/support/wait.hpp"

#define CAF_SUITE hostile_questions
#include "caf/test/dsl.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

/// What has a daemon's end of a reader, and says what it likes.
class raw_asker {
 public:
  raw_asker() {
    std::array<int, 2> ends{};
    std::array<int, 2> life{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0 ||
        ::pipe2(life.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error{"no pair of sockets"};
    }
    socket_ = file_descriptor{ends[0]};
    lifeline_ = file_descriptor{life[1]};
    const file_descriptor its{::fcntl(ends[1], F_DUPFD_CLOEXEC, 64)};
    const file_descriptor its_life{::fcntl(life[0], F_DUPFD_CLOEXEC, 64)};
    ::close(ends[1]);
    ::close(life[0]);
    reader_.emplace(command{program_path("cellos-telemetryd"), {reader_argument}, {}, [&] {
                              ::dup2(its.get(), reader_socket);
                              ::dup2(its_life.get(), reader_lifeline);
                            }});
    if (next().word != reader_word::ready) throw std::runtime_error{"it is not ready"};
  }

  process& reader() { return *reader_; }
  int socket() const { return socket_.get(); }
  void hang_up() { lifeline_.reset(); }

  bool say(const void* bytes, std::size_t size, const std::vector<int>& passed = {}, int flags = 0) {
    iovec content{const_cast<void*>(bytes), size};
    std::vector<char> control(CMSG_SPACE(sizeof(int) * std::max<std::size_t>(passed.size(), 1)));
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    if (!passed.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* const head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof(int) * passed.size());
      std::memcpy(CMSG_DATA(head), passed.data(), sizeof(int) * passed.size());
    }
    return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | flags) == static_cast<ssize_t>(size);
  }
  bool say(const reader_request& request, const std::vector<int>& passed = {}) {
    return say(&request, sizeof request, passed);
  }

  reader_answer next() {
    pollfd readable{socket_.get(), POLLIN, 0};
    if (::poll(&readable, 1, 10'000) != 1) throw std::runtime_error{"no answer"};
    std::vector<char> bytes(longest_reader_answer);
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_TRUNC);
    reader_answer answer;
    if (size < static_cast<ssize_t>(sizeof answer)) throw std::runtime_error{"it has ended"};
    if (static_cast<std::size_t>(size) > longest_reader_answer) throw std::runtime_error{"an answer is too long"};
    std::memcpy(&answer, bytes.data(), sizeof answer);
    return answer;
  }

  /// The last word of an answer of many.
  reader_answer last() {
    for (;;) {
      const reader_answer answer = next();
      if (answer.word != reader_word::piece) return answer;
    }
  }

 private:
  file_descriptor socket_;
  file_descriptor lifeline_;
  std::optional<process> reader_;
};

reader_request question(reader_question what, std::uint32_t id, const std::string& path = {}) {
  reader_request request;
  request.id = id;
  request.question = what;
  request.listing_number = 7;
  request.timeout_ms = 5000;
  std::copy(path.begin(), path.end(), request.path.begin());
  return request;
}

std::ptrdiff_t open_descriptors(pid_t pid) {
  return std::distance(std::filesystem::directory_iterator{proc_path(pid, "fd")}, {});
}

}  // namespace

CAF_TEST(what_is_no_question_is_refused_and_the_next_one_is_answered) {
  raw_asker asker;
  const pid_t worker = children_of(asker.reader().pid()).at(0);
  const auto before = open_descriptors(worker);
  const auto is_refused = [&](const auto& say) {
    CAF_REQUIRE(say());
    const auto answer = asker.last();
    return answer.word == reader_word::refused &&
           answer.value == static_cast<std::uint32_t>(probe_error_kind::malformed_source);
  };
  const reader_request good = question(reader_question::links, 1);
  std::vector<char> bytes(sizeof good + 1, 'x');
  CAF_CHECK(is_refused([&] { return asker.say(bytes.data(), 1); }));
  CAF_CHECK(is_refused([&] { return asker.say(&good, sizeof good - 1); }));
  std::memcpy(bytes.data(), &good, sizeof good);
  CAF_CHECK(is_refused([&] { return asker.say(bytes.data(), bytes.size()); }));
  reader_request odd = good;
  odd.form = 1;
  CAF_CHECK(is_refused([&] { return asker.say(odd); }));
  odd = question(static_cast<reader_question>(reader_questions), 1);
  CAF_CHECK(is_refused([&] { return asker.say(odd); }));
  CAF_CHECK(is_refused([&] { return asker.say(question(reader_question::links, 0)); }));
  odd = good;
  odd.path.fill('/');
  CAF_CHECK(is_refused([&] { return asker.say(odd); }));
  const file_descriptor directory{::open("/proc/self", O_PATH | O_CLOEXEC)};
  const int fd = directory.get();
  CAF_CHECK(is_refused([&] { return asker.say(good, {fd}); }));
  CAF_CHECK(is_refused([&] { return asker.say(question(reader_question::stat_of_ended, 1)); }));
  for (const std::size_t many : {2u, 3u, 200u}) {
    CAF_CHECK(
        is_refused([&] { return asker.say(question(reader_question::stat_of_ended, 1), std::vector<int>(many, fd)); }));
  }
  // It may have answered and not yet closed the last one.
  CAF_CHECK(holds_within(test_timeout, [&] { return open_descriptors(worker) == before; }));
  CAF_REQUIRE(asker.say(good));
  CAF_CHECK(asker.last().word == reader_word::ended);
  CAF_CHECK((children_of(asker.reader().pid()) == std::vector<pid_t>{worker}));
}

CAF_TEST(a_flood_of_questions_costs_it_no_memory_and_each_is_answered) {
  raw_asker asker;
  const pid_t worker = children_of(asker.reader().pid()).at(0);
  const auto resident = [&] { return std::stoul(status_of(worker, "VmRSS")); };
  const auto before = resident();
  std::uint32_t asked = 0;
  std::uint32_t answered = 0;
  while (asked < 20'000) {
    const reader_request request = question(reader_question::links, asked + 1);
    if (asker.say(&request, sizeof request, {}, MSG_DONTWAIT)) {
      ++asked;
      continue;
    }
    // It takes no more: it waits for us.
    while (answered < asked) {
      const auto answer = asker.last();
      CAF_REQUIRE(answer.word == reader_word::ended);
      CAF_REQUIRE_EQUAL(answer.id, ++answered);
    }
  }
  CAF_CHECK(resident() < before + 1024);
}

CAF_TEST(it_ends_when_nobody_holds_its_lifeline) {
  raw_asker asker;
  const pid_t worker = children_of(asker.reader().pid()).at(0);
  asker.hang_up();
  CAF_CHECK_EQUAL(asker.reader().wait(), 0);
  CAF_CHECK(holds_within(test_timeout, [&] { return !is_running(worker); }));
}
