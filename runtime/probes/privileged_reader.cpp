#include "runtime/probes/privileged_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "runtime/os/file_system.hpp"
#include "runtime/probes/netlink_socket.hpp"
#include "runtime/probes/reader_process.hpp"
#include "runtime/probes/source_file.hpp"

namespace cellos {

namespace {

using std::chrono::milliseconds;

/// Chosen here: it is a fork, an exec and a dozen system calls.
constexpr std::chrono::seconds start_timeout{10};

/// One that is silent for less is busy, whoever's time is over: a listing of 1,000 tables takes 100 ms (ADR 18), and a
/// word of it comes every few. Chosen here.
constexpr milliseconds least_silence{50};

/// What is started anew has this long before it is given up again. Chosen here.
constexpr std::chrono::seconds restart_grace{1};

/// Above what it begins with, so that none of those is in the way.
constexpr int above_all = 16;

monotonic_time now() { return std::chrono::steady_clock::now(); }

int left_until(monotonic_time deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, longest_reader_timeout_ms));
}

/// Between fork and exec, perhaps of a process with threads: async-signal-safe calls only.
[[noreturn]] void become_reader(const char* program, int socket, int lifeline) {
  const int null = ::open("/dev/null", O_RDWR);
  const int asked = ::fcntl(socket, F_DUPFD, above_all);
  const int life = ::fcntl(lifeline, F_DUPFD, above_all);
  const int nothing = ::fcntl(null, F_DUPFD, above_all);
  if (asked < 0 || life < 0 || nothing < 0) ::_exit(1);
  for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, each);
  ::dup2(asked, reader_socket);
  ::dup2(life, reader_lifeline);
  ::syscall(SYS_close_range, reader_lifeline + 1, ~0U, 0U);
  keep_over_exec(probe_capabilities());
  const char* const argv[] = {"cellos-telemetryd", reader_argument, nullptr};
  const char* const environment[] = {nullptr};
  ::execve(program, const_cast<char* const*>(argv), const_cast<char* const*>(environment));
  ::_exit(1);
}

}  // namespace

/// Whose turn it is to ask; nobody's if its deadline came first.
class privileged_reader::turn {
 public:
  turn(privileged_reader& of, monotonic_time deadline) : of_(of) {
    std::unique_lock hold{of_.mutex_};
    // What a condition variable can wait for.
    const auto until = std::min(deadline, now() + milliseconds{longest_reader_timeout_ms});
    mine_ = of_.freed_.wait_until(hold, until, [this] { return !of_.in_use_; });
    if (mine_) of_.in_use_ = true;
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    if (!mine_) return;
    {
      const std::lock_guard hold{of_.mutex_};
      of_.in_use_ = false;
    }
    of_.freed_.notify_one();
  }
  explicit operator bool() const { return mine_; }

 private:
  privileged_reader& of_;
  bool mine_ = false;
};

class privileged_reader::relayed_session final : public listing_session {
 public:
  relayed_session(privileged_reader& by, const std::string& path) : by_(by), path_(path) {}
  probe_result<bool> ask(kernel_listing what, std::uint32_t number, netlink_dump& dump,
                         monotonic_time deadline) override {
    return by_.list(path_, what, number, dump, deadline);
  }

 private:
  privileged_reader& by_;
  const std::string& path_;
};

privileged_reader::privileged_reader(pid_t pid, file_descriptor socket, file_descriptor lifeline)
    : pid_(pid),
      socket_(std::move(socket)),
      lifeline_(std::move(lifeline)),
      // From new, so that it is aligned for whatever is in it.
      buffer_(std::make_unique<char[]>(longest_reader_answer)) {}

privileged_reader::~privileged_reader() {
  ::kill(pid_, SIGKILL);
  uninterrupted([this] { return ::waitpid(pid_, nullptr, 0); });
}

