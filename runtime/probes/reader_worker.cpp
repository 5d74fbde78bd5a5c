// The process that answers for the daemon what needs capabilities. Believes nothing of a question: a few fixed ones are
// answered, with what the kernel says and nothing that the asker could have put there. Takes nothing apart that the
// kernel says, but for where a dump ends.

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/probes/kernel_listing.hpp"
#include "runtime/probes/netlink_socket.hpp"
#include "runtime/probes/network_namespace.hpp"
#include "runtime/probes/process_probe.hpp"
#include "runtime/probes/reader_messages.hpp"
#include "runtime/probes/reader_process.hpp"
#include "runtime/probes/source_file.hpp"
#include "runtime/probes/system_call_filter.hpp"

namespace cellos {

namespace {

constexpr std::size_t longest_stat = 4096;
constexpr std::size_t longest_words = 512;

/// A request, and what came with it.
struct received_request {
  reader_request request;
  /// The kernel passes on one at most: there is no room for more.
  file_descriptor passed;
  bool is_well_formed = false;
};

/// Sees where a dump ends, and takes nothing of it.
class end_of_dump final : public netlink_dump {
 public:
  using netlink_dump::netlink_dump;

 private:
  bool take_message(const nlmsghdr*) override { return true; }
};

void say(std::uint32_t id, reader_word word, std::uint32_t value, std::string_view behind) {
  reader_answer head{reader_form, id, word, value};
  std::array<iovec, 2> parts{iovec{&head, sizeof head}, iovec{const_cast<char*>(behind.data()), behind.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const auto sent = uninterrupted([&] { return ::sendmsg(reader_socket, &message, MSG_NOSIGNAL); });
  // Nobody is there to hear it.
  if (sent < 0) ::_exit(1);
}

void refuse(std::uint32_t id, const probe_error& error) {
  say(id, reader_word::refused, static_cast<std::uint32_t>(error.kind),
      std::string_view{error.words}.substr(0, longest_words));
}

/// All that came, so that none stays open; the first of them.
file_descriptor take_descriptors(msghdr& message) {
  file_descriptor first;
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; at + CMSG_LEN(sizeof(int)) <= each->cmsg_len; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(each) + at, sizeof fd);
      file_descriptor taken{fd};
      if (!first) first = std::move(taken);
    }
  }
  return first;
}

received_request next_request() {
  received_request received;
  iovec into{&received.request, sizeof received.request};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &into;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  // Room for one. Where it is aligned there would be room for two.
  message.msg_controllen = CMSG_LEN(sizeof(int));
  const auto bytes = uninterrupted([&] { return ::recvmsg(reader_socket, &message, MSG_CMSG_CLOEXEC); });
  if (bytes < 0) ::_exit(1);
  received.passed = take_descriptors(message);
  const reader_request& asked = received.request;
  const bool is_whole = bytes == sizeof asked && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  if (!is_whole) received.request = {};
  const bool needs_descriptor = asked.question == reader_question::stat_of_ended;
  received.is_well_formed = is_whole && needs_descriptor == static_cast<bool>(received.passed) &&
                            asked.form == reader_form && asked.id != 0 &&
                            static_cast<std::uint32_t>(asked.question) < reader_questions &&
                            std::find(asked.path.begin(), asked.path.end(), '\0') != asked.path.end();
  return received;
}

std::optional<probe_error> relay(const reader_request& asked) {
  const auto what = static_cast<kernel_listing>(asked.question);
  netlink_socket socket{netlink_family_of(what), source_of(what)};
  end_of_dump end{asked.listing_number};
  const auto take = [&](std::span<const char> datagram) {
    say(asked.id, reader_word::piece, 0, {datagram.data(), datagram.size()});
    return end.take(datagram);
  };
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::milliseconds{std::min(asked.timeout_ms, longest_reader_timeout_ms)};
  const auto progress = socket.exchange(request_of(what, asked.listing_number), take, deadline);
  if (!progress) return progress.error();
  say(asked.id, *progress == netlink_dump::progress::interrupted ? reader_word::lost : reader_word::ended, 0, {});
  return std::nullopt;
}

void answer_listing(const reader_request& asked, int own_namespace) {
  const std::string path{asked.path.data()};
  if (path.empty()) {
    if (auto error = relay(asked)) refuse(asked.id, *error);
    return;
  }
  if (path.front() != '/') {
    return refuse(asked.id, {probe_error_kind::malformed_source, "the path of a namespace begins with a slash"});
  }
  const auto place = open_network_namespace(path);
  if (!place) return refuse(asked.id, place.error());
  if (::setns(place->get(), CLONE_NEWNET) != 0) {
    return refuse(asked.id, system_refusal("network namespace " + path, errno));
  }
  const auto error = relay(asked);
  // It would be kept, and what is asked next would be read of it.
  if (::setns(own_namespace, CLONE_NEWNET) != 0) ::_exit(1);
  if (error) refuse(asked.id, *error);
}

bool is_in_proc(int descriptor) {
  struct statfs on {};
  return ::fstatfs(descriptor, &on) == 0 && on.f_type == PROC_SUPER_MAGIC;
}

/// Of who lives it would say where its code and stack are.
bool is_of_ended(std::string_view stat) {
  const auto name_end = stat.rfind(") ");
  if (name_end == stat.npos || name_end + 2 >= stat.size()) return false;
  return stat[name_end + 2] == 'Z' || stat[name_end + 2] == 'X';
}

void answer_stat(const received_request& asked) {
  const std::uint32_t id = asked.request.id;
  const probe_error wrong{probe_error_kind::malformed_source, "it is no process that has ended"};
  if (!is_in_proc(asked.passed.get())) return refuse(id, wrong);
  const auto stat = read_kernel_file(asked.passed.get(), "stat", longest_stat);
  if (!stat) return refuse(id, stat.error());
  if (!*stat || !is_of_ended(**stat)) return refuse(id, wrong);
  if (!may_know_status(asked.passed.get())) {
    return refuse(id, {probe_error_kind::permission_denied, "the reader may not know how it ended"});
  }
  say(id, reader_word::text, 0, **stat);
}

/// setns and socket with the arguments that listings have, and nothing that runs, writes or changes anything.
std::string narrow_filter() {
  static constexpr std::array allowed = std::to_array<allowed_call>({
#ifdef SYS_poll
      {SYS_poll},
#endif
      {SYS_ppoll},
      {SYS_read},
      {SYS_close},
      {SYS_recvmsg},
      {SYS_recvfrom},
      {SYS_sendmsg},
      {SYS_sendto},
      {SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
      {SYS_fstatfs},
      {SYS_readlinkat},
      {SYS_setns, 1, ~0U, CLONE_NEWNET},
      {SYS_socket, 0, ~0U, AF_NETLINK},
      {SYS_rt_sigreturn},
      {SYS_restart_syscall},
      {SYS_clock_gettime},
      {SYS_brk},
      {SYS_munmap},
      {SYS_mmap, 2, PROT_EXEC, 0},
      {SYS_mremap},
      {SYS_madvise},
      {SYS_futex},
      {SYS_getrandom},
      {SYS_exit_group},
  });
  return allow_only(allowed);
}

}  // namespace

void answer_privileged_reads(int own_namespace) {
  ::prctl(PR_SET_NAME, "cellos-reader");
  const capability_set all = present_capabilities().permitted;
  if (set_capabilities({all, all, 0}) || !narrow_filter().empty()) ::_exit(1);
  std::array<char, sizeof all> mask{};
  std::memcpy(mask.data(), &all, sizeof all);
  say(0, reader_word::ready, 0, {mask.data(), mask.size()});
  for (;;) {
    const received_request asked = next_request();
    if (!asked.is_well_formed) {
      refuse(asked.request.id, {probe_error_kind::malformed_source, "that is no question"});
    } else if (asked.request.question == reader_question::stat_of_ended) {
      answer_stat(asked);
    } else {
      answer_listing(asked.request, own_namespace);
    }
  }
}

}  // namespace cellos