privileged_reader::started privileged_reader::start(const std::string& program) {
  std::array<int, 2> ends{};
  std::array<int, 2> life{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return std::string{"a pair of sockets: "} + std::strerror(errno);
  }
  file_descriptor ours{ends[0]};
  const file_descriptor its{ends[1]};
  if (::pipe2(life.data(), O_CLOEXEC | O_NONBLOCK) != 0) return std::string{"a pipe: "} + std::strerror(errno);
  const file_descriptor its_life{life[0]};
  file_descriptor our_life{life[1]};
  const pid_t pid = ::fork();
  if (pid < 0) return std::string{"a process: "} + std::strerror(errno);
  if (pid == 0) become_reader(program.c_str(), its.get(), its_life.get());
  const std::shared_ptr<privileged_reader> reader{new privileged_reader{pid, std::move(ours), std::move(our_life)}};
  if (auto refused = reader->wait_until_ready(now() + start_timeout)) return *std::move(refused);
  return reader;
}

std::optional<std::string> privileged_reader::wait_until_ready(monotonic_time deadline) {
  const auto first = next_answer(deadline);
  if (!first) return "it does not say that it is ready: " + first.error().words;
  if (first->head.word != reader_word::ready || first->behind.size() != sizeof capabilities_) {
    return "it says something else than that it is ready";
  }
  std::memcpy(&capabilities_, first->behind.data(), sizeof capabilities_);
  return std::nullopt;
}

void privileged_reader::report_to(listener report) {
  const std::lock_guard hold{reporting_};
  report_ = std::move(report);
  if (report_) report_(failing_);
}

/// Changes alone.
void privileged_reader::report(const std::optional<std::string>& failing) {
  const std::lock_guard hold{reporting_};
  if (failing.has_value() == failing_.has_value()) return;
  failing_ = failing;
  if (report_) report_(failing_);
}

probe_error privileged_reader::has_gone() {
  const std::string words = "the privileged reader has ended: restart the daemon to have it again";
  report(words);
  return {probe_error_kind::permission_denied, words};
}

/// Its other half kills it, and starts another one.
probe_error privileged_reader::give_up_on_it() {
  probe_error late{probe_error_kind::timed_out, "the privileged reader does not answer in time"};
  if (!unanswered_since_) unanswered_since_ = now();
  if (now() - *unanswered_since_ < least_silence) return late;
  unanswered_since_ = now() + restart_grace;
  const char restart = 'r';
  // A full pipe says it already.
  (void)!::write(lifeline_.get(), &restart, 1);
  report("it does not answer in time");
  return late;
}

probe_result<privileged_reader::answer> privileged_reader::next_answer(monotonic_time deadline) {
  for (;;) {
    pollfd readable{socket_.get(), POLLIN, 0};
    const int ready = uninterrupted([&] { return ::poll(&readable, 1, left_until(deadline)); });
    if (ready < 0) return system_refusal("the privileged reader", errno);
    if (ready == 0) return give_up_on_it();
    const auto bytes =
        uninterrupted([&] { return ::recv(socket_.get(), buffer_.get(), longest_reader_answer, MSG_DONTWAIT); });
    if (bytes < 0 && errno == EAGAIN) continue;
    if (bytes <= 0) return has_gone();
    unanswered_since_.reset();
    answer next;
    if (static_cast<std::size_t>(bytes) < sizeof next.head) continue;
    std::memcpy(&next.head, buffer_.get(), sizeof next.head);
    next.behind = {buffer_.get() + sizeof next.head, static_cast<std::size_t>(bytes) - sizeof next.head};
    if (next.head.form != reader_form) continue;
    if (next.head.word == reader_word::ready && std::exchange(has_been_ready_, true)) {
      report("it ended by itself");
      report(std::nullopt);
    }
    return next;
  }
}

/// Of questions that were given up; and whether it was started anew.
void privileged_reader::take_what_is_left() {
  for (;;) {
    pollfd readable{socket_.get(), POLLIN, 0};
    if (uninterrupted([&] { return ::poll(&readable, 1, 0); }) <= 0 || !next_answer(now())) return;
  }
}

probe_result<bool> privileged_reader::send(reader_request& request, int passed, monotonic_time deadline) {
  take_what_is_left();
  // Kept of one that was not answered at all.
  if (!unanswered_since_) unanswered_since_ = now();
  request.id = ++last_id_ == 0 ? ++last_id_ : last_id_;
  request.timeout_ms = static_cast<std::uint32_t>(left_until(deadline));
  iovec content{&request, sizeof request};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  if (passed >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &passed, sizeof passed);
  }
  for (;;) {
    const auto sent = uninterrupted([&] { return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
    if (sent >= 0) return true;
    if (errno == EPIPE || errno == ECONNRESET) return has_gone();
    if (errno != EAGAIN) return system_refusal("the privileged reader", errno);
    // Questions that were given up before it has taken them.
    pollfd writable{socket_.get(), POLLOUT, 0};
    if (uninterrupted([&] { return ::poll(&writable, 1, left_until(deadline)); }) == 0) return give_up_on_it();
  }
}

probe_result<bool> privileged_reader::list(const std::string& path, kernel_listing what, std::uint32_t number,
                                           netlink_dump& dump, monotonic_time deadline) {
  reader_request request;
  if (path.size() >= request.path.size()) {
    return probe_error{probe_error_kind::malformed_source, "the path of the namespace is too long"};
  }
  const turn mine{*this, deadline};
  if (!mine) return probe_error{probe_error_kind::timed_out, "the privileged reader is busy"};
  request.question = static_cast<reader_question>(what);
  request.listing_number = number;
  std::copy(path.begin(), path.end(), request.path.begin());
  if (auto sent = send(request, -1, deadline); !sent) return sent;
  auto progress = netlink_dump::progress::more;
  for (;;) {
    const auto next = next_answer(deadline);
    if (!next) return next.error();
    // Whoever has taken the question has ended.
    if (next->head.word == reader_word::ready) return false;
    if (next->head.id != request.id) continue;
    switch (next->head.word) {
      case reader_word::piece:
        if (progress == netlink_dump::progress::more) progress = dump.take(next->behind);
        break;
      case reader_word::ended: return whether_complete(progress, dump, source_of(what));
      case reader_word::lost: return false;
      case reader_word::refused: return refusal_in(*next);
      default: return whether_complete(netlink_dump::progress::malformed, dump, source_of(what));
    }
  }
}

probe_error privileged_reader::refusal_in(const answer& of) {
  const auto kind = of.head.value < probe_error_names.size() ? static_cast<probe_error_kind>(of.head.value)
                                                             : probe_error_kind::malformed_source;
  return {kind, std::string{of.behind.data(), of.behind.size()}};
}

std::optional<probe_error> privileged_reader::in_namespace(const std::string& path,
                                                           const std::function<void(listing_session&)>& work) {
  relayed_session session{*this, path};
  work(session);
  return std::nullopt;
}

probe_result<std::string> privileged_reader::stat_of_ended(int directory, monotonic_time deadline) {
  const turn mine{*this, deadline};
  if (!mine) return probe_error{probe_error_kind::timed_out, "the privileged reader is busy"};
  reader_request request;
  request.question = reader_question::stat_of_ended;
  if (auto sent = send(request, directory, deadline); !sent) return sent.error();
  for (;;) {
    const auto next = next_answer(deadline);
    if (!next) return next.error();
    if (next->head.word == reader_word::ready) {
      return probe_error{probe_error_kind::io, "the privileged reader ended while it was asked"};
    }
    if (next->head.id != request.id) continue;
    if (next->head.word == reader_word::text) return std::string{next->behind.data(), next->behind.size()};
    return refusal_in(*next);
  }
}

}  // namespace cellos
